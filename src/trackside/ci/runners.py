"""Failures that concentrate on a runner or a pool, beyond chance and beyond the jobs that it happens to run.

A runner is compared with the other runners of its pool within blocks of one job: executions of that job in that pool
that follow each other, 20 at a time. Within a block only differences between runners count, so a runner that runs a
broken job is not blamed, nor one that was there while a job was broken, nor anybody for a job that fails everywhere.
All blocks together give one exact one-sided test for a runner; Benjamini–Hochberg over all runners keeps the share of
false alarms. A pool is compared in the same way with the other pools that run the same jobs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from trackside.history.frames import History
from trackside.stats.exact_tests import expected_hits, stratified_greater
from trackside.stats.intervals import wilson
from trackside.stats.multiplicity import benjamini_hochberg

BLOCK: Final = 20
"""Executions of a job in a block."""
Q_LIMIT: Final = 0.05
"""Of the runners named at most this share is named by chance, on average."""
LEAST_FAILURES: Final = 3
LEAST_COMMITS: Final = 3
"""On so many different commits, so that one broken change names no runner."""
LEAST_RATIO: Final = 1.5
"""So many times the failures that are to be expected, so that what is certain but small names no runner."""

_HOSTED: Final = r"^(GitHub Actions|Hosted Agent)(\s\d+)?$"
_ONCE: Final = 0.8
_FEW_RUNNERS: Final = 5
_MOST_JOBS: Final = 5
_MOST_EXAMPLES: Final = 5


class JobOnRunner(msgspec.Struct, frozen=True, kw_only=True):
    """One job on the one that is judged and elsewhere, in the blocks in which both ran it."""

    workflow: str
    job: str
    failures: int
    jobs: int
    other_failures: int
    other_jobs: int


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One runner or one pool: ``name``, and the ``pools`` whose jobs it ran.

    ``jobs`` are decided job attempts (passed or failed) on it, ``failures`` those that failed. Of these ``compared``
    and ``compared_failures`` are in blocks in which others ran the same job; ``expected`` is how many would have
    failed there at the others' rates. ``rate`` and ``expected_rate`` are shares of ``compared``; ``low`` and ``high``
    the 95 % interval (Wilson) of ``rate``. ``p`` is the chance of so many failures or more if runners made no
    difference, ``q`` the same with all that were judged taken into account. All these are None where nothing could be
    compared. ``is_bad`` says that q is at most 0.05, with 3 failures or more, on 3 commits or more, and at least 1.5
    times the expected ones. ``by_job`` are the jobs that failed on it, the most failures first, ``examples`` pages of
    the newest failures.
    """

    name: str
    pools: tuple[str, ...]
    jobs: int
    failures: int
    commits: int
    compared: int
    compared_failures: int
    expected: float | None
    rate: float | None
    low: float | None
    high: float | None
    expected_rate: float | None
    p: float | None
    q: float | None
    is_bad: bool
    by_job: tuple[JobOnRunner, ...]
    examples: tuple[str, ...]


class PoolRunners(msgspec.Struct, frozen=True, kw_only=True):
    """The runners of one pool. Ephemeral ones run a job and are gone: they are not judged one by one."""

    pool: str
    runners: int
    ephemeral: bool
    jobs: int
    failures: int


class RunnerReport(msgspec.Struct, frozen=True, kw_only=True):
    """Runners and pools that were judged, the smallest q first, and the pools with their runners.

    ``unknown`` decided job attempts do not tell their runner or pool. ``ephemeral_jobs`` ran on ephemeral runners.
    """

    runners: tuple[Judged, ...]
    pools: tuple[Judged, ...]
    kinds: tuple[PoolRunners, ...]
    jobs: int
    unknown: int
    ephemeral_jobs: int

    @property
    def bad(self) -> tuple[Judged, ...]:
        """The runners and pools on which failures concentrate."""
        return tuple(one for one in (*self.runners, *self.pools) if one.is_bad)


