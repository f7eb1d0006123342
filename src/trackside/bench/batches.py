"""The batch lines of a run, ready for analysis: who wrote each, and the tokens that each stands for."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from trackside.bench.grouping import NO_TAG, RankTable, index_ranks
from trackside.bench.totals import token_events
from trackside.records.engine_run import Worker

LEVEL_COLUMNS = (
    "running_req",
    "queue_req",
    "prealloc_req",
    "inflight_req",
    "transfer_req",
    "retracted_req",
    "optimistic_req",
    "waiting_image_req",
    "swapped_req",
    "pending_token",
    "token_usage",
    "swa_usage",
    "mamba_usage",
    "cpu_usage",
    "preallocated_usage",
    "cache_hit_rate_pct",
    "accept_len",
    "accept_rate",
    "cap_len",
    "block_accept_len",
    "fwd_occupancy_pct",
    "tflops_per_gpu",
    "read_bw_gb_s",
    "write_bw_gb_s",
    "host_step_ms",
    "device_step_ms",
    "active_req",
    "input_throughput",
    "gen_throughput",
)
TOKEN_COLUMNS = ("new_token", "cached_token", "gen_token")
KEY_COLUMNS = (
    "node",
    "worker_type",
    "worker_id",
    "metric_type",
    "batch_type",
    "timestamp",
    "time_us",
    "tz_assumed",
    "date_from",
    "kind",
    "dp",
    "tp",
    "ep",
    "pp",
    "attn_cp",
    "moe_dp",
    "stream",
    "duplicate",
)
START_UP_COLUMNS = (
    "avail_mem_gb",
    "mem_usage_gb",
    "kv_cache_gb",
    "kv_tokens",
    "elapsed_s",
    "detail",
    "max_total_num_tokens",
    "max_running_requests",
    "context_len",
    "tokens_gained",
)
SUMMARY_COLUMNS = (
    *KEY_COLUMNS,
    *TOKEN_COLUMNS,
    "running_req",
    "queue_req",
    "token_usage",
    "accept_len",
    "input_throughput",
    "gen_throughput",
)
REPORT_COLUMNS = (*KEY_COLUMNS, *TOKEN_COLUMNS, *LEVEL_COLUMNS, *START_UP_COLUMNS)


_LOG_INTERVAL_STEPS = 40


def _steps_of_mixed(ranks: RankTable, workers: Sequence[Worker]) -> npt.NDArray[np.float64]:
    """Decode steps a line stands for, by rank, where untagged lines of several ranks run together; else NaN.

    The interval is the launch's ``decode_log_interval``, or the engine's default of 40.
    """
    steps = np.full(len(ranks.slots), np.nan)
    mixed = {worker.name: worker for worker in workers if (worker.dp_size or 1) > 1}
    for rank, (index, slot) in enumerate(zip(ranks.worker_of, ranks.slots, strict=True)):
        worker = mixed.get(ranks.workers[index])
        if worker is not None and slot == NO_TAG:
            interval = worker.config.get("decode_log_interval")
            whole = isinstance(interval, int) and not isinstance(interval, bool) and interval > 0
            steps[rank] = interval if whole else _LOG_INTERVAL_STEPS
    return steps


class Batches(msgspec.Struct, frozen=True):
    """Batch rows that count (with ``rank_id``), their ranks, and their ``totals.token_events``.

    ``left_out`` are batch rows that do not count: duplicates of another rank's line; ``timeless`` have no
    time.
    """

    rows: pl.DataFrame
    ranks: RankTable
    events: pl.DataFrame
    left_out: int
    timeless: int


def read_batches(rows: pl.DataFrame, workers: Sequence[Worker] = ()) -> Batches:
    """The batch lines that count: not a duplicate, with a time, with a kind.

    ``workers`` tell which lines without a rank tag come from several ranks: these cannot be told apart.
    """
    wanted = [name for name in (*KEY_COLUMNS, *TOKEN_COLUMNS, *LEVEL_COLUMNS) if name in rows.columns]
    is_batch = (pl.col("metric_type") == "batch") & pl.col("batch_type").is_not_null()
    once = is_batch & ~pl.col("duplicate").fill_null(value=False)
    counts = once & pl.col("time_us").is_not_null()
    batch, counted = rows.select(is_batch.sum().alias("batch"), once.sum().alias("once")).row(0)
    timed, ranks = index_ranks(rows.lazy().select(wanted).filter(counts).collect())
    return Batches(
        rows=timed,
        ranks=ranks,
        events=token_events(timed, _steps_of_mixed(ranks, workers)),
        left_out=batch - counted,
        timeless=counted - timed.height,
    )
