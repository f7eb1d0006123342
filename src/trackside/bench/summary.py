"""One row a worker, and one record for the whole run: tokens, rates, peaks, topology."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec
import numpy as np
import polars as pl

from trackside.bench.batches import SUMMARY_COLUMNS, Batches, read_batches
from trackside.bench.grouping import natural_key
from trackside.bench.topology import topology_of
from trackside.records.engine_run import Role, Worker

__all__ = [
    "SUMMARY_COLUMNS",
    "WORKER_SUMMARY",
    "RunSummary",
    "summarise_run",
    "summarise_workers",
    "tells_side",
    "topology_of",
]

WORKER_SUMMARY = {
    "name": pl.String,
    "role": pl.String,
    "ranks": pl.Int64,
    "batch_rows": pl.Int64,
    "median_running": pl.Float64,
    "median_queue": pl.Float64,
    "median_token_usage": pl.Float64,
    "input_tokens": pl.Int64,
    "cached_tokens": pl.Int64,
    "output_tokens": pl.Int64,
    "input_tps": pl.Float64,
    "output_tps": pl.Float64,
    "gpus": pl.Int64,
    "input_tps_per_gpu": pl.Float64,
    "output_tps_per_gpu": pl.Float64,
    "first_us": pl.Int64,
    "last_us": pl.Int64,
}


_SIDES: Final = {"input": ("prefill", "engine", "iteration"), "output": ("decode", "engine", "iteration")}
"""Kinds of lines that carry tokens of a side."""


class RunSummary(msgspec.Struct, frozen=True):
    """A run in figures. Rates are tokens over the time from the first to the last batch line of the run.

    ``input_tps_per_gpu`` divides by the GPUs of the workers that prefill (prefill or aggregated),
    ``output_…`` by those that decode, ``total_…`` by all; None where the GPUs of one of them are unknown.
    Tokens of duplicate rows do not count; a cached prompt token is not an input token here (``cached_tokens``
    has them).
    """

    topology: str
    first_us: int | None
    last_us: int | None
    duration_s: float | None
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    input_tps: float | None
    output_tps: float | None
    total_tps: float | None
    prefill_gpus: int | None
    decode_gpus: int | None
    gpus: int | None
    input_tps_per_gpu: float | None
    output_tps_per_gpu: float | None
    total_tps_per_gpu: float | None
    batch_rows: int
    duplicate_rows: int
    estimated_output_tokens: int
    cache_hit_rate: float | None


def summarise_workers(rows: pl.DataFrame, workers: Sequence[Worker], batches: Batches | None = None) -> pl.DataFrame:
    """One row a worker that serves (columns: WORKER_SUMMARY), prefill before decode, w2 before w10.

    Tokens of a side that none of a worker's lines carries are null. Rates are over the worker's own time from
    its first to its last batch line; null where that is no time at all. Pass ``batches`` where they were read
    already; otherwise ``rows`` needs SUMMARY_COLUMNS.
    """
    batches = batches or read_batches(rows, workers)
    stats = {row["name"]: row for row in _worker_rows(batches)}
    order = {role: index for index, role in enumerate(Role)}
    serving = [worker for worker in workers if worker.role is not Role.FRONTEND]
    serving.sort(key=lambda worker: (order[worker.role], natural_key(worker.name)))
    return pl.DataFrame([_worker_record(worker, stats.get(worker.name)) for worker in serving], schema=WORKER_SUMMARY)


def tells_side(batches: Batches, side: Literal["input", "output"]) -> bool:
    """Whether any batch line carries tokens of that side: where none does, they are unknown and not zero.

    A decode line tells a rate since the one before of its rank: alone it tells nothing.
    """
    lines = batches.rows.filter(pl.col("batch_type").is_in(_SIDES[side]))
    if side == "input" or not (lines["batch_type"] == "decode").all():
        return not lines.is_empty()
    if batches.events["output_tokens"].sum() > 0 or "gen_throughput" not in lines.columns:
        return batches.events["output_tokens"].sum() > 0
    return bool(lines.filter(pl.col("gen_throughput").is_not_null())["rank_id"].is_duplicated().any())


def _worker_rows(batches: Batches) -> list[dict[str, object]]:
    name = pl.concat_str("node", "worker_type", "worker_id", separator="_").alias("name")
    levels = batches.rows.group_by("node", "worker_type", "worker_id").agg(
        ranks=pl.col("rank_id").n_unique(),
        batch_rows=pl.len(),
        median_running=pl.col("running_req").median(),
        median_queue=pl.col("queue_req").median(),
        median_token_usage=pl.col("token_usage").median(),
        input_lines=pl.col("batch_type").is_in(_SIDES["input"]).sum(),
        output_lines=pl.col("batch_type").is_in(_SIDES["output"]).sum(),
        first_us=pl.col("time_us").min(),
        last_us=pl.col("time_us").max(),
    )
    names = pl.DataFrame(
        {
            "rank_id": np.arange(len(batches.ranks.slots), dtype=np.int64),
            "name": [batches.ranks.workers[index] for index in batches.ranks.worker_of],
        },
        schema={"rank_id": pl.Int64, "name": pl.String},
    )
    sums = [pl.col(f"{kind}_tokens").sum() for kind in ("input", "cached", "output")]
    by_rank = batches.events.group_by("rank_id").agg(sums)
    tokens = by_rank.join(names, on="rank_id").group_by("name").agg(sums)
    return levels.with_columns(name).join(tokens, on="name", how="left").to_dicts()


def _worker_record(worker: Worker, stats: dict[str, object] | None) -> dict[str, object]:
    record: dict[str, object] = {
        "name": worker.name,
        "role": worker.role.value,
        "gpus": worker.gpus,
        "batch_rows": 0,
    }
    if stats is None:
        return record | {"first_us": worker.first_us, "last_us": worker.last_us}
    record |= {name: stats[name] for name in WORKER_SUMMARY if name in stats}
    seconds = (int(str(stats["last_us"])) - int(str(stats["first_us"]))) / 1e6
    for kind, lines in (("input", "input_lines"), ("cached", "input_lines"), ("output", "output_lines")):
        record[f"{kind}_tokens"] = round(float(str(stats[f"{kind}_tokens"]))) if stats[lines] else None
    for kind in ("input", "output"):
        if not stats[f"{kind}_lines"]:
            continue
        rate = float(str(stats[f"{kind}_tokens"])) / seconds if seconds > 0 else None
        record[f"{kind}_tps"] = rate
        record[f"{kind}_tps_per_gpu"] = rate / worker.gpus if rate is not None and worker.gpus else None
    return record


def summarise_run(rows: pl.DataFrame, workers: Sequence[Worker], batches: Batches | None = None) -> RunSummary:
    """The run in figures; ``rows`` needs SUMMARY_COLUMNS unless ``batches`` were read already."""
    batches = batches or read_batches(rows, workers)
    first, last = batches.rows["time_us"].min(), batches.rows["time_us"].max()
    window = (int(str(first)), int(str(last))) if first is not None and last is not None else None
    seconds = (window[1] - window[0]) / 1e6 if window else 0.0
    tokens = {kind: float(batches.events[f"{kind}_tokens"].sum()) for kind in ("input", "cached", "output")}
    prefill_gpus = _gpus(workers, (Role.PREFILL, Role.AGG))
    decode_gpus = _gpus(workers, (Role.DECODE, Role.AGG))
    gpus = _gpus(workers, (Role.PREFILL, Role.DECODE, Role.AGG))
    rates = {kind: tokens[kind] / seconds if seconds > 0 else None for kind in ("input", "output")}
    total = (tokens["input"] + tokens["output"]) / seconds if seconds > 0 else None
    prompt = tokens["input"] + tokens["cached"]
    estimated = batches.events.filter("estimated")["output_tokens"].sum()
    return RunSummary(
        topology=topology_of(workers),
        first_us=window[0] if window else None,
        last_us=window[1] if window else None,
        duration_s=seconds if window else None,
        input_tokens=round(tokens["input"]),
        cached_tokens=round(tokens["cached"]),
        output_tokens=round(tokens["output"]),
        input_tps=rates["input"],
        output_tps=rates["output"],
        total_tps=total,
        prefill_gpus=prefill_gpus,
        decode_gpus=decode_gpus,
        gpus=gpus,
        input_tps_per_gpu=_per(rates["input"], prefill_gpus),
        output_tps_per_gpu=_per(rates["output"], decode_gpus),
        total_tps_per_gpu=_per(total, gpus),
        batch_rows=batches.rows.height,
        duplicate_rows=batches.left_out,
        estimated_output_tokens=round(float(estimated)),
        cache_hit_rate=tokens["cached"] / prompt if prompt > 0 and batches.rows["cached_token"].count() else None,
    )


def _gpus(workers: Sequence[Worker], roles: Sequence[Role]) -> int | None:
    """GPUs of all workers of these roles; None where there is none or one of them is unknown."""
    counts = [worker.gpus for worker in workers if worker.role in roles]
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None


def _per(rate: float | None, gpus: int | None) -> float | None:
    return rate / gpus if rate is not None and gpus else None