def judge_runners(history: History) -> RunnerReport:
    """Every runner and every pool of the window's job attempts that passed or failed; ignored jobs do not count."""
    decided = history.counted_jobs.filter(pl.col("outcome").is_in(["passed", "failed"]))
    told = pl.col("runner_name").is_not_null() & (pl.col("runner_name") != "") & pl.col("pool").is_not_null()
    jobs = _marked(decided.filter(told))
    lasting = jobs.filter(~pl.col("ephemeral"))
    return RunnerReport(
        runners=_judged(lasting, "runner_name", ["workflow", "job", "pool"]),
        pools=_judged(jobs, "pool", ["workflow", "job"]),
        kinds=_kinds(jobs),
        jobs=jobs.height,
        unknown=decided.height - jobs.height,
        ephemeral_jobs=jobs.height - lasting.height,
    )


def _marked(jobs: pl.DataFrame) -> pl.DataFrame:
    """The columns that are needed, with ``failed``, ``at`` and whether the runner is ``ephemeral``."""
    hosted = pl.col("runner_name").str.contains(_HOSTED) | (pl.col("runner_group").eq_missing("GitHub Actions"))
    rows = jobs.select(
        "workflow", "job", "pool", "runner_name", "url", "job_id",
        at=pl.coalesce("started_at", "created_at", "run_created_at"),
        failed=pl.col("outcome") == "failed",
        commit=pl.coalesce("sha", pl.col("run_id").cast(pl.String)),
        hosted=hosted.fill_null(value=False),
    )  # fmt: skip
    used = rows.group_by("pool", "runner_name").len()
    once = used.group_by("pool").agg(
        used_once=(pl.len() >= _FEW_RUNNERS) & ((pl.col("len") == 1).mean() >= _ONCE),
    )
    ephemeral = (pl.col("hosted") | pl.col("used_once")).alias("ephemeral")
    return rows.join(once, on="pool", how="left").with_columns(ephemeral).sort("at", "job_id", nulls_last=True)


def _judged(jobs: pl.DataFrame, unit: str, same: list[str]) -> tuple[Judged, ...]:
    """Each value of the column ``unit`` against the others, in blocks of jobs of the ``same`` keys."""
    compared = _compared(_tables(jobs, unit, same), unit)
    nothing: dict[str, Any] = dict.fromkeys(("expected", "rate", "low", "high", "expected_rate", "p"))
    nothing |= {"compared": 0, "compared_failures": 0, "by_job": ()}
    rows = [
        Judged(q=None, is_bad=False, **told, **compared.get(told["name"], nothing)) for told in _seen_on(jobs, unit)
    ]
    tested = [one for one in rows if one.p is not None]
    q = benjamini_hochberg([one.p for one in tested if one.p is not None])
    judged = [_with_q(one, value) for one, value in zip(tested, q, strict=True)]
    judged += [one for one in rows if one.p is None]
    return tuple(sorted(judged, key=_order))


def _order(one: Judged) -> tuple[bool, float, float, float, str]:
    q, p = (1.0, 1.0) if one.q is None or one.p is None else (one.q, one.p)
    return (not one.is_bad, q, p, -one.failures, one.name)


def _seen_on(jobs: pl.DataFrame, unit: str) -> Iterator[dict[str, Any]]:
    """What each runner or pool ran: the fields of ``Judged`` that need no comparison."""
    failed = pl.col("failed")
    seen = jobs.group_by(unit, maintain_order=True).agg(
        pl.col("pool").unique().sort().alias("pools"),
        pl.len().alias("jobs"),
        failed.sum().alias("failures"),
        pl.col("commit").filter(failed).n_unique().alias("commits"),
        pl.col("url").filter(failed).drop_nulls().tail(_MOST_EXAMPLES).reverse().alias("examples"),
    )
    # The unit may be the pool itself, of which the aggregate made a list.
    names = seen[unit].to_list()
    for name, row in zip(names, seen.drop(unit).iter_rows(named=True), strict=True):
        yield {**row, "name": name, "pools": tuple(row["pools"]), "examples": tuple(row["examples"])}


