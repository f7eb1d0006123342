"""The steps of workflows as tables: where their time goes, and where they failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from trackside.agents.failed_jobs import NO_FAILED_STEP
from trackside.agents.frames import AgentHistory
from trackside.agents.group_records import FEW, FailedJob, Outcomes, Statistics, StepRow
from trackside.agents.shown_names import shown_name
from trackside.ci.failed_attempts import line_link
from trackside.report.agents_words import duration_trend
from trackside.report.ledger import counted
from trackside.site.agent_figures import OUTCOMES, RATE, in_minutes, in_seconds, outcomes_cell, rate_cell, trend_cell
from trackside.site.agent_known_failures import cause_cell
from trackside.site.agent_waterfalls import job_page
from trackside.site.tables import Cell, Column, Kind, Table, number_cell, state_cell, text_cell, time_cell

MOST_STEPS: Final = 1_000
MOST_FAILURES: Final = 500
BOTTLENECK: Final = "bottleneck"
BOTTLENECK_SHARE: Final = 0.3
"""A step that takes so much of the time of its workflow's steps, the most of all, is its bottleneck."""
_WORST: Final = (
    "failure",
    "timed_out",
    "startup_failure",
    "cancelled",
    "action_required",
    "success",
    "neutral",
    "stale",
)
COLUMNS: Final = (
    Column(key="workflow", label="Workflow", choices=True),
    Column(key="job", label="Job"),
    Column(key="step", label="Step", choices=True),
    Column(key="mark", label="Bottleneck", about="The step with the most of its workflow's time, 30 % or more"),
    Column(key="conclusion", label="Worst outcome", kind=Kind.STATE, choices=True, about="Of all its attempts"),
    Column(key="n", label="Timed", kind=Kind.NUMBER, unit="attempts"),
    Column(key="p50", label="p50", kind=Kind.NUMBER, unit="s"),
    Column(key="p90", label="p90", kind=Kind.NUMBER, unit="s"),
    Column(key="max", label="Max", kind=Kind.NUMBER, unit="s"),
    Column(key="total", label="Total", kind=Kind.NUMBER, unit="min", about="Of all its attempts"),
    Column(key="share", label="Share", kind=Kind.NUMBER, unit="%", about="Of the time of all steps of its workflow"),
    RATE,
    OUTCOMES,
    Column(key="trend", label="Duration trend", unit="s"),
)  # fmt: skip
FAILURE_COLUMNS: Final = (
    Column(key="failed", label="Ended", kind=Kind.TIME, unit="UTC", choices=True),
    Column(key="workflow", label="Workflow", choices=True),
    Column(key="job", label="Job"),
    Column(key="step", label="Failed step", choices=True, about="Leads to its lines in the log of the job"),
    Column(key="conclusion", label="Conclusion", kind=Kind.STATE, choices=True),
    Column(key="cause", label="Cause", choices=True, about="What its log tells"),
    Column(key="agent", label="Agent", choices=True),
    Column(key="detail", label="Run", about="Jobs and steps of the attempt"),
)


def step_table(told: Statistics) -> Table:
    """The steps of all workflows, those that took the most time first, and last what is timed too seldom to tell."""
    steps = sorted(told.steps, key=lambda row: (row.run.is_few, -row.run.total_s))
    marked = bottlenecks(told)
    return Table(
        key="steps",
        caption=f"Steps by the time they took in all; those timed fewer than {FEW} times last ({len(told.steps):,})",
        columns=COLUMNS,
        rows=tuple(_step(row, is_marked=_key(row) in marked) for row in steps[:MOST_STEPS]),
        empty=_no_steps(told),
        left_out=max(0, len(told.steps) - MOST_STEPS),
        left_out_why="they took less time",
    )


def bottlenecks(told: Statistics) -> set[tuple[str, str, str]]:
    """The step of each workflow that takes the most of its time, where that is much, and enough of it is known."""
    first: dict[str, StepRow] = {}
    for row in told.slowest:
        first.setdefault(row.workflow, row)
    return {_key(row) for row in first.values() if row.share is not None and row.share >= BOTTLENECK_SHARE}


