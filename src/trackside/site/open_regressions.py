"""The regressions that wait for a decision: one figure for all pages."""

from __future__ import annotations

import msgspec

from trackside.perf.change_records import Change, Machines, Search, Verdict
from trackside.perf.states import PastChange
from trackside.records.perf_rules import ChangeState
from trackside.report.ledger import counted
from trackside.report.perf_change_words import group_leads
from trackside.site.cards import UNKNOWN, Card
from trackside.site.ci_headlines import span_words
from trackside.site.facts import SpeedFacts
from trackside.site.marks import BAD, GOOD, WARN
from trackside.site.pages import Section

REGRESSED = "regressed"
"""How a series stands that got worse, confirmed by later runs or not yet: a choice of the pictures."""
LABEL = "Open regressions"


class OpenRegressions(msgspec.Struct, frozen=True, kw_only=True):
    """Regressions that nobody acknowledged or called intended.

    ``leads`` are those of the window, one for each cause, the gravest first; ``standing`` are from before it, each a
    cause of its own. ``series`` counts the series of both. ``by_machines`` counts series that got worse as the machines
    changed: the code cannot be told from these.
    """

    leads: tuple[Change, ...] = ()
    standing: tuple[PastChange, ...] = ()
    series: int = 0
    by_machines: int = 0

    @property
    def causes(self) -> int:
        """How many there are, each cause once."""
        return len(self.leads) + len(self.standing)

    @property
    def new(self) -> tuple[Change, ...]:
        """Those that later runs have yet to bear out."""
        return tuple(one for one in self.leads if one.state is ChangeState.NEW)

    @property
    def confirmed(self) -> int:
        """How many are confirmed by later runs."""
        return self.causes - len(self.new)


def open_regressions(speed: SpeedFacts | None) -> OpenRegressions:
    """The open regressions; none where nothing of performance is known."""
    if speed is None:
        return OpenRegressions()
    worse = [one for one in speed.states.found.changes if one.verdict is Verdict.REGRESSION and one.state.is_open]
    found = [one for one in worse if one.runners.machines is not Machines.NEW]
    series = {one.series for one in found} | {one.known.series for one in speed.states.standing}
    return OpenRegressions(
        leads=tuple(group_leads(found)),
        standing=speed.states.standing,
        series=len(series),
        by_machines=len({one.series for one in worse} - series),
    )


def searched_series(speed: SpeedFacts | None) -> int:
    """How many series were searched for changes."""
    return 0 if speed is None else sum(one.search is Search.SEARCHED for one in speed.states.found.series)


def regressions_card(speed: SpeedFacts | None) -> Card:
    """How many regressions are open, for every page that says so."""
    searched, page = searched_series(speed), Section.PERFORMANCE.value
    if speed is None or not searched:
        return Card(label=LABEL, value=UNKNOWN, basis=_why_not(speed), url=page)
    found = open_regressions(speed)
    runs = [one.created_at for one in speed.collection.runs]
    window = span_words(min(runs, default=None), max(runs, default=None))
    told = [f"{counted(found.causes, 'cause')}, {found.series:,} series"] if found.causes else []
    told += [f"{len(found.new):,} not confirmed by later runs yet"] if found.new else []
    told += [f"{len(found.standing):,} from before the window"] if found.standing else []
    told += [f"{found.by_machines:,} more series as the machines changed"] if found.by_machines else []
    told.append(f"of {searched:,} series that were searched, {counted(speed.head.jobs, 'job attempt')}, {window}")
    return Card(
        label=LABEL, value=f"{found.causes:,}", basis="; ".join(told), url=_where(found, page), tone=_tone(found)
    )


def _why_not(speed: SpeedFacts | None) -> str:
    known = 0 if speed is None else len(speed.states.found.series)
    if known:
        return f"None of {known:,} series has enough points yet: sync a longer window with --logs perf."
    return "No performance number is known: run trackside sync --logs perf."


def _where(found: OpenRegressions, page: str) -> str:
    """The pictures of the series; those from before the window stand in the table of changes alone."""
    if found.leads:
        return f"{page}?series.standing={REGRESSED}&series.all=1#series"
    return f"{page}#changes-title" if found.standing else page


def _tone(found: OpenRegressions) -> str:
    if found.confirmed:
        return BAD
    return WARN if found.causes else GOOD
