"""Where the level of a series of numbers changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import msgspec
import numpy as np

from trackside.stats.level_fit import LevelFit, fit_levels, located, relocated
from trackside.stats.level_scan import SHORTEST, Candidate, Codes, bounded, make_design, scan
from trackside.stats.multiplicity import benjamini_hochberg
from trackside.stats.spread import Floats, bulk_limits, magnitude
from trackside.stats.strata import Stratum, codes_of
from trackside.stats.trends import trend_degree

LARGEST_P = 0.005
LARGEST_Q = 0.05
LEAST_CHANGE = 0.75
"""In units of the noise of the series: smaller changes are not told, however sure."""


class Series(msgspec.Struct, frozen=True):
    """Values in order, and of each the coarse and the fine name of where it was measured, as far as known."""

    values: Floats
    strata: tuple[Stratum, ...] = ()


class ChangePoint(msgspec.Struct, frozen=True):
    """``at`` is the index of the first value of the new level; the change lies within ``earliest`` to ``latest``."""

    at: int
    earliest: int
    latest: int
    before: float
    after: float
    noise: float
    p: float
    q: float


class Segmentation(msgspec.Struct, frozen=True):
    """What was found in a series."""

    points: tuple[ChangePoint, ...]
    levels: Floats
    effects: Mapping[Stratum, float]
    noise: float
    is_drifting: bool = False
    confounded: tuple[ChangePoint, ...] = ()


class _Found(msgspec.Struct, frozen=True):
    at: int
    p: float


def find_change_points(series: Sequence[Series]) -> list[Segmentation]:
    """The change points of each series."""
    prepared = [_prepare(number, one) for number, one in enumerate(series)]
    found = [_search(one) for one in prepared]
    p = [[one.p for one in points] or [least] for points, least in found]
    q = iter(benjamini_hochberg([value for values in p for value in values]))
    kept = []
    for (points, _), values in zip(found, p, strict=True):
        own = [next(q) for _ in values]
        kept.append([(point, chance) for point, chance in zip(points, own, strict=False) if chance <= LARGEST_Q])
    return [_segmentation(one, points) for one, points in zip(prepared, kept, strict=True)]


class _Prepared(msgspec.Struct, frozen=True):
    """``values`` are counted from the median in units of ``unit``."""

    series: Series
    values: Floats
    middle: float
    unit: float
    codes: Codes


def _prepare(number: int, series: Series) -> _Prepared:
    values = np.asarray(series.values, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"series {number}: the values are no single row")
    if not np.isfinite(values).all():
        place = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ValueError(f"series {number}: value {place} is {values[place]}: leave out what was not measured")
    if series.strata and len(series.strata) != values.size:
        raise ValueError(f"series {number}: {values.size} values and {len(series.strata)} strata")
    middle = float(np.median(values)) if values.size else 0.0
    unit = magnitude(values) if values.size else 0.0
    scaled = (values - middle) / unit if unit else np.zeros_like(values)
    return _Prepared(series=series, values=scaled, middle=middle, unit=unit, codes=codes_of(series.strata, values.size))


def _search(one: _Prepared) -> tuple[list[_Found], float]:
    if one.values.size < 2 * SHORTEST or not one.unit:
        return [], 1.0
    found: list[_Found] = []
    least = 1.0
    windows = [(0, one.values.size)]
    while windows:
        start, stop = windows.pop()
        candidate = _candidate(one.values[start:stop], one.codes[start:stop])
        if candidate is None:
            continue
        least = min(least, candidate.p)
        if candidate.p > LARGEST_P:
            continue
        places = [start + at for at in candidate.at]
        found += [_Found(at=at, p=candidate.p) for at in places]
        windows += pairwise([start, *places, stop])
    found = _pruned(one, sorted(found, key=lambda point: point.at))
    return found, least


def _candidate(values: Floats, codes: Codes) -> Candidate | None:
    if values.size < 2 * SHORTEST:
        return None
    codes = np.unique(codes, return_inverse=True)[1]
    values = bounded(values, codes)
    candidate = scan(values, make_design(codes), LARGEST_P)
    if candidate is None or candidate.p > LARGEST_P:
        return candidate
    degree = trend_degree(values, codes)
    if not degree:
        return candidate
    design = make_design(codes, degree)
    return scan(values - design.trend @ (design.trend.T @ values), design, LARGEST_P)


def _pruned(one: _Prepared, found: list[_Found]) -> list[_Found]:
    """The points at their best places, without those that are no change of level when seen beside the others."""
    while found:
        places = [point.at for point in found]
        for _ in range(3):
            moved = relocated(one.values, one.codes, places)
            if moved == places:
                break
            places = moved
        found = [_Found(at=at, p=point.p) for at, point in zip(places, found, strict=True)]
        fit = fit_levels(one.values, one.codes, places)
        weak = [number for number in range(len(found)) if not _is_change(one, fit, places, number)]
        if not weak:
            break
        sizes = np.abs(np.diff(fit.levels))
        weakest = min(weak, key=lambda number: float(sizes[number]))
        found = found[:weakest] + found[weakest + 1 :]
    return found


def _is_change(one: _Prepared, fit: LevelFit, places: Sequence[int], number: int) -> bool:
    """Whether the levels on both sides differ by enough, and at least three values on each side say so."""
    before, after = fit.levels[number], fit.levels[number + 1]
    if abs(after - before) < LEAST_CHANGE * fit.noise:
        return False
    begin, at, end = [0, *places, one.values.size][number : number + 3]
    plain = (one.values - fit.effects[one.codes])[begin:end]
    beyond = (plain > (before + after) / 2) == (after > before)
    later = beyond[at - begin :]
    earlier = ~beyond[: at - begin]
    return all(side.sum() >= max(SHORTEST, side.size / 2) for side in (later, earlier))


def _segmentation(one: _Prepared, points: Sequence[tuple[_Found, float]]) -> Segmentation:
    places = [point.at for point, _ in points]
    if not one.values.size:
        return Segmentation(points=(), levels=np.zeros(0), effects={}, noise=0.0)
    fit = fit_levels(one.values, one.codes, places)
    per_point = np.repeat(fit.levels, np.diff([0, *places, one.values.size]))
    given = one.series.strata
    effects = {stratum: float(fit.effects[code] * one.unit) for stratum, code in zip(given, one.codes, strict=False)}
    return Segmentation(
        points=tuple(_points(one, fit, points)),
        levels=one.middle + one.unit * per_point,
        effects=effects,
        noise=fit.noise * one.unit,
    )


def _points(one: _Prepared, fit: LevelFit, points: Sequence[tuple[_Found, float]]) -> Iterator[ChangePoint]:
    plain = one.values - fit.effects[one.codes]
    limits = bulk_limits(fit.residuals)
    ends = [0, *(point.at for point, _ in points), one.values.size]
    for number, (point, q) in enumerate(points):
        begin, end = ends[number], ends[number + 2]
        before, after = fit.levels[number], fit.levels[number + 1]
        _, earliest, latest = located(plain[begin:end], before, after, limits)
        yield ChangePoint(
            at=point.at,
            earliest=begin + min(earliest, point.at - begin),
            latest=begin + max(latest, point.at - begin),
            before=one.middle + one.unit * before,
            after=one.middle + one.unit * after,
            noise=one.unit * fit.noise,
            p=point.p,
            q=q,
        )
