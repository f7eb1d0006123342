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
NEWEST_RUNS: Final = 5
"""So many runs tell how many shards a job has now: one run alone may have been cut short."""
_FAMILY: Final = ["workflow", "family"]
_FILE: Final = [*_FAMILY, "file"]
_Key = tuple[str, str]


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """One shard: over ``jobs`` attempts that passed the median and the longest duration, None where none passed.

    ``files`` and ``files_s`` are the test files that it ran last and the sum of their median times; None where none is
    known.
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
    ``plan`` is empty, where fewer than two shards can take files. ``unmeasured`` are files without a time: they are in
    no plan. ``unread_shards`` are shards that the job has now and of which no log told a test file: they are no part of
    a plan, unless ``divides_anew``.

    ``divides_anew`` says that most files which several logs tell of ran in several shards: the suite divides its files
    again and again. A shard's files are then those of its newest log alone, and a plan is over all shards.
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
    divides_anew: bool = False

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
    shards, told, present = _grouped(_shards(jobs)), _grouped(_files(files)), _present(jobs)
    newest = _newest_logs(files)
    split = [key for key in {*shards, *told} if key in told or len(shards[key]) > 1]
    families = [
        _family(key, shards.get(key, []), told.get(key, []), newest.get(key, {}), present.get(key, frozenset()))
        for key in split
    ]
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
    """One row a file of a job: ``shard`` it ran in last, ``seen_in`` shards, ``n``, ``median_s``, ``last_s``, …"""
    measured = pl.col("elapsed_s").is_not_null() & pl.col("elapsed_s").is_finite()
    best = measured & (pl.col("outcome") == "passed")
    ever_passed = best.any().over(_FILE)
    rows = files.with_columns(counts=pl.when(ever_passed).then(best).otherwise(measured))
    time = pl.col("elapsed_s").filter(pl.col("counts"))
    grouped = rows.group_by(_FILE, maintain_order=True).agg(
        pl.col("shard").last(),
        pl.col("shard").unique().alias("seen_in"),
        pl.col("job_id").n_unique().alias("logs"),
        time.len().alias("n"),
        time.median().alias("median_s"),
        time.last().alias("last_s"),
        pl.col("estimated_s").drop_nulls().last(),
    )
    return grouped.rows(named=True)


def _present(jobs: pl.DataFrame) -> dict[_Key, frozenset[str]]:
    """The shards that each job has now: those of its newest runs, of such as are over where there are any."""
    ran = jobs.with_columns(over=pl.col("run_conclusion").is_in(["success", "failure"]).fill_null(False))
    runs = ran.group_by(*_FAMILY, "run_id").agg(
        pl.col("shard").unique(), pl.col("over").any(), pl.col("run_created_at").max()
    )
    order = runs.sort("over", "run_created_at", "run_id", descending=True, nulls_last=True, maintain_order=True)
    newest = order.filter(pl.col("over") | ~pl.col("over").any().over(_FAMILY)).group_by(_FAMILY).head(NEWEST_RUNS)
    present: dict[_Key, frozenset[str]] = {}
    for workflow, family, shards in newest.select(*_FAMILY, "shard").iter_rows():
        present[workflow, family] = present.get((workflow, family), frozenset()).union(shards)
    return present


def _newest_logs(files: pl.DataFrame) -> dict[_Key, dict[str, list[str]]]:
    """The files that the newest log of each shard tells of."""
    newest = files.filter(pl.col("job_id") == pl.col("job_id").last().over(*_FAMILY, "shard"))
    logs: dict[_Key, dict[str, list[str]]] = {}
    for workflow, family, shard, file in newest.select(*_FAMILY, "shard", "file").unique(maintain_order=True).rows():
        logs.setdefault((workflow, family), {}).setdefault(shard, []).append(file)
    return logs


def _grouped(rows: Sequence[dict[str, Any]]) -> dict[_Key, list[dict[str, Any]]]:
    groups: dict[_Key, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["workflow"], row["family"]), []).append(row)
    return groups


def _family(
    key: _Key,
    shards: Sequence[dict[str, Any]],
    files: Sequence[dict[str, Any]],
    newest: Mapping[str, list[str]],
    present: frozenset[str],
) -> FamilyBalance:
    measured = [row for row in files if row["n"]]
    times = {row["file"]: float(row["median_s"]) for row in measured}
    anew = _divides_anew(files)
    held = newest if anew else _last_held(files)
    now = {shard: sum(times[file] for file in own if file in times) for shard, own in held.items()}
    unread = present - {shard for row in files for shard in row["seen_in"]}
    parts = len(present if anew else present - unread)
    plan = _plan(times, {} if anew else held, parts)
    return FamilyBalance(
        workflow=key[0],
        job=key[1],
        shards=tuple(_shard(row, held, now) for row in sorted(shards, key=lambda row: _natural(row["shard"]))),
        files=tuple(sorted(map(_file_time, measured), key=lambda one: (-abs(one.gap_s or 0.0), one.file))),
        longest_s=max(now.values()) if plan else None,
        planned_s=max(part.predicted_s for part in plan) if plan else None,
        bound_s=max(max(times.values()), sum(times.values()) / parts) if plan else None,
        plan=plan,
        unmeasured=tuple(sorted(row["file"] for row in files if not row["n"])),
        unread_shards=tuple(sorted(unread, key=_natural)) if files else (),
        divides_anew=anew,
    )


def _divides_anew(files: Sequence[dict[str, Any]]) -> bool:
    again = [len(row["seen_in"]) > 1 for row in files if row["logs"] > 1]
    return sum(again) * 2 > len(again)


def _last_held(files: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    """The files by the shard that they ran in last."""
    held: dict[str, list[str]] = {}
    for row in files:
        held.setdefault(row["shard"], []).append(row["file"])
    return held


def _plan(times: Mapping[str, float], held: Mapping[str, Sequence[str]], shards: int) -> tuple[PlannedShard, ...]:
    """The proposed partition into ``shards`` parts, or the present one (``held``, if any) where it is no worse."""
    if shards < 2 or not times:
        return ()
    plans = [_planned(times, partition(times, shards))]
    longest_first = sorted(times, key=lambda name: (-times[name], name))
    present = [[file for file in longest_first if file in held[shard]] for shard in sorted(held, key=_natural)]
    if 0 < len(present) <= shards:
        plans.insert(0, _planned(times, present + [[]] * (shards - len(present))))
    return min(plans, key=lambda plan: max(part.predicted_s for part in plan))


def _planned(times: Mapping[str, float], parts: Sequence[Sequence[str]]) -> tuple[PlannedShard, ...]:
    return tuple(PlannedShard(files=tuple(part), predicted_s=sum(times[file] for file in part)) for part in parts)


def _shard(row: dict[str, Any], held: Mapping[str, Sequence[str]], now: Mapping[str, float]) -> Shard:
    own = held.get(row["shard"])
    return Shard(
        shard=row["shard"],
        jobs=row["jobs"],
        median_s=row["median_s"],
        max_s=row["max_s"],
        files=len(own) if own else None,
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
