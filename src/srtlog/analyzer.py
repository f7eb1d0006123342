"""Reads run directories into nodes: one node a worker."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from srtlog.models import NodeMetrics
from srtlog.rows import RunRows
from trackside.engine.run import open_run
from trackside.errors import TracksideError
from trackside.records.engine_run import Role

if TYPE_CHECKING:
    from trackside.engine.run import Run
    from trackside.records.engine_run import Worker

logger = logging.getLogger(__name__)


class NodeAnalyzer:
    """Parses the logs of a run. It keeps nothing: every call reads (or finds the cache of) its own path."""

    def parse_run_logs(self, run_path: str | Path) -> list[NodeMetrics]:
        """One node a worker, frontends left out; an empty list where nothing can be read (the log says why).

        ``run_path`` is the run directory, its ``logs/`` or one file.
        """
        return self.parse_run_logs_with_cache_info(run_path)[0]

    def parse_run_logs_with_cache_info(self, run_path: str | Path) -> tuple[list[NodeMetrics], str | None]:
        """The nodes, and the path of the Parquet file if this call wrote it (None: loaded from the cache)."""
        run = _open(run_path, cache=True)
        if run is None:
            return [], None
        written = None if run.from_cache or run.cache_path is None else str(run.cache_path)
        return _nodes(run), written

    def parse_single_log(self, filepath: str | Path) -> NodeMetrics | None:
        """The worker of one file; None where the file does not exist or names and holds no worker.

        Of a file that several workers share, the one with the most batch lines (parse_run_logs gives them
        all).
        """
        run = _open(filepath, cache=False) if Path(filepath).is_file() else None
        nodes = _nodes(run) if run else []
        return max(nodes, key=lambda node: len(node.batches), default=None)


def _open(path: str | Path, *, cache: bool) -> Run | None:
    try:
        return open_run(path, cache=cache)
    except TracksideError as error:
        logger.error("%s", error)
        return None


def _nodes(run: Run) -> list[NodeMetrics]:
    rows = RunRows(run)
    return [_node(run, rows, worker) for worker in run.workers if worker.role is not Role.FRONTEND]


def _node(run: Run, rows: RunRows, worker: Worker) -> NodeMetrics:
    key = (worker.node, worker.role.value, worker.worker_id)
    return NodeMetrics(
        node_info=dict(zip(("node", "worker_type", "worker_id"), key, strict=True)),
        batches=rows.batches(key, worker.batch_rows),
        memory_snapshots=rows.memory(key, worker.memory_rows),
        config=_config(worker),
        run_id=run.name,
    )


def _config(worker: Worker) -> dict[str, object]:
    sizes = {"tp_size": worker.tp_size, "dp_size": worker.dp_size, "ep_size": worker.ep_size}
    return {**worker.config, **{name: size for name, size in sizes.items() if size is not None}}
