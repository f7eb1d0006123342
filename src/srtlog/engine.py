"""Statistics and chart series of the established API, computed on the columns and not on the objects."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from srtlog.rows import BATCH_SCHEMA, Rows
from trackside.bench.grouping import GroupBy, Grouping, group_ranks, index_ranks
from trackside.stats.summaries import summarise

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from srtlog.models import BatchMetrics, NodeMetrics

Floats = npt.NDArray[np.float64]

PREFILL_METRICS: Final = ("input_throughput", "queue_req", "inflight_req", "token_usage")
DECODE_METRICS: Final = (
    "gen_throughput",
    "running_req",
    "queue_req",
    "transfer_req",
    "prealloc_req",
    "token_usage",
)
AGG_METRICS: Final = {
    "prefill": ("input_throughput", "queue_req", "token_usage"),
    "decode": ("gen_throughput", "running_req", "queue_req", "token_usage"),
}
CHART_METRICS: Final = (
    "input_throughput",
    "gen_throughput",
    "running_req",
    "queue_req",
    "inflight_req",
    "transfer_req",
    "prealloc_req",
    "token_usage",
)


@dataclass(frozen=True, slots=True)
class SeriesStats:
    """Count, moments and quantiles of the known values of a metric (linear interpolation, population std)."""

    count: int
    mean: float
    median: float
    std: float
    min: float
    max: float
    p25: float
    p75: float
    p95: float
    p99: float

    @classmethod
    def from_values(cls, values: Iterable[float | None]) -> SeriesStats | None:
        """The statistics of the values that are not None; None where there are none."""
        return _stats(np.array([value for value in values if value is not None], dtype=np.float64))

    def to_dict(self) -> dict[str, float]:
        """The figures by name, rounded to two decimals."""
        return {name: round(value, 2) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """One metric over all workers of a type, and by worker (``<node>_<worker_type>_<worker_id>``)."""

    metric_name: str
    worker_type: str
    stats: SeriesStats
    per_worker: dict[str, SeriesStats]


@dataclass(frozen=True, slots=True)
class ChartSeries:
    """One line of a chart: seconds since the first line of all nodes; a value or None a point and metric."""

    label: str
    worker_type: str
    elapsed: list[float]
    values: dict[str, list[float | None]]


class Engine:
    """Statistics over nodes. Lines that another rank logged of the same batch count once."""

    def __init__(self, nodes: Sequence[NodeMetrics]) -> None:
        self.nodes = list(nodes)
        self.prefill_nodes = [node for node in self.nodes if node.is_prefill]
        self.decode_nodes = [node for node in self.nodes if node.is_decode]
        self.agg_nodes = [node for node in self.nodes if node.is_agg]
        self._frames: dict[int, pl.DataFrame] = {}

    def compute_stats(self, metric: str, worker_type: str) -> MetricSummary | None:
        """Statistics of one metric; None for an unknown metric or type, or where no line has a value."""
        return self._summary(metric, worker_type)

    def compute_all_stats(self) -> dict[str, list[MetricSummary]]:
        """The usual metrics by worker type; those of aggregated workers by phase: ``queue_req (decode)``."""
        agg = [self._summary(metric, "agg", phase) for phase, metrics in AGG_METRICS.items() for metric in metrics]
        found = {
            "prefill": [self._summary(metric, "prefill") for metric in PREFILL_METRICS],
            "decode": [self._summary(metric, "decode") for metric in DECODE_METRICS],
            "agg": agg,
        }
        return {kind: [one for one in summaries if one is not None] for kind, summaries in found.items()}

    def get_summary_table(self) -> dict[str, dict[str, dict[str, float]]]:
        """``compute_all_stats`` as plain figures: worker type, metric, name of the figure."""
        return {
            kind: {one.metric_name: one.stats.to_dict() for one in summaries}
            for kind, summaries in self.compute_all_stats().items()
        }

    def to_chart_series(self, group_by: str = "node") -> dict[str, list[ChartSeries]]:
        """Series by prefill, decode, agg_prefill and agg_decode.

        ``node``: one a worker, every line a point. ``dp``: one a DP rank (TP rank where no line has a DP),
        taken from the line, mean over the lines of a second. ``all``: one a worker type, mean over the lines
        of a second.
        """
        by = GroupBy(group_by)
        zero_us = min((first for node in self.nodes if (first := self._first_us(node)) is not None), default=0)
        return {
            "prefill": self._series(self.prefill_nodes, by, zero_us),
            "decode": self._series(self.decode_nodes, by, zero_us),
            "agg_prefill": self._series(self.agg_nodes, by, zero_us, "prefill"),
            "agg_decode": self._series(self.agg_nodes, by, zero_us, "decode"),
        }

    def _summary(self, metric: str, worker_type: str, phase: str | None = None) -> MetricSummary | None:
        nodes = [node for node in self.nodes if node.worker_type == worker_type]
        if not BATCH_SCHEMA.get(metric, pl.String()).is_numeric():
            return None
        values = [(node.label, self._values(node, metric, phase)) for node in nodes]
        whole = _stats(np.concatenate([np.zeros(0), *(of_worker for _, of_worker in values)]))
        if whole is None:
            return None
        by_worker = {label: _stats(of_worker) for label, of_worker in values}
        return MetricSummary(
            metric_name=metric if phase is None else f"{metric} ({phase})",
            worker_type=worker_type,
            stats=whole,
            per_worker={label: stats for label, stats in by_worker.items() if stats is not None},
        )

    def _values(self, node: NodeMetrics, metric: str, phase: str | None) -> Floats:
        return _phase(self._frame(node), phase)[metric].drop_nulls().cast(pl.Float64).to_numpy()

    def _frame(self, node: NodeMetrics) -> pl.DataFrame:
        """The batch lines of a node that count, with the keys of its worker and a time."""
        if id(node) not in self._frames:
            self._frames[id(node)] = _counted_lines(node)
        return self._frames[id(node)]

    def _first_us(self, node: NodeMetrics) -> int | None:
        first = self._frame(node)["time_us"].min()
        return first if isinstance(first, int) else None

    def _series(
        self, nodes: Sequence[NodeMetrics], by: GroupBy, zero_us: int, phase: str | None = None
    ) -> list[ChartSeries]:
        frames = [_phase(self._frame(node), phase).drop_nulls("time_us") for node in nodes]
        lines = pl.concat([frame for frame in frames if frame.height] or [_counted_lines(None)])
        if not lines.height:
            return []
        indexed, ranks = index_ranks(lines)
        role = nodes[0].worker_type
        grouping = group_ranks(ranks, np.arange(len(ranks.slots)), by, role)
        return _chart_series(indexed, grouping, by, role, zero_us)


def _stats(values: Floats) -> SeriesStats | None:
    summary = summarise(values)
    if summary is None:
        return None
    return SeriesStats(*(getattr(summary, one.name) for one in fields(SeriesStats)))


def _phase(lines: pl.DataFrame, phase: str | None) -> pl.DataFrame:
    return lines if phase is None else lines.filter(pl.col("batch_type") == phase)


def _counted_lines(node: NodeMetrics | None) -> pl.DataFrame:
    batches: Sequence[BatchMetrics] = node.batches if node is not None else []
    if isinstance(batches, Rows):
        lines = batches.frame
    else:
        lines = pl.DataFrame([asdict(one) for one in batches], schema=BATCH_SCHEMA)
    stamp = pl.col("timestamp").str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False).dt.epoch("us")
    info = node.node_info if node is not None else {}
    keys = {name: pl.lit(info.get(name, "")) for name in ("node", "worker_type", "worker_id")}
    return lines.filter(~pl.col("duplicate").fill_null(value=False)).with_columns(
        time_us=pl.coalesce("time_us", stamp), **keys
    )


def _chart_series(indexed: pl.DataFrame, grouping: Grouping, by: GroupBy, role: str, zero_us: int) -> list[ChartSeries]:
    groups = pl.Series("group", grouping.group_of_rank)
    lines = indexed.with_columns(group=groups.gather(indexed["rank_id"]))
    if by is not GroupBy.NODE:
        second = (pl.col("time_us") // 1_000_000 * 1_000_000).alias("time_us")
        lines = lines.group_by("group", second).agg(pl.col(CHART_METRICS).mean())
    lines = lines.sort("group", "time_us", maintain_order=True)
    series = []
    for (group,), points in lines.group_by("group", maintain_order=True):
        elapsed = ((points["time_us"] - zero_us) / 1e6).to_list()
        values = {metric: points[metric].to_list() for metric in CHART_METRICS}
        series.append(ChartSeries(grouping.labels[int(str(group))], role, elapsed, values))
    return series
