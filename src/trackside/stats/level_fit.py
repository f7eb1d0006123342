"""Levels between given places, a trend and the offsets of strata, fitted together; wild values do not matter."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from trackside.stats.level_scan import SHORTEST, Codes
from trackside.stats.spread import Floats, bulk_limits, drawn_in, noise_of

_ROUNDS = 8
_MOVES = 4
_NOT_CLEARLY_WORSE = 6.0
"""In units of the variance: a place whose sum of squares is larger by no more may as well be the one."""
_RANK = 1e-10
_SETTLED = 1e-7


class LevelFit(msgspec.Struct, frozen=True):
    """What the values are made of.

    ``levels`` has one value between each two of the ``places``, ``effects`` one for each stratum, 0 on average over
    the values, and ``trend`` one for each value, 0 on average.
    """

    places: tuple[int, ...]
    levels: Floats
    effects: Floats
    trend: Floats
    residuals: Floats
    parameters: int

    @property
    def noise(self) -> float:
        """The standard deviation of the residuals, wild ones drawn in."""
        return noise_of(self.residuals, self.parameters)

    @property
    def ends(self) -> list[int]:
        """Where the levels begin, and the end of the last."""
        return [0, *self.places, self.residuals.size]

    def steps(self) -> Floats:
        """The level of each value."""
        return np.repeat(self.levels, np.diff(self.ends))

    def plain(self) -> Floats:
        """The values without the offsets of strata and without the trend."""
        return self.steps() + self.residuals


def fit_levels(values: Floats, codes: Codes, places: Sequence[int] = (), degree: int = 0) -> LevelFit:
    """The fit for changes at these places (indices of the first value of the new level, ascending)."""
    n, pieces, counts = values.size, len(places) + 1, np.bincount(codes)
    segment = np.searchsorted(np.asarray(places, dtype=np.int64), np.arange(n), side="right")
    strata = pieces + counts.size
    columns = np.zeros((n, strata + degree))
    columns[np.arange(n), segment] = 1
    columns[np.arange(n), pieces + codes] = 1
    columns[:, strata:] = powers(n, degree)
    solve = np.linalg.pinv(columns.T @ columns, rcond=_RANK, hermitian=True) @ columns.T
    answer, target = solve @ values, values
    for _ in range(_ROUNDS):
        fitted = columns @ answer
        drawn = fitted + drawn_in(values - fitted)
        if np.abs(drawn - target).max(initial=0) < _SETTLED:
            break
        answer, target = solve @ drawn, drawn
    middle = float(answer[pieces:strata] @ counts) / max(n, 1)
    return LevelFit(
        places=tuple(places),
        levels=answer[:pieces] + middle,
        effects=answer[pieces:strata] - middle,
        trend=columns[:, strata:] @ answer[strata:],
        residuals=values - columns @ answer,
        parameters=pieces + counts.size - 1 + degree,
    )


def powers(n: int, degree: int) -> Floats:
    """Columns of Legendre's polynomials from the first to this degree over ``n`` values, each 0 on average."""
    if not degree or not n:
        return np.zeros((n, degree))
    columns = np.polynomial.legendre.legvander(np.linspace(-1, 1, n), degree)[:, 1:]
    return np.asarray(columns - columns.mean(axis=0), dtype=np.float64)


def settle(values: Floats, codes: Codes, places: Sequence[int], degree: int = 0) -> LevelFit:
    """The fit with each place moved to where it fits best between its neighbours."""
    fit = fit_levels(values, codes, places, degree)
    for _ in range(_MOVES):
        plain, limits = fit.plain(), bulk_limits(fit.residuals)
        moved = list(fit.places)
        for number in range(len(moved)):
            begin, end = [0, *moved][number], [*moved, values.size][number + 1]
            if end - begin >= 2 * SHORTEST:
                at, _, _ = located(plain[begin:end], fit.levels[number], fit.levels[number + 1], limits)
                moved[number] = begin + at
        if tuple(moved) == fit.places:
            break
        fit = fit_levels(values, codes, moved, degree)
    return fit


def located(values: Floats, before: float, after: float, limits: tuple[float, float]) -> tuple[int, int, int]:
    """Where values go from one level to the other: the best index, and the earliest and latest that are not worse.

    ``limits`` are those of the residuals: wild ones count as much as those at the limits.
    """
    of_before = np.square(np.clip(values - before, *limits))
    of_after = np.square(np.clip(values - after, *limits))
    cost = np.concatenate(([0.0], np.cumsum(of_before - of_after)))[SHORTEST : values.size - SHORTEST + 1]
    best = int(cost.argmin())
    at = best + SHORTEST
    variance = float(of_before[:at].sum() + of_after[at:].sum()) / values.size
    near = np.flatnonzero(cost <= cost[best] + _NOT_CLEARLY_WORSE * variance) + SHORTEST
    return at, int(near[0]), int(near[-1])
