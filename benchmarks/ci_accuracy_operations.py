"""How right the search for bad runners is: weeks without one, and weeks in which one is planted.

``python benchmarks/ci_accuracy_operations.py`` writes the section "Bad runners" of docs/accuracy.md. The rules were
frozen before, and the seeds are used nowhere else.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.accuracy_page import write_section  # noqa: E402
from benchmarks.runner_worlds import World, a_world  # noqa: E402
from trackside.ci.runners import RunnerReport, judge_runners  # noqa: E402

TITLE: Final = "## Bad runners"
WORLDS: Final = 200
RUNS: Final = (60, 150, 300)
EXTRAS: Final = (0.05, 0.1, 0.2, 0.4)
NULL_SEED: Final = 410_000
PLANTED_SEED: Final = 420_000


class Figures(NamedTuple):
    """Over some worlds: those in which a good runner or pool was named, how many were, and the bad ones found.

    ``counted`` is how often a count of failures alone (the runner with the most) points at a good runner.
    """

    worlds: int
    judged: int
    alarmed: int
    false: int
    found: int
    counted: int


def main() -> None:
    """Measures, and writes the section into the page."""
    write_section(section())


def section() -> str:
    """The section in Markdown, measured now."""
    null = measure(NULL_SEED, WORLDS, 0.0)
    planted = [(extra, runs, measure(PLANTED_SEED, WORLDS, extra, (runs,))) for extra in EXTRAS for runs in RUNS]
    rows = [
        f"| +{extra * 100:.0f} points | {runs} | {one.worlds} | {_share(one.found, one.worlds)} "
        f"| {one.false} of {one.judged:,} | {_share(one.counted, one.worlds)} |"
        for extra, runs, one in planted
    ]
    return "\n".join([*_introduction(null), *rows, *_conclusion([one for _, _, one in planted])])


def measure(seed: int, worlds: int, extra: float, runs: tuple[int, ...] = RUNS) -> Figures:
    """The figures of so many worlds, whose sizes take turns."""
    judged = alarmed = false = found = counted = 0
    for number in range(worlds):
        world = a_world(seed + number, runs=runs[number % len(runs)], extra=extra)
        report = judge_runners(world.history)
        wrong = _false(world, report)
        judged += len(report.runners)
        alarmed += wrong > 0
        false += wrong
        found += any(one.name in world.bad for one in report.bad)
        counted += _most_failures(world) not in world.bad
    return Figures(worlds, judged, alarmed, false, found, counted)


def _false(world: World, report: RunnerReport) -> int:
    return sum(one.name not in world.bad for one in report.bad)


def _most_failures(world: World) -> str:
    """The runner on which most jobs failed: what a count would name."""
    failed = world.history.jobs.filter(pl.col("outcome") == "failed")
    return str(failed.group_by("runner_name").len().sort("len", "runner_name", descending=True)["runner_name"][0])


def _introduction(null: Figures) -> list[str]:
    return [
        f"""{TITLE}

Made by `python benchmarks/ci_accuracy_operations.py`. Weeks of CI are simulated: two to four pools of three to twelve
runners, jobs that wait for the first free one, jobs that fail by chance at rates from 0 to 100 %, jobs that are broken
for everybody for hours or days, commits that break many jobs at once and are run again, runners that join late and
runners of two pools. The rules of `trackside ci runners` (blocks of 20 executions of a job, q at most 0.05, 3 failures
on 3 commits, 1.5 times what is expected) were frozen before; the seeds are used nowhere else.

In {null.worlds} weeks without a bad runner {null.judged:,} runners were judged. Named, wrongly: {null.false}, in
{null.alarmed} of the weeks. With one bad runner, which makes a share of its jobs fail beyond their own failures
(every row has the same 200 seeds):

| planted | runs | weeks | bad runner named | good ones named | a count of failures names a good one |
|---|---|---|---|---|---|"""
    ]


def _conclusion(planted: list[Figures]) -> list[str]:
    worlds = sum(one.worlds for one in planted)
    false, found = sum(one.false for one in planted), sum(one.found for one in planted)
    return [
        f"""
Of all that were named in the {worlds:,} planted weeks {_share(found, found + false)} are the planted runner. What is
small or rare is found late: a longer window (`--since 30d`) has more runs. The simulation knows no runner that is bad
for some jobs only, nor one that is bad for hours and recovers."""
    ]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


if __name__ == "__main__":
    main()
