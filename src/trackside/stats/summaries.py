"""Summaries of a set of numbers by moments and quantiles."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

QUANTILE_METHOD = "linear interpolation between the two nearest values (Hyndman and Fan, type 7)"


class Summary(msgspec.Struct, frozen=True):
    """Count, moments and quantiles of the finite values of a series, in the unit of the series.

    ``std`` is the population standard deviation. Quantiles are linearly interpolated (see QUANTILE_METHOD).
    """

    count: int
    mean: float
    median: float
    std: float
    min: float
    max: float
    p25: float
    p75: float
    p90: float
    p95: float
    p99: float


def summarise(values: npt.NDArray[Any]) -> Summary | None:
    """Summary of the finite values; None where there is no finite value."""
    numbers = np.asarray(values, dtype=np.float64)
    numbers = numbers[np.isfinite(numbers)]
    if numbers.size == 0:
        return None
    quantiles = np.quantile(numbers, (0.25, 0.5, 0.75, 0.9, 0.95, 0.99), method="linear")
    p25, median, p75, p90, p95, p99 = quantiles
    return Summary(
        count=int(numbers.size),
        mean=float(numbers.mean()),
        median=float(median),
        std=float(numbers.std()),
        min=float(numbers.min()),
        max=float(numbers.max()),
        p25=float(p25),
        p75=float(p75),
        p90=float(p90),
        p95=float(p95),
        p99=float(p99),
    )
