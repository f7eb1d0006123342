"""The jobs that failed, and at which step: the first that failed, and all."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from trackside.agents.attempts import ATTEMPT, Attempts
from trackside.agents.frames import AgentHistory
from trackside.agents.group_records import FailedJob
from trackside.agents.outcome_counts import FAILED, is_any
from trackside.history.outcomes import STEP_FAILURES

NO_FAILED_STEP: Final = "no failed step"
"""How a failed job is told none of whose steps says that it failed: its runner was lost, or it never began."""


def failed_jobs(history: AgentHistory, attempts: Attempts) -> tuple[FailedJob, ...]:
    """The job attempts that failed, timed out or could not start, the newest first.

    A step that was cancelled stands for the one that failed only where no other step says so: there the time ran out.
    One that merely never ended does not: there the runner was lost. Where no step of a job is known, what its row says
    counts.
    """
    failed = attempts.jobs.filter(is_any(FAILED))
    told = failed.join(_of_steps(history.steps, failed), on="job_id", how="left", maintain_order="left")
    causes = history.history.failures.select("job_id", "cause").unique("job_id", keep="first", maintain_order=True)
    told = told.join(causes, on="job_id", how="left", maintain_order="left")
    told = told.sort("completed_at", "run_id", "job_id", descending=True, nulls_last=True)
    return tuple(_record(row) for row in told.iter_rows(named=True))


def jobless_failures(history: AgentHistory, attempts: Attempts) -> int:
    """How many attempts of runs failed without any job, their jobs having been read."""
    runs = attempts.runs.filter(is_any(FAILED), pl.col("is_read"))
    return runs.join(history.history.whole.jobs, on=ATTEMPT, how="anti").height


def _of_steps(steps: pl.DataFrame, failed: pl.DataFrame) -> pl.DataFrame:
    """The names and numbers of the steps that failed, by job, in their order; empty lists where none did."""
    mine = steps.lazy().join(failed.select("job_id").lazy(), on="job_id", how="semi")
    conclusion = pl.col("conclusion")
    rank = pl.when(conclusion.is_in(STEP_FAILURES)).then(0).when(conclusion == "cancelled").then(1).otherwise(2)
    ranked = mine.with_columns(rank=rank).sort("job_id", "number")
    worst = (pl.col("rank") == pl.col("rank").min()) & (pl.col("rank") < 2)
    return (
        ranked.group_by("job_id", maintain_order=True)
        .agg(names=pl.col("step").filter(worst), numbers=pl.col("number").filter(worst))
        .collect()
    )


def _record(row: dict[str, Any]) -> FailedJob:
    names, numbers = row["names"], row["numbers"]
    if names is None:
        names = row["failed_steps"] or ([row["failed_step"]] if row["failed_step"] else [])
        numbers = [row["failed_step_number"]] if names else []
    return FailedJob(
        run_id=row["run_id"],
        run_attempt=row["run_attempt"],
        job_id=row["job_id"],
        workflow=row["workflow"],
        job=row["name"],
        conclusion=row["conclusion"],
        failed_step=names[0] if names else None,
        failed_step_number=numbers[0] if numbers else None,
        failed_steps=tuple(names),
        failed_at=row["completed_at"],
        url=row["url"],
        agent=row["agent"],
        agent_role=row["agent_role"],
        cause=row["cause"],
    )
