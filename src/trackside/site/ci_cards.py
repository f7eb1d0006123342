"""Headline figures of CI: what is broken, flaky and new, how often runs succeed, how long jobs wait."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import msgspec
import polars as pl

from trackside.ci.queueing import waiting_times
from trackside.ci.streaks import Streak
from trackside.history.frames import History
from trackside.history.outcomes import Outcome
from trackside.report.ledger import counted
from trackside.report.sections import percent
from trackside.site.ci_job_facts import JobPage
from trackside.site.durations import length
from trackside.site.facts import CiFacts
from trackside.site.shares import interval
from trackside.site.words import cut
from trackside.stats.intervals import wilson


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A figure, what it is of, where to look, and a tone where it is good or bad."""

    label: str
    value: str
    basis: str
    url: str | None = None
    tone: str = ""


class SuccessRate(msgspec.Struct, frozen=True, kw_only=True):
    """The newest attempts of runs of the default branch that passed or failed; ``rate`` None without any."""

    passed: int
    decided: int
    rate: float | None
    low: float | None
    high: float | None


def default_success(history: History) -> SuccessRate:
    """How often runs of the default branch succeed."""
    runs = history.runs.filter(pl.col("is_default_line").fill_null(value=False), "is_latest")
    passed = runs.filter(pl.col("outcome") == Outcome.PASSED.value).height
    decided = passed + runs.filter(pl.col("outcome") == Outcome.FAILED.value).height
    low, high = wilson(passed, decided) if decided else (None, None)
    return SuccessRate(passed=passed, decided=decided, rate=passed / decided if decided else None, low=low, high=high)


def ci_cards(ci: CiFacts, until: dt.datetime) -> tuple[Card, ...]:
    """The cards of the first page of CI."""
    return (
        _broken(ci),
        _flaky(ci),
        _new_groups(ci),
        _success(ci),
        _queue(ci, until),
        _completeness(ci.history),
    )


def _broken(ci: CiFacts) -> Card:
    number = len(ci.streaks.broken_on_default)
    line = ci.streaks.default_branch
    basis = f"of {counted(ci.streaks.jobs, 'job')} on {line}" if line else "the default branch is not known"
    tone = "bad" if number else "good" if ci.streaks.jobs else ""
    value = f"{number:,}" if line else "–"
    return Card(label="Broken now", value=value, basis=basis, url="#failing", tone=tone)


def _flaky(ci: CiFacts) -> Card:
    number, going_on = len(ci.flaky.jobs), len(ci.flaky.unrecovered)
    seen = f"{going_on:,} not recovered; of {counted(ci.flaky.jobs_seen, 'job')}"
    basis = seen if number or ci.flaky.repeated else f"of {counted(ci.flaky.jobs_seen, 'job')}, none run again"
    return Card(label="Flaky jobs", value=f"{number:,}", basis=basis, url="#flaky", tone="warn" if going_on else "")


def _new_groups(ci: CiFacts) -> Card:
    groups = ci.groups
    basis = f"of {counted(len(groups.groups), 'group')} in {counted(groups.failures, 'failed attempt')}"
    if groups.last_report_at is None:
        return Card(label="New failure groups", value="–", basis=f"no report before; {basis}", url="#groups")
    number = len(groups.new)
    basis = f"since {groups.last_report_at:%Y-%m-%d %H:%M} UTC; {basis}"
    return Card(
        label="New failure groups", value=f"{number:,}", basis=basis, url="#groups", tone="warn" if number else ""
    )


def _success(ci: CiFacts) -> Card:
    found = default_success(ci.history)
    line = ci.history.default_branch or "the default branch"
    if found.rate is None or found.low is None or found.high is None:
        return Card(label="Success rate", value="–", basis=f"no run of {line} passed or failed")
    basis = f"{found.passed:,} of {counted(found.decided, 'run')} of {line}; 95 % {interval(found.low, found.high)}"
    return Card(label="Success rate", value=percent(found.rate) or "–", basis=basis, url="#grids")


