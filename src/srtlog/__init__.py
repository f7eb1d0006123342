"""The established Python API of srtlog: objects over the frames of ``trackside.open_run``.

from srtlog import NodeAnalyzer
nodes = NodeAnalyzer().parse_run_logs("/path/to/job/logs")
"""

from __future__ import annotations

from srtlog.analyzer import NodeAnalyzer
from srtlog.engine import ChartSeries, Engine, MetricSummary, SeriesStats
from srtlog.models import BatchMetrics, MemoryMetrics, NodeMetrics

__all__ = [
    "BatchMetrics",
    "ChartSeries",
    "Engine",
    "MemoryMetrics",
    "MetricSummary",
    "NodeAnalyzer",
    "NodeMetrics",
    "SeriesStats",
]
