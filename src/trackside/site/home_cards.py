"""The headline figures of Home: one for each part of the site, with what it is of and the page that tells more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import msgspec

from trackside.report.ledger import counted
from trackside.report.sections import percent
from trackside.site.facts import SiteFacts
from trackside.site.home_status import (
    alarms,
    can_tell_new,
    knows_ci,
    new_groups,
    open_regressions,
    searched_series,
    worked,
)
from trackside.site.pages import Section
from trackside.site.shares import share_words
from trackside.stats.intervals import wilson

UNKNOWN = "unknown"


class HomeCard(msgspec.Struct, frozen=True, kw_only=True):
    """A figure: its ``label`` links to ``url``; ``basis`` says of how many and when, or what to do to know it."""

    label: str
    figure: str
    basis: str
    url: str
    tone: str = ""


def home_cards(facts: SiteFacts) -> Iterator[HomeCard]:
    """The figures in the order of the site's parts."""
    yield _broken(facts)
    yield _failures(facts)
    yield _regressions(facts)
    yield _agents(facts)
    yield _benchmarks(facts)
    yield _data(facts)


def span_words(first: dt.datetime | None, last: dt.datetime | None) -> str:
    """``2026-06-01 to 2026-06-08``, one date where both are the same."""
    if first is None or last is None:
        return "of an unknown time"
    return f"{first:%Y-%m-%d}" if first.date() == last.date() else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"


def _broken(facts: SiteFacts) -> HomeCard:
    ci, label, url = facts.ci, "Broken now", Section.CI.value
    if ci is None or not knows_ci(ci):
        line = None if ci is None else ci.streaks.line
        basis = (
            "The default branch is not known: set default_branch under [ci] in trackside.toml."
            if ci is not None and line is None
            else "No job passed or failed on the default branch in the window: run trackside sync."
        )
        return HomeCard(label=label, figure=UNKNOWN, basis=basis, url=url)
    broken = len(ci.streaks.broken_on_default)
    window = span_words(ci.span.first_run_at, ci.span.last_run_at)
    return HomeCard(
        label=label,
        figure=f"{broken:,}",
        basis=f"of {counted(ci.streaks.jobs, 'job')} on {ci.streaks.line}, {counted(ci.span.runs, 'run')}, {window}",
        url=url,
        tone="bad" if broken else "good",
    )


def _failures(facts: SiteFacts) -> HomeCard:
    ci, label, url = facts.ci, "New failure groups", f"{Section.CI.value}#groups"
    if ci is None:
        return HomeCard(label=label, figure=UNKNOWN, basis="No run is known: run trackside sync.", url=url)
    read = ci.groups.failures - ci.groups.without_log
    if ci.groups.failures and not read:
        basis = f"None of {counted(ci.groups.failures, 'log')} of failures was read: run trackside sync --logs failed."
        return HomeCard(label=label, figure=UNKNOWN, basis=basis, url=url)
    of = f"{counted(len(ci.groups.groups), 'group')} of {counted(ci.groups.failures, 'failed attempt')} of jobs"
    if not can_tell_new(ci):
        return HomeCard(label=label, figure=UNKNOWN, basis=f"The window is too short to tell; {of}.", url=url)
    new = len(new_groups(ci, facts.until))
    return HomeCard(label=label, figure=f"{new:,}", basis=f"of {of}", url=url, tone="warn" if new else "good")


def _regressions(facts: SiteFacts) -> HomeCard:
    speed, label, url = facts.speed, "Open regressions", Section.PERFORMANCE.value
    searched = searched_series(speed)
    if speed is None or not searched:
        known = 0 if speed is None else len(speed.states.found.series)
        basis = (
            f"None of {known:,} series has enough points yet: sync a longer window with --logs perf."
            if known
            else "No performance number is known: run trackside sync --logs perf."
        )
        return HomeCard(label=label, figure=UNKNOWN, basis=basis, url=url)
    count = len(open_regressions(speed)) + len(speed.states.standing)
    runs = [one.created_at for one in speed.collection.runs]
    window = span_words(min(runs, default=None), max(runs, default=None))
    return HomeCard(
        label=label,
        figure=f"{count:,}",
        basis=f"in {searched:,} series that were searched, {counted(speed.head.jobs, 'job attempt')}, {window}",
        url=url,
        tone="bad" if count else "good",
    )


def _agents(facts: SiteFacts) -> HomeCard:
    rows, label, url = worked(facts.agents), "Agents' success", Section.AGENTS.value
    wins, of = sum(one.success.successes for one in rows), sum(one.success.n for one in rows)
    if facts.agents is None or not of:
        basis = "No run is known in which an agent worked: name yours under [agents] in trackside.toml."
        return HomeCard(label=label, figure=UNKNOWN, basis=basis, url=url)
    low, high = wilson(wins, of)
    statistics = facts.agents.statistics
    window = span_words(statistics.window_start, statistics.window_stop)
    worse = any(one.success_trend.direction == "down" for one in rows)
    return HomeCard(
        label=label,
        figure=f"{percent(wins / of)}",
        basis=f"{wins:,} of {of:,} run attempts, {low * 100:.0f}–{high * 100:.0f} %, {window}",
        url=url,
        tone="warn" if worse else "",
    )


def _benchmarks(facts: SiteFacts) -> HomeCard:
    label, url = "Benchmark runs", Section.BENCHMARKS.value
    if not facts.benches:
        return HomeCard(label=label, figure="none", basis="srtlog parse FOLDER --register registers one", url=url)
    incomplete = sum(not one.run.complete for one in facts.benches)
    read = f"{incomplete:,} not read completely" if incomplete else "all read completely"
    newest = max((one.run.first_at for one in facts.benches if one.run.first_at is not None), default=None)
    when = "" if newest is None else f", newest of {newest:%Y-%m-%d}"
    return HomeCard(
        label=label,
        figure=f"{len(facts.benches):,}",
        basis=f"{read}{when}",
        url=url,
        tone="warn" if incomplete else "",
    )


def _data(facts: SiteFacts) -> HomeCard:
    label, url, health = "Data complete", Section.HEALTH.value, facts.health
    newest = None if health is None else health.health.newest
    if health is None or newest is None:
        return HomeCard(label=label, figure=UNKNOWN, basis="No sync is known: run trackside sync.", url=url)
    on = len(alarms(health))
    share = newest.completeness
    told = f"{on:,} of {counted(len(health.alerts), 'alert')} on" if health.alerts else "alerts were never looked at"
    bad = on or newest.status == "failed"
    return HomeCard(
        label=label,
        figure=share_words(share) or UNKNOWN,
        basis=f"last sync {newest.ended_at:%Y-%m-%d %H:%M} UTC: {newest.status}; {told}",
        url=url,
        tone="bad" if bad else "" if share is None else "good" if share >= 1 else "warn",
    )
