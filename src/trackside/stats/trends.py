"""Whether a smooth trend tells a run of values better than levels do."""

from __future__ import annotations

import numpy as np

from trackside.stats.level_scan import SHORTEST, Codes, trend_of
from trackside.stats.spread import Floats

_HIGHEST = 3
_OF_A_LEVEL = 2.0
"""Parameters that a further level costs: where it begins, and what it is."""


def trend_degree(values: Floats, codes: Codes) -> int:
    """The degree of the polynomial that tells the values best, 0 where levels with steps between them do better.

    By the Bayesian information criterion; ``values`` are free of their strata.
    """
    n = values.size
    power = float(values @ values)
    basis = trend_of(codes, _HIGHEST)
    left = power - np.concatenate(([0.0], np.cumsum(np.square(values @ basis))))
    degrees = np.arange(left.size)
    tiny = power * 1e-12
    smooth = n * np.log(np.maximum(left, tiny)) + degrees * np.log(n)
    best = int(smooth.argmin())
    if not best:
        return 0
    variance = max(float(left[best]) / n, tiny / n)
    levels, count = _best_levels(values, _OF_A_LEVEL * np.log(n) * variance)
    stepped = n * np.log(max(levels, tiny)) + _OF_A_LEVEL * count * np.log(n)
    return best if smooth[best] <= stepped else 0


def _best_levels(values: Floats, penalty: float) -> tuple[float, int]:
    """The sum of squares around the best levels, each new one costing ``penalty``, and how many new ones there are.

    Source: B. Jackson et al., IEEE Signal Processing Letters 12 (2005), 105-108 (optimal partitioning).
    """
    n = values.size
    sums = np.concatenate(([0.0], np.cumsum(values)))
    squares = np.concatenate(([0.0], np.cumsum(np.square(values))))
    cost = np.full(n + 1, np.inf)
    cost[0] = -penalty
    came = np.zeros(n + 1, dtype=np.int64)
    starts = np.arange(n + 1)
    for end in range(SHORTEST, n + 1):
        begin = starts[: end - SHORTEST + 1]
        spread = squares[end] - squares[begin] - np.square(sums[end] - sums[begin]) / (end - begin)
        totals = cost[begin] + spread
        came[end] = best = int(totals.argmin())
        cost[end] = totals[best] + penalty
    count, place = 0, int(came[n])
    while place:
        count, place = count + 1, int(came[place])
    return float(cost[n] - penalty * count), count
