"""Where the level of series of numbers changed, false discovery being controlled over all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from trackside.stats.level_fit import LevelFit, fit_levels, located
from trackside.stats.level_scan import LEAST_OVERLAP, Codes, overlap
from trackside.stats.level_search import Found, Search, search
from trackside.stats.multiplicity import benjamini_hochberg
from trackside.stats.spread import Floats, bulk_limits, magnitude
from trackside.stats.strata import Stratum, codes_of

LARGEST_Q = 0.05
_SMALLEST = 1e-290
"""Series that stay below have too few digits to have levels."""


class Series(msgspec.Struct, frozen=True):
    """Values in order, and for each the coarse and the fine name of where it was measured, as far as known.

    Values that were not measured (NaN, infinite) must be left out. Without ``strata`` all were measured alike.
    """

    values: Floats
    strata: tuple[Stratum, ...] = ()


class ChangePoint(msgspec.Struct, frozen=True):
    """A change of level. All but ``p`` and ``q`` is on the scale of the values, offsets of strata removed.

    ``at`` is the index of the first value of the new level; the change lies from ``earliest`` to ``latest``, both
    included. ``before`` and ``after`` are the levels at the change, ``noise`` is the standard deviation of the values
    around their levels, wild ones drawn in. ``p`` is the chance of such a change anywhere in the part of the series
    in which it was looked for, ``q`` the share of false ones among all found in the call that are at least as sure.
    """

    at: int
    earliest: int
    latest: int
    before: float
    after: float
    noise: float
    p: float
    q: float


class Segmentation(msgspec.Struct, frozen=True):
    """What was found in a series.

    ``points`` ascend. ``levels`` is the fitted level of each value without the offset of its stratum, ``effects`` has
    that offset for each stratum of the series (0 on average over the values). ``confounded`` are shifts where no
    stratum, or next to none, has values on both sides: they may come from the new stratum alone, so they are no
    ``points``, and ``effects`` holds them. ``is_drifting`` says that the levels follow a slow trend.
    """

    points: tuple[ChangePoint, ...]
    levels: Floats
    effects: Mapping[Stratum, float]
    noise: float
    is_drifting: bool = False
    confounded: tuple[ChangePoint, ...] = ()


class _Counted(msgspec.Struct, frozen=True):
    """``values`` are counted from ``middle`` in units of ``unit``, which is 0 where they are all the same."""

    values: Floats
    middle: float
    unit: float
    codes: Codes
    strata: tuple[Stratum, ...]


def find_change_points(series: Sequence[Series]) -> list[Segmentation]:
    """The change points of each series, in the order given; the same for the same series, whatever their order.

    Raises ValueError for values that are no finite numbers and for strata that are not one for each value.
    """
    counted = [_count(number, one) for number, one in enumerate(series)]
    searched = [search(one.values, one.codes) for one in counted]
    shifts = [_takeovers(one, found) for one, found in zip(counted, searched, strict=True)]
    points, confounded = _discovered(searched), _discovered(shifts)
    return [_segmentation(*parts) for parts in zip(counted, searched, points, confounded, strict=True)]


def _checked(number: int, series: Series) -> Floats:
    values = np.asarray(series.values, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"series {number}: its values have {values.ndim} dimensions, not 1")
    if (wrong := np.flatnonzero(~np.isfinite(values))).size:
        raise ValueError(f"series {number}: value {wrong[0]} is {values[wrong[0]]}; leave out what was not measured")
    if series.strata and len(series.strata) != values.size:
        raise ValueError(f"series {number}: {values.size} values but {len(series.strata)} strata")
    return values


def _count(number: int, series: Series) -> _Counted:
    values = _checked(number, series)
    # Counted from the largest first, for differences of very large values have no number.
    largest = float(np.abs(values).max(initial=0))
    shares = values / (largest or 1.0)
    middle = float(np.median(shares)) if values.size else 0.0
    unit = magnitude(shares) if largest > _SMALLEST else 0.0
    return _Counted(
        values=(shares - middle) / unit if unit else np.zeros_like(values),
        middle=largest * middle,
        unit=largest * unit,
        codes=codes_of(series.strata, values.size),
        strata=series.strata,
    )


def _takeovers(one: _Counted, found: Search) -> Search:
    """The changes that are seen without strata, between those found with them, and cannot be told from the strata."""
    if not one.codes.any():
        return Search(found=(), least_p=None)
    fit = fit_levels(one.values, one.codes, [point.at for point in found.found], found.degree)
    flat = one.values - fit.trend
    shifts: list[Found] = []
    least_p: float | None = None
    for begin, end in zip(fit.ends, fit.ends[1:], strict=False):
        alike = np.zeros(end - begin, dtype=np.int64)
        part = search(flat[begin:end], alike)
        if part.least_p is None:
            continue
        least_p = 1.0 if least_p is None else least_p
        shared = overlap(one.codes[begin:end])
        plain = fit_levels(flat[begin:end], alike, [point.at for point in part.found], part.degree)
        for number, point in enumerate(part.found):
            earliest, latest = _span(plain, number)
            if shared[earliest : latest + 1].min() < LEAST_OVERLAP:
                shifts.append(Found(at=begin + point.at, p=point.p))
                least_p = min(least_p, point.p)
    return Search(found=tuple(shifts), least_p=least_p)


def _discovered(searched: Sequence[Search]) -> list[list[tuple[Found, float]]]:
    """The changes of each series with their q-values, those up to LARGEST_Q.

    A series without a change counts as one test, unless nothing could have been found in it.
    """
    p = [[point.p for point in one.found] or ([] if one.least_p is None else [one.least_p]) for one in searched]
    q = iter(benjamini_hochberg([value for values in p for value in values]))
    told = [[next(q) for _ in values] for values in p]
    return [
        [(point, chance) for point, chance in zip(one.found, chances, strict=False) if chance <= LARGEST_Q]
        for one, chances in zip(searched, told, strict=True)
    ]


def _segmentation(
    one: _Counted, found: Search, points: Sequence[tuple[Found, float]], shifts: Sequence[tuple[Found, float]]
) -> Segmentation:
    if not one.values.size:
        return Segmentation(points=(), levels=one.values, effects={}, noise=0.0)
    fit = fit_levels(one.values, one.codes, [point.at for point, _ in points], found.degree)
    alike = np.zeros_like(one.codes)
    plain = fit_levels(one.values - fit.trend, alike, sorted(point.at for point, _ in (*points, *shifts)))
    effects = one.unit * fit.effects
    return Segmentation(
        points=_points(one, fit, points),
        levels=one.middle + one.unit * (fit.steps() + fit.trend),
        effects={stratum: float(effects[code]) for stratum, code in zip(one.strata, one.codes, strict=False)},
        noise=one.unit * fit.noise,
        is_drifting=found.degree > 0,
        confounded=_points(one, plain, shifts),
    )


def _points(one: _Counted, fit: LevelFit, points: Sequence[tuple[Found, float]]) -> tuple[ChangePoint, ...]:
    told = []
    for point, q in points:
        number = fit.places.index(point.at)
        earliest, latest = _span(fit, number)
        before, after = one.middle + one.unit * (fit.levels[number : number + 2] + fit.trend[point.at])
        told.append(
            ChangePoint(
                at=point.at,
                earliest=earliest,
                latest=latest,
                before=float(before),
                after=float(after),
                noise=one.unit * fit.noise,
                p=point.p,
                q=q,
            )
        )
    return tuple(told)


def _span(fit: LevelFit, number: int) -> tuple[int, int]:
    """From where to where the change may lie."""
    begin, at, end = fit.ends[number : number + 3]
    levels = fit.levels[number], fit.levels[number + 1]
    _, earliest, latest = located(fit.plain()[begin:end], *levels, bulk_limits(fit.residuals))
    return min(begin + earliest, at), max(begin + latest, at)
