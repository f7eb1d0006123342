"""The statistics of agent operations as tables for a terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from trackside.agents.failed_jobs import NO_FAILED_STEP
from trackside.agents.group_records import FEW, GroupRow, Statistics, StepRow, Times
from trackside.agents.steps import SLOWEST
from trackside.agents.trends import LEAST_SHARE, Q
from trackside.report.agents_words import (
    UNATTRIBUTED,
    confidence_words,
    cost_words,
    counts_words,
    denominator_words,
    duration_trend,
    interval_words,
    other_roles,
    outcome_parts,
    success_trend,
    success_words,
    window_words,
)
from trackside.report.ledger import counted
from trackside.report.sections import Cell, Section, minutes, percent

_RATE: Final = ("Success", "95 %", "Of")
_TIMES: Final = ("p50", "p90", "Max", "Timed")


def agents_sections(statistics: Statistics, top: int) -> list[Section]:
    """All runs, workflows, agents, slowest steps, jobs and failed jobs; at most ``top`` rows of each."""
    return [
        _all_runs(statistics),
        _priced(_workflows(statistics, top), statistics),
        _priced(_agents(statistics, top), statistics),
        _slowest(statistics, top),
        _priced(_jobs(statistics, top), statistics),
        _failed(statistics, top),
    ]


def _all_runs(told: Statistics) -> Section:
    every = told.all_runs
    total = every.outcomes.total
    rows = [(label, count, percent(count / total)) for label, count in outcome_parts(every.outcomes)]
    return Section(
        title="Runs by outcome",
        headings=("Outcome", "Attempts", "Share"),
        rows=(*rows, ("all", total, percent(1.0))) if total else (),
        notes=tuple(_overview(told, every)),
    )


def _overview(told: Statistics, every: GroupRow) -> Iterator[str]:
    yield f"{window_words(told)}. Every attempt of a run counts: a re-run that succeeds takes no failure away."
    yield f"Success rate: {success_words(every.success)}, of those that {denominator_words()}."
    yield f"Duration: {_times_words(every.run)}. Waiting for the first job: {_times_words(every.queue)}."
    yield (
        f"Over time, the later half of the window beside the earlier one: duration (minutes) "
        f"{duration_trend(every.duration_trend, in_minutes=True)}; success {success_trend(every.success_trend)}."
    )
    spent = "not known" if every.runner_minutes is None else f"{every.runner_minutes:,.1f}"
    without = f"; no rate of [[agents.rates]] fits {counted(every.jobs_without_rate, 'job')}"
    without = without if every.jobs_without_rate else ""
    yield f"Runner minutes: {spent}. Estimated cost: {cost_words(every.cost, told.currency)}{without}."
    if every.unread:
        yield f"The jobs of {counted(every.unread, 'attempt')} are not in the store: they are in no minutes or cost."
    if told.jobless_failures:
        yield f"{counted(told.jobless_failures, 'attempt')} failed without any job, as with an invalid workflow file."


def _workflows(told: Statistics, top: int) -> Section:
    return Section(
        title="By workflow (minutes)",
        headings=(
            "Workflow",
            "Attempts",
            *_RATE,
            *_TIMES,
            "Waiting p50",
            "Duration Trend",
            "Success Trend",
            "Runner",
            "Cost",
        ),
        rows=tuple(
            (
                row.name,
                row.outcomes.total,
                *_rate(row),
                *_in_minutes(row.run),
                minutes(row.queue.p50_s),
                duration_trend(row.duration_trend, in_minutes=True),
                success_trend(row.success_trend),
                *_spent(row, told.currency),
            )
            for row in told.workflows[:top]
        ),
        notes=(*_notes(told, len(told.workflows), top), _TRENDS) if told.workflows else ("No workflow ran.",),
    )


def _agents(told: Statistics, top: int) -> Section:
    return Section(
        title="By agent (minutes)",
        headings=("Agent", "Worked In", *_RATE, *_TIMES, "Other Parts", "Told By", "Confidence", "Runner", "Cost"),
        rows=tuple(
            (
                row.name or UNATTRIBUTED,
                row.outcomes.total,
                *_rate(row),
                *_in_minutes(row.run),
                other_roles(row.roles),
                counts_words(row.sources),
                confidence_words(row.confidence_min, row.confidence_max),
                *_spent(row, told.currency),
            )
            for row in _with_unattributed(told.agents, top)
        ),
        notes=(
            *_notes(told, sum(row.name is not None for row in told.agents), top),
            "Figures are of the attempts in which an agent worked; those that it only triggered, authored or assisted "
            "in are counted as its other parts. Unattributed are those of which no agent is known.",
        )
        if told.agents
        else (),
    )


def _slowest(told: Statistics, top: int) -> Section:
    if not told.steps:
        known = "No step is known: the jobs of these runs were not read." if told.all_runs.outcomes.total else None
        return Section(title="Slowest steps (seconds)", notes=(known,) if known else ())
    few = sum(step.run.is_few for step in told.steps)
    notes = [
        f"{window_words(told)}, {counted(told.step_attempts, 'attempt')} of steps. Share: of the time of all steps of "
        f"the workflow. Up to {SLOWEST} of each workflow, those that took the most time together first.",
    ]
    if few:
        notes.append(f"{counted(few, 'step')} with fewer than {FEW} known times cannot be among them.")
    return Section(
        title="Slowest steps (seconds)",
        headings=("Step", "Share", *_TIMES, *_RATE, "Duration Trend"),
        rows=tuple(_step(step) for step in sorted(told.slowest, key=lambda one: -one.run.total_s)[:top]),
        notes=tuple(notes),
    )


def _step(step: StepRow) -> tuple[Cell, ...]:
    run = step.run
    return (
        f"{step.workflow} / {step.job} / {step.step}",
        percent(step.share),
        *(_rounded(value) for value in (run.p50_s, run.p90_s, run.max_s)),
        run.n,
        percent(step.success.rate),
        interval_words(step.success),
        step.success.n,
        duration_trend(step.duration_trend, in_minutes=False),
    )


def _jobs(told: Statistics, top: int) -> Section:
    return Section(
        title="By job (minutes)",
        headings=("Job", "Attempts", *_RATE, *_TIMES, "Waiting p50", "Duration Trend", "Runner", "Cost"),
        rows=tuple(
            (
                f"{row.workflow} / {row.job}",
                row.outcomes.total,
                percent(row.success.rate),
                interval_words(row.success),
                row.success.n,
                *_in_minutes(row.run),
                minutes(row.queue.p50_s),
                duration_trend(row.duration_trend, in_minutes=True),
                round(row.runner_minutes, 1),
                cost_words(row.cost, told.currency),
            )
            for row in told.jobs[:top]
        ),
        notes=(
            *_notes(told, len(told.jobs), top),
            f"{counted(told.job_attempts, 'attempt')} of jobs, the matrix indices of a job together. Runner minutes "
            "are those that jobs ran. A cost rounds each job up to whole minutes, except on self-hosted runners.",
        )
        if told.jobs
        else (),
    )


def _failed(told: Statistics, top: int) -> Section:
    return Section(
        title="Failed jobs, the newest first",
        headings=("Ended (UTC)", "Job", "Attempt", "Conclusion", "First Failed Step", "Failed Steps", "Cause", "Agent",
                  "Page"),
        rows=tuple(
            (
                one.failed_at,
                f"{one.workflow} / {one.job}",
                one.run_attempt,
                one.conclusion.replace("_", " "),
                one.failed_step or NO_FAILED_STEP,
                len(one.failed_steps),
                one.cause,
                one.agent,
                one.url,
            )
            for one in told.failed[:top]
        ),
        notes=tuple(_notes(told, len(told.failed), top, "--top")) if told.failed else (_no_failure(told),),
    )  # fmt: skip


_TRENDS: Final = (
    "Trends are the later half of the window beside the earlier one: medians of durations by a rank test, rates by "
    "Fisher's exact test. A difference is told where it is "
    f"{LEAST_SHARE * 100:.0f} % or more and q is at most {Q:g} (Benjamini-Hochberg over the table)."
)


def _with_unattributed(rows: tuple[GroupRow, ...], top: int) -> tuple[GroupRow, ...]:
    """The first rows, and that of the unattributed attempts, which is never cut off."""
    named = [row for row in rows if row.name is not None]
    return (*named[:top], *(row for row in rows if row.name is None))


def _priced(section: Section, told: Statistics) -> Section:
    """The table without its last column, the costs, where none is known."""
    if told.all_runs.cost is not None:
        return section
    rows = tuple(row[:-1] for row in section.rows)
    return msgspec.structs.replace(section, headings=section.headings[:-1], rows=rows)


def _no_failure(told: Statistics) -> str:
    if told.all_runs.outcomes.total and not told.job_attempts:
        return "No job is known: the jobs of these runs were not read."
    return "No job failed."


def _rate(row: GroupRow) -> tuple[Cell, ...]:
    return percent(row.success.rate), interval_words(row.success), row.success.n


def _in_minutes(times: Times) -> tuple[Cell, ...]:
    return minutes(times.p50_s), minutes(times.p90_s), minutes(times.max_s), times.n


def _spent(row: GroupRow, currency: str) -> tuple[Cell, ...]:
    spent = None if row.runner_minutes is None else round(row.runner_minutes, 1)
    return spent, cost_words(row.cost, currency)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _times_words(times: Times) -> str:
    if times.p50_s is None or times.p90_s is None or times.max_s is None:
        return "not known"
    quantiles = f"p50 {times.p50_s / 60:.1f}, p90 {times.p90_s / 60:.1f}, longest {times.max_s / 60:.1f} minutes"
    few = ", too few to tell much" if times.is_few else ""
    return f"{quantiles} (of {times.n:,}{few})"


def _notes(told: Statistics, rows: int, top: int, shows: str = "--top or --format csv") -> Iterator[str]:
    yield f"{window_words(told)}."
    if rows > top:
        yield f"Not listed: {rows - top:,} of {rows:,}; {shows} shows them."