def _queue(ci: CiFacts, until: dt.datetime) -> Card:
    one_pool = ci.history.jobs.with_columns(pool=pl.lit("all", pl.String))
    every = waiting_times(msgspec.structs.replace(ci.history, jobs=one_pool), until)
    if not every.pools or every.pools[0].p90_s is None:
        return Card(label="Queue p90", value="–", basis="no waiting time is known", url="#queue")
    pool = every.pools[0]
    slowest = next((one for one in ci.waiting.pools if one.p90_s is not None), None)
    more = "" if slowest is None else f"; slowest pool {cut(slowest.pool, 40) or 'not told'}: {length(slowest.p90_s)}"
    basis = f"p50 {length(pool.p50_s)} of {counted(pool.jobs, 'job')}{more}"
    return Card(label="Queue p90", value=length(pool.p90_s), basis=basis, url="#queue")


def _completeness(history: History) -> Card:
    over = history.runs.filter(pl.col("outcome") != Outcome.UNFINISHED.value).height
    logs = sum(history.logs.values())
    ready = history.logs.get("ready", 0)
    told = f"; logs of {ready:,} of {counted(logs, 'failed attempt')}" if logs else ""
    if not over:
        return Card(label="Complete", value="–", basis="no run is over")
    share = 1 - history.unread / over
    basis = f"jobs of {over - history.unread:,} of {counted(over, 'run attempt')}{told}"
    tone = "warn" if history.unread else ""
    # 99.96 % is not all of them.
    value = "100 %" if not history.unread else f"{min(share * 100, 99.9):.1f} %"
    return Card(label="Complete", value=value, basis=basis, url="health.html", tone=tone)


def job_cards(page: JobPage) -> Iterator[Card]:
    """The cards of the page of a job."""
    job = page.job
    streak = next((one for one in page.streaks if one.state.value == "broken" and one.is_default_line), None)
    yield _stands(page, streak)
    basis = f"{job.failed:,} of {counted(job.results, 'result')}"
    if job.low is not None and job.high is not None:
        basis += f"; 95 % {interval(job.low, job.high)}"
    yield Card(label="Failure rate", value=percent(job.rate) or "–", basis=basis, url="#attempts")
    basis = f"p90 {length(job.p90_s)}, of what passed" if job.p50_s is not None else "nothing passed"
    yield Card(label="Duration p50", value=length(job.p50_s), basis=basis, url="#durations")
    queue = page.queue
    basis = f"p90 {length(queue['p90_s'])}, longest {length(queue['max_s'])}; of {counted(queue['jobs'], 'attempt')}"
    yield Card(
        label="Queue p50",
        value=length(queue["p50_s"]),
        basis=basis if queue["jobs"] else "no waiting time is known",
        url="#attempts",
    )
    flaky = sum(one.flaky_runs for one in page.flaky)
    of = sum(one.decided_runs for one in page.flaky)
    yield Card(
        label="Flaky runs",
        value=f"{flaky:,}",
        basis=f"of {of:,}: {', '.join(dict.fromkeys(one.recovery.value for one in page.flaky))}"
        if flaky
        else "none seen",
        url="#flakes",
        tone="warn" if flaky else "",
    )


def _stands(page: JobPage, streak: Streak | None) -> Card:
    if streak is not None:
        first = streak.first_bad
        number = f"#{first.run_number}" if first.run_number is not None else str(first.run_id)
        at = f", {first.created_at:%Y-%m-%d}" if first.created_at is not None else ""
        basis = f"{counted(streak.failed_runs, 'failed run')} since {number}{at}"
        return Card(label="On the default branch", value="broken", basis=basis, url="#stands", tone="bad")
    if page.grid is None:
        return Card(label="On the default branch", value="–", basis="not run there in the window")
    states = [state for state in (_newest(page)) if state is not None]
    newest = states[0] if states else "unknown"
    tone = {"failed": "bad", "passed": "good", "flaky": "warn"}.get(newest, "")
    runs = counted(page.grid.runs_seen, "run")
    return Card(
        label="On the default branch", value=newest.replace("_", " "), basis=f"newest of {runs}", url="#runs", tone=tone
    )


def _newest(page: JobPage) -> Iterator[str | None]:
    """The worst state of the newest run that has the job."""
    if page.grid is not None and page.grid.runs:
        cells = [row.cells[0].state for row in page.grid.rows if row.cells[0] is not None]
        order = ("failed", "in_progress", "flaky", "cancelled", "skipped", "passed")
        yield min(cells, key=order.index, default=None)
