"""Whether the values of one sample are larger than those of another, by their ranks: no shape is assumed."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
EXACT_UP_TO: Final = 30
"""So many values of both samples together are told exactly; of more the normal approximation is close."""


def rank_sum_p(first: Counts, second: Counts, inflation: float = 1.0) -> float:
    """The chance of samples as far apart, in either direction, if both come from the same values; 1 without a sample.

    ``first`` and ``second`` count, for each distinct value in rising order, how often it is in each sample: equal
    values are equal ranks. Up to EXACT_UP_TO values every way to divide them counts, so that ties take nothing from
    the truth; beyond it is the normal approximation with the correction for ties and half a step for continuity.
    ``inflation`` is by how much the variance of a rank sum is larger than that of unrelated values, where neighbours
    are alike; it makes nothing surer.

    Source: H. B. Mann and D. R. Whitney, Annals of Mathematical Statistics 18 (1947), 50-60.
    """
    if first.shape != second.shape:
        raise ValueError("both samples are counted over the same values")
    m, n = int(first.sum()), int(second.sum())
    if not m or not n:
        return 1.0
    ties = first + second
    # In floats: the sums of large samples are beyond 64 bits.
    ranks = 2 * np.cumsum(ties).astype(np.float64) - ties + 1
    away = abs(float((ranks * second).sum()) - n * (m + n + 1))
    exact = _exact(ties, ranks.astype(np.int64), min(m, n), round(away)) if m + n <= EXACT_UP_TO else None
    if exact is not None and inflation <= 1:
        return exact
    return max(_approximate(ties.astype(np.float64), (m, n), away / 2, max(inflation, 1.0)), exact or 0.0)


def _exact(ties: Counts, ranks: Counts, drawn: int, away: int) -> float:
    """How many of all ways to draw so many of the values have twice a rank sum that is as far off its mean."""
    total = int(ties.sum())
    ways = np.zeros((drawn + 1, total * (total + 1) + 1))
    ways[0, 0] = 1.0
    for tied, rank in zip(ties.tolist(), ranks.tolist(), strict=True):
        before, ways = ways, ways.copy()
        for taken in range(1, min(tied, drawn) + 1):
            ways[taken:, taken * rank :] += math.comb(tied, taken) * before[:-taken, : -taken * rank]
    sums = np.arange(ways.shape[1])
    far = np.abs(sums - drawn * (total + 1)) >= away
    return float(ways[drawn, far].sum() / ways[drawn].sum())


def _approximate(ties: npt.NDArray[np.float64], sizes: tuple[int, int], away: float, inflation: float) -> float:
    m, n = sizes
    total = float(m + n)
    tied = float((ties**3 - ties).sum()) / (total * (total - 1))
    variance = inflation * m * n / 12 * (total + 1 - tied)
    if variance <= 0:
        return 1.0
    return math.erfc(max(away - 0.5, 0.0) / math.sqrt(2 * variance))
