"""Made-up repositories whose pull requests are known: performance series with noise of several kinds."""

from __future__ import annotations

import csv
import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from trackside.perf.change_records import LEVEL_COLUMNS
from trackside.perf.points import POINT_COLUMNS
from trackside.stats.change_points import Series, find_change_points

Floats = npt.NDArray[np.float64]
Rng = np.random.Generator
DATA: Final = Path(os.environ.get("TRACKSIDE_REAL_DATA", Path(__file__).parent.parent.parent / "shared" / "data"))
REAL: Final = DATA / "perf-series" / "sglang_bs1_throughput.csv"
REAL_COLUMN: Final = "output_throughput_token_s"
LEVEL: Final = 150.0
_START: Final = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
_HOUR: Final = dt.timedelta(hours=1)
_MACHINES: Final = ("a", "b", "c")
_TWO_MACHINES: Final = 0.012
_STEP: Final = 0.03


class World(NamedTuple):
    """The points of a repository, the levels found in them, and the number of its one pull request."""

    points: pl.DataFrame
    levels: pl.DataFrame


class Kind(NamedTuple):
    """How the series of a world are noisy. ``words`` say it in the page."""

    name: str
    words: str


KINDS: Final = (
    Kind("real", "real noise (CV 0.7 %, two modes), drawn one by one"),
    Kind("real blocks", "the same, drawn in blocks of five neighbours"),
    Kind("normal", "normal, CV 0.5 to 1.5 %"),
    Kind("heavy", "t with 3 degrees of freedom, scale 0.7 %"),
    Kind("modes", "two hidden modes 2 % apart, CV of each 0.3 %"),
    Kind("spikes", "normal, CV 0.7 %; one value in 30 is 4 to 12 % worse"),
    Kind("machines", "three machines, the second 1.2 % slower, CV 0.5 %"),
    Kind("step", "normal, CV 0.7 %, and a step of 3 % on the default branch"),
    Kind("drift", "normal, CV 0.7 %, and a drift of 1 % from begin to end"),
    Kind("mixed", "a third each: real, normal, with spikes"),
)


def real_noise() -> Floats:
    """The values of the real series over their mean, in the order of its runs; nothing where it is absent."""
    if not REAL.is_file():
        return np.zeros(0)
    with REAL.open(encoding="utf-8") as lines:
        rows = sorted(csv.DictReader(lines), key=lambda row: int(row["run_number"]))
    values = np.array([float(row[REAL_COLUMN]) for row in rows if row[REAL_COLUMN]])
    shares: Floats = values / values.mean()
    return shares


def make_world(rng: Rng, kind: str, *, series: int, runs: int, pull_runs: int) -> World:
    """A repository with so many series and runs on its default branch, and a pull request that changes nothing."""
    machines = rng.integers(len(_MACHINES), size=runs + pull_runs)
    named = [_MACHINES[place] for place in machines]
    kinds = [_kind_of(kind, number) for number in range(series)]
    values = np.array([_values(rng, one, runs + pull_runs, machines) for one in kinds])
    frame = pl.concat([_frame(number, row * LEVEL, runs, named) for number, row in enumerate(values)])
    return World(frame, _levels(frame))


def slowed(world: World, drops: Sequence[float]) -> World:
    """The same world, in which the pull request makes the first series worse by the shares ``drops``."""
    factors = {f"series {number}": 1 - drop for number, drop in enumerate(drops)}
    factor = pl.col("series").replace_strict(factors, default=1.0, return_dtype=pl.Float64)
    value = pl.when("is_default_line").then("value").otherwise(pl.col("value") * factor)
    return world._replace(points=world.points.with_columns(value=value))


def _kind_of(kind: str, number: int) -> str:
    return ("real", "normal", "spikes")[number % 3] if kind == "mixed" else kind


def _values(rng: Rng, kind: str, n: int, machines: npt.NDArray[np.int64]) -> Floats:
    """Relative values about 1; less is worse."""
    if kind.startswith("real"):
        return _replayed(rng, real_noise(), n, 5 if kind == "real blocks" else 1)
    spread = {"normal": rng.uniform(0.005, 0.015), "modes": 0.003, "machines": 0.005}.get(kind, 0.007)
    noise = rng.standard_t(3, n) if kind == "heavy" else rng.normal(size=n)
    values = 1 + spread * noise
    if kind == "modes":
        values -= 0.02 * (rng.random(n) < rng.uniform(0.1, 0.5))
    elif kind == "spikes":
        values -= (rng.random(n) < 1 / 30) * rng.uniform(0.04, 0.12, n)
    elif kind == "machines":
        values -= _TWO_MACHINES * (machines == 1)
    elif kind == "step":
        values -= rng.choice((-1, 1)) * _STEP * (np.arange(n) >= rng.integers(n // 4, n - 8))
    elif kind == "drift":
        values += rng.choice((-1, 1)) * 0.01 * np.arange(n) / n
    return values


def _replayed(rng: Rng, values: Floats, n: int, length: int) -> Floats:
    starts = rng.integers(values.size - length + 1, size=n // length + 1)
    drawn: Floats = values[(starts[:, None] + np.arange(length)).ravel()][:n]
    return drawn


def _frame(number: int, values: Floats, runs: int, machines: Sequence[str]) -> pl.DataFrame:
    """The points of one series: ``runs`` on main, an hour apart, then those of the pull request."""
    n = len(values)
    place = pl.Series(range(n))
    is_main = place < runs
    at = pl.Series([_START + one * _HOUR for one in range(n)]).cast(POINT_COLUMNS["created_at"])
    told = {
        "series": f"series {number}", "workflow": "PR Test", "job": "perf", "test": f"test {number}",
        "metric": "output_throughput_token_s", "better": "higher", "value": values, "try_number": 1, "is_final": True,
        "is_established": True, "is_default_line": is_main, "event": "push", "pool": "gpu", "runner_name": machines,
        "pull_number": pl.Series([None if main else 1 for main in is_main], dtype=pl.Int64), "run_id": place,
        "job_id": place * 1000 + number, "run_attempt": 1, "created_at": at, "ordered_at": at,
        "sha": pl.Series([f"{one:040x}" if main else "f" * 40 for one, main in enumerate(is_main)]),
        "line": pl.Series(["main" if main else "alice/change" for main in is_main]),
    }  # fmt: skip
    given = pl.DataFrame(told)
    rest = [pl.lit(None, dtype).alias(name) for name, dtype in POINT_COLUMNS.items() if name not in given.columns]
    return given.with_columns(rest).select(POINT_COLUMNS.keys()).cast(POINT_COLUMNS)


def _levels(points: pl.DataFrame) -> pl.DataFrame:
    """The levels of the default branch as ``perf.changes`` finds them."""
    parts = points.filter("is_default_line").partition_by("series", maintain_order=True)
    given = [Series(part["value"].to_numpy(), tuple(part.select("pool", "runner_name").rows())) for part in parts]
    frames = [
        part.select("series", "job_id", "try_number").with_columns(
            level=pl.Series(fit.levels), effect=pl.Series([fit.effects.get(one, 0.0) for one in series.strata])
        )
        for part, series, fit in zip(parts, given, find_change_points(given), strict=True)
    ]
    return pl.concat(frames).cast(LEVEL_COLUMNS)
