"""One-sided exact tests of two shares, over one table or over several that must not be mixed.

A table is ``(a, b, c, d)``: ``a`` hits of ``a + b`` here, ``c`` hits of ``c + d`` elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Table = tuple[int, int, int, int]
Tables = Iterable[Table] | npt.NDArray[np.int64]
"""Several tables, or an array with a row of four for each."""
_Margin = tuple[int, int, int]
"""Hits of a table, what is here, and the size of it."""
_Floats = npt.NDArray[np.float64]
_Weights = tuple[int, _Floats]
"""The smallest count, and how likely it and those after it are beside each other."""

# A weight of less than e^-700 of the largest is zero beside it: a chance below 1e-300 is told as 0.
_NEGLIGIBLE = -700.0
_LEAST = np.exp(_NEGLIGIBLE)
_KEPT = 4096
"""Margins whose weights are kept: blocks of one size have few."""


def fisher_greater(a: int, b: int, c: int, d: int) -> float:
    """The chance of at least ``a`` hits here if hits fall on here and elsewhere alike, all margins being given.

    It is 1 where nothing can be told. Source: R. A. Fisher's exact test, the upper tail.
    """
    return stratified_greater([(a, b, c, d)])


def stratified_greater(tables: Tables) -> float:
    """The chance of at least the hits here that all tables have together, if in each they fall alike.

    Exact: the distribution is that of the sum of the tables' hypergeometric counts. Shares may differ between the
    tables as they like; only differences within a table count. Source: N. Mantel and W. Haenszel, JNCI 22 (1959),
    719-748, in the exact form of D. R. Cox, The Analysis of Binary Data (1970), 5.3.
    """
    counts = _rows(tables)
    if len(wrong := counts[(counts < 0).any(axis=1)]):
        raise ValueError(f"{tuple(wrong[0].tolist())} has a negative count")
    first, total = 0, np.ones(1)
    for margin, times in _margins(counts):
        first, total = _sum((first, total), _repeated(margin, times))
    above = int(counts[:, 0].sum()) - first
    if above <= 0:
        return 1.0
    return float(min(total[above:].sum() / total.sum(), 1.0))


def expected_hits(tables: Tables) -> float:
    """How many hits here there would be at the shares of elsewhere; a table without an elsewhere adds its own hits."""
    a, b, c, d = _rows(tables).T
    elsewhere = c + d
    due = np.where(elsewhere > 0, (a + b) * c / np.maximum(elsewhere, 1), a)
    # Added up one after the other, so that the sum does not depend on how many are added at a time.
    return float(np.cumsum(due)[-1]) if due.size else 0.0


def _rows(tables: Tables) -> npt.NDArray[np.int64]:
    return np.asarray(tables if isinstance(tables, np.ndarray) else list(tables), dtype=np.int64).reshape(-1, 4)


def _margins(counts: npt.NDArray[np.int64]) -> Iterator[tuple[_Margin, int]]:
    """The margins of the tables in order, and how many tables have them."""
    a, b, c, _ = counts.T
    margins = np.stack([a + c, a + b, counts.sum(axis=1)], axis=1)
    margins = margins[np.lexsort(margins.T[::-1])]
    starts = np.flatnonzero(np.diff(margins, axis=0, prepend=-1).any(axis=1))
    for start, stop in pairwise([*starts.tolist(), len(margins)]):
        hits, draws, size = margins[start].tolist()
        yield (hits, draws, size), stop - start


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


def _repeated(margin: _Margin, times: int) -> _Weights:
    """The distribution of the sum of ``times`` counts of the same distribution."""
    result: _Weights = (0, np.ones(1))
    for power in range(times.bit_length()):
        if times >> power & 1:
            result = _sum(result, _doubled(margin, power))
    return result


@lru_cache(_KEPT)
def _doubled(margin: _Margin, power: int) -> _Weights:
    """The distribution of the sum of 2 to the ``power`` counts."""
    if not power:
        return _hypergeometric(*margin)
    half = _doubled(margin, power - 1)
    return _sum(half, half)


def _sum(one: _Weights, other: _Weights) -> _Weights:
    return _trimmed(one[0] + other[0], np.convolve(one[1], other[1]))


def _trimmed(first: int, weights: _Floats) -> _Weights:
    """The weights, the largest being 1, without the ends that are nothing beside it."""
    weights = weights / weights.max()
    kept = np.flatnonzero(weights > _LEAST)
    return first + int(kept[0]), weights[kept[0] : kept[-1] + 1]
