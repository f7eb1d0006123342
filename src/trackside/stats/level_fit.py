"""Levels between given places and the offsets of strata, fitted together so that wild values do not matter."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np

from trackside.stats.level_scan import SHORTEST, Codes
from trackside.stats.spread import Floats, bulk_limits, drawn_in, noise_of

_ROUNDS = 8
_NOT_CLEARLY_WORSE = 6.0
"""In units of the variance: places whose sum of squares is larger by no more may as well be the one."""


class LevelFit(msgspec.Struct, frozen=True):
    """``levels`` has one value between each two places; ``effects`` one for each stratum, 0 on average over points."""

    levels: Floats
    effects: Floats
    residuals: Floats
    noise: float


def fit_levels(values: Floats, codes: Codes, places: Sequence[int]) -> LevelFit:
    """The fit for changes at these places (indices of the first value of the new level, ascending)."""
    counts = np.bincount(codes)
    segment = np.searchsorted(np.asarray(places, dtype=np.int64), np.arange(values.size), side="right")
    pieces, strata = len(places) + 1, counts.size
    columns = np.zeros((values.size, pieces + strata))
    columns[np.arange(values.size), segment] = 1
    columns[np.arange(values.size), pieces + codes] = 1
    solve = np.linalg.pinv(columns)
    target = values
    for _ in range(_ROUNDS):
        fitted = columns @ (solve @ target)
        drawn = fitted + drawn_in(values - fitted)
        if np.allclose(drawn, target, rtol=0, atol=1e-9):
            break
        target = drawn
    answer = solve @ target
    effects = answer[pieces:]
    middle = float(effects @ counts) / values.size
    residuals = values - columns @ answer
    return LevelFit(
        levels=answer[:pieces] + middle,
        effects=effects - middle,
        residuals=residuals,
        noise=noise_of(residuals, pieces + strata - 1),
    )


def located(values: Floats, before: float, after: float, limits: tuple[float, float]) -> tuple[int, int, int]:
    """Where values go from one level to the other: the best index, and the earliest and latest that are not worse.

    ``limits`` are those of the residuals; wild ones count as much as those at the limits.
    """
    of_before = np.square(np.clip(values - before, *limits))
    of_after = np.square(np.clip(values - after, *limits))
    cost = np.concatenate(([0.0], np.cumsum(of_before - of_after)))
    allowed = slice(SHORTEST, values.size - SHORTEST + 1)
    variance = min(float(of_before.mean()), float(np.minimum(of_before, of_after).mean()) * _MIXED)
    near = np.flatnonzero(cost[allowed] <= cost[allowed].min() + _NOT_CLEARLY_WORSE * variance) + SHORTEST
    return int(cost[allowed].argmin()) + SHORTEST, int(near[0]), int(near[-1])


_MIXED = 1.5


def relocated(values: Floats, codes: Codes, places: Sequence[int]) -> list[int]:
    """The places, each moved to where it fits best between its neighbours; once from left to right."""
    fit = fit_levels(values, codes, places)
    plain = values - fit.effects[codes]
    limits = bulk_limits(fit.residuals)
    moved = list(places)
    ends = [0, *places, values.size]
    for number, (_, end) in enumerate(pairwise(ends[1:])):
        begin = moved[number - 1] if number else 0
        at, _, _ = located(plain[begin:end], fit.levels[number], fit.levels[number + 1], limits)
        moved[number] = begin + at
    return moved
