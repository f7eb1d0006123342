"""Each workflow and step day by day: what trends are drawn from. A day without a run is no row, not a zero."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from trackside.agents.attempts import STEP_KEY, Attempts
from trackside.agents.group_records import DayRow
from trackside.agents.outcome_counts import counts, outcomes_in, success_of
from trackside.agents.times import times_in, timings

_RUN = "duration_s"


def day_rows(attempts: Attempts) -> tuple[DayRow, ...]:
    """The rows of each workflow, then those of its steps, by job, step and day."""
    rows = [*_rows(attempts.runs, ["workflow"]), *_rows(attempts.steps, STEP_KEY)]
    return tuple(sorted(rows, key=lambda row: (row.workflow, row.job or "", row.step or "", row.day)))


def _rows(attempts: pl.DataFrame, keys: list[str]) -> Iterator[DayRow]:
    dated = attempts.lazy().filter(pl.col("day").is_not_null())
    rows = dated.group_by([*keys, "day"]).agg(*counts(), *timings(_RUN)).collect()
    for row in rows.iter_rows(named=True):
        yield DayRow(
            day=row["day"],
            workflow=row["workflow"],
            job=row.get("family"),
            step=row.get("step"),
            outcomes=(outcomes := outcomes_in(row)),
            success=success_of(outcomes),
            run=times_in(row, _RUN),
        )
