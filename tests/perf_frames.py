"""Literal performance series: values of runs in few words, as the frames that analyses start from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from tests.history_frames import a_history, a_job, a_run
from trackside.history.frames import History
from trackside.perf.points import MEASUREMENT_COLUMNS, points_frame
from trackside.records.perf_rules import PerfRules

JOB = "performance-test-1-gpu-part-1"
TEST = "test_bs1_default"
METRIC = "output_throughput_token_s"
Row = Mapping[str, Any]


def a_value(job: Row, value: float, **told: Any) -> dict[str, Any]:
    """A value that ``job`` printed; a column that is named is as told."""
    row = {
        "job_id": job["job_id"],
        "test": TEST,
        "metric": METRIC,
        "value": value,
        "unit": "tok/s",
        "better": "higher",
        "try_number": 1,
        "is_final": True,
        "test_outcome": "passed",
        "line_number": 100,
        "grammar": "sglang-serving",
        "is_established": True,
    }
    return {**row, **told}


def a_measurements(rows: Iterable[Row]) -> pl.DataFrame:
    """The values as the frame that the store gives."""
    return pl.DataFrame([dict(row) for row in rows], schema=MEASUREMENT_COLUMNS)


def a_series(
    values: Sequence[float], *, runners: Sequence[str] | None = None, first: int = 0, name: str = JOB, **told: Any
) -> tuple[History, pl.DataFrame]:
    """A history of one run on main for each value, an hour apart, and the values; ``told`` are their columns."""
    runs = [a_run(first + number) for number in range(len(values))]
    names = runners or ["gpu-runner-1"] * len(values)
    jobs = [a_job(run, name, runner_name=runner) for run, runner in zip(runs, names, strict=True)]
    rows = [a_value(job, value, **told) for job, value in zip(jobs, values, strict=True)]
    return a_history(runs, jobs), a_measurements(rows)


def points_of(values: Sequence[float], *, rules: PerfRules | None = None, **told: Any) -> pl.DataFrame:
    """The points of ``a_series``."""
    history, rows = a_series(values, **told)
    return points_frame(history, rows, rules or PerfRules())