def failure_table(history: AgentHistory, told: Statistics, home: str) -> Table:
    """The steps at which jobs failed, the newest first; a job without a failed step has a row too."""
    ends = _conclusions(history, told.failed[:MOST_FAILURES])
    attempts = _numbers(history)
    return Table(
        key="step-failures",
        caption=f"Failed jobs and the step at which they failed, the newest first ({len(told.failed):,})",
        columns=FAILURE_COLUMNS,
        rows=tuple(
            _failure(one, job_page(home, one.run_id, one.job_id), ends, attempts) for one in told.failed[:MOST_FAILURES]
        ),
        empty="No job failed." if told.job_attempts else _no_steps(told),
        order="-failed",
        left_out=max(0, len(told.failed) - MOST_FAILURES),
        left_out_why="they are older",
    )


def _no_steps(told: Statistics) -> str:
    if not told.all_runs.outcomes.total:
        return "No run is known. `trackside sync` reads runs with their jobs and steps."
    return "No step is known: the jobs of these runs were not read. `trackside sync` without --no-jobs reads them."


def _step(row: StepRow, *, is_marked: bool) -> tuple[Cell, ...]:
    share = row.share
    few = counted(row.run.n, "value") + ": too few to tell" if row.run.is_few else None
    p50 = in_seconds(row.run.p50_s)
    return (
        text_cell(row.workflow),
        text_cell(row.job),
        text_cell(row.step),
        text_cell(BOTTLENECK, tone="warn") if is_marked else Cell(text=""),
        state_cell(worst_of(row.outcomes)),
        number_cell(row.run.n, note=few),
        p50,
        in_seconds(row.run.p90_s),
        in_seconds(row.run.max_s),
        in_minutes(row.run.total_s if row.run.n else None),
        Cell() if share is None else number_cell(round(share * 100, 1), f"{share * 100:.1f}"),
        rate_cell(row.success),
        outcomes_cell(row.outcomes),
        trend_cell(duration_trend(row.duration_trend, in_minutes=False)),
    )


def worst_of(outcomes: Outcomes) -> str | None:
    """The worst conclusion among these; what only was skipped is skipped, and None where none is over."""
    return next((kind for kind in (*_WORST, "skipped") if getattr(outcomes, kind)), None)


def _failure(
    one: FailedJob, url: str, ends: dict[tuple[int, int | None], str], numbers: dict[tuple[int, int], str]
) -> tuple[Cell, ...]:
    attempt = (one.run_id, one.run_attempt)
    return (
        time_cell(one.failed_at),
        text_cell(one.workflow),
        text_cell(one.job, url),
        text_cell(one.failed_step or NO_FAILED_STEP, line_link(url, one.failed_step_number),
                  note="; ".join(_others(one)) or None),
        state_cell(ends.get((one.job_id, one.failed_step_number)) or one.conclusion),
        cause_cell(one.cause),
        text_cell(one.agent),
        text_cell(numbers.get(attempt, str(one.run_id)), f"?run={one.run_id}.{one.run_attempt}"),
    )  # fmt: skip


def _others(one: FailedJob) -> Iterator[str]:
    if len(one.failed_steps) > 1:
        yield f"and {counted(len(one.failed_steps) - 1, 'step')} more: {', '.join(one.failed_steps[1:4])}"


def _conclusions(history: AgentHistory, failed: tuple[FailedJob, ...]) -> dict[tuple[int, int | None], str]:
    """How the failed steps ended, by job and number."""
    jobs = pl.DataFrame({"job_id": [one.job_id for one in failed]}, schema={"job_id": pl.Int64})
    steps = history.steps.join(jobs, on="job_id", how="semi").select("job_id", "number", "conclusion").drop_nulls()
    return {(job, number): shown_name(end) for job, number, end in steps.iter_rows()}


def _numbers(history: AgentHistory) -> dict[tuple[int, int], str]:
    """How an attempt is called: ``#12``, ``#12 (2)``."""
    rows = history.runs.select("run_id", "run_attempt", "run_number").iter_rows()
    return {
        (run, attempt): f"#{number if number is not None else run}{f' ({attempt})' if attempt and attempt > 1 else ''}"
        for run, attempt, number in rows
    }


def _key(row: StepRow) -> tuple[str, str, str]:
    return row.workflow, row.job, row.step
