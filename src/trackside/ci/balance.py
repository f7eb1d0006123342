"""Shards of a job: how long they take, what the suite expected of each test file, and a better partition."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from trackside.history.frames import History

WORTH_S: Final = 60.0
WORTH_SHARE: Final = 0.1
"""What a partition must save, at least, to be worth a change."""
_FILE: Final = ["workflow", "family", "file"]


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """One shard: over ``jobs`` attempts that passed the median and the longest duration, None where none passed.

    ``files`` and ``files_s`` are the test files that it ran last and the sum of their median times; None where no log
    of the shard was read.
    """

    shard: str
    jobs: int
    median_s: float | None
    max_s: float | None
    files: int | None
    files_s: float | None


class FileTime(msgspec.Struct, frozen=True, kw_only=True):
    """One test file: of ``n`` times that were measured the median and the last, and what was estimated last.

    ``gap_s`` is the median − the estimate: above 0 the file takes longer than was planned for. ``shard`` is where it
    ran last. Times are those of a file that passed, where it ever did.
    """

    file: str
    shard: str
    n: int
    median_s: float
    last_s: float
    estimated_s: float | None
    gap_s: float | None


class PlannedShard(msgspec.Struct, frozen=True, kw_only=True):
    """One shard of the proposed partition: its files, and how long they will take together."""

    files: tuple[str, ...]
    predicted_s: float


class FamilyBalance(msgspec.Struct, frozen=True, kw_only=True):
    """One job that is split into shards, or whose test files are known.

    ``files`` stand with the largest gap (either way) first. ``longest_s`` is the longest shard now, ``planned_s`` that
    of ``plan`` (the present partition, where none better was found), ``bound_s`` what no partition into as many shards
    can be below: sums of median times of the files that were measured, without the set-up of a job. They are None, and
    ``plan`` is empty, where fewer than two shards have measured files. ``unmeasured`` are files without a time,
    ``unread_shards`` shards of which no log was read: both are in no plan.
    """

    workflow: str
    job: str
    shards: tuple[Shard, ...]
    files: tuple[FileTime, ...]
    longest_s: float | None
    planned_s: float | None
    bound_s: float | None
    plan: tuple[PlannedShard, ...]
    unmeasured: tuple[str, ...]
    unread_shards: tuple[str, ...]

    @property
    def saved_s(self) -> float:
        """How much shorter the longest shard becomes; 0 where nothing is gained or known."""
        return max((self.longest_s or 0.0) - (self.planned_s or 0.0), 0.0) if self.planned_s is not None else 0.0

    @property
    def is_uneven(self) -> bool:
        """Whether the plan makes the longest shard at least a minute and a tenth shorter."""
        return self.saved_s >= max(WORTH_S, WORTH_SHARE * (self.longest_s or 0.0))


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """The jobs with shards, where the most can be saved first; of ``logs`` jobs the logs told test files."""

    families: tuple[FamilyBalance, ...]
    logs: int

    @property
    def uneven(self) -> tuple[FamilyBalance, ...]:
        """The jobs whose partition is worth a change."""
        return tuple(one for one in self.families if one.is_uneven)


def shard_balance(history: History) -> Balance:
    """Every job of the window that has matrix indices, or whose logs tell test files with times."""
    jobs = history.counted_jobs.with_columns(pl.col("shard").fill_null(""))
    kept = jobs.select("job_id", "workflow", "family", "shard", at=pl.coalesce("started_at", "created_at"))
    files = history.test_files.join(kept, on="job_id").sort("at", "job_id", "suite", nulls_last=False)
    shards = _shards(jobs)
    told = _files(files)
    keys = {(row["workflow"], row["family"]) for row in [*shards, *told]}
    by_shards, by_files = _grouped(shards), _grouped(told)
    split = [key for key in keys if key in by_files or len(by_shards.get(key, ())) > 1]
    families = [_family(key, by_shards.get(key, []), by_files.get(key, [])) for key in split]
    families.sort(key=lambda one: (-one.saved_s, one.longest_s is None, -(one.longest_s or 0.0), one.workflow, one.job))
    return Balance(families=tuple(families), logs=files["job_id"].n_unique())


def partition(times: Mapping[str, float], shards: int) -> list[list[str]]:
    """The files in ``shards`` parts: the longest first, each to the part that is shortest by then.

    At most 4/3 − 1/(3·shards) times as long as the best. Source: R. L. Graham, SIAM J. Appl. Math. 17 (1969), 416-429.
    """
    parts: list[list[str]] = [[] for _ in range(shards)]
    loads = [(0.0, place) for place in range(shards)]
    for file in sorted(times, key=lambda name: (-times[name], name)):
        load, place = heapq.heappop(loads)
        parts[place].append(file)
        heapq.heappush(loads, (load + times[file], place))
    return parts


def _shards(jobs: pl.DataFrame) -> list[dict[str, Any]]:
    passed = (pl.col("outcome") == "passed") & pl.col("duration_s").is_not_null()
    duration = pl.col("duration_s").filter(passed)
    ran = jobs.filter(pl.col("outcome").is_in(["passed", "failed"]))
    rows = ran.group_by("workflow", "family", "shard").agg(
        passed.sum().alias("jobs"), duration.median().alias("median_s"), duration.max().alias("max_s")
    )
    return rows.rows(named=True)


def _files(files: pl.DataFrame) -> list[dict[str, Any]]:
    """One row a file of a job: ``shard`` it ran in last, ``n``, ``median_s``, ``last_s``, ``estimated_s``."""
    measured = pl.col("elapsed_s").is_not_null() & pl.col("elapsed_s").is_finite()
    best = measured & (pl.col("outcome") == "passed")
    ever_passed = best.any().over(_FILE)
    rows = files.with_columns(counts=pl.when(ever_passed).then(best).otherwise(measured))
    time = pl.col("elapsed_s").filter(pl.col("counts"))
    grouped = rows.group_by(_FILE, maintain_order=True).agg(
        pl.col("shard").last(),
        time.len().alias("n"),
        time.median().alias("median_s"),
        time.last().alias("last_s"),
        pl.col("estimated_s").drop_nulls().last(),
    )
    return grouped.rows(named=True)


def _grouped(rows: Sequence[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["workflow"], row["family"]), []).append(row)
    return groups


def _family(key: tuple[str, str], shards: Sequence[dict[str, Any]], files: Sequence[dict[str, Any]]) -> FamilyBalance:
    measured = [row for row in files if row["n"]]
    times = {row["file"]: float(row["median_s"]) for row in measured}
    now: dict[str, float] = {}
    for row in measured:
        now[row["shard"]] = now.get(row["shard"], 0.0) + times[row["file"]]
    plan = _plan(times, {row["file"]: row["shard"] for row in measured})
    read = {row["shard"] for row in files}
    return FamilyBalance(
        workflow=key[0],
        job=key[1],
        shards=tuple(_shard(row, files, now) for row in sorted(shards, key=lambda row: _natural(row["shard"]))),
        files=tuple(sorted(map(_file_time, measured), key=lambda one: (-abs(one.gap_s or 0.0), one.file))),
        longest_s=max(now.values()) if plan else None,
        planned_s=max(part.predicted_s for part in plan) if plan else None,
        bound_s=max(max(times.values()), sum(times.values()) / len(plan)) if plan else None,
        plan=plan,
        unmeasured=tuple(sorted(row["file"] for row in files if not row["n"])),
        unread_shards=tuple(sorted({row["shard"] for row in shards} - read, key=_natural)) if files else (),
    )


def _plan(times: Mapping[str, float], now: Mapping[str, str]) -> tuple[PlannedShard, ...]:
    """The proposed partition, or that of ``now`` (the shard of each file) where it is no worse."""
    present: dict[str, list[str]] = {}
    for file in sorted(times, key=lambda name: (-times[name], name)):
        present.setdefault(now[file], []).append(file)
    if len(present) < 2:
        return ()
    kept = _planned(times, [present[shard] for shard in sorted(present, key=_natural)])
    better = _planned(times, partition(times, len(present)))
    return min(kept, better, key=lambda plan: max(part.predicted_s for part in plan))


def _planned(times: Mapping[str, float], parts: Sequence[Sequence[str]]) -> tuple[PlannedShard, ...]:
    return tuple(PlannedShard(files=tuple(part), predicted_s=sum(times[file] for file in part)) for part in parts)


def _shard(row: dict[str, Any], files: Sequence[dict[str, Any]], now: Mapping[str, float]) -> Shard:
    own = sum(one["shard"] == row["shard"] for one in files)
    return Shard(
        shard=row["shard"],
        jobs=row["jobs"],
        median_s=row["median_s"],
        max_s=row["max_s"],
        files=own or None,
        files_s=now.get(row["shard"]),
    )


def _file_time(row: dict[str, Any]) -> FileTime:
    estimated = row["estimated_s"]
    return FileTime(
        file=row["file"],
        shard=row["shard"],
        n=row["n"],
        median_s=row["median_s"],
        last_s=row["last_s"],
        estimated_s=estimated,
        gap_s=None if estimated is None else row["median_s"] - estimated,
    )


def _natural(shard: str) -> tuple[tuple[int, ...], str]:
    """``2`` before ``10``, ``1, 2`` before ``1, 10``."""
    numbers = "".join(char if char.isdigit() else " " for char in shard).split()
    return (tuple(int(number[:9]) for number in numbers), shard)
