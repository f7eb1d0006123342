"""The pictures of the overview of performance: one for each series, those that changed first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from markupsafe import Markup

from trackside.report.ledger import counted
from trackside.report.perf_causes import count_tests
from trackside.report.perf_chart_shape import limits_of
from trackside.report.perf_series import SeriesView, Standing
from trackside.report.perf_sparklines import sparkline
from trackside.report.perf_text import percent_text
from trackside.report.perf_words import PerfWords, Sign
from trackside.site.open_regressions import REGRESSED
from trackside.site.perf_order import MOST_TILES, QUIET, Place, Watched, drift_of, lead_of, place_of

_MOST_OPEN: Final = 60
"""Quiet series stand folded where there are more of them."""
_REGRESSED: Final = (Place.WORSE, Place.NEW)
_DRIFTING: Final = ("Drifting", "No step was found, but the level moves slowly all the time; the largest drift first.")


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """A series in the overview: how it stands in words and in a picture, and where it is drawn.

    ``standings`` are the places by which a reader may look for it: of a series that got worse and then stopped both.
    Of the series of a test that stand alike one leads, for ``others`` that are shown where all metrics are wanted.
    """

    view: SeriesView
    address: str | None
    picture: Markup
    sign: Sign
    standings: str
    leads: bool
    others: int = 0


class TileGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Series that stand alike; ``is_folded`` where they are many and nobody has to look at them."""

    place: Place
    title: str
    intro: str
    extent: str
    tiles: tuple[Tile, ...]
    is_folded: bool


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """The groups in the order of places; ``left_out`` counts the last series, of which there is no picture.

    ``jobs``, ``metrics`` and ``places`` are what a reader may choose; ``is_split`` where some stand for others.
    """

    groups: tuple[TileGroup, ...]
    jobs: tuple[str, ...]
    metrics: tuple[str, ...]
    places: tuple[tuple[str, str, int], ...]
    total: int
    left_out: int
    is_split: bool


def overview_of(watched: Watched, words: PerfWords, addresses: Mapping[str, str]) -> Overview:
    """The overview of all series; ``addresses`` are those of their charts, by series."""
    shown = watched.views[:MOST_TILES]
    leads = _leads(shown)
    tiles = [_tile(view, words, addresses.get(view.series), leads.get(view.series)) for view in shown]
    quiet = sum(place_of(view) in QUIET for view in shown)
    groups = []
    for place in Place:
        own = tuple(tile for tile in tiles if place_of(tile.view) is place)
        if own:
            groups.append(_group(place, own, words, is_folded=place in QUIET and quiet > _MOST_OPEN))
    return Overview(
        groups=tuple(groups),
        jobs=_names(view.job for view in shown),
        metrics=_names(view.metric for view in shown),
        places=tuple(_places(tiles, words)),
        total=len(watched.views),
        left_out=len(watched.views) - len(shown),
        is_split=len(leads) < len(tiles),
    )


def place_words(place: Place, words: PerfWords) -> tuple[str, str]:
    """The heading of series that stand so, and what it means."""
    if place is Place.DRIFTING:
        return _DRIFTING
    standing = Standing(place.value)
    return words.title(standing), words.intro(standing)


def series_sign(view: SeriesView, words: PerfWords) -> Sign:
    """How a series stands, in a mark and few words."""
    if place_of(view) is Place.DRIFTING:
        return Sign("none", "≈", f"drifts: {percent_text(drift_of(view))}")
    return words.sign(view)


def _leads(views: Sequence[SeriesView]) -> dict[str, int]:
    """By the series that lead how many others they stand for: an established one of those of a test that stand alike.

    Of several the first.
    """
    alike: dict[tuple[str, str, str, Place], list[SeriesView]] = {}
    for view in views:
        alike.setdefault((view.workflow, view.job, view.test, place_of(view)), []).append(view)
    return {lead_of(own).series: len(own) - 1 for own in alike.values()}


def _tile(view: SeriesView, words: PerfWords, address: str | None, others: int | None) -> Tile:
    place = place_of(view)
    standings = [place.value]
    if place in _REGRESSED:
        standings.append(REGRESSED)
    if view.silent is not None and place is not Place.STOPPED:
        standings.append(Place.STOPPED.value)
    return Tile(
        view=view,
        address=address,
        picture=sparkline(view, limits_of(view)),
        sign=series_sign(view, words),
        standings=" ".join(standings),
        leads=others is not None,
        others=others or 0,
    )


def _group(place: Place, tiles: tuple[Tile, ...], words: PerfWords, *, is_folded: bool) -> TileGroup:
    title, intro = place_words(place, words)
    tests = counted(count_tests(tile.view for tile in tiles), "test")
    extent = f"{tests}, {len(tiles):,} series"
    return TileGroup(place=place, title=title, intro=intro, extent=extent, tiles=tiles, is_folded=is_folded)


def _places(tiles: Sequence[Tile], words: PerfWords) -> Iterable[tuple[str, str, int]]:
    """The places by which series may be looked for: name, heading, and how many series stand so."""
    if regressed := sum(REGRESSED in tile.standings.split() for tile in tiles):
        yield REGRESSED, "Worse, confirmed or new", regressed
    for place in Place:
        if count := sum(place.value in tile.standings.split() for tile in tiles):
            yield place.value, place_words(place, words)[0], count


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))
