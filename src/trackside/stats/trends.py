"""Whether a smooth trend belongs to a run of values, or levels with steps between them tell it as well."""

from __future__ import annotations

import numpy as np

from trackside.stats.level_fit import LevelFit, fit_levels
from trackside.stats.level_scan import SHORTEST, Codes
from trackside.stats.spread import Floats, bulk_limits, drawn_in

_HIGHEST = 3
_OF_A_LEVEL = 3.0
"""Parameters that a further level costs: what it is, where it begins, and that the best place was looked for."""
_OF_A_DEGREE = 1.7
"""Parameters that a further degree of a trend costs."""
_ROUNDS = 3


def staged(values: Floats, codes: Codes, degree: int = 0) -> LevelFit:
    """The best levels beside a trend of this degree, by the Bayesian information criterion, wild values drawn in."""
    fit = fit_levels(values, codes, (), degree)
    for _ in range(_ROUNDS):
        drawn = drawn_in(fit.plain())
        places = best_places(drawn, _OF_A_LEVEL * np.log(values.size) * _variance(drawn))
        if places == fit.places:
            break
        fit = fit_levels(values, codes, places, degree)
    return fit


def trend_degree(values: Floats, codes: Codes) -> int:
    """The degree of the trend that the values have beside their levels, 0 where levels alone do as well."""
    fits = [staged(values, codes, degree) for degree in range(_HIGHEST + 1)]
    limits = bulk_limits(min(fits, key=lambda fit: float(np.abs(fit.residuals).sum())).residuals)
    tiny = float(np.square(values).sum()) * 1e-12
    costs = []
    for degree, fit in enumerate(fits):
        left = float(np.square(np.clip(fit.residuals, *limits)).sum())
        parameters = _OF_A_DEGREE * degree + _OF_A_LEVEL * len(fit.places)
        costs.append(values.size * np.log(max(left, tiny)) + parameters * np.log(values.size))
    return int(np.argmin(costs))


def best_places(values: Floats, penalty: float) -> tuple[int, ...]:
    """Where the levels begin, but the first, that leave the least sum of squares if each new one costs ``penalty``.

    Source: B. Jackson et al., IEEE Signal Processing Letters 12 (2005), 105-108 (optimal partitioning).
    """
    n = values.size
    sums = np.concatenate(([0.0], np.cumsum(values)))
    lengths = np.arange(n + 1, 0.0, -1.0)
    cost = np.full(n + 1, np.inf)
    cost[0] = -penalty
    came = np.zeros(n + 1, dtype=np.int64)
    for end in range(SHORTEST, n + 1):
        begins = end - SHORTEST + 1
        gained = sums[end] - sums[:begins]
        gained *= gained
        gained /= lengths[n + 1 - end : n + 1 - end + begins]
        totals = cost[:begins] - gained
        came[end] = best = int(totals.argmin())
        cost[end] = totals[best] + penalty
    places, place = [], int(came[n])
    while place:
        places.append(place)
        place = int(came[place])
    return tuple(reversed(places))


def _variance(values: Floats) -> float:
    """Told by differences of neighbours, which know nothing of levels and trends."""
    return float(np.square(drawn_in(np.diff(values))).mean()) / 2
