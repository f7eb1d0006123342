"""Whether a run of values holds a change of level anywhere, by permutation of the values within their strata.

Two forms of change are looked for at all places at once: one split into a before and an after, and a stretch that
differs from what lies on both sides. The p-value is that of the largest statistic over all of them, so that having
looked for the best place is paid for. Sources: A. Olshen et al., Biostatistics 5 (2004), 557-572 (the two forms);
P. Good, Permutation, Parametric, and Bootstrap Tests of Hypotheses (2005), 3.7 (permuting within blocks).
"""

from __future__ import annotations

from functools import lru_cache

import msgspec
import numpy as np
import numpy.typing as npt

from trackside.stats.spread import Floats, autocorrelation, drawn_close, drawn_in, length_factor

Codes = npt.NDArray[np.int64]

SHORTEST = 3
"""Values that a level has at least."""
LEAST_OVERLAP = 2.0
"""Of how many comparisons with strata on both sides a split must be made: three values against many are nearly 3."""
_HANDICAP = 6.0
"""What a stretch must have over a split, in units of squared standard errors: there are many more stretches."""
_GROWTH = 1.4
"""The ratio of the lengths of stretches that are tried."""
_STAGES = (200, 1_000, 4_000)
_ENOUGH = 10
"""So many permutations as extreme as the observed order settle the p-value."""
_VALUES_AT_A_TIME = 1_000_000
_VALUES_IN_ALL = 8_000_000
_TAIL = 0.1
"""The share of the permutations that the tail is fitted to."""
_SURE = 1e-9
_NOTHING = 1e-12
"""Values up to this are rounding: half of a series lies beyond 1, or its farthest value."""
_ROUNDING = 1e-18
"""The share of a sum of squares that is rounding."""
_MOST = 1 - 1e-9
"""No place explains more than this share."""
_DRAWN = 3.0
"""So many values of the common variance are added to those of a stratum."""


class Candidate(msgspec.Struct, frozen=True):
    """The best place for a change: of one split, or of a stretch with a begin and an end; ``p`` is of any place."""

    at: tuple[int, ...]
    p: float


class Design(msgspec.Struct, frozen=True):
    """What does not change under permutation: which values are compared at each place, and with what weight.

    ``begins`` and ``ends`` are the stretch [begin, end) of each place: a split is a stretch from 0. ``spread`` is
    for each place and stratum the sum of squares that the place has there after the strata and the ``trend``
    (orthonormal columns, made free of the strata) are taken out; 0 where the place must not be used.
    """

    codes: Codes
    trend: Floats
    begins: Codes
    ends: Codes
    spread: Floats


def free_of_strata(values: Floats, codes: Codes) -> Floats:
    """The values without the mean of their stratum."""
    counts = np.bincount(codes)
    return values - (np.bincount(codes, weights=values) / np.maximum(counts, 1))[codes]


def views_of(values: Floats, codes: Codes) -> Floats:
    """The values without the level of their stratum in rows: wild ones drawn in, and drawn close if that differs.

    The first row sees how far a level lies from the others among several modes, the second sees a new level among
    wild values that lie farther out on the same side.
    """
    medians = np.zeros(int(codes.max()) + 1)
    for code in np.unique(codes):
        medians[code] = np.median(values[codes == code])
    rest = values - medians[codes]
    views = [free_of_strata(drawn, codes) for drawn in (drawn_in(rest), drawn_close(rest))]
    return np.stack(views[:1] if np.array_equal(views[0], views[1]) else views)


def overlap(codes: Codes) -> Floats:
    """For each index, of how many comparisons within strata a split before it is made.

    That is 0 where no stratum has values on both sides, and 1 for one value against very many.
    """
    shared = np.zeros(codes.size + 1)
    for code in np.unique(codes):
        before = np.concatenate(([0], np.cumsum(codes == code)))
        shared += before * (before[-1] - before) / before[-1]
    return shared


