"""Whether a job fails more often than it did: the last part of the window beside the rest of it, over all jobs."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import polars as pl

from trackside.ci.results import FAILED, JOB_KEY, Span, attempts, decided, rounded, run_results, span_of
from trackside.history.frames import History
from trackside.stats.exact_tests import fisher_greater
from trackside.stats.intervals import wilson
from trackside.stats.multiplicity import benjamini_hochberg

LATE_SHARE: Final = 0.25
"""The later part is the last quarter of the window where nothing else is said."""
LEAST_RESULTS: Final = 8
"""A job is tested where both parts hold as many results or more."""
LEAST_FAILURES: Final = 3
"""A rise needs so many failures in the later part, a fall in the earlier one."""
LEAST_CHANGE: Final = 0.05
"""The rates must be so far apart."""
Q: Final = 0.05
"""Of the changes that are told at most this share is chance, on average."""


class Change(enum.StrEnum):
    """What became of a job's failure rate."""

    RISE = "rise"
    """It fails more often; it may also be broken all the time since some run."""
    FALL = "fall"
    """It fails less often."""
    NONE = "none"
    """No change that chance would not make. That does not say that there is none."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the window for a job: ``failed`` of ``results``, their share and its 95 % Wilson interval."""

    results: int
    failed: int
    rate: float
    low: float
    high: float


class RateChange(msgspec.Struct, frozen=True, kw_only=True):
    """A job that was tested. ``p_rise`` and ``p_fall`` are one-sided (Fisher), ``q_*`` over all jobs tested."""

    workflow: str
    job: str
    category: str | None
    change: Change
    earlier: Part
    later: Part
    difference: float
    p_rise: float
    q_rise: float
    p_fall: float
    q_fall: float
    first_failed_url: str | None = None


class RateChanges(msgspec.Struct, frozen=True, kw_only=True):
    """All jobs that were tested, changes first. ``split_at`` is where the later part begins.

    ``untested`` counts the jobs with too few results in one of the parts.
    """

    repo: str
    span: Span
    split_at: dt.datetime | None
    tested: int
    untested: int
    jobs: tuple[RateChange, ...]

    def of(self, change: Change) -> tuple[RateChange, ...]:
        """The jobs with that change."""
        return tuple(job for job in self.jobs if job.change is change)


def find_rate_changes(history: History, recent: dt.timedelta | None = None) -> RateChanges:
    """The failure rates of the later part, the last ``recent`` or a quarter of the window, beside the earlier one.

    A run gives one result for a job, that of its first attempt that passed or failed: re-runs follow failures and
    would hide them. On the default line every run counts, on any other line only the first of each part: the pushes of
    one pull request fail together.
    """
    span = span_of(history)
    results = run_results(decided(attempts(history)), newest=False)
    split = _split(span, recent)
    if split is None:
        return RateChanges(repo=history.repo, span=span, split_at=None, tested=0, untested=0, jobs=())
    counts = _counts(results, split)
    enough = (pl.col("early_n") >= LEAST_RESULTS) & (pl.col("late_n") >= LEAST_RESULTS)
    jobs = _tested(counts.filter(enough).to_dicts())
    return RateChanges(
        repo=history.repo,
        span=span,
        split_at=split,
        tested=len(jobs),
        untested=counts.height - len(jobs),
        jobs=tuple(sorted(jobs, key=_order)),
    )


def _split(span: Span, recent: dt.timedelta | None) -> dt.datetime | None:
    if span.first_run_at is None or span.last_run_at is None:
        return None
    whole = span.last_run_at - span.first_run_at
    return span.last_run_at - (whole * LATE_SHARE if recent is None else recent)


def _counts(results: pl.DataFrame, split: dt.datetime) -> pl.DataFrame:
    """Results and failures of each job in both parts."""
    late = pl.col("run_created_at") > split
    unit = pl.when(pl.col("is_default_line").fill_null(value=False) | pl.col("line").is_null())
    rows = (
        results.filter(pl.col("run_created_at").is_not_null())
        .with_columns(late=late, unit=unit.then(pl.concat_str(pl.lit("\n"), "run_id")).otherwise("line"))
        .unique([*JOB_KEY, "late", "unit"], keep="first", maintain_order=True)
    )
    failed = pl.col("result") == FAILED
    return rows.group_by(JOB_KEY, maintain_order=True).agg(
        pl.col("category").last(),
        (~pl.col("late")).sum().alias("early_n"),
        (failed & ~pl.col("late")).sum().alias("early_failed"),
        pl.col("late").sum().alias("late_n"),
        (failed & pl.col("late")).sum().alias("late_failed"),
        pl.col("url").filter(failed & pl.col("late")).first().alias("url"),
    )


def _tested(rows: Sequence[dict[str, Any]]) -> list[RateChange]:
    tables = [
        (
            (row["late_failed"], row["late_n"] - row["late_failed"]),
            (row["early_failed"], row["early_n"] - row["early_failed"]),
        )
        for row in rows
    ]
    rises = [fisher_greater(*late, *early) for late, early in tables]
    falls = [fisher_greater(*early, *late) for late, early in tables]
    figures = zip(rows, rises, benjamini_hochberg(rises), falls, benjamini_hochberg(falls), strict=True)
    return [_change(*figure) for figure in figures]


def _change(row: dict[str, Any], p_rise: float, q_rise: float, p_fall: float, q_fall: float) -> RateChange:
    earlier, later = _part(row["early_failed"], row["early_n"]), _part(row["late_failed"], row["late_n"])
    difference = later.failed / later.results - earlier.failed / earlier.results
    change = Change.NONE
    if q_rise <= Q and difference >= LEAST_CHANGE and later.failed >= LEAST_FAILURES:
        change = Change.RISE
    elif q_fall <= Q and -difference >= LEAST_CHANGE and earlier.failed >= LEAST_FAILURES:
        change = Change.FALL
    return RateChange(
        workflow=row["workflow"],
        job=row["job"],
        category=row["category"],
        change=change,
        earlier=earlier,
        later=later,
        difference=rounded(difference),
        p_rise=p_rise,
        q_rise=q_rise,
        p_fall=p_fall,
        q_fall=q_fall,
        first_failed_url=row["url"],
    )


def _part(failed: int, results: int) -> Part:
    low, high = wilson(failed, results)
    return Part(results=results, failed=failed, rate=rounded(failed / results), low=rounded(low), high=rounded(high))


def _order(job: RateChange) -> tuple[object, ...]:
    places = {Change.RISE: 0, Change.FALL: 1, Change.NONE: 2}
    return (places[job.change], min(job.q_rise, job.q_fall), -abs(job.difference), job.workflow, job.job)
