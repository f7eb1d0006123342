"""Intervals for a share that was counted."""

from __future__ import annotations

import math


def wilson(successes: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """The Wilson score interval of a share, ``z`` standard errors wide on each side: 95 % unless told otherwise.

    Nothing counted is nothing known: (0, 1). Source: E. B. Wilson, JASA 22 (1927), 209-212.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no share")
    if n == 0:
        return (0.0, 1.0)
    share = successes / n
    squared = z * z
    centre = share + squared / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + squared / (4 * n * n))
    scale = 1 + squared / n
    # The ends of 0 of n and n of n are 0 and 1 but for rounding.
    low = 0.0 if successes == 0 else (centre - spread) / scale
    high = 1.0 if successes == n else (centre + spread) / scale
    return (low, high)
