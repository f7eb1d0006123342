"""Part of a history: that of some of its runs."""

from __future__ import annotations

import msgspec
import polars as pl

from trackside.history.frames import History
from trackside.history.outcomes import Outcome


def history_of_runs(history: History, kept: pl.DataFrame) -> History:
    """The history of the runs whose ``run_id`` is in ``kept``; ``logs`` stays what it is of all."""
    runs = history.runs.join(kept, on="run_id", how="semi", maintain_order="left")
    jobs = history.jobs.join(kept, on="run_id", how="semi", maintain_order="left")
    ids = history.whole.jobs.join(kept, on="run_id", how="semi").select("job_id")
    return msgspec.structs.replace(
        history,
        runs=runs,
        jobs=jobs,
        every_job=None if history.every_job is None else history.every_job.join(kept, on="run_id", how="semi"),
        failures=history.failures.join(ids, on="job_id", how="semi", maintain_order="left"),
        test_files=history.test_files.join(ids, on="job_id", how="semi", maintain_order="left"),
        unread=runs.filter(~pl.col("is_read") & (pl.col("outcome") != Outcome.UNFINISHED.value)).height,
    )
