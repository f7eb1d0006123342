"""The series of the site in the order in which a reader should look, and the tests that they are of."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Final

import msgspec

from trackside.report.perf_series import SeriesView, Standing, series_views
from trackside.site.facts import SpeedFacts
from trackside.site.paths import slug

MOST_TESTS: Final = 400
"""So many tests have a page; those that changed first."""
MOST_TILES: Final = 2_000
"""So many series have a picture in the overview; those that changed first."""


class Place(enum.StrEnum):
    """Where a series stands in the overview; the members are in the order in which a reader should look."""

    WORSE = "worse"
    NEW = "new"
    BETTER = "better"
    STOPPED = "stopped"
    KNOWN = "known"
    DRIFTING = "drifting"
    """No step, but the level moves slowly all the time."""
    STEADY = "steady"
    UNTOLD = "untold"
    FEW = "few"


QUIET: Final = (Place.STEADY, Place.UNTOLD, Place.FEW)
"""Places of series that nobody has to look at."""
_ORDER: Final = {place: number for number, place in enumerate(Place)}


class SpeedTest(msgspec.Struct, frozen=True, kw_only=True):
    """A test of a job with all its metrics, those first that changed; ``path`` is that of its page below the site."""

    workflow: str
    job: str
    test: str
    path: str
    views: tuple[SeriesView, ...]

    @property
    def lead(self) -> SeriesView:
        """The series that stands for the test: of those that stand alike an established one."""
        first = place_of(self.views[0])
        return lead_of([view for view in self.views if place_of(view) is first])


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """Every series, what changed first, and the tests that have pages; ``tests_left_out`` counts those without.

    ``unplaced`` counts values without a place in a chart: no finite numbers, or of a run whose time is not known.
    """

    views: tuple[SeriesView, ...]
    tests: tuple[SpeedTest, ...]
    tests_left_out: int
    unplaced: int = 0

    def at(self, place: Place) -> tuple[SeriesView, ...]:
        """The series that stand so."""
        return tuple(view for view in self.views if place_of(view) is place)

    def addresses(self, root: str = "") -> dict[str, str]:
        """By series where it is drawn; ``root`` leads from a page to the site."""
        return {view.series: f"{root}{test.path}#{view.key}" for test in self.tests for view in test.views}


def watched_series(speed: SpeedFacts) -> Watched:
    """The series of the window, and their tests in the order of their gravest series."""
    views = sorted(series_views(speed.points, speed.states.found, speed.silence), key=_rank)
    tests = _tests(views)
    return Watched(
        views=tuple(views),
        tests=tuple(tests[:MOST_TESTS]),
        tests_left_out=max(0, len(tests) - MOST_TESTS),
        unplaced=speed.points.height - sum(view.points.height for view in views),
    )


def page_path(workflow: str, job: str, test: str) -> str:
    """The page of a test below the site."""
    return f"performance/{slug(f'{workflow}: {job} / {test}')}.html"


def place_of(view: SeriesView) -> Place:
    """Where a series stands."""
    if view.standing is Standing.STEADY and view.searched is not None and view.searched.is_drifting:
        return Place.DRIFTING
    return Place(view.standing.value)


def lead_of(alike: Sequence[SeriesView]) -> SeriesView:
    """The first established one of series that stand alike, else the first."""
    return next((view for view in alike if view.is_established), alike[0])


def drift_of(view: SeriesView) -> float | None:
    """The share by which the fitted level moved from its first value to its last; None where there is none."""
    levels = view.points["level"].drop_nulls()
    if levels.is_empty() or not levels[0]:
        return None
    return float((levels[-1] - levels[0]) / abs(levels[0]))


def _rank(view: SeriesView) -> tuple[int, float, bool, str, str, str, str]:
    place = place_of(view)
    size = abs(view.headline.percent or 0.0) if view.headline else 0.0
    if place is Place.DRIFTING:
        size = abs(drift_of(view) or 0.0)
    return (_ORDER[place], -size, not view.is_established, view.job, view.test, view.metric, view.workflow)


def _tests(views: Sequence[SeriesView]) -> list[SpeedTest]:
    own: dict[tuple[str, str, str], list[SeriesView]] = {}
    for view in views:
        own.setdefault((view.workflow, view.job, view.test), []).append(view)
    return [
        SpeedTest(workflow=key[0], job=key[1], test=key[2], path=page_path(*key), views=tuple(_telling(members)))
        for key, members in own.items()
    ]


def _telling(members: Sequence[SeriesView]) -> list[SeriesView]:
    """What changed and established metrics before the others; of those that stand alike the established ones first."""
    return sorted(
        members,
        key=lambda view: (
            place_of(view) in QUIET and not view.is_established,
            _ORDER[place_of(view)],
            not view.is_established,
        ),
    )
