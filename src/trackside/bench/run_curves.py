"""Quantities of a run that can be laid over those of another: one line each, whatever the workers are called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from trackside.bench.batches import Batches
from trackside.bench.chart_catalogue import KV_USAGE, QUEUE, RUNNING, Gauge
from trackside.bench.chart_records import Clock, Line
from trackside.bench.level_lines import LevelRows, total_line
from trackside.bench.rates import TokenBins
from trackside.bench.reduce import keep_extremes
from trackside.bench.summary import RunSummary
from trackside.records.bench_runs import BenchCurve
from trackside.stats.summaries import Summary, summarise

FloatArray = npt.NDArray[np.float64]
BUCKETS: Final = 75
"""Of each the first, last, lowest and highest value is kept: at most 300 points a curve."""
_ONCE_AGG: Final = (pl.col("worker_type") != "agg") | (pl.col("batch_type") != "prefill")
"""The levels of an aggregated worker are those of its decode lines, as in its report."""


class Level(NamedTuple):
    """A level of all workers of some roles together."""

    key: str
    title: str
    gauge: Gauge
    roles: tuple[str, ...]


_PREFILLING: Final = ("prefill", "agg")
_DECODING: Final = ("decode", "agg")
LEVELS: Final = (
    Level("running", "Running requests, decode", RUNNING, _DECODING),
    Level("queue", "Queued requests, prefill", QUEUE, _PREFILLING),
    Level("decode_queue", "Queued requests, decode", QUEUE, ("decode",)),
    Level("usage", "KV cache usage, decode", KV_USAGE, _DECODING),
    Level("prefill_usage", "KV cache usage, prefill", KV_USAGE, ("prefill",)),
)


def run_curves(batches: Batches, clock: Clock, summary: RunSummary) -> tuple[BenchCurve, ...]:
    """The curves of a run, those left out that none of its lines carries.

    Rates are tokens over time in bins, levels are summed over all ranks (KV usage: their mean): the values of the
    totals in the run's report.
    """
    bins = TokenBins.of(batches, clock)
    return (*_rates(bins, clock, summary), *_hits(bins, clock), *_levels(batches, clock))


def _rates(bins: TokenBins, clock: Clock, summary: RunSummary) -> Iterator[BenchCurve]:
    sides = (("output", bins.output, summary.decode_gpus), ("input", bins.input, summary.prefill_gpus))
    for side, tokens, gpus in sides:
        rate = np.asarray(tokens.sum(axis=0) / bins.lengths_s)
        if rate.any():
            title = f"{side.capitalize()} throughput"
            yield from _curve(side, title, "tokens/s", bins.x_s, rate, clock)
            if gpus:
                yield from _curve(f"{side}_per_gpu", f"{title} per GPU", "tokens/s/GPU", bins.x_s, rate / gpus, clock)


def _hits(bins: TokenBins, clock: Clock) -> Iterator[BenchCurve]:
    cached, new = bins.cached.sum(axis=0), bins.input.sum(axis=0)
    if cached.any():
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(cached + new > 0, 100 * cached / (cached + new), np.nan)
        yield from _curve("hits", "Cache hit rate", "%", bins.x_s, share, clock)


def _levels(batches: Batches, clock: Clock) -> Iterator[BenchCurve]:
    for level in LEVELS:
        line = _level_line(level, batches, clock)
        if line is not None and line.summary.max > 0:
            yield _told(level.key, level.title, level.gauge.unit, line.x_s, line.y, line.summary, clock)


def _level_line(level: Level, batches: Batches, clock: Clock) -> Line | None:
    gauge = level.gauge
    wanted = batches.rows.filter(pl.col("worker_type").is_in(level.roles) & _ONCE_AGG)
    rows = wanted.select("rank_id", "time_us", pl.col(gauge.column).cast(pl.Float64)).drop_nulls().drop_nans()
    if rows.is_empty():
        return None
    levels = LevelRows(
        rank=rows["rank_id"].to_numpy(),
        time_us=rows["time_us"].to_numpy(),
        values=rows[gauge.column].to_numpy() * gauge.scale,
        ranks=batches.ranks,
        clock=clock,
        width_us=_width_s(clock) * 1e6,
    )
    return total_line(levels, level.title, 0, mean=not gauge.additive)


def _curve(key: str, title: str, unit: str, x_s: FloatArray, y: FloatArray, clock: Clock) -> Iterator[BenchCurve]:
    summary = summarise(y)
    if summary is not None:
        kept = keep_extremes(x_s, y, _width_s(clock))
        yield _told(key, title, unit, x_s[kept], y[kept], summary, clock)


def _told(
    key: str, title: str, unit: str, x_s: FloatArray, y: FloatArray, summary: Summary, clock: Clock
) -> BenchCurve:
    begin = (clock.first_us - clock.zero_us) / 1e6
    return BenchCurve(
        key=key,
        title=title,
        unit=unit,
        points=summary.count,
        median=summary.median,
        mean=summary.mean,
        lowest=summary.min,
        highest=summary.max,
        x_s=tuple(np.round(x_s - begin, 3).tolist()),
        y=_with_gaps(y),
    )


def _with_gaps(values: Sequence[float] | FloatArray) -> tuple[float | None, ...]:
    return tuple(value if np.isfinite(value) else None for value in np.asarray(values).tolist())


def _width_s(clock: Clock) -> float:
    return max(clock.duration_s / BUCKETS, 1e-6)
