"""Which changes of level a run of values holds, each with its chance, from the whole run down to its parts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np

from trackside.stats.level_fit import LevelFit, settle
from trackside.stats.level_scan import SHORTEST, Candidate, Codes, make_design, scan, views_of
from trackside.stats.spread import Floats
from trackside.stats.trends import staged, trend_degree

LARGEST_P = 0.005
LEAST_CHANGE = 0.75
"""In units of the noise of the values: smaller changes are not told, however sure."""
_FEWEST = 14
"""The orders of fewer values are so few that no p-value reaches LARGEST_P."""
_CHOSEN = 4.0
"""What having chosen both ends of a part costs beside how many parts there are."""
_SUPPORT = 0.5
"""The share of the values of a level, and at least SHORTEST, that lie on its side of the middle between two levels."""


class Found(msgspec.Struct, frozen=True):
    """``at`` is the index of the first value of the new level, ``p`` the chance of such a change anywhere there."""

    at: int
    p: float


class Search(msgspec.Struct, frozen=True):
    """``degree`` is that of the trend beside the levels.

    ``least_p`` is that of the best place, found or not; None where nothing could have been found.
    """

    found: tuple[Found, ...]
    least_p: float | None
    degree: int = 0


def search(values: Floats, codes: Codes) -> Search:
    """The changes of level with p up to LARGEST_P."""
    if values.size < _FEWEST or not np.ptp(values):
        return Search(found=(), least_p=None)
    first = _candidate(values, codes)
    if first is None:
        return Search(found=(), least_p=None)
    degree = trend_degree(values, codes) if first.p <= LARGEST_P else 0
    proposal = staged(values, codes, degree)
    if degree:
        first = _candidate(values, codes, degree) or first
    flat = values - proposal.trend
    found = _kept(values, codes, _divided(flat, codes, first), degree)
    if len(proposal.places) > max(len(found), 1):
        other = _kept(values, codes, _proved(flat, codes, proposal.places), degree)
        found = other if len(other) > len(found) else found
    least_p = min([first.p, *(point.p for point in found)])
    return Search(found=tuple(found), least_p=least_p, degree=degree)


def _candidate(values: Floats, codes: Codes, degree: int = 0) -> Candidate | None:
    """The best place of the values, free of a trend of this degree."""
    if values.size < 2 * SHORTEST:
        return None
    codes = np.unique(codes, return_inverse=True)[1]
    return scan(views_of(values, codes), make_design(codes, degree), LARGEST_P)


def _beside_trend(values: Floats, codes: Codes) -> Candidate | None:
    """The best place of a part of the values; where it may be a piece of a trend, beside that trend."""
    plain = _candidate(values, codes)
    if plain is None or plain.p > LARGEST_P:
        return plain
    degree = trend_degree(values, np.unique(codes, return_inverse=True)[1])
    return _candidate(values, codes, degree) if degree else plain


def _divided(values: Floats, codes: Codes, first: Candidate) -> list[Found]:
    """The changes found by dividing at the best place as long as there is one."""
    found: list[Found] = []
    parts: list[tuple[int, Candidate | None, int]] = [(0, first, values.size)]
    while parts:
        start, candidate, stop = parts.pop()
        if candidate is None or candidate.p > LARGEST_P:
            continue
        places = [start + at for at in candidate.at]
        found += [Found(at=at, p=candidate.p) for at in places]
        parts += [
            (begin, _beside_trend(values[begin:end], codes[begin:end]), end)
            for begin, end in pairwise([start, *places, stop])
        ]
    return sorted(found, key=lambda point: point.at)


def _proved(values: Floats, codes: Codes, places: Sequence[int]) -> list[Found]:
    """Those of the proposed places that hold between their neighbours, the weakest being left out first.

    That the ends of a part were chosen is paid for by the square of how many such parts the values hold, and more.
    """
    left = list(places)
    known: dict[tuple[int, int], float] = {}
    while left:
        parts = list(zip([0, *left], [*left[1:], values.size], strict=False))
        for begin, end in parts:
            if (begin, end) not in known:
                candidate = _beside_trend(values[begin:end], codes[begin:end])
                p = 1.0 if candidate is None else candidate.p
                known[begin, end] = min(p * _CHOSEN * (values.size / (end - begin)) ** 2, 1.0)
        chances = [known[part] for part in parts]
        worst = int(np.argmax(chances))
        if chances[worst] <= LARGEST_P:
            return [Found(at=at, p=p) for at, p in zip(left, chances, strict=True)]
        del left[worst]
    return []


def _kept(values: Floats, codes: Codes, found: Sequence[Found], degree: int) -> list[Found]:
    """The points at their best places, without those that are no change of level when seen beside the others."""
    kept = list(found)
    while kept:
        fit = settle(values, codes, [point.at for point in kept], degree)
        kept = [Found(at=at, p=point.p) for at, point in zip(fit.places, kept, strict=True)]
        weak = [number for number in range(len(kept)) if not _is_change(fit, number)]
        if not weak:
            break
        sizes = np.abs(np.diff(fit.levels))
        del kept[min(weak, key=lambda number: float(sizes[number]))]
    return kept


def _is_change(fit: LevelFit, number: int) -> bool:
    """Whether the levels on both sides differ by enough, and enough values on each side say so."""
    before, after = fit.levels[number], fit.levels[number + 1]
    if abs(after - before) < LEAST_CHANGE * fit.noise:
        return False
    begin, at, end = fit.ends[number : number + 3]
    beyond = (fit.plain() > (before + after) / 2) == (after > before)
    return all(side.sum() >= max(SHORTEST, _SUPPORT * side.size) for side in (~beyond[begin:at], beyond[at:end]))
