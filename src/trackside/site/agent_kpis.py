"""The headline figures of agent operations, each with what it is of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import polars as pl

from trackside.agents.group_records import GroupRow, Statistics, SuccessRate
from trackside.agents.outcome_counts import UNFINISHED, success_together
from trackside.report.agents_document import DataWindow, Summary
from trackside.report.agents_words import OUTCOME_WORDS, denominator_words
from trackside.report.ledger import counted
from trackside.site.cards import UNKNOWN, Card
from trackside.site.durations import length
from trackside.site.pages import moment
from trackside.site.shares import interval


def kpis(
    summary: Summary, told: Statistics, window: DataWindow, last_updated: dt.datetime, day: pl.DataFrame
) -> Iterator[Card]:
    """The figures of the overview: all are of all runs, but the success of agents.

    ``day`` are the runs that were created in the 24 hours before ``last_updated``.
    """
    total = summary.total_runs
    yield Card(
        key="total",
        label="All runs",
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
    yield _agents(told)
    yield _success(summary)
    yield _duration(summary, told.all_runs)
    otherwise = day.filter(pl.col("conclusion").is_in(["timed_out", "startup_failure"])).height
    besides = f"; {otherwise:,} more timed out or could not start" if otherwise else ""
    yield Card(
        key="failures",
        label="Failures in 24 h, all runs",
        value=f"{summary.recent_failures_24h:,}",
        basis=f"of {counted(day.height, 'attempt')} created in the 24 h to {moment(last_updated)} UTC{besides}",
    )


def agents_success(told: Statistics) -> SuccessRate:
    """How often the attempts succeeded in which an agent worked."""
    return success_together(row.success for row in told.agents if row.name is not None)


def _agents(told: Statistics) -> Card:
    rate = agents_success(told)
    basis = f"{rate.successes:,} of {counted(rate.n, 'attempt')} in which an agent worked"
    shown, basis = (
        (UNKNOWN, basis) if rate.rate is None else (f"{rate.rate * 100:.1f} %", f"{_interval(rate)}; {basis}")
    )
    return Card(key="agents-success", label="Agents' success", value=shown, basis=basis)


def _interval(rate: SuccessRate) -> str:
    return f"95 % {interval(rate.low, rate.high)}"


def _success(summary: Summary) -> Card:
    rate = summary.success_of_decided
    told = UNKNOWN if rate.rate is None else f"{rate.rate * 100:.1f} %"
    basis = f"{rate.successes:,} of {rate.n:,} that {denominator_words()}"
    basis = basis if rate.rate is None else f"{_interval(rate)}; {basis}"
    return Card(key="success", label="Success, all runs", value=told, basis=basis)


def _duration(summary: Summary, every: GroupRow) -> Card:
    mean = every.run.mean_s
    if mean is None:
        return Card(
            key="duration",
            label="Average duration, all runs",
            value=UNKNOWN,
            basis=f"of {summary.completed:,} completed",
        )
    quantiles = f"p50 {length(every.run.p50_s)}, p90 {length(every.run.p90_s)}"
    return Card(
        key="duration",
        label="Average duration, all runs",
        value=length(mean),
        basis=f"{quantiles}; of {counted(every.run.n, 'attempt')} that ran",
    )


def _window(window: DataWindow) -> str:
    if window.first_run_at is None or window.last_run_at is None:
        return ""
    return f", created {moment(window.first_run_at)} to {moment(window.last_run_at)} UTC"
