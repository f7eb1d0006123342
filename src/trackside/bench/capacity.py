"""Memory and KV capacity of each worker, from the lines that it logged while starting."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import polars as pl

from trackside.bench.grouping import RANK_PARTS, WORKER_KEYS, natural_key

MEMORY_COLUMNS = (
    *WORKER_KEYS,
    *RANK_PARTS,
    "metric_type",
    "kind",
    "avail_mem_gb",
    "mem_usage_gb",
    "kv_cache_gb",
    "kv_tokens",
    "elapsed_s",
    "detail",
    "max_total_num_tokens",
    "max_running_requests",
    "context_len",
)


class Pool(msgspec.Struct, frozen=True):
    """One KV pool of a worker's rank; ``ranks`` logged the same figures."""

    tokens: int | None
    size_gb: float | None
    detail: str | None
    ranks: int


class Capacity(msgspec.Struct, frozen=True):
    """Start-up memory of one worker, GB of one rank's device (the median over its ranks).

    None where not logged. ``pools`` are the distinct KV pools of a rank (target and draft model, or full and
    sliding-window attention, have one each). ``kv_tokens`` is the capacity of the scheduler where it was
    logged, else of the largest pool.
    """

    worker: str
    weights_gb: float | None
    kv_gb: float | None
    graphs_gb: float | None
    free_gb: float | None
    kv_tokens: int | None
    max_running_requests: int | None
    context_len: int | None
    start_up_s: float | None
    pools: tuple[Pool, ...]


def worker_capacities(rows: pl.DataFrame) -> list[Capacity]:
    """The capacity of each worker that logged memory lines, in natural order of names."""
    memory = rows.select(MEMORY_COLUMNS).filter((pl.col("metric_type") == "memory") & (pl.col("kind") != "retract"))
    parts = memory.partition_by(WORKER_KEYS, as_dict=True, maintain_order=True)
    found = [_capacity("_".join(str(part) for part in key), part) for key, part in parts.items()]
    return sorted(found, key=lambda capacity: natural_key(capacity.worker))


def _capacity(worker: str, rows: pl.DataFrame) -> Capacity:
    pools = _pools(rows.filter(pl.col("kind") == "kv_cache"))
    largest = max((pool.tokens for pool in pools if pool.tokens is not None), default=None)
    logged = _whole(rows, "max_total_num_tokens")
    steps = rows.filter(pl.col("kind").is_in(["weights_end", "graph_end"]))
    steps = steps.unique((*RANK_PARTS, "kind", "detail"), keep="last", maintain_order=True)
    return Capacity(
        worker=worker,
        weights_gb=_median_of_rank_sums(rows, "weights_end", "mem_usage_gb"),
        kv_gb=_median_of_rank_sums(rows, "kv_cache", "kv_cache_gb"),
        graphs_gb=_median_of_rank_sums(rows, "graph_end", "mem_usage_gb"),
        free_gb=_last_free(rows),
        kv_tokens=logged if logged is not None else largest,
        max_running_requests=_whole(rows, "max_running_requests"),
        context_len=_whole(rows, "context_len"),
        start_up_s=_median(steps.group_by(RANK_PARTS).agg(_sum("elapsed_s"))["elapsed_s"]),
        pools=pools,
    )


def _sum(column: str) -> pl.Expr:
    """The sum of the known values; null where none is known."""
    return pl.when(pl.col(column).count() > 0).then(pl.col(column).sum()).alias(column)


def _median(values: pl.Series) -> float | None:
    median = values.median()
    return float(median) if isinstance(median, int | float) else None


def _median_of_rank_sums(rows: pl.DataFrame, kind: str, column: str) -> float | None:
    """The median over ranks of the sum over the parts of a rank.

    A worker that started twice has the lines twice: the last line of each part counts. KV pools of a rank may have
    no other name than their size.
    """
    part = (*RANK_PARTS, "detail", "kv_tokens", column) if kind == "kv_cache" else (*RANK_PARTS, "detail")
    once = rows.filter(pl.col("kind") == kind).unique(part, keep="last", maintain_order=True)
    return _median(once.group_by(RANK_PARTS).agg(_sum(column))[column])


def _last_free(rows: pl.DataFrame) -> float | None:
    known = rows.filter(pl.col("avail_mem_gb").is_not_null())
    return _median(known.group_by(RANK_PARTS, maintain_order=True).agg(pl.col("avail_mem_gb").last())["avail_mem_gb"])


def _whole(rows: pl.DataFrame, column: str) -> int | None:
    values = rows[column].drop_nulls()
    return int(values[-1]) if values.len() else None


def _pools(rows: pl.DataFrame) -> tuple[Pool, ...]:
    same = rows.group_by("kv_tokens", "kv_cache_gb", "detail", maintain_order=True)
    found = same.agg(ranks=pl.struct(RANK_PARTS).n_unique())
    return tuple(
        Pool(tokens=row["kv_tokens"], size_gb=row["kv_cache_gb"], detail=row["detail"], ranks=row["ranks"])
        for row in found.to_dicts()
    )


class Retractions(msgspec.Struct, frozen=True):
    """How often a worker's KV pool was full and requests were put back."""

    worker: str
    lines: int
    requests: int
    tokens_gained: int


def retractions(rows: pl.DataFrame) -> Sequence[Retractions]:
    """One record a worker that logged retractions (``duplicate`` rows left out)."""
    wanted = (*WORKER_KEYS, "kind", "duplicate", "retracted_req", "tokens_gained")
    lines = rows.select(wanted).filter((pl.col("kind") == "retract") & ~pl.col("duplicate").fill_null(False))
    by_worker = lines.group_by(WORKER_KEYS).agg(
        lines=pl.len(), requests=pl.col("retracted_req").sum(), tokens_gained=pl.col("tokens_gained").sum()
    )
    found = [
        Retractions(
            "_".join(str(row[key]) for key in WORKER_KEYS),
            row["lines"],
            row["requests"],
            row["tokens_gained"],
        )
        for row in by_worker.to_dicts()
    ]
    return sorted(found, key=lambda record: natural_key(record.worker))
