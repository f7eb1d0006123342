"""Gates: jobs that only say whether the other jobs of their run passed."""

from __future__ import annotations

from typing import Final

import polars as pl

from trackside.ci.results import FAILED, JOB_KEY, PASSED, decided

LEAST_FAILURES: Final = 3
"""A gate has failed so often, each time after another job of its attempt, and never passed beside one that failed."""


def find_gates(rows: pl.DataFrame) -> frozenset[tuple[str, str]]:
    """The gates among the jobs of ``attempts``, as workflow and job.

    A gate waits for other jobs: it began when those that failed had ended.
    """
    over = decided(rows).filter(pl.col("started_at").is_not_null())
    attempt = ["run_id", "run_attempt"]
    failed = over.filter(pl.col("result") == FAILED)
    ends = failed.group_by(attempt).agg(
        pl.len().alias("failures"),
        pl.col("completed_at").sort().alias("ends"),
    )
    seen = over.join(ends, on=attempt, how="left").with_columns(pl.col("failures").fill_null(0))
    bad = pl.col("result") == FAILED
    others = pl.col("failures") - bad.cast(pl.Int64)
    # Its own end is the last one: the one before is that of the last other job that failed.
    last_other = pl.col("ends").list.get(-2, null_on_oob=True)
    followed = bad & (others > 0) & (pl.col("started_at") >= last_other).fill_null(value=False)
    found = seen.group_by(JOB_KEY).agg(
        bad.sum().alias("bad"),
        followed.sum().alias("followed"),
        ((pl.col("result") == PASSED) & (others > 0)).any().alias("apart"),
    )
    gates = found.filter((pl.col("bad") >= LEAST_FAILURES) & (pl.col("bad") == pl.col("followed")) & ~pl.col("apart"))
    return frozenset((workflow, job) for workflow, job in gates.select(JOB_KEY).iter_rows())
