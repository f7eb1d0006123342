"""The headline figures of agent operations, each with what it is of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

import msgspec

from trackside.agents.group_records import GroupRow
from trackside.agents.outcome_counts import UNFINISHED
from trackside.report.agents_document import DataWindow, Summary
from trackside.report.agents_words import OUTCOME_WORDS, denominator_words, interval_words
from trackside.report.ledger import counted

_NOT_KNOWN: Final = "not known"


class Kpi(msgspec.Struct, frozen=True, kw_only=True):
    """A headline figure: ``basis`` says which runs it is of, how many, and how sure it is."""

    key: str
    label: str
    value: str
    basis: str


def kpis(
    summary: Summary, every: GroupRow, window: DataWindow, last_updated: dt.datetime, in_a_day: int
) -> Iterator[Kpi]:
    """The six figures of the overview; ``in_a_day`` counts what was created in the 24 hours before ``last_updated``."""
    total = summary.total_runs
    yield Kpi(
        key="total",
        label="Runs",
        value=f"{total:,}",
        basis=f"{counted(total, 'attempt')} of {counted(summary.distinct_runs, 'run')}{_window(window)}",
    )
    yield Kpi(
        key="completed", label="Completed", value=f"{summary.completed:,}", basis=f"of {counted(total, 'attempt')}"
    )
    waiting = [f"{n:,} {OUTCOME_WORDS[kind]}" for kind in UNFINISHED if (n := getattr(summary.outcomes, kind))]
    yield Kpi(
        key="in-progress",
        label="In progress",
        value=f"{summary.in_progress:,}",
        basis=f"of {counted(total, 'attempt')}; not over: {', '.join(waiting) or 'none'}",
    )
    yield _success(summary)
    yield _duration(summary, every)
    yield Kpi(
        key="failures",
        label="Failures in 24 h",
        value=f"{summary.recent_failures_24h:,}",
        basis=f"of {counted(in_a_day, 'attempt')} created in the 24 h to {_moment(last_updated)} UTC",
    )


def _success(summary: Summary) -> Kpi:
    rate = summary.success_of_decided
    told = _NOT_KNOWN if rate.rate is None else f"{rate.rate * 100:.1f} %"
    basis = f"{rate.successes:,} of {rate.n:,} that {denominator_words()}"
    basis = basis if rate.rate is None else f"{interval_words(rate)} (95 %); {basis}"
    return Kpi(key="success", label="Success rate", value=told, basis=basis)


def _duration(summary: Summary, every: GroupRow) -> Kpi:
    mean = every.run.mean_s
    if mean is None:
        return Kpi(
            key="duration", label="Average duration", value=_NOT_KNOWN, basis=f"of {summary.completed:,} completed"
        )
    quantiles = f"p50 {_minutes(every.run.p50_s)}, p90 {_minutes(every.run.p90_s)}"
    return Kpi(
        key="duration",
        label="Average duration",
        value=f"{_minutes(mean)} min",
        basis=f"{quantiles}; of {counted(every.run.n, 'attempt')} that ran",
    )


def _minutes(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds / 60:,.1f}"


def _window(window: DataWindow) -> str:
    if window.first_run_at is None or window.last_run_at is None:
        return ""
    return f", created {_moment(window.first_run_at)} to {_moment(window.last_run_at)} UTC"


def _moment(value: dt.datetime) -> str:
    return f"{value.astimezone(dt.UTC):%Y-%m-%d %H:%M}"
