"""One-sided exact tests of two shares, over one table or over several that must not be mixed.

A table is ``(a, b, c, d)``: ``a`` hits of ``a + b`` here, ``c`` hits of ``c + d`` elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Table = tuple[int, int, int, int]
_Floats = npt.NDArray[np.float64]
_Weights = tuple[int, _Floats]
"""The smallest count, and how likely it and those after it are beside each other."""

# A weight of less than e^-700 of the largest is zero beside it: a chance below 1e-300 is told as 0.
_NEGLIGIBLE = -700.0


def fisher_greater(a: int, b: int, c: int, d: int) -> float:
    """The chance of at least ``a`` hits here if hits fall on here and elsewhere alike, all margins being given.

    It is 1 where nothing can be told. Source: R. A. Fisher's exact test, the upper tail.
    """
    return stratified_greater([(a, b, c, d)])


def stratified_greater(tables: Iterable[Table]) -> float:
    """The chance of at least the hits here that all tables have together, if in each they fall alike.

    Exact: the distribution is that of the sum of the tables' hypergeometric counts. Shares may differ between the
    tables as they like; only differences within a table count. Source: N. Mantel and W. Haenszel, JNCI 22 (1959),
    719-748, in the exact form of D. R. Cox, The Analysis of Binary Data (1970), 5.3.
    """
    observed = 0
    margins: Counter[tuple[int, int, int]] = Counter()
    for a, b, c, d in tables:
        if min(a, b, c, d) < 0:
            raise ValueError(f"({a}, {b}, {c}, {d}) has a negative count")
        observed += a
        margins[a + c, a + b, a + b + c + d] += 1
    first, total = 0, np.ones(1)
    for margin, times in sorted(margins.items()):
        first, total = _sum((first, total), _repeated(_hypergeometric(*margin), times))
    above = observed - first
    if above <= 0:
        return 1.0
    return float(min(total[above:].sum() / total.sum(), 1.0))


def expected_hits(tables: Sequence[Table]) -> float:
    """How many hits here there would be at the shares of elsewhere; a table without an elsewhere adds its own hits."""
    return float(sum((a + b) * c / (c + d) if c + d else a for a, b, c, d in tables))


def _hypergeometric(hits: int, draws: int, size: int) -> _Weights:
    """The smallest possible count and the weights from there on, the largest being 1.

    By the ratio of neighbours, which needs no factorials: exact in the tails, where sums of logarithms are not.
    """
    low, high = max(0, hits + draws - size), min(hits, draws)
    count = np.arange(low, high, dtype=np.float64)
    up = (hits - count) * (draws - count)
    down = (count + 1) * (size - hits - draws + count + 1)
    logs = np.concatenate(([0.0], np.cumsum(np.log(up) - np.log(down))))
    return _trimmed(low, np.exp(np.maximum(logs - logs.max(), 2 * _NEGLIGIBLE)))


def _repeated(one: _Weights, times: int) -> _Weights:
    """The distribution of the sum of ``times`` counts of the same distribution."""
    result: _Weights = (0, np.ones(1))
    while times:
        if times & 1:
            result = _sum(result, one)
        times >>= 1
        one = _sum(one, one) if times else one
    return result


def _sum(one: _Weights, other: _Weights) -> _Weights:
    return _trimmed(one[0] + other[0], np.convolve(one[1], other[1]))


def _trimmed(first: int, weights: _Floats) -> _Weights:
    """The weights, the largest being 1, without the ends that are nothing beside it."""
    weights = weights / weights.max()
    kept = np.flatnonzero(weights > np.exp(_NEGLIGIBLE))
    return first + int(kept[0]), weights[kept[0] : kept[-1] + 1]
