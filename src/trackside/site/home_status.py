"""Whether it is fine, in one line: what is wrong, what deserves a look, and what is not known."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from trackside.agents.group_records import GroupRow
from trackside.records.alerts import Alert, AlertState
from trackside.report.ledger import counted
from trackside.site.ci_headlines import knows_ci
from trackside.site.facts import AgentFacts, HealthFacts, SiteFacts
from trackside.site.new_groups import new_groups
from trackside.site.open_regressions import open_regressions, searched_series


class Answer(enum.StrEnum):
    """The answer to the question of the page."""

    BAD = "Not fine"
    LOOK = "Worth a look"
    PARTLY = "Nothing wrong in what is known"
    UNKNOWN = "Unknown"
    FINE = "Fine"


_TONES: Final = {
    Answer.BAD: "bad", Answer.LOOK: "warn", Answer.PARTLY: "quiet", Answer.UNKNOWN: "quiet", Answer.FINE: "good"
}  # fmt: skip
_MARKS: Final = {
    Answer.BAD: "✗", Answer.LOOK: "▲", Answer.PARTLY: "?", Answer.UNKNOWN: "?", Answer.FINE: "✓"
}  # fmt: skip


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The answer and what it rests on, in phrases: what is bad, worth a look, not known, and well."""

    answer: Answer
    bad: tuple[str, ...] = ()
    look: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    fine: tuple[str, ...] = ()

    @property
    def tone(self) -> str:
        """Its colour: good, bad, warn or quiet."""
        return _TONES[self.answer]

    @property
    def mark(self) -> str:
        """The mark before it."""
        return _MARKS[self.answer]


def status_of(facts: SiteFacts) -> Status:
    """The answer for all parts. Nothing known is never fine, and what is unknown is named."""
    bad, look = tuple(_bad(facts)), tuple(_look(facts))
    unknown, fine = tuple(_unknown(facts)), tuple(_fine(facts))
    if bad:
        answer = Answer.BAD
    elif look:
        answer = Answer.LOOK
    elif unknown:
        answer = Answer.PARTLY if fine else Answer.UNKNOWN
    else:
        answer = Answer.FINE
    return Status(answer=answer, bad=bad, look=look, unknown=unknown, fine=fine)


def worked(agents: AgentFacts | None) -> tuple[GroupRow, ...]:
    """The agents that worked in runs, those with the most first."""
    if agents is None:
        return ()
    return tuple(one for one in agents.statistics.agents if one.name is not None and one.outcomes.total)


def alarms(health: HealthFacts | None) -> tuple[Alert, ...]:
    """The alerts on the collection that are on."""
    return () if health is None else tuple(one for one in health.alerts if one.state is AlertState.ON)


def _bad(facts: SiteFacts) -> Iterator[str]:
    ci = facts.ci
    if ci is not None:
        broken = [one for one in ci.streaks.broken_on_default if one.job is not None]
        without = [one for one in ci.streaks.broken_on_default if one.job is None]
        if broken:
            yield f"{counted(len(broken), 'job')} {_are(broken)} broken on {ci.streaks.default_branch}"
        if without:
            fails = "fails" if len(without) == 1 else "fail"
            yield f"{counted(len(without), 'workflow')} {fails} without jobs on {ci.streaks.default_branch}"
    if count := open_regressions(facts.speed).confirmed:
        yield f"{counted(count, 'regression')} {'waits' if count == 1 else 'wait'} for a decision"
    if on := alarms(facts.health):
        yield f"{counted(len(on), 'alert')} on the collection {_are(on)} on"


def _look(facts: SiteFacts) -> Iterator[str]:
    ci, speed, health = facts.ci, facts.speed, facts.health
    if groups := new_groups(ci, facts.until).groups:
        yield f"{counted(len(groups), 'new failure group')}"
    if fresh := open_regressions(speed).new:
        yield f"{counted(len(fresh), 'regression')} not confirmed yet"
    if speed is not None and (stopped := len(speed.silence.series)):
        yield f"{stopped:,} series of numbers stopped"
    worse = [one.name for one in worked(facts.agents) if one.success_trend.direction == "down" and one.name]
    if worse:
        yield f"agents succeed less often: {', '.join(worse[:3])}"
    if health is not None and (newest := health.health.newest) is not None:
        if newest.status == "failed":
            yield "the last sync failed"
        elif newest.completeness is not None and newest.completeness < 1:
            yield "the last sync was not complete"


def _unknown(facts: SiteFacts) -> Iterator[str]:
    if not knows_ci(facts.ci):
        yield "CI"
    elif not new_groups(facts.ci, facts.until).is_known:
        yield "which errors are new"
    if not searched_series(facts.speed):
        yield "performance"
    if not any(one.success.n for one in worked(facts.agents)):
        yield "agents"
    if facts.health is None or facts.health.health.newest is None:
        yield "how the collection goes"


def _fine(facts: SiteFacts) -> Iterator[str]:
    """What is known and well, to be told where nothing is wrong."""
    ci, searched = facts.ci, searched_series(facts.speed)
    if ci is not None and knows_ci(ci) and not ci.streaks.broken_on_default:
        yield f"the newest result of each of {counted(ci.streaks.jobs, 'job')} on {ci.streaks.line} is a success"
    if searched and not open_regressions(facts.speed).causes:
        yield f"no regression is open in {searched:,} series"
    health = facts.health
    if health is not None and health.alerts and not alarms(health):
        yield "no alert on the collection is on"


def _are(things: Iterable[object]) -> str:
    return "is" if len(list(things)) == 1 else "are"
