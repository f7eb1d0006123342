"""How right ``trackside perf compare`` is: pull requests that change nothing, and some that make one test slower.

``python benchmarks/perf_compare_accuracy.py`` writes the section "Comparing two commits" of docs/accuracy.md. The rules
were frozen before, and the seeds are used nowhere else.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import polars as pl

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.accuracy_page import write_section  # noqa: E402
from benchmarks.perf_compare_worlds import KINDS, World, make_world, real_noise, slowed  # noqa: E402
from trackside.perf.comparison import compare  # noqa: E402
from trackside.perf.comparison_records import Comparison, Verdict  # noqa: E402
from trackside.perf.sides import Side, SideKind  # noqa: E402

PROCESSES: Final = 2
NEED_REAL: Final = ("real", "real blocks", "mixed")
SEED: Final = 530_000
WORLDS: Final = 20
SERIES, RUNS = 24, 80
PULL_RUNS: Final = (1, 2, 3)
DROPS: Final = (0.05, 0.03)
"""By how much the first series is slowed, and the second; the others are not."""
SIDES: Final = (
    Side(kind=SideKind.DEFAULT, label="main", line="main"),
    Side(kind=SideKind.PULL, label="PR #1", sha="f" * 40, pull_number=1),
)


class Figures(NamedTuple):
    """Over pull requests with so many runs each: what was told where nothing changed, and what of the slowed series.

    ``alarmed`` counts pull requests with any false verdict, ``false`` the series told as slower or faster, ``same`` and
    ``too_few`` the others; ``found`` counts for each of DROPS the pull requests in which it was told.
    """

    pulls: int
    alarmed: int
    false: int
    same: int
    too_few: int
    found: tuple[int, ...]


def measure(kind: str, worlds: int) -> dict[int, Figures]:
    """The figures of so many repositories, for each number of runs of the pull request."""
    told: dict[int, list[tuple[Comparison, Comparison]]] = {count: [] for count in PULL_RUNS}
    for number in range(worlds):
        rng = np.random.default_rng((SEED, number, *kind.encode()))
        world = make_world(rng, kind, series=SERIES, runs=RUNS, pull_runs=max(PULL_RUNS))
        slow = slowed(world, DROPS)
        for count, pairs in told.items():
            pairs.append((_compared(world, count), _compared(slow, count)))
    return {count: _figures(pairs) for count, pairs in told.items()}


def _compared(world: World, pull_runs: int) -> Comparison:
    """The comparison with the first so many runs of the pull request."""
    points = world.points.filter(pl.col("run_id") < RUNS + pull_runs)
    return compare(points, world.levels, SIDES, "octo/engine")


def _figures(pairs: Sequence[tuple[Comparison, Comparison]]) -> Figures:
    alarms = [len(null.of(Verdict.WORSE)) + len(null.of(Verdict.BETTER)) for null, _ in pairs]
    return Figures(
        pulls=len(pairs),
        alarmed=sum(count > 0 for count in alarms),
        false=sum(alarms),
        same=sum(len(null.of(Verdict.SAME)) for null, _ in pairs),
        too_few=sum(len(null.of(Verdict.TOO_FEW)) for null, _ in pairs),
        found=tuple(sum(_is_told(slow, number) for _, slow in pairs) for number in range(len(DROPS))),
    )


def _is_told(told: Comparison, number: int) -> bool:
    return any(one.series == f"series {number}" for one in told.of(Verdict.WORSE))


def section(worlds: int) -> Iterator[str]:
    """The section in lines, measured now."""
    kinds = [kind for kind in KINDS if real_noise().size or kind.name not in NEED_REAL]
    with ProcessPoolExecutor(PROCESSES) as pool:
        names = [kind.name for kind in kinds]
        figures = dict(zip(kinds, pool.map(measure, names, [worlds] * len(kinds)), strict=True))
    every = [one for by_count in figures.values() for one in by_count.values()]
    pulls, alarmed = sum(one.pulls for one in every), sum(one.alarmed for one in every)
    yield HEAD.format(worlds=worlds, series=SERIES, runs=RUNS, larger=DROPS[0], smaller=DROPS[1])
    yield f"Pull requests that change nothing with any false verdict: {_share(alarmed, pulls)}."
    yield ""
    yield f"| noise | runs of the pull request | any false verdict | too few to tell | {_titles()} |"
    yield f"|---|---|---|---|{'---|' * len(DROPS)}"
    for kind, by_count in figures.items():
        for count, one in by_count.items():
            found = " | ".join(_share(told, one.pulls) for told in one.found)
            few = f"{one.too_few / (one.pulls * SERIES):.1%}"
            yield f"| {kind.words} | {count} | {_share(one.alarmed, one.pulls)} | {few} | {found} |"
    if len(kinds) < len(KINDS):
        yield ""
        yield "Without the real series, which was not there: the kinds that are drawn from it are missing."


def _titles() -> str:
    return " | ".join(f"a drop of {drop:.0%} told" for drop in DROPS)


def _share(got: int, of: int) -> str:
    return f"{got:,} of {of:,} ({got / of:.1%})"


HEAD: Final = """\
## Comparing two commits

Made by `python benchmarks/perf_compare_accuracy.py`: {worlds} repositories of each kind, each with {series} series of
{runs} runs on the default branch, on three machines, and a pull request with one, two and three runs. Once the pull
request changes nothing: any series that is told as slower or faster is false. Once it makes one series slower by
{larger:.0%} and another by {smaller:.0%}, and the other series not at all. The levels are those that are found in the
series, as `trackside perf compare` does it. Real noise is that of the throughput of a real CI of 185 runs, drawn anew;
all else is made up. The rules were frozen before, and the seeds are used nowhere else.

One value can lie as far off as the worst that was seen before, and among {series} series one does. So a single run
tells only large drops, and next to nothing where there are spikes: that is told as too few, with how many more runs are
needed.
"""


if __name__ == "__main__":
    write_section("\n".join(section(int(sys.argv[1]) if len(sys.argv) > 1 else WORLDS)))
