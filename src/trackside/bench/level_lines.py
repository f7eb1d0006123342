"""Levels of ranks as lines of a chart."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from trackside.bench.chart_records import Band, Clock, Line
from trackside.bench.gauges import combine, spread, with_leaves
from trackside.bench.grouping import GroupBy, Grouping, RankTable
from trackside.bench.reduce import keep_extremes
from trackside.stats.summaries import summarise

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Points = tuple[IntArray, IntArray, FloatArray]


class LevelRows(msgspec.Struct, frozen=True):
    """The values of one level, one row a line that carries it, and the bucket width for reducing them."""

    rank: IntArray
    time_us: IntArray
    values: FloatArray
    ranks: RankTable
    clock: Clock
    width_us: float


def level_lines(level: LevelRows, grouping: Grouping, group_by: GroupBy, additive: bool) -> tuple[Line, ...]:
    """One line a group: node sums (or averages) the ranks of a worker, dp and all average over workers."""
    points = _points(level)
    if group_by is GroupBy.ALL:
        return _averaged_workers(level, points, grouping, additive)
    mean = group_by is GroupBy.DP or not additive
    series = combine(*points, grouping.group_of_rank, len(grouping.labels), mean)
    lines = [
        _line(label, index, *pair, level)
        for index, (label, pair) in enumerate(zip(grouping.labels, series, strict=True))
    ]
    return tuple(line for line in lines if line is not None)


def total_line(level: LevelRows, label: str, colour: int, mean: bool) -> Line | None:
    """One line over all ranks: their sum, or their mean with the lowest and highest rank as a band."""
    points = _points(level)
    (pair,) = combine(*points, np.zeros(len(level.ranks.slots), dtype=np.int64), 1, mean)
    band = _band(level, level.time_us, level.values) if mean else None
    return _line(label, colour, *pair, level, band)


def as_logged_lines(level: LevelRows, grouping: Grouping) -> tuple[Line, ...]:
    """One line a group with every value of its ranks as it was logged, in time order."""
    group = grouping.group_of_rank[level.rank]
    order = np.argsort(level.time_us, kind="stable")
    lines = []
    for index, label in enumerate(grouping.labels):
        own = order[group[order] == index]
        lines.append(_line(label, index, level.time_us[own], level.values[own], level))
    return tuple(line for line in lines if line is not None)


def _points(level: LevelRows) -> Points:
    return with_leaves(level.time_us, level.rank, level.values, len(level.ranks.slots), level.clock.last_us)


def _averaged_workers(level: LevelRows, points: Points, grouping: Grouping, additive: bool) -> tuple[Line, ...]:
    workers = len(level.ranks.workers)
    series = combine(*points, level.ranks.worker_of, workers, mean=not additive)
    time_us = np.concatenate([time for time, _ in series])
    values = np.concatenate([value for _, value in series])
    member = np.repeat(np.arange(workers), [time.size for time, _ in series])
    (pair,) = combine(time_us, member, values, np.zeros(workers, dtype=np.int64), 1, mean=True)
    line = _line(grouping.labels[0], 0, *pair, level, _band(level, time_us, values))
    return () if line is None else (line,)


def _band(level: LevelRows, time_us: IntArray, values: FloatArray) -> Band:
    zero = level.clock.zero_us
    width_s = level.width_us / 1e6
    return Band(*spread((time_us - zero) / 1e6, values, width_s))


def _line(
    label: str, colour: int, time_us: IntArray, values: FloatArray, level: LevelRows, band: Band | None = None
) -> Line | None:
    summary = summarise(values)
    if summary is None:
        return None
    kept = keep_extremes(time_us, values, level.width_us)
    x_s = (time_us[kept] - level.clock.zero_us) / 1e6
    return Line(label, colour, x_s, values[kept], summary.count, summary, band)
