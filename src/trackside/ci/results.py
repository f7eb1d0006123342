"""What the jobs of a history came to: how each attempt of a job ended, and the one result that counts for its run."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import msgspec
import polars as pl

from trackside.history.frames import JOB_COLUMNS, History
from trackside.history.outcomes import Outcome
from trackside.records.failures import Cause

FAILED: Final = "failed"
PASSED: Final = "passed"
UNDECIDED: Final = "undecided"
"""The three results. Undecided is what was cancelled, skipped or has not ended: neither good nor bad."""
JOB_KEY: Final = ["workflow", "job"]
_TOLD: Final = ("cause", "source", "test", "tests", "fingerprint")
ATTEMPT_COLUMNS: Final = pl.Schema(
    {
        **JOB_COLUMNS,
        "cause": pl.String(),
        "source": pl.String(),
        "test": pl.String(),
        "tests": pl.List(pl.String()),
        "fingerprint": pl.String(),
        "result": pl.String(),
    }
)
"""The columns of ``attempts``: those of the jobs, what is known of why an attempt failed, and its result."""
_RANKS: Final = {FAILED: 0, PASSED: 1, UNDECIDED: 2}
_ROUNDED: Final = 4


class RunLink(msgspec.Struct, frozen=True, kw_only=True):
    """A run that a figure is about: enough to name it and to go there. ``url`` is the run's page, or that of a job."""

    run_id: int
    run_number: int | None = None
    created_at: dt.datetime | None = None
    sha: str | None = None
    url: str | None = None


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at: the first and the last creation of a run, and how many runs and job attempts there were."""

    first_run_at: dt.datetime | None
    last_run_at: dt.datetime | None
    runs: int
    job_attempts: int


def span_of(history: History) -> Span:
    """How far the history reaches; ignored jobs are not counted."""
    runs = history.runs
    ends = runs.select(first=pl.col("created_at").min(), last=pl.col("created_at").max()).row(0)
    return Span(
        first_run_at=ends[0],
        last_run_at=ends[1],
        runs=runs["run_id"].n_unique(),
        job_attempts=history.counted_jobs.height,
    )


def attempts(history: History) -> pl.DataFrame:
    """One row for each attempt of a job that is not ignored; columns ATTEMPT_COLUMNS.

    A job that was cancelled because its time was over has failed.
    """
    told = history.failures.select("job_id", *_TOLD).unique("job_id", keep="first", maintain_order=True)
    rows = history.counted_jobs.join(told, on="job_id", how="left", maintain_order="left")
    late = (pl.col("outcome") == Outcome.CANCELLED.value) & (pl.col("cause") == Cause.TIMEOUT.value)
    failed = (pl.col("outcome") == Outcome.FAILED.value) | late
    result = (
        pl.when(failed.fill_null(value=False))
        .then(pl.lit(FAILED))
        .when(pl.col("outcome") == Outcome.PASSED.value)
        .then(pl.lit(PASSED))
        .otherwise(pl.lit(UNDECIDED))
    )
    return rows.with_columns(result=result)


def run_results(rows: pl.DataFrame, *, newest: bool = True) -> pl.DataFrame:
    """One row for each run and job out of ``attempts``, in the order of the runs.

    ``newest`` says which attempt counts: the last one in which the job ran, or the first. Where an attempt holds a name
    twice the worse result counts. Added are ``failed_attempts``, those of all attempts of the job in its run, and
    ``marks``, the fingerprints and tests of the attempt that counts.
    """
    key = ["run_id", *JOB_KEY]
    failed = (pl.col("result") == FAILED).sum().over(key).alias("failed_attempts")
    number = pl.col("run_attempt")
    counts = number == (number.max() if newest else number.min()).over(key)
    rank = pl.col("result").replace_strict(_RANKS, return_dtype=pl.Int8)
    marks = pl.concat_list(
        pl.concat_list("fingerprint"), pl.concat_list("test"), pl.col("tests").fill_null([])
    ).list.drop_nulls()
    return (
        rows.with_columns(failed, rank.alias("rank"))
        .filter(counts)
        .with_columns(marks=marks)
        .sort("run_created_at", "run_id", *JOB_KEY, "rank", "job_id", nulls_last=False)
        .unique(key, keep="first", maintain_order=True)
        .drop("rank")
    )


def decided(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that are passed or failed."""
    return rows.filter(pl.col("result") != UNDECIDED)


def link_of(row: dict[str, Any], *, page: str = "run_url") -> RunLink:
    """The run of a row of ``attempts`` or ``run_results``."""
    return RunLink(
        run_id=row["run_id"],
        run_number=row["run_number"],
        created_at=row["run_created_at"],
        sha=row["sha"],
        url=row[page],
    )


def rounded(share: float) -> float:
    """A share as it is told: to four digits after the point."""
    return round(share, _ROUNDED)
