"""How right the statistics of agent operations are: bottlenecks that were planted, trends, quantiles of aggregates.

``python benchmarks/agents_accuracy.py`` writes the section "Statistics of agent operations" of docs/accuracy.md. The
rules were frozen before, and the seeds are used nowhere else.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.accuracy_page import write_section  # noqa: E402
from benchmarks.agents_scale import whole_frame  # noqa: E402
from benchmarks.noise_families import MADE, QUIET, Family  # noqa: E402
from trackside.agents.attempts import STEP_KEY, Attempts  # noqa: E402
from trackside.agents.bands import ERROR_SHARE, LEAST_ERROR_S, Aggregate, aggregates_of, quantile_s  # noqa: E402
from trackside.agents.frames import AGENT_RUN_COLUMNS, STEP_COLUMNS, AgentHistory  # noqa: E402
from trackside.agents.outcome_counts import KIND  # noqa: E402
from trackside.agents.steps import slowest_of, step_rows  # noqa: E402
from trackside.agents.trends import LEAST_S, LEAST_SHARE, Q, Trends, duration_trends, success_trends  # noqa: E402
from trackside.history.frames import (  # noqa: E402
    FAILURE_COLUMNS,
    JOB_COLUMNS,
    RUN_COLUMNS,
    TEST_FILE_COLUMNS,
    History,
    empty_frame,
)

Floats = npt.NDArray[np.float64]
Rng = np.random.Generator
Shape = Callable[[Rng, int], Floats]
SEED: Final = 880_000
WORLDS: Final = 100
SETS: Final = 1000
RUNS: Final = (10, 40, 160)
GROUPS: Final = 40
CHANGED: Final = 5
RISES: Final = (0.1, 0.2, 0.5)
FACTORS: Final = (1.1, 1.3, 2.0)
DROPS: Final = (0.1, 0.2, 0.4)
RATES: Final = (0.95, 0.7)
CLUMPS: Final = {"unrelated": 0.0, "in stretches": 0.5}
LEVEL_S, SPREAD_S = 300.0, 45.0
SHAPES: Final[dict[str, Shape]] = {
    "nearly alike, around 5 minutes": lambda rng, n: rng.lognormal(5.7, 0.1, n),
    "spread by half, around a minute": lambda rng, n: rng.lognormal(4.1, 0.5, n),
    "from seconds to hours": lambda rng, n: rng.lognormal(5, 2, n),
    "of a few seconds": lambda rng, n: rng.lognormal(1, 0.7, n),
    "two kinds, a minute and an hour": lambda rng, n: (
        np.where(rng.random(n) < 0.5, 60.0, 3600.0) * rng.normal(1, 0.1, n)
    ),
}


class TrendFigures(NamedTuple):
    """Of tables without a change: groups, those that would be told alone, and tables with any told. Of tables with
    changes: told rightly by size of the change, all that was told, and what of it was false."""

    groups: int
    alone: int
    tables: int
    alarmed: int
    planted: int
    found: tuple[int, ...]
    told: int
    false: int


def bottlenecks(runs: int, factor: float, worlds: int) -> tuple[int, int]:
    """In how many of so many workflows the planted step was named first, and in how many it took most time."""
    first = most = 0
    for number in range(worlds):
        rng = np.random.default_rng((SEED, 1, runs, int(factor * 100), number))
        jobs, steps = int(rng.integers(2, 5)), int(rng.integers(6, 13))
        medians = rng.lognormal(3, 1.2, (jobs, steps))
        spread = rng.uniform(0.1, 0.6, (jobs, steps))
        place = (int(rng.integers(jobs)), int(rng.integers(steps)))
        mean = medians * np.exp(spread**2 / 2)
        mean[place] = 0.0
        medians[place] = factor * mean.max() / np.exp(spread[place] ** 2 / 2)
        seconds = np.round(medians * np.exp(rng.normal(0, 1, (runs, jobs, steps)) * spread))
        named = slowest_of(step_rows(_step_attempts(seconds)))[0]
        first += (named.job, named.step) == (f"job {place[0]}", f"step {place[1]}")
        most += seconds.sum(axis=0).argmax() == place[0] * steps + place[1]
    return first, most


def _step_attempts(seconds: Floats) -> Attempts:
    runs = seconds.shape[0]
    run, job, step = (one.ravel() for one in np.indices(seconds.shape))
    rows = pl.DataFrame({"is_late": run * 2 >= runs, "job": job, "step": step, "duration_s": seconds.ravel()})
    rows = rows.with_row_index("place")
    rows = rows.select(
        "is_late",
        "duration_s",
        "place",
        pl.lit("CI").alias("workflow"),
        pl.format("job {}", "job").alias("family"),
        pl.format("step {}", "step").alias("step"),
        pl.lit("success", KIND).alias("kind"),
    )
    return Attempts(rows.clear(), rows.clear(), rows)


def trends_of(name: str, family: Family, runs: int, worlds: int) -> TrendFigures:
    """The figures of tables of GROUPS steps with this noise, and with changes planted in some of them."""
    alone = alarmed = told = false = 0
    found = [0] * len(RISES)
    for number in range(worlds):
        rng = np.random.default_rng((SEED, 2, runs, number, *name.encode()))
        noise: Floats = np.stack([family(rng, runs) for _ in range(GROUPS)], axis=1)
        seconds: Floats = np.maximum(np.round(LEVEL_S + SPREAD_S * (noise - 100)), 0.0)
        null = _trends(seconds)
        alone += sum(_would_be_told(null, key) for key in null)
        alarmed += any(one.direction in ("up", "down") for one in null.values())
        for place, rise in enumerate(RISES):
            seconds[runs // 2 :, place * CHANGED : (place + 1) * CHANGED] *= 1 + rise
        changed = _trends(np.round(seconds))
        directions = [changed[("CI", "job", f"step {place}")].direction for place in range(GROUPS)]
        for place in range(len(RISES)):
            found[place] += directions[place * CHANGED : (place + 1) * CHANGED].count("up")
        told += sum(one in ("up", "down") for one in directions)
        false += sum(one in ("up", "down") for one in directions[len(RISES) * CHANGED :])
        false += directions[: len(RISES) * CHANGED].count("down")
    return TrendFigures(worlds * GROUPS, alone, worlds, alarmed, worlds * CHANGED, tuple(found), told, false)


def _trends(seconds: Floats) -> Trends:
    runs, groups = seconds.shape
    rows = pl.DataFrame(
        {
            "workflow": ["CI"] * seconds.size,
            "family": ["job"] * seconds.size,
            "step": [f"step {place}" for place in range(groups)] * runs,
            "is_late": np.repeat(np.arange(runs) * 2 >= runs, groups),
            "place": np.repeat(np.arange(runs), groups),
            "duration_s": seconds.ravel(),
        }
    )
    return duration_trends(rows, STEP_KEY, "duration_s")


def _would_be_told(trends: Trends, key: tuple[str, ...]) -> bool:
    """Whether it is told in a table of its own, where p is q."""
    one = trends[key]
    if one.p_value is None or one.before is None or one.after is None:
        return False
    return one.p_value <= Q and abs(one.after - one.before) >= max(LEAST_S, LEAST_SHARE * one.before)


def success_figures(clump: float, rate: float, runs: int, worlds: int) -> tuple[int, int, tuple[int, ...]]:
    """Of tables of GROUPS workflows with this rate: tables with any false trend; planted drops, and those told.

    ``clump`` is the chance that a run ends as the one before it did, whatever its own would be.
    """
    alarmed, found = 0, [0] * len(DROPS)
    for number in range(worlds):
        rng = np.random.default_rng((SEED, 3, runs, int(rate * 1000), int(clump * 10), number))
        rates = np.full((2, GROUPS), rate)
        alarmed += any(one.direction in ("up", "down") for one in _successes(rng, rates, runs, clump).values())
        for place, drop in enumerate(DROPS):
            rates[1, place * CHANGED : (place + 1) * CHANGED] -= drop
        told = _successes(rng, rates, runs, clump)
        for place in range(len(DROPS)):
            mine = range(place * CHANGED, (place + 1) * CHANGED)
            found[place] += sum(told[(f"workflow {one}",)].direction == "down" for one in mine)
    return alarmed, worlds * CHANGED, tuple(found)


def _successes(rng: Rng, rates: Floats, runs: int, clump: float) -> Trends:
    late = np.arange(runs) * 2 >= runs
    good = rng.random((runs, GROUPS)) < rates[late.astype(int)]
    again = rng.random((runs, GROUPS)) < clump
    for run in range(1, runs):
        good[run] = np.where(again[run], good[run - 1], good[run])
    rows = pl.DataFrame(
        {
            "workflow": [f"workflow {place}" for place in range(GROUPS)] * runs,
            "is_late": np.repeat(late, GROUPS),
            "place": np.repeat(np.arange(runs), GROUPS),
            "kind": np.where(good.ravel(), "success", "failure"),
        }
    )
    return success_trends(rows.with_columns(pl.col("kind").cast(KIND)), ["workflow"])


def quantile_errors(name: str, shape: Shape, share: float) -> tuple[float, float]:
    """The mean and the largest error of a quantile of aggregates, as a share of it, or of LEAST_ERROR_S / 5 %."""
    rng = np.random.default_rng((SEED, 4, *name.encode()))
    sets = {f"set {number}": np.round(shape(rng, int(rng.integers(1, 400)))) for number in range(SETS)}
    told = {one.workflow: quantile_s(one, share) for one in _aggregates(sets)}
    errors = []
    for key, seconds in sets.items():
        exact, value = float(np.quantile(seconds, share)), told[key]
        assert value is not None
        errors.append(abs(value - exact) / max(exact, LEAST_ERROR_S / ERROR_SHARE))
    return float(np.mean(errors)), float(np.max(errors))


def _aggregates(sets: Mapping[str, Floats]) -> tuple[Aggregate, ...]:
    """Those of runs with these durations, by workflow."""
    frames = [pl.DataFrame({"workflow": key, "duration_s": seconds}) for key, seconds in sets.items()]
    rows = (
        pl.concat(frames)
        .with_row_index("run_id")
        .with_columns(
            run_attempt=1, status=pl.lit("completed"), conclusion=pl.lit("success"), is_read=pl.lit(value=True)
        )
    )
    runs = whole_frame(rows, AGENT_RUN_COLUMNS)
    history = History(
        repo="octo/engine",
        runs=runs.select(list(RUN_COLUMNS)),
        jobs=empty_frame(JOB_COLUMNS),
        failures=empty_frame(FAILURE_COLUMNS),
        test_files=empty_frame(TEST_FILE_COLUMNS),
    )
    return aggregates_of(AgentHistory(history=history, runs=runs, steps=empty_frame(STEP_COLUMNS)), runs)


def section(worlds: int) -> Iterator[str]:
    """The section in lines, measured now."""
    yield HEAD
    yield from _bottleneck_lines(worlds)
    yield from _trend_lines(worlds)
    yield from _success_lines(worlds)
    yield from _quantile_lines()


def _bottleneck_lines(worlds: int) -> Iterator[str]:
    yield BOTTLENECKS.format(worlds=worlds)
    yield f"| runs | {' | '.join(f'{factor:g} times the next' for factor in FACTORS)} |"
    yield f"|---|{'---|' * len(FACTORS)}"
    for runs in RUNS:
        told = [bottlenecks(runs, factor, worlds) for factor in FACTORS]
        cells = [f"{first} of {worlds} (took most: {most})" for first, most in told]
        yield f"| {runs} | {' | '.join(cells)} |"


def _trend_lines(worlds: int) -> Iterator[str]:
    yield TRENDS.format(worlds=worlds, groups=GROUPS, changed=CHANGED, spread=SPREAD_S / LEVEL_S)
    rises = " | ".join(f"+{rise:.0%} told" for rise in RISES)
    yield f"| noise | runs | told alone, no change | tables with any, no change | {rises} | false of the told |"
    yield f"|---|---|---|---|{'---|' * len(RISES)}---|"
    for name, family in {**MADE, **QUIET}.items():
        for runs in RUNS:
            one = trends_of(name, family, runs, worlds)
            found = " | ".join(_share(count, one.planted) for count in one.found)
            alarms = f"{_share(one.alone, one.groups)} | {_share(one.alarmed, one.tables)}"
            yield f"| {name} | {runs} | {alarms} | {found} | {_share(one.false, one.told)} |"


def _success_lines(worlds: int) -> Iterator[str]:
    yield SUCCESSES.format(worlds=worlds, groups=GROUPS, changed=CHANGED)
    drops = " | ".join(f"{drop * 100:.0f} points" for drop in DROPS)
    yield f"| results | rate | runs | tables with any, no change | {drops} |"
    yield f"|---|---|---|---|{'---|' * len(DROPS)}"
    for (name, clump), rate, runs in product(CLUMPS.items(), RATES, RUNS):
        alarmed, planted, found = success_figures(clump, rate, runs, worlds)
        cells = " | ".join(_share(count, planted) for count in found)
        yield f"| {name} | {rate:.0%} | {runs} | {_share(alarmed, worlds)} | {cells} |"


def _quantile_lines() -> Iterator[str]:
    yield QUANTILES.format(sets=SETS, share=ERROR_SHARE, least=LEAST_ERROR_S)
    yield "| times | p50, mean | p50, largest | p90, mean | p90, largest |"
    yield "|---|---|---|---|---|"
    for name, shape in SHAPES.items():
        errors: Sequence[float] = [*quantile_errors(name, shape, 0.5), *quantile_errors(name, shape, 0.9)]
        yield f"| {name} | {' | '.join(f'{error:.2%}' for error in errors)} |"


def _share(got: int, of: int) -> str:
    return f"{got / of:.1%}" if of else "–"


HEAD: Final = """\
## Statistics of agent operations

