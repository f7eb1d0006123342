"""Builders of records for tests: every field has a plain default, a test names only what it is about."""

from __future__ import annotations

import datetime as dt
from typing import Any

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