def make_design(codes: Codes, degree: int = 0) -> Design:
    """The places of a run of values of these strata, beside a trend that is a polynomial of this degree."""
    begins, ends = _places(codes.size)
    members = np.zeros((codes.size + 1, int(codes.max()) + 1))
    members[1:][np.arange(codes.size), codes] = 1
    sums = members.cumsum(axis=0)
    inside = sums[ends] - sums[begins]
    whole = np.maximum(sums[-1], 1)
    spread = inside * (whole - inside) / whole
    overlap = spread.sum(axis=1)
    spread[overlap < LEAST_OVERLAP] = 0
    trend = _trend(codes, degree)
    if degree:
        sums = np.vstack([np.zeros(trend.shape[1]), trend.cumsum(axis=0)])
        left = overlap - np.square(sums[ends] - sums[begins]).sum(axis=1)
        left[left < LEAST_OVERLAP / 2] = 0
        spread *= (left / np.maximum(overlap, LEAST_OVERLAP))[:, None]
    return Design(codes=codes, trend=trend, begins=begins, ends=ends, spread=spread)


def _trend(codes: Codes, degree: int) -> Floats:
    """Orthonormal columns of a polynomial of this degree over the values, free of the strata."""
    time = np.linspace(-1, 1, codes.size)
    columns = [free_of_strata(time**power, codes) for power in range(1, degree + 1)]
    basis, triangle = np.linalg.qr(np.stack(columns, axis=1) if columns else np.zeros((codes.size, 0)))
    return np.asarray(basis[:, np.abs(np.diag(triangle)) > 1e-6], dtype=np.float64)


def scan(views: Floats, design: Design, promising: float) -> Candidate | None:
    """The best place for a change, or None where no place can be used; p is rough where it is above ``promising``.

    ``views`` are those of ``views_of``; a change may show in any of them.
    """
    views = np.asarray(views - (views @ design.trend) @ design.trend.T, dtype=np.float64)
    views = views[np.abs(views).max(axis=1) > _NOTHING]
    if not design.spread.any() or not views.size:
        return None
    gains = np.max([_unlike_neighbours(view, design) for view in views], axis=0) - _handicap(design)
    best = int(gains.argmax())
    begin, end = int(design.begins[best]), int(design.ends[best])
    p = _p_value(views, design, float(gains[best]) * (1 - 1e-9), promising)
    at = (end,) if begin == 0 else (begin, end)
    return Candidate(at=at, p=max(p, _least_p(design, begin, end)))


def _unlike_neighbours(view: Floats, design: Design) -> Floats:
    """The statistic of each place, lowered by what the likeness of neighbours adds to it."""
    gains = _gains(view[None, :], design)[0]
    left = _left(view, design, int(gains.argmax()))
    rho = autocorrelation(left) if left @ left > _ROUNDING * (view @ view) else 0.0
    return np.asarray(gains / length_factor(_shorter(design), rho), dtype=np.float64)


@lru_cache(256)
def _places(n: int) -> tuple[Codes, Codes]:
    """Where splits and stretches may lie in a run of ``n`` values."""
    splits = np.arange(SHORTEST, n - SHORTEST + 1)
    begins, ends = [np.zeros_like(splits)], [splits]
    length = float(SHORTEST)
    while length <= (n - SHORTEST) / 2 + 1:
        first = np.arange(SHORTEST, n - SHORTEST - round(length) + 1)
        begins.append(first)
        ends.append(first + round(length))
        length = max(length + 1, length * _GROWTH)
    return np.concatenate(begins), np.concatenate(ends)


def _shorter(design: Design) -> Floats:
    inside = design.ends - design.begins
    return np.asarray(np.minimum(inside, design.codes.size - inside), dtype=np.float64)


def _handicap(design: Design) -> Floats:
    return np.where(design.begins == 0, 0.0, _HANDICAP)


def _gains(rows: Floats, design: Design) -> Floats:
    """The squared statistic of each place for each row of values, counted in the variance of the values."""
    n = rows.shape[1]
    sums = np.zeros((rows.shape[0], n + 1))
    np.cumsum(rows, axis=1, out=sums[:, 1:])
    if design.trend.shape[1]:
        of_trend = np.vstack([np.zeros(design.trend.shape[1]), design.trend.cumsum(axis=0)])
        sums -= (rows @ design.trend) @ of_trend.T
    variance = design.spread @ _variances(rows[0], design.codes)
    weight = np.divide(1.0, variance, out=np.zeros_like(variance), where=variance > 0)
    found = sums[:, design.ends]
    found -= sums[:, design.begins]
    np.square(found, out=found)
    found *= weight
    return np.asarray(found, dtype=np.float64)


