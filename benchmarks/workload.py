"""The requests that a generated run serves: arrivals over time, prompt and output lengths, prefix hits."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from benchmarks.disaggregated import DecodeRank, PrefillRank

MEAN_INPUT: Final = 2600.0
MEAN_OUTPUT: Final = 1750.0
PAGE: Final = 64
"""Prefix hits come in whole pages of this many tokens."""


class Request:
    """One request on its way; the moments are seconds since the run's start."""

    __slots__ = (
        "arrived", "cached", "decode", "finished", "input_tokens", "joined_at", "left", "number",
        "output_tokens", "prefill", "prefill_ended", "prefill_started", "ready",
    )  # fmt: skip

    prefill: PrefillRank
    decode: DecodeRank

    def __init__(self, number: int, arrived: float, input_tokens: int, cached: int, output_tokens: int) -> None:
        self.number = number
        self.arrived = arrived
        self.input_tokens = input_tokens
        self.cached = cached
        self.output_tokens = output_tokens
        self.left = input_tokens - cached
        self.prefill_started = self.prefill_ended = self.ready = self.finished = -1.0
        self.joined_at = 0.0


class Shape(NamedTuple):
    """When load comes: the run's load time in seconds and the steady rate in requests/s."""

    load_s: float
    rate: float

    @property
    def idle(self) -> tuple[float, float]:
        """Start and end of the arrival gap; it outlasts the requests under way, so lines cease."""
        gap = min(max(0.05 * self.load_s, 150.0), 0.2 * self.load_s)
        return 0.46 * self.load_s, 0.46 * self.load_s + gap

    def factor(self, time_s: float) -> float:
        """Share of the steady rate at a time: ramp, steady, idle, burst above capacity, steady, tail."""
        at = time_s / self.load_s
        if at < 0.1:
            return 0.15 + 0.85 * at / 0.1
        begin, end = self.idle
        if begin <= time_s < end:
            return 0.0
        if 0.70 <= at < 0.78:
            return 1.9
        if at >= 0.92:
            return max(0.1, 1.0 - 0.9 * (at - 0.92) / 0.08)
        return 1.0 + 0.12 * math.sin(time_s / 97.0)

    @property
    def requests(self) -> float:
        """Expected number of requests."""
        steps = 2000
        return sum(self.factor((i + 0.5) / steps * self.load_s) for i in range(steps)) * self.load_s / steps * self.rate


def _lengths(rng: random.Random) -> tuple[int, int, int]:
    input_tokens = max(16, min(24_000, int(rng.lognormvariate(math.log(MEAN_INPUT) - 0.245, 0.7))))
    output_tokens = max(8, min(8_000, int(rng.gammavariate(2.5, MEAN_OUTPUT / 2.5))))
    hit = 0.0 if rng.random() < 0.35 else rng.betavariate(1.6, 1.4)
    cached = min(int(input_tokens * hit) // PAGE * PAGE, (input_tokens - 1) // PAGE * PAGE)
    return input_tokens, cached, output_tokens


def arrivals(shape: Shape, begin_s: float, rng: random.Random) -> Iterator[Request]:
    """Requests in order of arrival from ``begin_s`` on: a Poisson process thinned to the shape's rate."""
    peak = 2.0
    time_s = 0.0
    numbers = itertools.count()
    while True:
        time_s += rng.expovariate(shape.rate * peak)
        if time_s >= shape.load_s:
            return
        if rng.random() * peak < shape.factor(time_s):
            yield Request(next(numbers), begin_s + time_s, *_lengths(rng))
