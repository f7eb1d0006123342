"""The jobs of a window as pages tell of them: how each stands, its figures, and where its page is.

A job here is a family: all matrix indices of one name together.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
import polars as pl

from trackside.ci.flakiness import Recovery
from trackside.ci.rate_changes import Change
from trackside.ci.results import FAILED, PASSED, attempts, decided, run_results
from trackside.site.facts import CiFacts
from trackside.site.paths import slug
from trackside.stats.intervals import wilson

MOST_JOB_PAGES: Final = 400
"""So many jobs have a page of their own."""
FAMILY_KEY: Final = ["workflow", "family"]
Family = tuple[str, str]
"""A workflow and the name of a job in it without matrix indices."""


class Standing(enum.StrEnum):
    """How a job stands on the default branch, the worst first; what other branches do with it tells nothing of it."""

    BROKEN = "broken"
    """Its newest result on the default branch is a failure."""
    FLAKY = "flaky"
    """It failed for nothing in the window, and that has not stopped for sure."""
    RISING = "fails more"
    """It fails more often than before, beyond chance."""
    GONE = "gone"
    """It failed on the default branch when it was there last."""
    PASSED = "passed"
    """Its newest result on the default branch is a success."""
    UNDECIDED = "undecided"
    """It never passed nor failed on the default branch."""
    ELSEWHERE = "other branches only"
    """It did not run on the default branch."""


class CiJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job over all branches of the window, with ``shards`` matrix indices: 0 where it is no matrix.

    ``failed`` of ``results`` (one for each run and matrix index, the newest attempt counts) is its ``rate`` with the
    95 % Wilson interval ``low`` to ``high``; None without results. Seconds are quantiles of the attempts that passed.
    ``last_at`` is when the newest run with it was created, ``last_url`` the page of the job in it. ``path`` is its
    page, None where there is none.
    """

    workflow: str
    family: str
    category: str | None
    shards: int
    standing: Standing
    attempts: int
    results: int
    failed: int
    rate: float | None
    low: float | None
    high: float | None
    p50_s: float | None
    p90_s: float | None
    last_at: dt.datetime | None
    last_result: str
    last_url: str | None
    path: str | None = None

    @property
    def key(self) -> Family:
        """The workflow and the name."""
        return self.workflow, self.family


class CiResults(msgspec.Struct, frozen=True, kw_only=True):
    """The rows that pages are made of: every attempt of a job (``ATTEMPT_COLUMNS``), and the one result of each run.

    ``jobs`` are in the order of how they stand, then by failures; the first have a page.
    """

    attempts: pl.DataFrame
    results: pl.DataFrame
    jobs: tuple[CiJob, ...]

    @property
    def paths(self) -> Mapping[Family, str]:
        """The pages that there are, below the site."""
        return {job.key: job.path for job in self.jobs if job.path is not None}


def ci_results(ci: CiFacts) -> CiResults:
    """What the pages of CI share, of every job that is not ignored."""
    rows = attempts(ci.history).filter(pl.col("workflow").is_not_null(), pl.col("family").is_not_null())
    results = run_results(rows)
    standings = _standings(ci)
    figures = _figures(rows, results)
    quiet = _quiet_standings(results)
    jobs = [
        _job(row, standings.get(key) or quiet.get(key, Standing.ELSEWHERE))
        for row in figures.iter_rows(named=True)
        for key in [(row["workflow"], row["family"])]
    ]
    jobs.sort(key=_order)
    paged = [
        msgspec.structs.replace(job, path=job_path(job.key)) if place < MOST_JOB_PAGES else job
        for place, job in enumerate(jobs)
    ]
    return CiResults(attempts=rows, results=results, jobs=tuple(paged))


def job_path(key: Family) -> str:
    """Where the page of a job is, below the site; whether it is there is told by ``CiResults.paths``."""
    return f"ci/jobs/{slug(' / '.join(key))}.html"


def _standings(ci: CiFacts) -> dict[Family, Standing]:
    """What the analyses say of jobs; the worst counts."""
    told: dict[Family, Standing] = {}
    flaky = [job for job in ci.flaky.jobs if job.recovery is not Recovery.RECOVERED]
    for standing, keys in (
        (Standing.BROKEN, _families((one.workflow, one.family) for one in ci.streaks.broken_on_default)),
        (Standing.FLAKY, _families((one.workflow, one.family) for one in flaky)),
        (Standing.RISING, _rising(ci)),
        (Standing.GONE, _families((one.workflow, one.family) for one in ci.streaks.gone if one.is_default_line)),
    ):
        for key in keys:
            told.setdefault(key, standing)
    return told


def _quiet_standings(results: pl.DataFrame) -> dict[Family, Standing]:
    """Jobs of the default branch that no analysis names: whether they ever passed or failed there."""
    there = results.filter(pl.col("is_default_line").fill_null(value=False))
    known = there.group_by(FAMILY_KEY).agg(pl.col("result").is_in([PASSED, FAILED]).any().alias("is_decided"))
    return {
        (workflow, family): Standing.PASSED if is_decided else Standing.UNDECIDED
        for workflow, family, is_decided in known.iter_rows()
    }


def _rising(ci: CiFacts) -> list[Family]:
    named = {(one.workflow, one.job) for one in ci.rates.of(Change.RISE)}
    jobs = ci.history.jobs.select("workflow", "job", "family").unique()
    return [(workflow, family) for workflow, job, family in jobs.iter_rows() if (workflow, job) in named]


def _families(keys: Iterable[tuple[str, str | None]]) -> list[Family]:
    return [(workflow, family) for workflow, family in keys if family is not None]


def _figures(rows: pl.DataFrame, results: pl.DataFrame) -> pl.DataFrame:
    passed = pl.col("duration_s").filter(pl.col("result") == PASSED)
    of_attempts = rows.group_by(FAMILY_KEY).agg(
        pl.col("category").drop_nulls().first(),
        pl.col("shard").drop_nulls().n_unique().alias("shards"),
        pl.len().alias("attempts"),
        passed.quantile(0.5, "linear").alias("p50_s"),
        passed.quantile(0.9, "linear").alias("p90_s"),
    )
    of_results = (
        decided(results)
        .group_by(FAMILY_KEY)
        .agg(pl.len().alias("results"), (pl.col("result") == FAILED).sum().alias("failed"))
    )
    last = results.group_by(FAMILY_KEY, maintain_order=True).agg(
        pl.col("run_created_at").last().alias("last_at"),
        pl.col("outcome").last().alias("last_result"),
        pl.col("url").last().alias("last_url"),
    )
    joined = of_attempts.join(of_results, on=FAMILY_KEY, how="left").join(last, on=FAMILY_KEY, how="left")
    return joined.with_columns(pl.col("results", "failed").fill_null(0))


def _job(row: dict[str, Any], standing: Standing) -> CiJob:
    results, failed = row["results"], row["failed"]
    low, high = wilson(failed, results) if results else (None, None)
    return CiJob(**row, standing=standing, rate=failed / results if results else None, low=low, high=high)


_RANK: Final = {standing: place for place, standing in enumerate(Standing)}


def _order(job: CiJob) -> tuple[object, ...]:
    last = -job.last_at.timestamp() if job.last_at is not None else 0.0
    return (_RANK[job.standing], -job.failed, last, job.workflow, job.family)
