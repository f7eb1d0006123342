"""What is to be told of performance now: confirmed regressions, what is fixed, gains, and what fell silent."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from trackside.perf.change_records import Change, Changes, Verdict
from trackside.perf.silence import Silence, silent_entries
from trackside.perf.states import ChangeStates
from trackside.records.failures import Notice
from trackside.records.notices import OFF, ON, Told
from trackside.records.perf_rules import ChangeState

REGRESSION: Final = "perf_regression"
IMPROVEMENT: Final = "perf_improvement"
SILENCE: Final = "perf_silence"


class NewsKind(enum.StrEnum):
    """What kind of thing is told, the most important first."""

    REGRESSION = "regression"
    """A regression was confirmed, and nobody has acknowledged it."""
    SILENT = "silent"
    """A job or a series has no values any more."""
    FIXED = "fixed"
    """A regression that was told is made good."""
    IMPROVEMENT = "improvement"
    """A gain was confirmed."""


class NewsItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell. ``what`` is a series or a job, ``change_id`` what commands take, ``url`` where to look.

    ``percent`` and ``since`` (the number of the run) are those of the change, ``others`` counts the series that moved
    with it and are not told by themselves. ``runs`` counts those without a value.
    """

    kind: NewsKind
    what: str
    change_id: str | None = None
    percent: float | None = None
    since: int | None = None
    others: int = 0
    runs: int = 0
    url: str | None = None


class PerfNews(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be told, the most important first, and the notices that hold once it is told.

    ``is_first`` says that nothing was ever told: then gains of the past are taken as known.
    """

    repo: str
    items: tuple[NewsItem, ...]
    notices: tuple[Notice, ...]
    is_first: bool = False


def news_since(told: Told, states: ChangeStates, silence: Silence) -> PerfNews:
    """What is to be told now, by comparing with what was ``told``.

    A cause is one item: of changes that moved together the gravest stands for all. Nothing is said of a change that
    the window does not show, nor of one that somebody has dealt with.
    """
    found = states.found
    known = {kind: told.subjects(kind) for kind in (REGRESSION, IMPROVEMENT, SILENCE)}
    bad = [one for one in found.alarming if one.change_id not in known[REGRESSION]]
    good = [one for one in found.changes if _is_gain(one) and one.change_id not in known[IMPROVEMENT]]
    fixed = [one for one in found.changes if one.change_id in known[REGRESSION] and one.state is ChangeState.FIXED]
    silent = dict(_silent(silence))
    items = [
        *_items(NewsKind.REGRESSION, bad),
        *(one for name, one in silent.items() if name not in known[SILENCE]),
        *_items(NewsKind.FIXED, fixed),
        *(_items(NewsKind.IMPROVEMENT, good) if told.ever else ()),
    ]
    alarming = {one.change_id for one in found.alarming}
    over = [one.change_id for one in found.changes if one.change_id in known[REGRESSION].keys() - alarming]
    heard = [name for name in known[SILENCE] if name not in silent and name in _alive(found, silence)]
    notices = [
        *(_notice(found, REGRESSION, one.change_id, ON, one.at.url) for one in found.alarming),
        *(_notice(found, REGRESSION, one, OFF, None) for one in over),
        *(_notice(found, IMPROVEMENT, one.change_id, ON, one.at.url) for one in good),
        *(_notice(found, SILENCE, name, ON, one.url) for name, one in silent.items()),
        *(_notice(found, SILENCE, name, OFF, None) for name in heard),
    ]
    return PerfNews(repo=found.repo, items=tuple(items), notices=told.changed(notices), is_first=not told.ever)


def _is_gain(change: Change) -> bool:
    return change.verdict is Verdict.IMPROVEMENT and change.state is ChangeState.CONFIRMED


def _items(kind: NewsKind, changes: Sequence[Change]) -> Iterator[NewsItem]:
    """One item for each cause: a change that moved with one that is told already is counted there."""
    own = {one.change_id for one in changes}
    told: set[str] = set()
    for change in changes:
        if change.change_id in told:
            continue
        others = own.intersection(change.moved_with) - told
        told |= others | {change.change_id}
        point = change.fixed_by if kind is NewsKind.FIXED and change.fixed_by is not None else change.at
        yield NewsItem(
            kind=kind,
            what=change.series,
            change_id=change.change_id,
            percent=change.percent,
            since=point.run_number,
            others=len(others),
            url=change.suspects.compare_url if kind is not NewsKind.FIXED else point.url,
        )


def _silent(silence: Silence) -> Iterator[tuple[str, NewsItem]]:
    """What is silent, by its name."""
    for name, _, one in silent_entries(silence):
        yield name, NewsItem(kind=NewsKind.SILENT, what=name, runs=one.runs_without, url=one.since_url)


def _alive(found: Changes, silence: Silence) -> set[str]:
    """The series, tests and jobs that have values in the window and are not silent."""
    silent = {one.series for one in silence.series}
    alive = [one for one in found.series if one.series not in silent]
    tests = {f"{one.workflow}: {one.job} / {one.test}" for one in alive}
    return {one.series for one in alive} | tests | {f"{one.workflow}: {one.job}" for one in alive}


def _notice(found: Changes, kind: str, subject: str, state: str, url: str | None) -> Notice:
    return Notice(repo=found.repo, kind=kind, subject=subject, state=state, url=url)
