"""The attempts of jobs that failed, each with what is known of why."""

from __future__ import annotations

from typing import Final

import polars as pl

from trackside.history.frames import FAILURE_COLUMNS, JOB_COLUMNS, History
from trackside.history.outcomes import Outcome
from trackside.records.failures import Cause

FAILED_COLUMNS: Final = pl.Schema({**JOB_COLUMNS, **FAILURE_COLUMNS, "ended_at": JOB_COLUMNS["completed_at"]})
"""``JOB_COLUMNS``, then ``FAILURE_COLUMNS`` (null where nothing is known of why), then ``ended_at``.

``ended_at`` is when the attempt ended, else when it began or was made, else when its run was.
"""
_SAYS_NOTHING: Final = "Process completed with exit code "
"""A line that ends every failed step: failures that show nothing else have nothing in common."""
_HOW_LATE: Final = ("completed_at", "started_at", "created_at", "run_created_at")


def failed_attempts(history: History) -> pl.DataFrame:
    """The attempts that failed, of jobs that are not ignored, in the order in which they ended.

    A cancelled attempt is one of them where its log says that it ran out of time. Columns: ``FAILED_COLUMNS``.
    """
    jobs = history.counted_jobs.filter(pl.col("outcome").is_in([Outcome.FAILED.value, Outcome.CANCELLED.value]))
    told = jobs.join(history.failures.unique("job_id", keep="last"), on="job_id", how="left")
    ran_out = pl.col("cause").eq_missing(Cause.TIMEOUT.value)
    failed = told.filter((pl.col("outcome") == Outcome.FAILED.value) | ran_out)
    ended = failed.with_columns(telling_fingerprint(), pl.coalesce(_HOW_LATE).alias("ended_at"))
    return ended.select(FAILED_COLUMNS.names()).cast(FAILED_COLUMNS).sort("ended_at", "job_id")


def telling_fingerprint() -> pl.Expr:
    """The column ``fingerprint``, null where ``line_text`` is the boilerplate that ends every failed step."""
    says_nothing = pl.col("line_text").str.contains(_SAYS_NOTHING, literal=True).fill_null(value=False)
    return pl.when(~says_nothing).then(pl.col("fingerprint"))


def line_link(url: str | None, step_number: int | None) -> str | None:
    """The page of a job, at its failed step where that is known."""
    return url if url is None or step_number is None else f"{url}#step:{step_number}:1"
