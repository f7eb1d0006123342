"""Whether the values of one sample are larger than those of another, by their ranks: no shape is assumed."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]


def rank_sum_p(first: Counts, second: Counts) -> float:
    """The chance of samples as far apart, in either direction, if both come from the same values; 1 without a sample.

    ``first`` and ``second`` count, for each distinct value in rising order, how often it is in each sample: equal
    values are equal ranks. The normal approximation with the correction for ties and half a step for continuity; with
    three values a side it is never below 0.05, as the exact chance. Source: H. B. Mann and D. R. Whitney, Annals of
    Mathematical Statistics 18 (1947), 50-60.
    """
    if first.shape != second.shape:
        raise ValueError("both samples are counted over the same values")
    m, n = int(first.sum()), int(second.sum())
    if not m or not n:
        return 1.0
    # In floats: the sums of large samples are beyond 64 bits.
    before, ours, ties = first.astype(np.float64), second.astype(np.float64), (first + second).astype(np.float64)
    wins = float((ours * (np.cumsum(before) - before / 2)).sum())
    total = float(m + n)
    tied = float((ties**3 - ties).sum()) / (total * (total - 1))
    variance = m * n / 12 * (total + 1 - tied)
    if variance <= 0:
        return 1.0
    away = max(abs(wins - m * n / 2) - 0.5, 0.0) / math.sqrt(variance)
    return math.erfc(away / math.sqrt(2))
