"""The first page: is it fine? A line of status, a figure of each part, and what needs somebody."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from trackside.report.agents_words import window_words
from trackside.report.ledger import counted
from trackside.site.ci_headlines import knows_ci, runs_of_line, span_words
from trackside.site.facts import SiteFacts
from trackside.site.home_cards import home_cards
from trackside.site.home_status import alarms, status_of, worked
from trackside.site.home_tables import (
    agents_table,
    benches_table,
    broken_table,
    groups_table,
    last_syncs_table,
    regressions_table,
)
from trackside.site.new_groups import LABEL, new_groups
from trackside.site.open_regressions import searched_series
from trackside.site.pages import Page, Section
from trackside.site.tables import Table
from trackside.site.words import no_command


class HomeSection(msgspec.Struct, frozen=True, kw_only=True):
    """A part of Home: ``intro`` says of what it is, ``empty`` stands where it has no row; ``url`` is the page of it."""

    title: str
    intro: str
    empty: str
    url: str
    more: str
    table: Table | None = None


def home_pages(facts: SiteFacts) -> Iterator[Page]:
    """The first page."""
    yield Page(
        path=Section.HOME.value,
        template="home.html.j2",
        title="Is it fine?",
        section=Section.HOME,
        styles=("home.css",),
        values={
            "status": status_of(facts),
            "cards": list(home_cards(facts)),
            "wide": [_broken(facts), _regressions(facts), _groups(facts)],
            "narrow": [_agents(facts), _benchmarks(facts), _data(facts)],
        },
    )


def _broken(facts: SiteFacts) -> HomeSection:
    ci = facts.ci
    where = "the default branch" if ci is None or ci.streaks.line is None else no_command(ci.streaks.line)
    if ci is None:
        intro, empty = "", "No run is known in the window: `trackside sync --since 30d` brings them."
    elif ci.streaks.line is None:
        intro, empty = "", "The default branch is not known: set `default_branch` under `[ci]` in trackside.toml."
    else:
        jobs, runs = counted(ci.streaks.jobs, "job"), runs_of_line(ci)
        intro = (
            f"A job is broken while its newest decided result on {where} is a failure. "
            f"Of {jobs} in {counted(runs.count, 'run')} of {where} created {span_words(runs.first_at, runs.last_at)}."
        )
        empty = (
            f"Nothing is broken on {where}: the newest result of each of {jobs} is a success."
            if knows_ci(ci)
            else f"No job passed or failed on {where} in the window: `trackside sync --since 30d` brings a longer one."
        )
    return HomeSection(
        title="Broken now",
        intro=intro,
        empty=empty,
        url=f"{Section.CI.value}#failing",
        more="All of CI: failing and flaky jobs, queues and runners",
        table=None if ci is None or ci.streaks.line is None else broken_table(ci, facts.home),
    )


def _regressions(facts: SiteFacts) -> HomeSection:
    speed, searched = facts.speed, searched_series(facts.speed)
    if speed is None or not searched:
        intro = ""
        empty = "No series of numbers was searched: `trackside sync --logs perf` reads what performance jobs printed."
    else:
        intro = (
            f"Changes for the worse that wait for a decision: `acknowledged`, `intended` or a fix. Of {searched:,} "
            f"series that were searched in {counted(speed.head.runs, 'run')}. "
            f"{len(speed.silence.series):,} of {speed.silence.watched:,} series that are watched in "
            f"{counted(speed.silence.runs, 'run')} stopped."
        )
        empty = f"No regression is open in {searched:,} series."
    return HomeSection(
        title="Open regressions",
        intro=intro,
        empty=empty,
        url=Section.PERFORMANCE.value,
        more="All series with their charts",
        table=None if speed is None else regressions_table(speed),
    )


def _groups(facts: SiteFacts) -> HomeSection:
    new = new_groups(facts.ci, facts.until)
    rule = f"; new is what is {new.rule}" if new.rule else ""
    return HomeSection(
        title=LABEL,
        intro=f"The same error over jobs is one group{rule}. {new.basis.capitalize()}." if new.is_known else "",
        empty=new.why_not or "No error is new.",
        url=f"{Section.CI.value}#groups",
        more="All failure groups",
        table=groups_table(new) if new.is_known else None,
    )


def _agents(facts: SiteFacts) -> HomeSection:
    agents, rows = facts.agents, worked(facts.agents)
    return HomeSection(
        title="Agents",
        intro=f"{window_words(agents.statistics)}; 95 % intervals." if agents is not None and rows else "",
        empty="No run is known in which an agent worked: name yours under `[agents]` in trackside.toml.",
        url=Section.AGENTS.value,
        more="All runs, steps and failures of agents",
        table=agents_table(facts) if rows else None,
    )


def _benchmarks(facts: SiteFacts) -> HomeSection:
    count = len(facts.benches)
    return HomeSection(
        title="Benchmark runs",
        intro=f"The last of {counted(count, 'run')}; rates from the first batch line to the last." if count else "",
        empty="No run is registered: `srtlog parse FOLDER --register`, or name folders under `[site]`.",
        url=Section.BENCHMARKS.value,
        more="All benchmark runs, compared and in full",
        table=benches_table(facts.benches) if count else None,
    )


def _data(facts: SiteFacts) -> HomeSection:
    health = facts.health
    known = health is not None and health.health.newest is not None
    on = [one.text for one in alarms(health)]
    return HomeSection(
        title="Data",
        intro=f"Alerts that are on: {' '.join(on)}" if on else "No alert on the collection is on." if known else "",
        empty="Nothing was synced yet: `trackside sync` brings runs.",
        url=Section.HEALTH.value,
        more="Completeness, calls, gaps, sizes and alerts",
        table=last_syncs_table(health.health) if health is not None and known else None,
    )
