"""The headline figures of Home: one for each part of the site, with what it is of and the page that tells more."""

from __future__ import annotations

from collections.abc import Iterator

from trackside.report.ledger import counted
from trackside.report.sections import percent
from trackside.site.agent_kpis import agents_success
from trackside.site.cards import UNKNOWN, Card
from trackside.site.ci_headlines import broken_card, span_words
from trackside.site.facts import HealthFacts, SiteFacts
from trackside.site.home_status import alarms, worked
from trackside.site.new_groups import new_groups, new_groups_card
from trackside.site.open_regressions import regressions_card
from trackside.site.pages import Section
from trackside.site.shares import interval, share_words


def home_cards(facts: SiteFacts) -> Iterator[Card]:
    """The figures in the order of the site's parts."""
    yield broken_card(facts.ci, f"{Section.CI.value}#failing")
    yield new_groups_card(new_groups(facts.ci, facts.until), f"{Section.CI.value}#groups")
    yield regressions_card(facts.speed)
    yield _agents(facts)
    yield _benchmarks(facts)
    yield _data(facts)


def _agents(facts: SiteFacts) -> Card:
    rows, label, url = worked(facts.agents), "Agents' success", Section.AGENTS.value
    success = None if facts.agents is None else agents_success(facts.agents.statistics)
    if facts.agents is None or success is None or success.rate is None:
        basis = "No run is known in which an agent worked: name yours under [agents] in trackside.toml."
        return Card(label=label, value=UNKNOWN, basis=basis, url=url)
    statistics = facts.agents.statistics
    window = span_words(statistics.window_start, statistics.window_stop)
    worse = any(one.success_trend.direction == "down" for one in rows)
    return Card(
        label=label,
        value=f"{percent(success.rate)}",
        basis=f"{success.successes:,} of {counted(success.n, 'attempt')} in which an agent worked, "
        f"95 % {interval(success.low, success.high)}, {window}",
        url=url,
        tone="warn" if worse else "",
    )


def _benchmarks(facts: SiteFacts) -> Card:
    label, url = "Benchmark runs", Section.BENCHMARKS.value
    if not facts.benches:
        return Card(label=label, value="none", basis="srtlog parse FOLDER --register registers one", url=url)
    incomplete = sum(not one.run.complete for one in facts.benches)
    read = f"{incomplete:,} not read completely" if incomplete else "all read completely"
    newest = facts.benches[0].run.last_at
    when = "" if newest is None else f", newest of {newest:%Y-%m-%d}"
    return Card(
        label=label,
        value=f"{len(facts.benches):,}",
        basis=f"{read}{when}",
        url=url,
        tone="warn" if incomplete else "",
    )


def _data(facts: SiteFacts) -> Card:
    label, url, health = "Data complete", Section.HEALTH.value, facts.health
    newest = None if health is None else health.health.newest
    if health is None or newest is None:
        return Card(label=label, value=UNKNOWN, basis="No sync is known: run trackside sync.", url=url)
    on = len(alarms(health))
    share = newest.completeness
    told = f"{on:,} of {counted(len(health.alerts), 'alert')} on" if health.alerts else "alerts were never looked at"
    bad = on or newest.status == "failed"
    return Card(
        label=label,
        value=share_words(share) or UNKNOWN,
        basis=f"{_gaps(health)}; last sync {newest.ended_at:%Y-%m-%d %H:%M} UTC: {newest.status}; {told}",
        url=url,
        tone="bad" if bad else "" if share is None else "good" if share >= 1 else "warn",
    )


def _gaps(health: HealthFacts) -> str:
    """What the share is of; and how much of the window has gaps, which a sync that asked for little does not tell."""
    data = health.health.missing_data
    of = "of what the last sync asked for"
    return f"{of}; {data.count:,} of {counted(data.of, 'run attempt')} of the window with gaps" if data.count else of
