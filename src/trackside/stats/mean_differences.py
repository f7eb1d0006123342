"""How far two small samples are apart, beside what chance alone does to them: the noise of their values is known."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from trackside.stats.noise import Floats, Noise

_CELLS: Final = 1 << 14
_MARGIN: Final = 1.25
_Spectrum = npt.NDArray[np.complex128]
_Ends = tuple[float, float, float]
"""The mean, the least and the largest value of a sample, less the mean of the other."""


class Difference(msgspec.Struct, frozen=True):
    """By how much the mean of the second sample lies above that of the first, with its interval.

    ``p`` is the chance of samples as far apart, or farther, that do not differ; it fits the interval.
    """

    value: float
    low: float
    high: float
    p: float


class _Law(NamedTuple):
    """The distribution of a difference that is chance alone: the chance of all cells up to each, ``width`` wide."""

    below: Floats
    width: float

    def at_most(self, at: float) -> float:
        cell = np.floor(at / self.width + 0.5) + self.below.size // 2
        return 0.0 if cell < 0 else float(self.below[int(min(cell, self.below.size - 1))])

    def at_least(self, at: float) -> float:
        return 1 - self.at_most(at - self.width)

    def quantile(self, chance: float) -> float:
        cell = int(np.searchsorted(self.below, chance, side="left"))
        return (min(cell, self.below.size - 1) - self.below.size // 2) * self.width


class Differences:
    """Compares samples whose values have the same noise, by what chance does to samples of their sizes."""

    def __init__(self, noise: Noise) -> None:
        self._width = 2 * _MARGIN * noise.span / _CELLS
        self._edges: Floats = (np.arange(_CELLS + 1, dtype=np.float64) - _CELLS // 2 - 0.5) * self._width
        self._below = noise.below(self._edges)
        self._below[0], self._below[-1] = 0.0, 1.0
        self._means: dict[int, _Spectrum] = {}

    def compare(self, first: Floats, second: Floats, error: float = 0.05) -> Difference:
        """How far ``second`` lies above ``first``, with an interval that misses in at most the share ``error``.

        Two questions are asked, each at half of it: whether the means are further apart than chance puts them, and
        whether all values of the smaller sample lie further off the mean of the other than chance puts so many. The
        second finds a change among spikes, and one spike never answers it. Where there is one value they are the same.
        """
        if second.size > first.size:
            return _turned(self.compare(second, first, error))
        told = self._told(_ends(first, second), (first.size, second.size), error)
        if first.size > second.size or first.size == 1:
            return told
        # Of samples of one size either may be asked about: both are, and the more cautious answer counts.
        other = _turned(self._told(_ends(second, first), (first.size, second.size), error))
        return Difference(told.value, min(told.low, other.low), max(told.high, other.high), max(told.p, other.p))

    def expect(self, mean: float, spread: float, sizes: tuple[int, int], error: float = 0.05) -> Difference:
        """The same for samples of these sizes ``mean`` apart, where the values of the smaller lie within ``spread``."""
        if sizes[1] > sizes[0]:
            return _turned(self.expect(-mean, spread, (sizes[1], sizes[0]), error))
        return self._told((mean, mean - spread, mean + spread), sizes, error)

    def _told(self, beside: _Ends, sizes: tuple[int, int], error: float) -> Difference:
        """``sizes`` are those of the first sample and of the second, which is not larger."""
        mean, *spread = beside
        first, second = sizes
        questions = [(self._law(self._mean(second), first),) * 2]
        ends = [(mean, mean)]
        if second > 1:
            least = self._spectrum(1 - (1 - self._below) ** second)
            largest = self._spectrum(self._below**second)
            questions.append((self._law(least, first), self._law(largest, first)))
            ends.append((spread[0], spread[1]))
        tail = error / 2 / len(questions)
        asked = list(zip(questions, ends, strict=True))
        p = [2 * min(up.at_least(low), down.at_most(high)) for (up, down), (low, high) in asked]
        return Difference(
            value=mean,
            low=max(low - up.quantile(1 - tail) for (up, _), (low, _) in asked),
            high=min(high - down.quantile(tail) for (_, down), (_, high) in asked),
            p=min(1.0, len(p) * min(p)),
        )

    def _law(self, ours: _Spectrum, others: int) -> _Law:
        """What chance does to a part of one sample less the mean of so many others: the other turned about 0."""
        chance = np.fft.fftshift(np.fft.irfft(ours * np.conj(self._mean(others)), _CELLS))
        total = np.cumsum(np.clip(chance, 0.0, None))
        return _Law(total / total[-1], self._width)

    def _mean(self, count: int) -> _Spectrum:
        if count not in self._means:
            below = np.interp(self._edges * count, self._edges, self._below)
            self._means[count] = self._spectrum(below) ** count
        return self._means[count]

    def _spectrum(self, below: Floats) -> _Spectrum:
        return np.fft.rfft(np.fft.ifftshift(np.diff(below)))


def _ends(first: Floats, second: Floats) -> _Ends:
    beside = second - first.mean()
    return float(beside.mean()), float(beside.min()), float(beside.max())


def _turned(told: Difference) -> Difference:
    """The difference seen from the other sample."""
    return Difference(-told.value, -told.high, -told.low, told.p)
