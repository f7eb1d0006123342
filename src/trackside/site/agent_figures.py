"""Figures of groups of runs as cells: rates with their intervals, times, trends, minutes and costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from trackside.agents.group_records import FEW, GroupRow, Outcomes, Statistics, SuccessRate, Times
from trackside.agents.outcome_counts import KINDS
from trackside.report.agents_figures import workflow_file
from trackside.report.agents_words import (
    UNATTRIBUTED,
    confidence_words,
    cost_words,
    counts_words,
    duration_trend,
    other_roles,
    outcome_parts,
    success_trend,
)
from trackside.site.marks import mark_of
from trackside.site.shares import interval
from trackside.site.tables import Cell, Column, Kind, Table, number_cell, text_cell, time_cell

_NO_TREND: Final = {"→ no clear change": "→ steady", "too few to tell": "too few"}
RATE: Final = Column(
    key="success",
    label="Success",
    kind=Kind.NUMBER,
    unit="%",
    about="Of those that succeeded, failed, timed out or could not start; with Wilson's interval of 95 %",
)
OUTCOMES: Final = Column(
    key="outcomes",
    label="Outcomes",
    about="✓ succeeded, ✗ failed, ⊘ cancelled, … as each tells; they add up to the count before them",
)
P50, P90 = (Column(key=f"p{n}", label=f"p{n}", kind=Kind.NUMBER, unit="min") for n in (50, 90))
_TIMES: Final = (P50, P90)
_SPENT: Final = (
    Column(key="minutes", label="Runner", kind=Kind.NUMBER, unit="min", about="Minutes that its jobs ran"),
    Column(key="cost", label="Cost", kind=Kind.NUMBER, about="An estimate by the rates of the settings"),
)
_LAST: Final = Column(key="last", label="Last run", kind=Kind.TIME, unit="UTC")
WORKFLOW_COLUMNS: Final = (
    Column(key="workflow", label="Workflow"),
    Column(key="n", label="Runs", kind=Kind.NUMBER, unit="attempts"),
    OUTCOMES,
    RATE,
    *_TIMES,
    Column(key="queue", label="First job after, p50", kind=Kind.NUMBER, unit="min"),
    Column(key="trend", label="Duration trend", unit="min"),
    Column(key="success-trend", label="Success trend"),
    *_SPENT,
    _LAST,
)
AGENT_COLUMNS: Final = (
    Column(key="agent", label="Agent"),
    Column(key="n", label="Worked in", kind=Kind.NUMBER, unit="attempts"),
    OUTCOMES,
    RATE,
    *_TIMES,
    Column(key="parts", label="Other parts", about="Attempts that it only triggered, authored or assisted in"),
    Column(key="told", label="Told by", about="The signals that name it, and how often"),
    Column(key="confidence", label="Confidence", about="How sure the signals are, 0 to 1"),
    *_SPENT,
    _LAST,
)
JOB_COLUMNS: Final = (
    Column(key="workflow", label="Workflow", choices=True),
    Column(key="job", label="Job", about="All its matrix indices together"),
    Column(key="n", label="Runs", kind=Kind.NUMBER, unit="attempts"),
    OUTCOMES,
    RATE,
    *_TIMES,
    Column(key="queue", label="Queue p50", kind=Kind.NUMBER, unit="min"),
    Column(key="trend", label="Duration trend", unit="min"),
    *_SPENT,
)


def fitting(columns: tuple[Column, ...], rows: Sequence[tuple[Cell, ...]], key: str) -> tuple[Column, ...]:
    """The columns; that of ``key`` is not shown where nothing is known in it, as it only takes room."""
    place = [column.key for column in columns].index(key)
    if not rows or any(row[place].value is not None for row in rows):
        return columns
    hidden = msgspec.structs.replace(columns[place], shown=False)
    return (*columns[:place], hidden, *columns[place + 1 :])


def workflow_table(told: Statistics) -> Table:
    """A row for each workflow."""
    rows = tuple(_workflow(row, told.currency) for row in told.workflows)
    return Table(
        key="workflows",
        caption="Workflows",
        columns=fitting(WORKFLOW_COLUMNS, rows, "cost"),
        rows=rows,
        empty="No workflow ran. `trackside sync` reads runs.",
        order="-n",
    )


def agent_table(told: Statistics) -> Table:
    """A row for each agent, and one for runs of which none is known, the last."""
    rows = tuple(_agent(row, told.currency) for row in told.agents)
    return Table(
        key="agents",
        caption="Agents",
        columns=fitting(AGENT_COLUMNS, rows, "cost"),
        rows=rows,
        empty="No run is known. `trackside sync` reads them.",
    )


def job_table(told: Statistics, most: int) -> Table:
    """The jobs that took the most runner minutes, at most ``most``."""
    rows = tuple(
        (
            text_cell(row.workflow),
            text_cell(row.job),
            number_cell(row.outcomes.total),
            outcomes_cell(row.outcomes),
            rate_cell(row.success),
            *_times(row.run),
            in_minutes(row.queue.p50_s),
            trend_cell(duration_trend(row.duration_trend, in_minutes=True)),
            _tenths(row.runner_minutes),
            cost_cell(row.cost, told.currency),
        )
        for row in told.jobs[:most]
    )
    return Table(
        key="jobs",
        caption=f"Jobs, those with the most runner minutes first ({len(told.jobs):,})",
        columns=fitting(JOB_COLUMNS, rows, "cost"),
        rows=rows,
        empty="No job is known: `trackside sync` without --no-jobs reads them.",
        order="-minutes",
        left_out=max(0, len(told.jobs) - most),
        left_out_why="they took fewer runner minutes",
    )


def _workflow(row: GroupRow, currency: str) -> tuple[Cell, ...]:
    return (
        text_cell(row.name, note=workflow_file(row.file)),
        number_cell(row.outcomes.total),
        outcomes_cell(row.outcomes),
        rate_cell(row.success),
        *_times(row.run),
        in_minutes(row.queue.p50_s),
        trend_cell(duration_trend(row.duration_trend, in_minutes=True)),
        trend_cell(success_trend(row.success_trend)),
        _tenths(row.runner_minutes),
        cost_cell(row.cost, currency),
        time_cell(row.last_run_at),
    )


def _agent(row: GroupRow, currency: str) -> tuple[Cell, ...]:
    return (
        text_cell(row.name or UNATTRIBUTED, tone=None if row.name else "quiet"),
        number_cell(row.outcomes.total),
        outcomes_cell(row.outcomes),
        rate_cell(row.success),
        *_times(row.run),
        text_cell(other_roles(row.roles)),
        text_cell(counts_words(row.sources)),
        text_cell(confidence_words(row.confidence_min, row.confidence_max)),
        _tenths(row.runner_minutes),
        cost_cell(row.cost, currency),
        time_cell(row.last_run_at),
    )


def rate_cell(success: SuccessRate) -> Cell:
    """A success rate in per cent; its interval and what it is a share of stand below it."""
    if success.rate is None:
        return Cell(note=f"of {success.n:,}")
    share = success.rate * 100
    return number_cell(round(share, 1), f"{share:.1f}", note=f"{interval(success.low, success.high)} of {success.n:,}")


def trend_cell(words: str) -> Cell:
    """A trend in words; short where there is none to tell."""
    return text_cell(_NO_TREND.get(words, words), tone="quiet" if words in _NO_TREND else None)


def outcomes_cell(outcomes: Outcomes) -> Cell:
    """How many ended how, in marks, and in words for files and to hear; the parts add up to the total."""
    words = ", ".join(f"{count:,} {label}" for label, count in outcome_parts(outcomes))
    marks = " ".join(f"{mark_of(kind)} {count:,}" for kind in KINDS if (count := getattr(outcomes, kind)))
    return Cell(value=words, text=marks, spoken=words) if words else Cell()


def in_minutes(seconds: float | None) -> Cell:
    """A length of time in minutes."""
    return Cell() if seconds is None else number_cell(round(seconds / 60, 2), f"{seconds / 60:,.1f}")


def in_seconds(seconds: float | None) -> Cell:
    """A length of time in seconds."""
    return Cell() if seconds is None else number_cell(round(seconds, 1), f"{seconds:,.1f}")


def cost_cell(cost: float | None, currency: str) -> Cell:
    """An estimated cost; what no rate tells is not known, and is not nothing."""
    return Cell() if cost is None else number_cell(round(cost, 2), cost_words(cost, currency))


def _times(times: Times) -> Sequence[Cell]:
    note = f"of {times.n:,}" if 0 < times.n < FEW else None
    p50 = in_minutes(times.p50_s)
    return (Cell(value=p50.value, text=p50.text, note=note), in_minutes(times.p90_s))


def _tenths(value: float | None) -> Cell:
    return Cell() if value is None else number_cell(round(value, 1), f"{value:,.1f}")
