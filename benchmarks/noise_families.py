"""Made-up and real series without a change: noise of many kinds, machines that take turns, and slow shapes."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from trackside.stats.strata import Stratum

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Rng = np.random.Generator
Family = Callable[[Rng, int], Floats]

REAL: Final = (
    Path(os.environ.get("TRACKSIDE_REAL_DATA", "../shared/data")) / "perf-series" / "sglang_bs1_throughput.csv"
)
_COLUMN: Final = "output_throughput_token_s"
_LEVEL: Final = 100.0


def real_values() -> Floats:
    """The real series, oldest first; empty where the file is not there."""
    if not REAL.is_file():
        return np.zeros(0)
    with REAL.open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["created_at"])
    return np.array([float(row[_COLUMN]) for row in rows])


def real_families(values: Floats) -> dict[str, Family]:
    """Drawn one by one, drawn in stretches of 10, and windows as they were."""
    return {
        "real, drawn one by one": lambda rng, n: rng.choice(values, n),
        "real, stretches of 10": lambda rng, n: np.concatenate(
            [values[start : start + 10] for start in rng.integers(0, values.size - 9, n // 10 + 1)]
        )[:n],
        "real, windows as they were": lambda rng, n: values[int(rng.integers(0, values.size - n + 1)) :][:n],
    }


def _autoregressive(rng: Rng, n: int) -> Floats:
    values = rng.normal(0, 1, n + 50)
    for place in range(1, n + 50):
        values[place] += 0.3 * values[place - 1]
    return values[50:] + _LEVEL


def _modes(rng: Rng, n: int) -> Floats:
    values = rng.choice([98.8, 100.0, 101.2], n, p=[0.3, 0.5, 0.2]) + rng.normal(0, 0.4, n)
    return np.asarray(values + 8 * (rng.random(n) < 0.04))


MADE: Final[dict[str, Family]] = {
    "normal": lambda rng, n: rng.normal(_LEVEL, 1, n),
    "Student's t, 3 degrees": lambda rng, n: np.asarray(_LEVEL + rng.standard_t(3, n), dtype=np.float64),
    "lognormal tail": lambda rng, n: _LEVEL + np.exp(rng.normal(0, 0.8, n)),
    "three modes, 4 % spikes of +8 %": _modes,
    "rounded to whole noise": lambda rng, n: np.round(_LEVEL + rng.normal(0, 0.8, n)),
    "neighbours alike (AR 0.3)": _autoregressive,
}
QUIET: Final[dict[str, Family]] = {
    "nearly constant, one in ten off": lambda rng, n: np.where(rng.random(n) < 0.1, _LEVEL + 1, _LEVEL),
    "constant": lambda rng, n: np.full(n, _LEVEL),
}


def _in_blocks(rng: Rng, n: int, machines: int) -> Codes:
    codes: list[int] = []
    while len(codes) < n:
        others = [code for code in range(machines) if not codes or code != codes[-1]]
        codes += [int(rng.choice(others))] * int(rng.integers(8, 30))
    return np.array(codes[:n])


MACHINES: Final[dict[str, Callable[[Rng, int, int], Codes]]] = {
    "two at random": lambda rng, n, at: rng.integers(0, 2, n),
    "four at random": lambda rng, n, at: rng.integers(0, 4, n),
    "two in blocks of 8 to 29": lambda rng, n, at: _in_blocks(rng, n, 2),
    "three in blocks of 8 to 29": lambda rng, n, at: _in_blocks(rng, n, 3),
    "one often, eleven now and then": lambda rng, n, at: np.where(rng.random(n) < 0.3, rng.integers(1, 12, n), 0),
    "a new name each time": lambda rng, n, at: np.arange(n),
    "a new one joins at the step": lambda rng, n, at: np.where(
        (np.arange(n) >= at) & (rng.random(n) < 0.5), 2, rng.integers(0, 2, n)
    ),
    "a new one takes over at the step": lambda rng, n, at: np.where(np.arange(n) >= at, 2, rng.integers(0, 2, n)),
}


def machine_offsets(rng: Rng, codes: Codes) -> Floats:
    """What its machine adds to each value: levels 1 to 3 (% of the level) apart, none for names that never recur."""
    machines = int(codes.max()) + 1
    if machines == codes.size:
        return np.zeros(codes.size)
    gaps = np.cumsum(rng.uniform(1, 3, machines)) if machines <= 4 else rng.uniform(-2, 2, machines)
    return np.asarray(rng.permutation(gaps)[codes], dtype=np.float64)


def labels(codes: Codes) -> tuple[Stratum, ...]:
    """One pool, a name for each machine."""
    return tuple(("pool", f"machine {code}") for code in codes)