def _tables(jobs: pl.DataFrame, unit: str, same: list[str]) -> pl.DataFrame:
    """For each unit and each block that others ran in too: ``a`` of ``n`` failed on it, ``c`` of ``others`` elsewhere.

    In the order of the units and of the four counts ``a``, ``b``, ``c``, ``d`` of their tables.
    """
    blocks = [*same, "block"]
    here = (
        jobs.select(
            *dict.fromkeys([*same, unit]), "failed", (pl.int_range(pl.len()) // BLOCK).over(same).alias("block")
        )
        .group_by(*dict.fromkeys([*blocks, unit]))
        .agg(pl.col("failed").sum().cast(pl.Int64).alias("a"), pl.len().cast(pl.Int64).alias("n"))
    )
    here = here.with_columns(
        b=pl.col("n") - pl.col("a"),
        c=pl.col("a").sum().over(blocks) - pl.col("a"),
        others=pl.col("n").sum().over(blocks) - pl.col("n"),
    )
    here = here.filter(pl.col("others") > 0).with_columns(d=pl.col("others") - pl.col("c"))
    return here.sort(unit, "a", "b", "c", "d")


def _compared(tables: pl.DataFrame, unit: str) -> dict[str, dict[str, Any]]:
    """Of each unit with a comparison: the fields of ``Judged`` that tell how it came out, but for ``q``."""
    jobs = _by_job(tables, unit)
    counts = tables.select("a", "b", "c", "d").to_numpy()
    told, start = {}, 0
    for name, size in tables.group_by(unit, maintain_order=True).len().iter_rows():
        told[name] = {**_tested(counts[start : start + size]), "by_job": jobs.get(name, ())}
        start += size
    return told


def _tested(tables: npt.NDArray[np.int64]) -> dict[str, Any]:
    failures, jobs = int(tables[:, 0].sum()), int(tables[:, :2].sum())
    expected = expected_hits(tables)
    low, high = wilson(failures, jobs)
    # A block in which all or none failed cannot tell who is to blame.
    telling = tables[(tables[:, 0] + tables[:, 2] > 0) & (tables[:, 1] + tables[:, 3] > 0)]
    return {
        "compared": jobs,
        "compared_failures": failures,
        "expected": expected,
        "rate": failures / jobs,
        "low": low,
        "high": high,
        "expected_rate": expected / jobs,
        "p": stratified_greater(telling),
    }


def _by_job(tables: pl.DataFrame, unit: str) -> dict[str, tuple[JobOnRunner, ...]]:
    """The jobs that failed on each unit, the most failures first."""
    key = [unit, "workflow", "job"]
    summed = tables.group_by(key).agg(pl.col("a", "n", "c", "others").sum()).filter(pl.col("a") > 0)
    rows = summed.sort(unit, "a", "workflow", "job", descending=[False, True, False, False])
    found: dict[str, list[JobOnRunner]] = {}
    for row in rows.group_by(unit, maintain_order=True).head(_MOST_JOBS).iter_rows(named=True):
        one = JobOnRunner(
            workflow=row["workflow"],
            job=row["job"],
            failures=row["a"],
            jobs=row["n"],
            other_failures=row["c"],
            other_jobs=row["others"],
        )
        found.setdefault(row[unit], []).append(one)
    return {name: tuple(several) for name, several in found.items()}


def _with_q(one: Judged, q: float) -> Judged:
    assert one.expected is not None
    bad = (
        q <= Q_LIMIT
        and one.compared_failures >= LEAST_FAILURES
        and one.commits >= LEAST_COMMITS
        and one.compared_failures >= LEAST_RATIO * one.expected
    )
    return msgspec.structs.replace(one, q=q, is_bad=bad)


def _kinds(jobs: pl.DataFrame) -> tuple[PoolRunners, ...]:
    rows = jobs.group_by("pool").agg(
        pl.col("runner_name").n_unique().alias("runners"),
        pl.col("ephemeral").all(),
        pl.len().alias("jobs"),
        pl.col("failed").sum().alias("failures"),
    )
    return tuple(
        PoolRunners(**row) for row in rows.sort("jobs", "pool", descending=[True, False]).iter_rows(named=True)
    )
