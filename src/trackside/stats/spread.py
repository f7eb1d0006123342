"""How widely values scatter, and how alike neighbours are, told so that a few wild values do not matter."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# The middle 80 % say how wide the bulk is: wide enough to hold a second mode, deaf to a tenth of wild values a side.
_LOW, _WIDTH, _REACH = 0.1, 2.563103, 2.5
# The middle 60 % stay the bulk where a new level and wild values on its side are a fifth of all.
_CLOSE_LOW, _CLOSE_WIDTH, _CLOSE_REACH = 0.2, 1.683242, 1.5
# Each: the share below the lower quantile, how many standard deviations of a normal distribution lie between the two
# quantiles, and how many beyond them a value may lie before it is drawn in.
_NOTHING = 1e-9
"""Differences this small beside the size of the values are rounding."""
_SHORTEST = 10
"""Fewer values tell nothing about neighbours."""
_CHANCE = 1.0
"""So many standard errors of the coefficient are taken for chance."""
_LOST = 2.0
"""What the fit of two levels takes away from the coefficient, times the number of values."""
_DIFFERENCES_ERROR = 1.4
"""The standard error of the answer by differences, times the root of the number of values."""


def bulk_limits(values: Floats) -> tuple[float, float]:
    """Between which values nearly all of a bulk without wild values lie; infinite where the bulk has no width."""
    return _limits(values, _LOW, _WIDTH, _REACH)


def drawn_in(values: Floats) -> Floats:
    """The values, wild ones moved to the edge of the bulk. The answer does not depend on the order of the values."""
    return np.clip(values, *bulk_limits(values))


def drawn_close(values: Floats) -> Floats:
    """The values, all beyond the core of the bulk moved to its edge: a wild value counts no more than an odd one."""
    return np.clip(values, *_limits(values, _CLOSE_LOW, _CLOSE_WIDTH, _CLOSE_REACH))


def _limits(values: Floats, share: float, width: float, reach: float) -> tuple[float, float]:
    low, high = np.quantile(values, (share, 1 - share))
    beyond = reach * (high - low) / width
    if beyond <= 0:
        return (-np.inf, np.inf)
    return (float(low - beyond), float(high + beyond))


def noise_of(residuals: Floats, fitted: int) -> float:
    """The standard deviation of residuals of a fit with ``fitted`` parameters, wild ones drawn in."""
    freedom = residuals.size - fitted
    if freedom <= 0:
        return 0.0
    return float(np.sqrt(np.square(drawn_in(residuals)).sum() / freedom))


def magnitude(values: Floats) -> float:
    """A unit to count the values in: how far from their middle half of them lie, or else the farthest.

    It is 0 where all are the same but for rounding.
    """
    away = np.abs(values - np.median(values))
    rounding = _NOTHING * float(np.abs(values).max())
    return next((unit for unit in (float(np.median(away)), float(away.max())) if unit > rounding), 0.0)


def autocorrelation(residuals: Floats) -> float:
    """How alike neighbours are, by the first coefficient of a first-order autoregression; 0 to 0.9, 0 for chance.

    The smaller of two answers. The first is the coefficient of the residuals, raised by what a fit of two levels takes
    away from it. The second is told by differences of neighbours and of those after next, which know nothing of
    levels: it is raised by its standard error, and binds only where levels were left out of the fit.
    """
    n = residuals.size
    power = float(residuals @ residuals)
    if n < _SHORTEST or power <= 0:
        return 0.0
    direct = float(residuals[1:] @ residuals[:-1]) / power
    if direct < _CHANCE / np.sqrt(n):
        return 0.0
    near = float(np.square(drawn_in(np.diff(residuals))).mean())
    far = float(np.square(drawn_in(residuals[2:] - residuals[:-2])).mean())
    by_differences = far / near - 1 if near > 0 else 0.0
    answer = min(direct + (_LOST + 3 * direct) / n, by_differences + _DIFFERENCES_ERROR / np.sqrt(n))
    return float(np.clip(answer, 0.0, 0.9))


def length_factor(lengths: Floats, rho: float) -> Floats:
    """By how much the variance of a mean of so many neighbours is larger than that of as many unrelated values."""
    if rho == 0:
        return np.ones_like(lengths)
    return (1 + rho) / (1 - rho) - 2 * rho * (1 - rho**lengths) / (lengths * (1 - rho) ** 2)