def _variances(values: Floats, codes: Codes) -> Floats:
    """The variance of each stratum, drawn towards that of all where it has few values."""
    counts = np.bincount(codes)
    powers = np.bincount(codes, weights=np.square(values))
    common = float(powers.sum()) / max(values.size - counts.size, 1)
    return (powers + _DRAWN * common) / (np.maximum(counts - 1, 0) + _DRAWN)


def _left(values: Floats, design: Design, place: int) -> Floats:
    """The values without the change at the place."""
    inside = np.zeros(values.size)
    inside[design.begins[place] : design.ends[place]] = 1
    change = free_of_strata(inside, design.codes)
    change -= design.trend @ (design.trend.T @ change)
    power = float(change @ change)
    return values - change * (float(values @ change) / power) if power > 0 else values


def _p_value(views: Floats, design: Design, observed: float, promising: float) -> float:
    n = views.shape[1]
    rng = np.random.default_rng([n, design.trend.shape[1]])
    found = np.zeros(0)
    for stage in _STAGES:
        more = min(stage, max(_VALUES_IN_ALL // n, _STAGES[0])) - found.size
        found = np.concatenate([found, _permuted(views, design, more, rng)])
        extreme = int((found >= observed).sum())
        p = (extreme + 1) / (found.size + 1)
        if extreme >= _ENOUGH or p > 4 * promising:
            return p
        if not extreme and (tail := _tail_p(found, observed, n)) < _SURE:
            return tail
    return p if extreme >= _ENOUGH else _tail_p(found, observed, n)


def _permuted(views: Floats, design: Design, count: int, rng: np.random.Generator) -> Floats:
    """The largest statistic of each of so many orders of the values within their strata."""
    found = []
    at_a_time = max(1, _VALUES_AT_A_TIME // design.begins.size)
    places = [np.flatnonzero(design.codes == code) for code in np.unique(design.codes)]
    handicap = _handicap(design)
    for start in range(0, count, at_a_time):
        order = np.empty((min(at_a_time, count - start), design.codes.size), dtype=np.int64)
        for place in places:
            order[:, place] = rng.permuted(np.broadcast_to(place, (order.shape[0], place.size)), axis=1)
        largest = [(_gains(view[order], design) - handicap).max(axis=1) for view in views]
        found.append(np.max(largest, axis=0))
    return np.concatenate(found) if found else np.zeros(0)


def _tail_p(found: Floats, observed: float, n: int) -> float:
    """The chance of at least ``observed`` by the tail of the largest of the squared statistics of permutations.

    The share of the sum of squares that a place explains has, for normal values, a tail that is a power of the share
    that it leaves; the exponent is fitted.
    """
    logs = -np.log1p(-np.clip(np.sort(found)[::-1] / n, 0, _MOST))
    target = -np.log1p(-min(observed / n, _MOST))
    fitted = max(round(_TAIL * found.size), 1)
    scale = float((logs[:fitted] - logs[fitted]).mean())
    if scale <= 0:
        return 1 / (found.size + 1)
    return float(min(fitted / found.size * np.exp(-max(target - logs[fitted], 0) / scale), 1.0))


def _least_p(design: Design, begin: int, end: int) -> float:
    """The chance that the very values of the shorter side of each stratum come to lie together, anywhere."""
    n = design.codes.size
    inside = np.zeros(n, dtype=bool)
    inside[begin:end] = True
    logs = 0.0
    for code in np.unique(design.codes):
        here = design.codes == code
        few = int((here & inside).sum())
        of = int(here.sum())
        few = min(few, of - few)
        logs -= float(np.log(np.arange(of - few + 1, of + 1)).sum() - np.log(np.arange(1, few + 1)).sum())
    return float(min(np.exp(logs + np.log(n)), 1.0))
