"""Noise as earlier values tell it: how far a next value may lie off its level by chance.

No shape is assumed within what was seen: modes and skew stay as they are. Beyond it the tails go on as the largest
excesses tell, with the uncertainty of so few.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
LEAST_VALUES: Final = 10
"""With fewer earlier values nothing is told of a tail."""
_SHARES: Final = (0.05, 0.1, 0.2)
_LEAST_EXCESSES: Final = 3
"""The tail that fewer tell of has no variance."""
_BORROWED: Final = 20
"""What others tell of a tail counts as so many values beside one's own."""
_SPAN: Final = 30.0


class _Tail(msgspec.Struct, frozen=True):
    """How chance goes on above ``start``: ``chance`` of being there, and ``excesses`` values whose sum is ``total``.

    The chance of a next value is exact for exponential excesses: its ratio to the mean of k others is distributed as
    F(2, 2k). Source: N. L. Johnson, S. Kotz and N. Balakrishnan, Continuous Univariate Distributions 1 (1994), 19.
    """

    start: float
    chance: float
    total: float
    excesses: int

    def survival(self, at: Floats) -> Floats:
        beyond = np.maximum(at - self.start, 0.0) / self.total
        return np.where(at >= self.start, self.chance * (1 + beyond) ** -self.excesses, 0.0)


class _Side(msgspec.Struct, frozen=True):
    """The values in order, and the tails above them: the most cautious counts."""

    values: Floats
    tails: tuple[_Tail, ...]

    def survival(self, at: Floats) -> Floats:
        """The chance of a next value of at least ``at``, which is in order."""
        above = self.values.size - np.searchsorted(self.values, at, side="left")
        chance: Floats = above / (self.values.size + 1)
        for tail in self.tails:
            chance = np.maximum(chance, tail.survival(at))
        return np.maximum.accumulate(chance[::-1])[::-1]


class Noise(msgspec.Struct, frozen=True):
    """Noise about 0, made by ``noise_of``. ``count`` values told of it; beyond ``span`` is nothing that matters.

    ``borrowed`` is the noise of the like, in units of ``scale``: it tells of tails too.
    """

    up: _Side
    down: _Side
    count: int
    span: float
    scale: float
    borrowed: Noise | None = None

    def below(self, at: Floats) -> Floats:
        """The chance of a value below each of ``at``, which are in order."""
        middle = float(np.median(self.up.values))
        above, below = self._survival(at, upper=True), self._survival(-at[::-1], upper=False)[::-1]
        return np.maximum.accumulate(np.clip(np.where(at > middle, 1 - above, below), 0.0, 1.0))

    def _survival(self, at: Floats, *, upper: bool) -> Floats:
        own = (self.up if upper else self.down).survival(at)
        if self.borrowed is None:
            return own
        others = (self.borrowed.up if upper else self.borrowed.down).survival(at / self.scale)
        return np.maximum(own, others * _BORROWED / (self.count + _BORROWED))


def noise_of(residuals: Floats, least: float, borrowed: Noise | None = None, scale: float = 1.0) -> Noise:
    """The noise that finite ``residuals`` about 0 tell, LEAST_VALUES of them or more.

    ``least`` (above 0) is the mean excess that a tail has at least, in their unit: values that never differed may
    differ so much the next time. ``borrowed`` is noise in units of ``scale``: a tail is at least as likely as a few
    values of its kind tell.
    """
    if residuals.size < LEAST_VALUES:
        raise ValueError(f"{residuals.size} values tell of no tail")
    up, down = _side(np.sort(residuals), least), _side(np.sort(-residuals), least)
    reach = max(float(np.abs(residuals).max()), *(_SPAN * tail.total for side in (up, down) for tail in side.tails[:1]))
    span = reach if borrowed is None else max(reach, scale * borrowed.span)
    return Noise(up=up, down=down, count=residuals.size, span=span, scale=scale, borrowed=borrowed)


def _side(values: Floats, least: float) -> _Side:
    counts = {_LEAST_EXCESSES, *(round(share * values.size) for share in _SHARES)}
    return _Side(values, tuple(_tail(values, count, least) for count in sorted(counts) if count >= _LEAST_EXCESSES))


def _tail(values: Floats, count: int, least: float) -> _Tail:
    """The tail above the value that ``count`` are above of: a next one is there by its rank among all."""
    start = float(values[-count - 1])
    total = float((values[-count:] - start).sum())
    return _Tail(start, (count + 1) / (values.size + 1), max(total, count * least), count)
