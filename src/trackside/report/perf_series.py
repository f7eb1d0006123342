"""The series of a page as it shows them: what stands first, and what is drawn of each."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable
from typing import Any, Final

import msgspec
import numpy as np
import polars as pl

from trackside.perf.change_records import Change, Changes, Search, SearchedSeries, Verdict
from trackside.perf.points import SERIES_KEY, searched_points
from trackside.perf.silence import Silence, Silent
from trackside.records.perf_rules import ChangeState

_NEWEST: Final = 7
_LEVEL_KEY: Final = ("series", "job_id", "try_number")
_KEY_BYTES: Final = 5


class Standing(enum.StrEnum):
    """How a series stands; the members are in the order in which a reader should look."""

    WORSE = "worse"
    """A regression that later runs bear out and nobody has decided on."""
    NEW = "new"
    """A regression that later runs have yet to bear out."""
    STOPPED = "stopped"
    """No value comes any more."""
    BETTER = "better"
    """An improvement."""
    KNOWN = "known"
    """A change that somebody acknowledged or intended."""
    STEADY = "steady"
    """No change that still stands. It does not say that there is none too small to be seen."""
    UNTOLD = "untold"
    """Not searched: neither more nor less of it is better, or changes were not looked for."""
    FEW = "few"
    """Too few values of the default branch to be searched."""


class SeriesView(msgspec.Struct, frozen=True, kw_only=True):
    """A series to be shown.

    ``key`` names it in addresses and stays the same from page to page. ``points`` are all its finite values in the
    order of commits, with the columns ``POINT_COLUMNS``, ``level`` (fitted; null where the point was not searched) and
    ``is_searched`` (a last try on the default branch). ``changes`` are in the order of commits, ``headline`` is the one
    that tells how the series stands. ``level`` is where it is now, in the unit of the metric: the fitted level, else
    the median of the newest values of the default branch (of any branch where it has none). ``silent`` says that no
    value comes any more.
    """

    key: str
    series: str
    workflow: str
    job: str
    test: str
    metric: str
    unit: str | None
    better: str
    is_established: bool
    points: pl.DataFrame
    standing: Standing
    level: float | None
    changes: tuple[Change, ...] = ()
    confounded: tuple[Change, ...] = ()
    headline: Change | None = None
    searched: SearchedSeries | None = None
    silent: Silent | None = None

    @property
    def searched_count(self) -> int:
        """How many of its points were, or could be, searched: those of the default branch."""
        return int(self.points["is_searched"].sum())


def series_views(
    points: pl.DataFrame, changes: Changes | None = None, silence: Silence | None = None
) -> list[SeriesView]:
    """The series of ``points`` (``POINT_COLUMNS``), what changed first, else by job, test, metric and workflow.

    Values that are no finite number, and those that no time is known of, have no place in a chart.
    """
    placed = points.filter(pl.col("value").is_finite(), pl.col("ordered_at").is_not_null())
    rows = _with_levels(placed, changes)
    silent = {one.series: one for one in silence.series} if silence else {}
    by_series = _by_series(changes.changes if changes else ())
    confounded = _by_series(changes.confounded if changes else ())
    searched = {one.series: one for one in changes.series} if changes else {}
    views = [
        _view(
            str(name),
            own,
            by_series.get(str(name), ()),
            confounded.get(str(name), ()),
            searched.get(str(name)),
            silent.get(str(name)),
        )
        for (name,), own in rows.partition_by("series", maintain_order=True, as_dict=True).items()
    ]
    return sorted(views, key=_rank)


def _with_levels(points: pl.DataFrame, changes: Changes | None) -> pl.DataFrame:
    is_searched = (pl.col("is_final") & pl.col("is_default_line")).fill_null(value=False)
    if changes is None:
        return points.with_columns(level=pl.lit(None, pl.Float64), is_searched=is_searched)
    levels = changes.levels.select(*_LEVEL_KEY, "level").unique(_LEVEL_KEY, keep="last")
    return points.join(levels, on=_LEVEL_KEY, how="left", maintain_order="left").with_columns(is_searched=is_searched)


def _by_series(changes: Iterable[Change]) -> dict[str, tuple[Change, ...]]:
    found: dict[str, list[Change]] = {}
    for one in changes:
        found.setdefault(one.series, []).append(one)
    return {name: tuple(sorted(own, key=lambda one: one.at.ordered_at)) for name, own in found.items()}


def _view(
    series: str,
    points: pl.DataFrame,
    changes: tuple[Change, ...],
    confounded: tuple[Change, ...],
    searched: SearchedSeries | None,
    silent: Silent | None,
) -> SeriesView:
    first: dict[str, Any] = points.row(-1, named=True)
    headline = _headline(changes)
    return SeriesView(
        key=series_key(series),
        series=series,
        **{name: first[name] or "" for name in SERIES_KEY},
        unit=first["unit"],
        better=first["better"] or "neither",
        is_established=bool(points["is_established"].any()),
        points=points,
        standing=_standing(headline, searched, silent),
        level=_level(points),
        changes=changes,
        confounded=confounded,
        headline=headline,
        searched=searched,
        silent=silent,
    )


def series_key(series: str) -> str:
    """The name of a series in an address: the same in every page."""
    return f"s{hashlib.blake2s(series.encode(errors='surrogatepass'), digest_size=_KEY_BYTES).hexdigest()}"


def _headline(changes: tuple[Change, ...]) -> Change | None:
    """The newest of the gravest kind that still stands."""
    standing = [one for one in changes if one.state is not ChangeState.FIXED]
    return max(standing, key=lambda one: (-_gravity(one), one.at.ordered_at), default=None)


def _gravity(change: Change) -> int:
    return list(Standing).index(_kind(change))


def _kind(change: Change) -> Standing:
    if not change.state.is_open:
        return Standing.KNOWN
    if change.verdict is Verdict.IMPROVEMENT:
        return Standing.BETTER
    return Standing.WORSE if change.state is ChangeState.CONFIRMED else Standing.NEW


def _standing(headline: Change | None, searched: SearchedSeries | None, silent: Silent | None) -> Standing:
    kind = None if headline is None else _kind(headline)
    if kind in (Standing.WORSE, Standing.NEW):
        return kind
    if silent is not None:
        return Standing.STOPPED
    if kind is not None:
        return kind
    if searched is None or searched.search is Search.NO_DIRECTION:
        return Standing.UNTOLD
    return Standing.FEW if searched.search is Search.FEW_POINTS else Standing.STEADY


def _level(points: pl.DataFrame) -> float | None:
    fitted = points["level"].drop_nulls()
    if len(fitted):
        return float(fitted[-1])
    own = searched_points(points)
    newest = (own if own.height else points)["value"].tail(_NEWEST)
    return None if newest.is_empty() else float(np.median(newest.to_numpy()))


def _rank(view: SeriesView) -> tuple[int, float, str, str, str, str]:
    percent = abs(view.headline.percent or 0.0) if view.headline else 0.0
    place = list(Standing).index(view.standing)
    return (place, -percent, view.job, view.test, view.metric, view.workflow)
