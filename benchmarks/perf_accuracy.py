"""How often changes of level are found and invented, on real noise and on made-up noise whose truth is known.

``python benchmarks/perf_accuracy.py [--rounds 200]`` writes the section "Change points of performance series" of
docs/accuracy.md. Its seeds are used nowhere else: the method was set on others, and on the first half of the real
series, and left alone before these figures were taken.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.accuracy_page import write_section
from benchmarks.change_point_oracles import ABSENT, KERNEL, OTAVA, PYTHON, ask
from benchmarks.noise_families import (
    MACHINES,
    MADE,
    QUIET,
    Family,
    Floats,
    Rng,
    labels,
    machine_offsets,
    real_families,
    real_values,
)
from trackside.stats.change_points import Segmentation, Series, find_change_points

SEED: Final = 20_261_123
POINTS, AT, LATER = 80, 60, 6
_SAMPLE: Final = 20_000
Places = list[list[int]]


def found_in(series: Sequence[Series]) -> list[Segmentation]:
    """Each series in a call of its own, so that no other series makes it harder to invent a change."""
    return [find_change_points([one])[0] for one in series]


def places_of(found: Sequence[Segmentation]) -> Places:
    """The indices found in each series."""
    return [[point.at for point in one.points] for one in found]


def hits(places: Places, at: int = AT) -> float:
    """The share of series with a point from two before the step to six after it."""
    return float(np.mean([any(at - 2 <= place <= at + LATER for place in one) for one in places]))


def exact(places: Places, at: int = AT) -> float:
    """The share of series with a point at most two beside the step."""
    return float(np.mean([any(abs(place - at) <= 2 for place in one) for one in places]))


def extra(places: Places, at: int = AT) -> float:
    """Points elsewhere, per series."""
    return float(np.mean([sum(not at - 2 <= place <= at + LATER for place in one) for one in places]))


def asked(series: Sequence[Floats]) -> dict[str, Places]:
    """What the oracles say, where they are."""
    return ask([values.tolist() for values in series]) if PYTHON.is_file() else {}


def stepped(family: Family, size: float, rounds: int, seed: Sequence[int]) -> list[Floats]:
    """Series of POINTS values with a step up or down at AT."""
    rng = np.random.default_rng([SEED, *seed])
    rows = [np.array(family(rng, POINTS), dtype=np.float64) for _ in range(rounds)]
    for row in rows:
        row[AT:] += size * rng.choice([-1.0, 1.0])
    return rows


def _cells() -> list[tuple[str, Family, str, float]]:
    """Noise and steps in it: what they are called, how it is drawn and how large the step is."""
    real = real_values()
    cells: list[tuple[str, Family, str, float]] = []
    for name, family in (real_families(real) if real.size else {}).items():
        cells += [(name, family, f"{share:.0%}", share * real.mean()) for share in (0.01, 0.02, 0.03)]
    for name, family in MADE.items():
        deviation = float(family(np.random.default_rng([SEED, 0]), _SAMPLE).std())
        cells += [(name, family, f"{times} SD", times * deviation) for times in (2, 3)]
    return cells


def step_row(number: int, rounds: int) -> str:
    """A row of the table of single steps."""
    name, family, told, size = _cells()[number]
    rows = stepped(family, size, rounds, (1, number))
    early = places_of(found_in([Series(row[: AT + LATER]) for row in rows]))
    done = places_of(found_in([Series(row) for row in rows]))
    return (
        f"| {name} | {told} | {hits(early):.1%} | {hits(done):.1%} | {exact(done):.1%} | {extra(done):.3f} "
        f"| {_others(asked(rows), with_hits=True)} |"
    )


def _others(answers: dict[str, Places], *, with_hits: bool) -> str:
    told = []
    for name in (OTAVA, KERNEL):
        if name not in answers:
            told.append("–")
        elif with_hits:
            told.append(f"{hits(answers[name]):.1%}, {extra(answers[name]):.3f}")
        else:
            told.append(f"{np.mean([len(one) for one in answers[name]]):.3f}")
    return " | ".join(told)


def _unchanged_families() -> dict[str, Family]:
    real = real_values()
    return {**(real_families(real) if real.size else {}), **MADE, **QUIET}


def unchanged_row(number: int, rounds: int) -> str:
    """A row of the table of series in which nothing changed; three times as many, for what is counted is rare."""
    name, family = list(_unchanged_families().items())[number]
    rng = np.random.default_rng([SEED, 2, number])
    rows = [np.asarray(family(rng, POINTS), dtype=np.float64) for _ in range(3 * rounds)]
    false = places_of(found_in([Series(row) for row in rows]))
    rate = np.mean([len(one) for one in false])
    return f"| {name} | {rate:.3f} | {_others(asked(rows), with_hits=False)} |"


def machine_row(number: int, rounds: int) -> str:
    """A row of the table of several machines, known by name, with and without a step of 3 standard deviations."""
    name, machine = list(MACHINES.items())[number]
    deviation = 0.8
    told = []
    for size in (0.0, 3 * deviation):
        rng = np.random.default_rng([SEED, 3, number, int(size > 0)])
        series = []
        for _ in range(rounds):
            codes = machine(rng, POINTS, AT)
            values = 100 + rng.normal(0, deviation, POINTS) + machine_offsets(rng, codes)
            values[AT:] -= size
            series.append(Series(values, labels(codes)))
        found = found_in(series)
        told.append((places_of(found), [[point.at for point in one.confounded] for one in found]))
    (none, apart), (done, also) = told
    rate, shift = (float(np.mean([len(one) for one in places])) for places in (none, apart))
    return f"| {name} | {rate:.3f} | {shift:.3f} | {hits(done):.1%} | {extra(done):.3f} | {hits(also):.1%} |"


_TIME: Final = np.arange(POINTS)
_STEP: Final = 3.0 * (_TIME >= AT)


def _mixture(rng: Rng) -> Series:
    """A step of -3, a drift of 2 over the series, spikes and two machines 2 apart, in units of the noise."""
    codes = rng.integers(0, 2, POINTS)
    values = 100 + rng.normal(0, 1, POINTS) + 2 * codes + 2 * _TIME / POINTS + 10 * (rng.random(POINTS) < 0.03)
    return Series(values - _STEP, labels(codes))


def _shape(shape: npt.NDArray[np.floating]) -> Callable[[Rng], Series]:
    return lambda rng: Series(100 + rng.normal(0, 1, POINTS) + shape)


def _spikes(count: int) -> Callable[[Rng], Series]:
    def make(rng: Rng) -> Series:
        values = 100 + rng.normal(0, 1, POINTS)
        first = int(rng.integers(0, POINTS - count))
        values[first : first + count] += 15
        return Series(values)

    return make


SHAPES: Final[dict[str, tuple[tuple[int, ...], Callable[[Rng], Series]]]] = {
    "step, drift, spikes and two machines": ((AT,), _mixture),
    "step of 3, drift of 4 the same way": ((AT,), _shape(_STEP + 4 * _TIME / POINTS)),
    "step of 3, drift of 8 the other way": ((AT,), _shape(_STEP - 8 * _TIME / POINTS)),
    "drift of 2": ((), _shape(2 * _TIME / POINTS)),
    "drift of 4": ((), _shape(4 * _TIME / POINTS)),
    "drift of 8": ((), _shape(8 * _TIME / POINTS)),
    "ramp of 8 over 20 points": ((), _shape(8 * np.clip((_TIME - 40) / 20, 0, 1))),
    "change of 3 and its repair 12 points later": ((AT, AT + 12), _shape(_STEP - 3.0 * (_TIME >= AT + 12))),
    "change of 4 and its repair 6 points later": ((AT, AT + 6), _shape(4 / 3 * _STEP - 4.0 * (_TIME >= AT + 6))),
    "three steps of 3, up": ((20, 40, 60), _shape(3.0 * (_TIME // 20))),
    "steps of 3, up, down, up": ((20, 40, 60), _shape(3.0 * ((_TIME // 20) % 2))),
    "one spike of 15": ((), _spikes(1)),
    "two spikes of 15 beside each other": ((), _spikes(2)),
}


def shape_row(number: int, rounds: int) -> str:
    """A row of the table of other shapes."""
    name, (truth, make) = list(SHAPES.items())[number]
    rng = np.random.default_rng([SEED, 4, number])
    found = found_in([make(rng) for _ in range(rounds)])
    places = places_of(found)
    right = [any(abs(place - at) <= 2 for place in one) for one in places for at in truth]
    other = np.mean([sum(all(abs(place - at) > 2 for at in truth) for place in one) for one in places])
    share = f"{np.mean(right):.1%}" if truth else "–"
    drifting = np.mean([one.is_drifting for one in found])
    return f"| {name} | {len(truth)} | {share} | {other:.3f} | {drifting:.0%} |"


def together(calls: int) -> str:
    """How one changed series fares among very many unchanged ones in the same call."""
    real = real_values()
    family = real_families(real)["real, drawn one by one"] if real.size else MADE["normal"]
    size = 0.02 * real.mean() if real.size else 3.0
    caught, false, among = 0, 0, 2_000
    began = time.process_time()
    for call in range(calls):
        rng = np.random.default_rng([SEED, 5, call])
        rows = [np.array(family(rng, AT + LATER), dtype=np.float64) for _ in range(among)]
        rows[0][AT:] -= size
        found = places_of(find_change_points([Series(row) for row in rows]))
        caught += hits(found[:1]) > 0
        false += sum(len(one) for one in found[1:])
    seconds = (time.process_time() - began) / calls
    told = "2 %" if real.size else "3 SD"
    return (
        f"One series with a step of {told} six runs ago among {among:,} of {AT + LATER} points in one call: "
        f"found in {caught} of {calls} calls; {false} false points in the {calls * (among - 1):,} others; "
        f"{seconds:.1f} s of CPU a call."
    )


def cost() -> str:
    """How long 1,000 series of 150 points take, one in twenty of them changed."""
    rng = np.random.default_rng([SEED, 6])
    rows = [np.array(list(MADE.values())[number % len(MADE)](rng, 150)) for number in range(1_000)]
    for row in rows[::20]:
        row[100:] += 3 * row.std()
    began = time.process_time()
    find_change_points([Series(row) for row in rows])
    return f"1,000 series of 150 points, one in twenty changed, take {time.process_time() - began:.1f} s of CPU."


TABLES: Final[tuple[tuple[Callable[[int, int], str], Callable[[], int], str], ...]] = (
    (
        step_row,
        lambda: len(_cells()),
        "noise | step | within 6 later runs | finished series | at most 2 off | extra points | Otava | ruptures",
    ),
    (
        unchanged_row,
        lambda: len(_unchanged_families()),
        f"unchanged series of {POINTS} points | false points per series | Otava | ruptures",
    ),
    (
        machine_row,
        lambda: len(MACHINES),
        "machines | unchanged: false points | unchanged: told apart as confounded | step: finished series "
        "| step: extra points | step: told apart as confounded",
    ),
    (
        shape_row,
        lambda: len(SHAPES),
        "shape, in units of the noise | planted | found, at most 2 off | other points per series | told as drifting",
    ),
)
"""How a row is made, how many there are, and the headings."""


def section(rounds: int, processes: int) -> Iterator[str]:
    """The section in lines."""
    yield HEAD.format(rounds=rounds, points=POINTS, at=AT, later=LATER)
    if not real_values().size:
        yield "The real series was not at hand (TRACKSIDE_REAL_DATA).\n"
    if not PYTHON.is_file():
        yield f"The other finders were not at hand: {ABSENT}.\n"
    with ProcessPoolExecutor(processes) as pool:
        running = [[pool.submit(row, number, rounds) for number in range(rows())] for row, rows, _ in TABLES]
        for (_, _, headings), rows in zip(TABLES, running, strict=True):
            yield f"| {headings} |"
            yield f"|{'---|' * (headings.count('|') + 1)}"
            for row in rows:
                print(told := row.result(), file=sys.stderr)
                yield told
            yield ""
    yield together(max(rounds // 30, 1))
    yield ""
    yield cost()


HEAD: Final = """\
## Change points of performance series

Made by `python benchmarks/perf_accuracy.py`: {rounds} series in each row (three times as many where nothing changed),
{points} points each, each series in a call of its own. The real noise is the throughput of one test of SGLang's CI over
two months (185 runs, 0.7 % scatter, two modes); the rest is made up. A step, up or down, lies at point {at}. *Within
{later} later runs* means that it is found when only {later} points of the new level exist. Found is a point from
{at} - 2 to {at} + {later}; extra points lie elsewhere. SD is the standard deviation of the noise, spikes and modes
included. Otava 0.8 (p up to 0.001) and kernel change points of ruptures 1.1 (Gaussian, at least 3 points, penalty
3 ln n) saw the same finished series: found, and extra points per series. The method was set on other seeds and on the
first half of the real series; a level has at least 3 points, p is at most 0.005 and q at most 0.05. Made-up noise is
tidier than real noise, and the real series is one only.
"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200, help="series in each row")
    parser.add_argument("--processes", type=int, default=2, help="how many rows are made at a time")
    options = parser.parse_args()
    write_section("\n".join(section(options.rounds, options.processes)))
