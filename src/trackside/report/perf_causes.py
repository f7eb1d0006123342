"""The series of a page by what happened to them: a card for each test and cause, its other metrics folded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from trackside.perf.change_records import Change, Changes
from trackside.perf.changes import gravity
from trackside.perf.silence import Silent
from trackside.report.perf_series import SeriesView, Standing, series_key

_OF_A_METRIC: Final = "metric"


class Card(msgspec.Struct, frozen=True):
    """The series of one test to which the same happened: ``lead`` stands for ``others``, which are folded."""

    lead: SeriesView
    others: tuple[SeriesView, ...] = ()

    @property
    def test_key(self) -> str:
        """The same for all cards of the test."""
        return series_key(" / ".join(_test(self.lead)))


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Cards of series that moved at the same commits, or that stopped alike; the gravest first.

    ``change`` is, of all changes of the cause, the one with the narrowest range of commits. ``silent`` says how series
    stopped; its rename is that of all of them, or None. ``elsewhere`` counts the series of the cause that stand
    otherwise, and names the first of them by its key.
    """

    cards: tuple[Card, ...]
    change: Change | None = None
    silent: Silent | None = None
    elsewhere: tuple[tuple[Standing, int, str], ...] = ()

    @property
    def views(self) -> tuple[SeriesView, ...]:
        """Its series, the leading ones first."""
        leads = tuple(card.lead for card in self.cards)
        return leads + tuple(view for card in self.cards for view in card.others)


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Series that stand alike: by cause where something happened to them, else as ``plain`` ones."""

    standing: Standing
    causes: tuple[Cause, ...] = ()
    plain: tuple[SeriesView, ...] = ()

    @property
    def views(self) -> tuple[SeriesView, ...]:
        """All its series, those first that stand for others."""
        leads = tuple(card.lead for cause in self.causes for card in cause.cards)
        folded = tuple(view for cause in self.causes for card in cause.cards for view in card.others)
        return leads + folded + self.plain


def groups_of(views: Sequence[SeriesView], changes: Changes | None) -> list[Group]:
    """The series as the page shows them, in the order of ``Standing``, the gravest causes first."""
    found = changes.changes if changes else ()
    causes = causes_of(found)
    narrowest = _narrowest(found, causes)
    by_cause: dict[str, list[SeriesView]] = {}
    for view in views:
        if view.headline is not None:
            by_cause.setdefault(causes[view.headline.change_id], []).append(view)
    groups = []
    for standing in Standing:
        own = [view for view in views if view.standing is standing]
        if standing is Standing.STOPPED:
            groups.append(Group(standing=standing, causes=tuple(_stopped(own))))
        elif any(view.headline is not None for view in own):
            groups.append(Group(standing=standing, causes=tuple(_moved(standing, by_cause, narrowest))))
        else:
            groups.append(Group(standing=standing, plain=tuple(own)))
    return [group for group in groups if group.views]


def count_tests(views: Iterable[SeriesView]) -> int:
    """How many tests these are series of."""
    return len({_test(view) for view in views})


def causes_of(changes: Iterable[Change]) -> dict[str, str]:
    """By the id of each change the id of the one that stands for its cause: the gravest that moved with it."""
    causes: dict[str, str] = {}
    for change in sorted(changes, key=gravity):
        for one in (change.change_id, *change.moved_with):
            causes.setdefault(one, causes.get(change.change_id, change.change_id))
    return causes


def _narrowest(changes: Iterable[Change], causes: Mapping[str, str]) -> dict[str, Change]:
    """By cause the change with the narrowest range of commits, of equal ones the gravest."""
    narrowest: dict[str, Change] = {}
    for change in sorted(changes, key=lambda one: (one.first_bad.ordered_at - one.last_good.ordered_at, gravity(one))):
        narrowest.setdefault(causes[change.change_id], change)
    return narrowest


def _moved(
    standing: Standing, by_cause: Mapping[str, Sequence[SeriesView]], narrowest: Mapping[str, Change]
) -> list[Cause]:
    found = []
    for cause, every in by_cause.items():
        if own := sorted((view for view in every if view.standing is standing), key=_size):
            made = Cause(cards=_cards(own), change=narrowest[cause], elsewhere=_elsewhere(every, standing))
            found.append((_size(own[0]), made))
    return [made for _, made in sorted(found, key=lambda pair: pair[0])]


def _elsewhere(members: Sequence[SeriesView], here: Standing) -> tuple[tuple[Standing, int, str], ...]:
    others: dict[Standing, list[str]] = {}
    for view in members:
        if view.standing is not here:
            others.setdefault(view.standing, []).append(view.key)
    return tuple((standing, len(keys), keys[0]) for standing, keys in others.items())


def _stopped(own: Sequence[SeriesView]) -> list[Cause]:
    """Those of one job that stopped at one run for one reason, and may go on under one name; the most series first."""
    alike: dict[tuple[object, ...], list[SeriesView]] = {}
    for view in sorted(own, key=lambda one: (not one.is_established, one.job, one.test, one.metric, one.workflow)):
        if (silent := _shared(view.silent)) is not None:
            key = (silent.workflow, silent.job, silent.reason, silent.last_run_id, silent.proposal)
            alike.setdefault(key, []).append(view)
    causes = [Cause(cards=_cards(members), silent=_shared(members[0].silent)) for members in alike.values()]
    return sorted(causes, key=lambda one: -len(one.views))


def _shared(silent: Silent | None) -> Silent | None:
    """What holds for other metrics too: the new name of a metric is its own."""
    if silent is None or silent.proposal is None or silent.proposal.kind != _OF_A_METRIC:
        return silent
    return msgspec.structs.replace(silent, proposal=None)


def _cards(members: Sequence[SeriesView]) -> tuple[Card, ...]:
    """A card for each test, in the order of ``members``: an established metric leads, else the first."""
    tests: dict[tuple[str, ...], list[SeriesView]] = {}
    for view in members:
        tests.setdefault(_test(view), []).append(view)
    return tuple(_card(own) for own in tests.values())


def _card(own: Sequence[SeriesView]) -> Card:
    lead = next((view for view in own if view.is_established), own[0])
    return Card(lead, tuple(view for view in own if view is not lead))


def _test(view: SeriesView) -> tuple[str, str, str]:
    return view.workflow, view.job, view.test


def _size(view: SeriesView) -> tuple[object, ...]:
    return () if view.headline is None else gravity(view.headline)
