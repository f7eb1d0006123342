"""What each rank of each worker carried over the window, so that a hot rank cannot hide in a mean."""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl

from trackside.bench.batches import Batches
from trackside.bench.grouping import natural_key


class RankLoad(msgspec.Struct, frozen=True):
    """One rank of one worker over the window of the run; None where its lines carry no such value.

    Means are over the rank's lines. ``tokens_per_s`` is tokens over the time of the run's batch lines: input
    for prefill, generated for the rest.
    """

    worker: str
    slot: str
    lines: int
    mean_running: float | None
    max_running: float | None
    mean_queue: float | None
    mean_token_usage: float | None
    max_token_usage: float | None
    tokens_per_s: float | None


def rank_loads(batches: Batches, role: str, batch_type: str, input_side: bool, seconds: float) -> list[RankLoad]:
    """The load of each (worker, rank) with lines of this role and kind, in natural order."""
    part = batches.rows.filter((pl.col("worker_type") == role) & (pl.col("batch_type") == batch_type))
    if part.is_empty():
        return []
    ranks = batches.ranks
    place = pl.DataFrame(
        {
            "rank_id": np.arange(len(ranks.slots), dtype=np.int64),
            "worker": [ranks.workers[index] for index in ranks.worker_of],
            "slot": list(ranks.slots),
        }
    )
    levels = part.select("rank_id", "running_req", "queue_req", "token_usage").join(place, on="rank_id")
    kind = "input_tokens" if input_side else "output_tokens"
    tokens = batches.events.filter(pl.col("rank_id").is_in(part["rank_id"].unique().implode()))
    made = tokens.group_by("rank_id").agg(pl.col(kind).sum()).join(place, on="rank_id")
    loads = levels.group_by("worker", "slot").agg(
        lines=pl.len(),
        mean_running=pl.col("running_req").mean(),
        max_running=pl.col("running_req").max().cast(pl.Float64),
        mean_queue=pl.col("queue_req").mean(),
        mean_token_usage=pl.col("token_usage").mean(),
        max_token_usage=pl.col("token_usage").max(),
    )
    loads = loads.join(
        made.group_by("worker", "slot").agg(tokens_per_s=pl.col(kind).sum() / seconds if seconds > 0 else None),
        on=["worker", "slot"],
        how="left",
    )
    records = [RankLoad(**row) for row in loads.to_dicts()]
    return sorted(records, key=lambda load: (natural_key(load.worker), natural_key(load.slot)))


def hottest(loads: list[RankLoad], field: str) -> tuple[RankLoad, float] | None:
    """The rank that carries most of ``field`` relative to the mean of its worker's ranks, and that ratio.

    None where no worker has two ranks with a value.
    """
    best: tuple[RankLoad, float] | None = None
    for worker in dict.fromkeys(load.worker for load in loads):
        own = [(load, getattr(load, field)) for load in loads if load.worker == worker]
        known = [(load, float(value)) for load, value in own if value is not None]
        mean = sum(value for _, value in known) / len(known) if known else 0.0
        if len(known) < 2 or mean <= 0:
            continue
        load, value = max(known, key=lambda pair: pair[1])
        if best is None or value / mean > best[1]:
            best = (load, value / mean)
    return best
