"""Headline figures of CI: what is broken, flaky and new, how often runs succeed, how long jobs wait."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

import msgspec
import polars as pl

from trackside.ci.queueing import waiting_times
from trackside.ci.streaks import Streak
from trackside.history.frames import History
from trackside.history.outcomes import Outcome
from trackside.report.ledger import counted
from trackside.report.sections import percent
from trackside.site.cards import UNKNOWN, Card
from trackside.site.ci_headlines import broken_card
from trackside.site.ci_job_facts import JobPage
from trackside.site.durations import length
from trackside.site.facts import CiFacts
from trackside.site.new_groups import new_groups, new_groups_card
from trackside.site.run_words import run_label
from trackside.site.shares import interval, share_words
from trackside.site.words import cut
from trackside.stats.intervals import wilson

_GAPS: Final = "health.html#gaps-of-runs"
_STATES: Final = {"flaky": "passed after a failure", "in_progress": "not over"}


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
        broken_card(ci, "#failing"),
        _flaky(ci),
        new_groups_card(new_groups(ci, until), "#groups"),
        _success(ci),
        _queue(ci, until),
        _completeness(ci.history),
    )


def _flaky(ci: CiFacts) -> Card:
    if not ci.flaky.jobs_seen:
        return Card(label="Flaky jobs", value=UNKNOWN, basis="no job passed or failed in the window", url="#flaky")
    number, going_on = len(ci.flaky.jobs), len(ci.flaky.unrecovered)
    seen = f"{going_on:,} not recovered; of {counted(ci.flaky.jobs_seen, 'job')}"
    basis = seen if number or ci.flaky.repeated else f"of {counted(ci.flaky.jobs_seen, 'job')}, none run again"
    return Card(label="Flaky jobs", value=f"{number:,}", basis=basis, url="#flaky", tone="warn" if going_on else "")


def _success(ci: CiFacts) -> Card:
    found = default_success(ci.history)
    line = ci.history.default_branch or "the default branch"
    if found.rate is None or found.low is None or found.high is None:
        return Card(label="Success rate", value=UNKNOWN, basis=f"no run of {line} passed or failed")
    basis = f"{found.passed:,} of {counted(found.decided, 'run')} of {line}; 95 % {interval(found.low, found.high)}"
    return Card(label="Success rate", value=percent(found.rate) or UNKNOWN, basis=basis, url="#grids")


def _queue(ci: CiFacts, until: dt.datetime) -> Card:
    one_pool = ci.history.jobs.with_columns(pool=pl.lit("all", pl.String))
    every = waiting_times(msgspec.structs.replace(ci.history, jobs=one_pool), until)
    if not every.pools or every.pools[0].p90_s is None:
        return Card(label="Queue p90", value=UNKNOWN, basis="no waiting time is known", url="#queue")
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
        return Card(label="Jobs known", value=UNKNOWN, basis="no run is over", url=_GAPS)
    share = 1 - history.unread / over
    basis = f"jobs of {over - history.unread:,} of {counted(over, 'run attempt')}{told}"
    tone = "warn" if history.unread else ""
    return Card(label="Jobs known", value=share_words(share) or UNKNOWN, basis=basis, url=_GAPS, tone=tone)


def job_cards(page: JobPage) -> Iterator[Card]:
    """The cards of the page of a job."""
    job = page.job
    streak = next((one for one in page.streaks if one.state.value == "broken" and one.is_default_line), None)
    yield _stands(page, streak)
    basis = f"{job.failed:,} of {counted(job.results, 'result')}"
    if job.low is not None and job.high is not None:
        basis += f"; 95 % {interval(job.low, job.high)}"
    yield Card(label="Failure rate", value=percent(job.rate) or UNKNOWN, basis=basis, url="#attempts")
    basis = f"p90 {length(job.p90_s)}, of what passed" if job.p50_s is not None else "nothing passed"
    yield Card(label="Duration p50", value=_known(job.p50_s), basis=basis, url="#durations")
    queue = page.queue
    basis = f"p90 {length(queue['p90_s'])}, longest {length(queue['max_s'])}; of {counted(queue['jobs'], 'attempt')}"
    yield Card(
        label="Queue p50",
        value=_known(queue["p50_s"]),
        basis=basis if queue["jobs"] else "no waiting time is known",
        url="#attempts",
    )
    yield _flaky_runs(page)


def _flaky_runs(page: JobPage) -> Card:
    """Runs in which any matrix index was flaky, each once, of those in which any passed or failed."""
    if not page.decided_runs:
        return Card(label="Flaky runs", value=UNKNOWN, basis="it never passed nor failed", url="#flakes")
    flaky = len({run_id for one in page.flaky for run_id in one.run_ids})
    basis = f"of {counted(page.decided_runs, 'run')} that passed or failed"
    if flaky:
        basis += f": {', '.join(dict.fromkeys(one.recovery.value for one in page.flaky))}"
    return Card(label="Flaky runs", value=f"{flaky:,}", basis=basis, url="#flakes", tone="warn" if flaky else "")


def _stands(page: JobPage, streak: Streak | None) -> Card:
    if streak is not None:
        first = streak.first_bad
        number = run_label(first.run_number, first.run_id)
        at = f", {first.created_at:%Y-%m-%d}" if first.created_at is not None else ""
        basis = f"{counted(streak.failed_runs, 'failed run')} since {number}{at}"
        return Card(label="On the default branch", value="broken", basis=basis, url="#stands", tone="bad")
    if page.grid is None:
        return Card(label="On the default branch", value=UNKNOWN, basis="not run there in the window")
    cell, runs = page.grid.newest, counted(page.grid.runs_seen, "run")
    if cell is None:
        return Card(label="On the default branch", value=UNKNOWN, basis=f"of {runs}", url="#runs")
    tone = {"failed": "bad", "passed": "good", "flaky": "warn"}.get(cell.state, "")
    value = _STATES.get(cell.state, cell.state)
    basis = f"{cell.words}, the newest of {runs}"
    return Card(label="On the default branch", value=value, basis=basis, url="#runs", tone=tone)


def _known(seconds: float | None) -> str:
    return UNKNOWN if seconds is None else length(seconds)
