"""The statistics of agent operations as one CSV table: a row for each group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trackside.agents.group_records import (
    DayRow,
    GroupRow,
    JobRow,
    Outcomes,
    Statistics,
    StepRow,
    SuccessRate,
    Times,
    Trend,
)
from trackside.report.agents_words import counts_words
from trackside.report.sections import Cell, section_csv

_OUTCOMES: Final = Outcomes.__struct_fields__
_SUCCESS: Final = ("successes", "n", "rate", "low", "high")
_TIMES: Final = ("n", "p50_s", "p90_s", "max_s", "mean_s", "total_s")
_TREND: Final = ("direction", "before", "after", "before_n", "after_n", "p_value", "q_value")
_NAMES: Final = ("workflow", "file", "job", "step", "agent", "day")
_RUNS: Final = (
    "runner_minutes", "unread", "cost", "currency", "jobs_without_rate", "roles", "sources", "confidence_min",
    "confidence_max", "last_run_at",
)  # fmt: skip
COLUMNS: Final = (
    "group",
    *_NAMES,
    *_OUTCOMES,
    *(f"success_{name}" for name in _SUCCESS),
    *(f"{kind}_{name}" for kind in ("run", "queue", "active") for name in _TIMES),
    *(f"{kind}_trend_{name}" for kind in ("duration", "success") for name in _TREND),
    "share",
    *_RUNS,
)
"""``group`` is all, workflow, agent, unattributed, job, step, workflow_day or step_day."""
_Row = dict[str, Cell]


def agents_csv(statistics: Statistics) -> str:
    """A row for each group, as ``group`` says; a cell that does not belong to its group, or is unknown, is empty."""
    rows = (
        {**row, "currency": statistics.currency if row.get("cost") is not None else None} for row in _rows(statistics)
    )
    return section_csv(COLUMNS, ([row.get(name) for name in COLUMNS] for row in rows))


def _rows(told: Statistics) -> Iterator[_Row]:
    yield {"group": "all", **_group(told.all_runs)}
    for row in told.workflows:
        yield {"group": "workflow", "workflow": row.name, "file": row.file, **_group(row)}
    for row in told.agents:
        yield {"group": "unattributed" if row.name is None else "agent", "agent": row.name, **_group(row)}
    yield from map(_job, told.jobs)
    yield from map(_step, told.steps)
    yield from map(_day, told.days)


def _group(row: GroupRow) -> _Row:
    return {
        **_counted(row.outcomes, row.success, row.run),
        **_cells("queue", row.queue, _TIMES),
        **_cells("active", row.active, _TIMES),
        **_cells("duration_trend", row.duration_trend, _TREND),
        **_cells("success_trend", row.success_trend, _TREND),
        "runner_minutes": row.runner_minutes,
        "unread": row.unread,
        "cost": row.cost,
        "jobs_without_rate": row.jobs_without_rate,
        "roles": counts_words(row.roles),
        "sources": counts_words(row.sources),
        "confidence_min": row.confidence_min,
        "confidence_max": row.confidence_max,
        "last_run_at": row.last_run_at,
    }


def _job(row: JobRow) -> _Row:
    return {
        "group": "job",
        "workflow": row.workflow,
        "job": row.job,
        **_counted(row.outcomes, row.success, row.run),
        **_cells("queue", row.queue, _TIMES),
        **_cells("duration_trend", row.duration_trend, _TREND),
        "runner_minutes": row.runner_minutes,
        "cost": row.cost,
        "jobs_without_rate": row.jobs_without_rate,
    }


def _step(row: StepRow) -> _Row:
    return {
        "group": "step",
        "workflow": row.workflow,
        "job": row.job,
        "step": row.step,
        **_counted(row.outcomes, row.success, row.run),
        **_cells("duration_trend", row.duration_trend, _TREND),
        "share": row.share,
    }


def _day(row: DayRow) -> _Row:
    return {
        "group": "workflow_day" if row.step is None else "step_day",
        "workflow": row.workflow,
        "job": row.job,
        "step": row.step,
        "day": row.day.isoformat(),
        **_counted(row.outcomes, row.success, row.run),
    }


def _counted(outcomes: Outcomes, success: SuccessRate, run: Times) -> _Row:
    return {
        **{name: getattr(outcomes, name) for name in _OUTCOMES},
        **_cells("success", success, _SUCCESS),
        **_cells("run", run, _TIMES),
    }


def _cells(kind: str, told: SuccessRate | Times | Trend, names: tuple[str, ...]) -> _Row:
    return {f"{kind}_{name}": getattr(told, name) for name in names}
