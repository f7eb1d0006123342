"""The headline figures of agent operations, each with what it is of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from trackside.agents.group_records import GroupRow
from trackside.agents.outcome_counts import UNFINISHED
from trackside.report.agents_document import DataWindow, Summary
from trackside.report.agents_words import OUTCOME_WORDS, denominator_words
from trackside.report.ledger import counted
from trackside.site.cards import UNKNOWN, Card
from trackside.site.durations import length
from trackside.site.pages import moment
from trackside.site.shares import interval


def kpis(
    summary: Summary, every: GroupRow, window: DataWindow, last_updated: dt.datetime, in_a_day: int
) -> Iterator[Card]:
    """The six figures of the overview; ``in_a_day`` counts what was created in the 24 hours before ``last_updated``."""
    total = summary.total_runs
    yield Card(
        key="total",
        label="Runs",
        value=f"{total:,}",
        basis=f"{counted(total, 'attempt')} of {counted(summary.distinct_runs, 'run')}{_window(window)}",
    )
    yield Card(
        key="completed", label="Completed", value=f"{summary.completed:,}", basis=f"of {counted(total, 'attempt')}"
    )
    waiting = [f"{n:,} {OUTCOME_WORDS[kind]}" for kind in UNFINISHED if (n := getattr(summary.outcomes, kind))]
    yield Card(
        key="in-progress",
        label="In progress",
        value=f"{summary.in_progress:,}",
        basis=f"of {counted(total, 'attempt')}; not over: {', '.join(waiting) or 'none'}",
    )
    yield _success(summary)
    yield _duration(summary, every)
    yield Card(
        key="failures",
        label="Failures in 24 h",
        value=f"{summary.recent_failures_24h:,}",
        basis=f"of {counted(in_a_day, 'attempt')} created in the 24 h to {moment(last_updated)} UTC",
    )


def _success(summary: Summary) -> Card:
    rate = summary.success_of_decided
    told = UNKNOWN if rate.rate is None else f"{rate.rate * 100:.1f} %"
    basis = f"{rate.successes:,} of {rate.n:,} that {denominator_words()}"
    basis = basis if rate.rate is None else f"95 % {interval(rate.low, rate.high)}; {basis}"
    return Card(key="success", label="Success rate", value=told, basis=basis)


def _duration(summary: Summary, every: GroupRow) -> Card:
    mean = every.run.mean_s
    if mean is None:
        return Card(
            key="duration", label="Average duration", value=UNKNOWN, basis=f"of {summary.completed:,} completed"
        )
    quantiles = f"p50 {length(every.run.p50_s)}, p90 {length(every.run.p90_s)}"
    return Card(
        key="duration",
        label="Average duration",
        value=length(mean),
        basis=f"{quantiles}; of {counted(every.run.n, 'attempt')} that ran",
    )


def _window(window: DataWindow) -> str:
    if window.first_run_at is None or window.last_run_at is None:
        return ""
    return f", created {moment(window.first_run_at)} to {moment(window.last_run_at)} UTC"
