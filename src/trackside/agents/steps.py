"""Jobs and steps: how often each ran and failed, how long it took, and where the time of a workflow goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

import polars as pl

from trackside.agents.attempts import JOB_KEY, STEP_KEY, Attempts
from trackside.agents.costs import costs
from trackside.agents.group_records import JobRow, StepRow, Trend
from trackside.agents.outcome_counts import counts, outcomes_in, success_of
from trackside.agents.times import times_in, timings
from trackside.agents.trends import duration_trends

SLOWEST: Final = 5
"""So many steps of each workflow are called its slowest."""
_RUN: Final = "duration_s"
_QUEUE: Final = "queue_s"


def job_rows(attempts: Attempts) -> tuple[JobRow, ...]:
    """The jobs, the one with the most runner minutes first."""
    figures = (*counts(), *timings(_RUN), *timings(_QUEUE), *costs())
    rows = (
        attempts.jobs.group_by(JOB_KEY).agg(figures).sort("runner_minutes", *JOB_KEY, descending=[True, False, False])
    )
    trends = duration_trends(attempts.jobs, JOB_KEY, _RUN)
    return tuple(
        JobRow(
            workflow=row["workflow"],
            job=row["family"],
            outcomes=(outcomes := outcomes_in(row)),
            success=success_of(outcomes),
            run=times_in(row, _RUN),
            queue=times_in(row, _QUEUE),
            duration_trend=trends.get((row["workflow"], row["family"]), Trend()),
            runner_minutes=row["runner_minutes"],
            cost=row["cost"],
            jobs_without_rate=row["jobs_without_rate"],
        )
        for row in rows.iter_rows(named=True)
    )


def step_rows(attempts: Attempts) -> tuple[StepRow, ...]:
    """The steps, the one with the largest share of the time of its workflow's steps first."""
    spent = pl.col(f"{_RUN}.total_s")
    whole = spent.sum().over("workflow")
    rows = attempts.steps.lazy().group_by(STEP_KEY).agg(*counts(), *timings(_RUN)).collect()
    rows = rows.with_columns(share=pl.when(whole > 0).then(spent / whole))
    order = {"share": True, f"{_RUN}.total_s": True, **dict.fromkeys(STEP_KEY, False)}
    rows = rows.sort(list(order), descending=list(order.values()), nulls_last=True)
    trends = duration_trends(attempts.steps, STEP_KEY, _RUN)
    return tuple(
        StepRow(
            workflow=row["workflow"],
            job=row["family"],
            step=row["step"],
            outcomes=(outcomes := outcomes_in(row)),
            success=success_of(outcomes),
            run=times_in(row, _RUN),
            share=row["share"],
            duration_trend=trends.get((row["workflow"], row["family"], row["step"]), Trend()),
        )
        for row in rows.iter_rows(named=True)
    )


def slowest_of(steps: Iterable[StepRow]) -> tuple[StepRow, ...]:
    """Of steps by share, the first SLOWEST of each workflow that took time and are not too few to tell.

    The workflow whose steps took the most time comes first.
    """
    spent: Counter[str] = Counter()
    slowest: dict[str, list[StepRow]] = {}
    for step in steps:
        spent[step.workflow] += round(step.run.total_s)
        if step.share and not step.run.is_few:
            slowest.setdefault(step.workflow, []).append(step)
    order = sorted(slowest, key=lambda workflow: (-spent[workflow], workflow))
    return tuple(step for workflow in order for step in slowest[workflow][:SLOWEST])
