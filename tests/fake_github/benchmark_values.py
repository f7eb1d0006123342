"""What the benchmarks of one job measured: values drawn from what is planted, the same each time for the same job."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby

from tests.fake_github.benchmark_metrics import ASSERTED, SERVER, Group, Kind, Row
from tests.fake_github.week_benchmarks import JOBS, POOLS, Bench, JobBenchmarks, Machine, Printing, level, printed_rows

TRIES = 2
"""A test that fails by its own assertion is run once more."""
OF_PULLS = 1.6
"""Pull requests are measured with so many times the noise."""
BRIEF = 2
_OF_A_PACE = 0.0008
"""The SD of the rates of requests that arrive at a rate."""


@dataclass(frozen=True)
class Printed:
    """A line of results: the text of the number as it stands in the log."""

    row: Row
    text: str

    @property
    def value(self) -> float:
        """What a reader makes of it."""
        return float(self.text)


@dataclass(frozen=True)
class Try:
    """One try of a test; of a file of a suite all tests are tried again.

    ``server`` is what its server told at its start, ``lines`` are the results: none where it prints none any more, or
    had not ``ended`` when its job was stopped. ``failed`` is the assertion that failed.
    """

    bench: Bench
    number: int
    is_final: bool
    server: tuple[Printed, ...]
    lines: tuple[Printed, ...] = ()
    failed: str | None = None
    ended: bool = True

    @property
    def printed(self) -> tuple[Printed, ...]:
        """All numbers that it printed."""
        return (*self.server, *self.lines)


@dataclass(frozen=True)
class JobMeasured:
    """A job that runs benchmarks: which, with what commit (a share of the window), where, for whom.

    ``pull`` is the number of the pull request; None on main. ``done`` is how many tests ended before the job was
    stopped. ``brief`` runs the first ``BRIEF`` tests only.
    """

    job: str
    seed: str
    commit_share: float
    runner: str
    pull: int | None = None
    done: int | None = None
    brief: bool = False
    spec: JobBenchmarks = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "spec", JOBS[self.job])

    @cached_property
    def tests(self) -> tuple[tuple[Try, ...], ...]:
        """The tries of each test that ran. A step that fails ends the job, a file of a suite does not."""
        share, steps = self.commit_share, self.spec.printing is Printing.UNITTEST
        there = [bench for bench in self.spec.benches if bench.since <= share < bench.until]
        ran: list[tuple[Try, ...]] = []
        for _, together in groupby(
            there[: BRIEF if self.brief else self.done], lambda one: one.test if steps else one.file
        ):
            ran += self._tries(list(together))
            if steps and ran[-1][-1].failed:
                break
        if self.done is not None and self.done < len(there):
            started = self._try(there[self.done], 1)
            ran.append((replace(started, is_final=True, lines=(), failed=None, ended=False),))
        return tuple(ran)

    @property
    def failed(self) -> bool:
        """Whether the job fails: a test failed in the last of its tries."""
        return any(tries[-1].failed for tries in self.tests)

    def _tries(self, together: list[Bench]) -> list[tuple[Try, ...]]:
        """Those of tests that are tried together: all of a file again where one of them failed."""
        tries: list[list[Try]] = []
        while not tries or (len(tries) < TRIES and any(one.failed for one in tries[-1])):
            tries.append([self._try(bench, len(tries) + 1) for bench in together])
        last = [replace(one, is_final=True) for one in tries.pop()]
        return list(zip(*tries, last, strict=True))

    def _try(self, bench: Bench, number: int) -> Try:
        rng = random.Random(f"{self.seed} {bench.test} {number}")
        server = tuple(Printed(row, _text(row, level(bench, row), rng)) for row in SERVER)
        if bench.silent <= self.commit_share:
            return Try(bench, number, False, server)
        speed, pace = self._speed(bench, rng), 1 + _OF_A_PACE * _normal(rng)
        lines = tuple(
            Printed(row, _text(row, self._value(bench, row, speed, pace), rng))
            for row in printed_rows(bench, self.spec.printing)
        )
        asserted = next(one.value for one in lines if one.row is ASSERTED[bench.kind])
        return Try(bench, number, False, server, lines, _failure(bench, asserted))

    def _speed(self, bench: Bench, rng: random.Random) -> float:
        """The speed beside that of the first machine at first, without the steps: machine, pull request, noise."""
        noise, more = bench.noise, 1.0 if self.pull is None else OF_PULLS
        machine = next((one for one in POOLS[self.spec.label] if one.name == self.runner), Machine(self.runner))
        speed: float = machine.speed**bench.leaning * (1 + noise.spread * more * _normal(rng))
        speed *= 1 - (noise.low[1] if rng.random() < noise.low[0] else 0.0)
        if rng.random() < noise.spike[0]:
            speed /= 1 + noise.spike[1] * rng.uniform(0.5, 1.0)
        return speed * _of_pull(self.pull)

    def _value(self, bench: Bench, row: Row, speed: float, pace: float) -> float:
        """``level`` × steps × speed; ``pace`` is the speed of requests that arrive at a rate."""
        value = level(bench, row) * bench.factor(row.group, self.commit_share)
        at_once = pace if bench.kind is Kind.ONLINE else speed
        if row.group in (Group.TIME, Group.FIRST):
            value /= speed
        elif row.group in (Group.RATE, Group.DURATION):
            value *= at_once if row.group is Group.RATE else 1 / at_once
        return value


def _text(row: Row, value: float, rng: random.Random) -> str:
    """The number with noise of its own, as it is printed."""
    return f"{value * (1 + row.own * _normal(rng)) if row.own else value:.{row.digits}f}"


def _normal(rng: random.Random) -> float:
    """A draw from the normal distribution, within three SD."""
    return max(-3.0, min(3.0, rng.gauss(0, 1)))


def _of_pull(number: int | None) -> float:
    """Most pull requests change nothing; some are faster or slower by up to 4 %."""
    if number is None:
        return 1.0
    rng = random.Random(f"pull {number}")
    return rng.uniform(0.96, 1.04) if rng.random() < 0.15 else 1.0


def _failure(bench: Bench, value: float) -> str | None:
    if not bench.floor:
        return None
    row = ASSERTED[bench.kind]
    if row.group is Group.TIME:
        limit = round(level(bench, row) / bench.floor)
        return None if value < limit else f"{value} not less than {limit}"
    limit = round(level(bench, row) * bench.floor)
    return None if value > limit else f"{value} not greater than {limit}"


def machine_for(label: str, seed: str, share: float) -> str:
    """A runner of the pool that was there at this share of the window."""
    there = [one for one in POOLS[label] if one.since <= share]
    return random.Random(f"machine {seed}").choices(there, [one.weight for one in there])[0].name
