"""Builders of records for tests: every field has a plain default, a test names only what it is about."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from trackside.records.engine_rows import COLUMNS
from trackside.records.engine_run import FileLedger, Ranks, RankTotals, Role, Worker
from trackside.report.workers import RunTables


def at(clock: str, day: str = "2026-01-31") -> int:
    """The microseconds of a logged time, stored as if UTC."""
    moment = dt.datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=dt.UTC)
    return round(moment.timestamp() * 1_000_000)


def worker(
    role: Role = Role.PREFILL, index: int = 0, first: str = "16:10:37", last: str = "17:18:27", **more: Any
) -> Worker:
    """One worker of node n1 with ten batch rows of one rank."""
    name = f"n1_{role.value}_w{index}.out"
    totals = RankTotals(Ranks(dp=0, tp=0), role.value, 10, at(first), at(last))
    fields: dict[str, Any] = {
        "node": "n1",
        "role": role,
        "worker_id": f"w{index}",
        "files": (name,),
        "engine": "sglang",
        "batch_rows": 10,
        "memory_rows": 2,
        "first_us": at(first),
        "last_us": at(last),
        "rank_totals": (totals,),
        "launches": 1,
        "config": {},
    }
    return Worker(**fields | more)


def run_tables(*workers: Worker, **more: Any) -> RunTables:
    """A run named 4401463 that was parsed freshly, with a clean ledger of one file."""
    fields: dict[str, Any] = {
        "name": "4401463",
        "path": "/runs/4401463",
        "workers": workers,
        "ledger": (FileLedger("n1_prefill_w0.out", lines=12, prefill=10, memory=2),),
        "cache_path": "/runs/4401463/logs/cached_assets/node_metrics.parquet",
    }
    return RunTables(**fields | more)


def six_prefill_two_decode() -> tuple[Worker, ...]:
    """The workers of a 6P/2D run."""
    prefill = tuple(worker(Role.PREFILL, index) for index in range(6))
    decode = tuple(worker(Role.DECODE, index, "16:10:46", "17:18:35") for index in range(2))
    return prefill + decode


def prefill_line(clock: str, tokens: int = 100, **more: Any) -> dict[str, Any]:
    """One prefill line of DP0 of n1_prefill_w0 with that many new tokens."""
    line = {"worker_type": "prefill", "batch_type": "prefill", "new_token": tokens, "new_seq": 1, "cached_token": 0}
    return _line(clock, line | more)


def decode_line(clock: str, rate: float | None = 100.0, **more: Any) -> dict[str, Any]:
    """One decode line of DP0 of n1_decode_w0 that reports that rate, with ten running requests."""
    line = {"worker_type": "decode", "batch_type": "decode", "gen_throughput": rate, "running_req": 10}
    return _line(clock, line | more)


def memory_line(clock: str, kind: str, **more: Any) -> dict[str, Any]:
    """One start-up line of n1_decode_w0."""
    return _line(clock, {"worker_type": "decode", "metric_type": "memory", "kind": kind} | more)


def _line(clock: str, more: dict[str, Any]) -> dict[str, Any]:
    line = {"node": "n1", "worker_id": "w0", "metric_type": "batch", "dp": 0, "tp": 0, "engine": "sglang"}
    stamp = {"timestamp": f"2026-01-31 {clock}"[:19], "time_us": at(clock), "tz_assumed": "unknown"}
    return line | stamp | {"duplicate": False, "torn": False} | more


def engine_rows(*lines: dict[str, Any]) -> pl.DataFrame:
    """A row frame with every column, in the order in which a run gives them."""
    schema = {column.name: getattr(pl, column.dtype) for column in COLUMNS}
    frame = pl.DataFrame(list(lines), schema=schema)
    return frame.sort("node", "worker_type", "worker_id", "time_us", maintain_order=True)