Made by `python benchmarks/agents_accuracy.py`. All of it is made up; the rules (`src/trackside/agents/`) were frozen
before, and the seeds are used nowhere else.
"""
BOTTLENECKS: Final = """\
**Bottlenecks.** Workflows of two to four jobs with six to twelve steps each, whose medians and spreads differ widely.
One step is given a mean time that is so many times that of the next. Counted is in how many of {worlds} workflows it is
told first among the slowest steps; in brackets, in how many it really took the most time in these runs.
"""
TRENDS: Final = """
**Trends of durations.** {worlds} tables of {groups} steps, whole seconds around five minutes with a standard deviation
of about {spread:.0%}. *Told alone, no change* is the share of steps without a change that a table of one step would
call longer or shorter, *tables with any* the share of tables of {groups} steps that call one of them so. Then
{changed} steps of each table each grow by the shares in the headings in the later half of the window: told is how many
of them are called longer, *false of the told* the share of wrong ones among all that is told. Of ten runs little can be
told among so many steps; and where neighbours are alike and runs few, more is false, as few values do not tell how much
alike they are.
"""
SUCCESSES: Final = """
**Trends of success.** {worlds} tables of {groups} workflows, with so many runs each, all of one rate; then the rate of
{changed} workflows each falls by so many points in the later half of the window, and told is how many are called worse.
*In stretches*: every second run ends as the one before it did, as where one breakage fails several.
"""
QUANTILES: Final = """
**Quantiles of aggregates.** {sets} sets of up to 400 whole seconds, added up in buckets, beside the quantile of the
values themselves. The stated bound is {share:.0%} of the quantile or {least:g} s, whichever is more; errors are
shares of the quantile, or of 20 s where it is less.
"""


if __name__ == "__main__":
    write_section("\n".join(section(int(sys.argv[1]) if len(sys.argv) > 1 else WORLDS)))
