"""The headline figures of performance: what is watched, what got worse, better or silent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from trackside.perf.points import final_points
from trackside.report.ledger import counted
from trackside.report.perf_causes import causes_of, count_tests
from trackside.report.perf_series import SeriesView
from trackside.report.perf_text import day_text
from trackside.site.cards import UNKNOWN, Card
from trackside.site.facts import SpeedFacts
from trackside.site.marks import GOOD, WARN
from trackside.site.open_regressions import regressions_card, searched_series
from trackside.site.perf_order import Place, Watched

_DAY: Final = dt.timedelta(days=1)
_NONE: Final = "none that still stands"


def headline(speed: SpeedFacts, watched: Watched) -> list[Card]:
    """The figures of the head of the page; each series counts once for how it stands, and once if it is silent."""
    better = watched.at(Place.BETTER)
    return [
        _watched(speed, watched),
        regressions_card(speed),
        Card(
            label="Improvements",
            value=f"{len(better):,}",
            basis=_basis(speed, better),
            url=_chosen(Place.BETTER, better),
            tone=GOOD if better else "",
        ),
        _stopped(speed, watched.views),
        _values(speed),
        _window(speed),
    ]


def _watched(speed: SpeedFacts, watched: Watched) -> Card:
    basis = f"series of {counted(count_tests(watched.views), 'test')}; {searched_series(speed):,} searched for changes"
    return Card(label="Watched", value=f"{len(watched.views):,}", basis=basis, url="#series")


def _stopped(speed: SpeedFacts, views: Iterable[SeriesView]) -> Card:
    silent = [view for view in views if view.silent is not None]
    jobs = len(speed.silence.jobs)
    basis = f"series of {counted(count_tests(silent), 'test')}" if silent else "every series goes on"
    if not speed.silence.runs:
        basis = "cannot be told: no run of the default branch ended"
    return Card(
        label="Stopped",
        value=f"{len(silent):,}",
        basis=f"{basis}; {counted(jobs, 'whole job')}" if jobs else basis,
        url=_chosen(Place.STOPPED, silent),
        tone=WARN if silent else "",
    )


def _values(speed: SpeedFacts) -> Card:
    head = speed.head
    basis = f"of {counted(head.jobs, 'performance job')} in {counted(head.runs, 'run')}"
    return Card(label="Values", value=f"{final_points(speed.points).height:,}", basis=basis)


def _window(speed: SpeedFacts) -> Card:
    created = [run.created_at for run in speed.collection.runs]
    if not created:
        return Card(label="Window", value=UNKNOWN, basis="no run")
    first, last = min(created), max(created)
    return Card(
        label="Window",
        value=counted(max(1, round((last - first) / _DAY)), "day"),
        basis=f"runs of {day_text(first)} to {day_text(last)}, UTC",
    )


def _basis(speed: SpeedFacts, views: Sequence[SeriesView]) -> str:
    if not views:
        return _NONE
    causes = causes_of(speed.states.found.changes)
    moved = {causes[view.headline.change_id] for view in views if view.headline is not None}
    return f"series of {counted(count_tests(views), 'test')}, {counted(len(moved), 'cause')}"


def _chosen(standing: str, views: Sequence[SeriesView]) -> str | None:
    return f"performance.html?series.standing={standing}&series.all=1#series" if views else None
