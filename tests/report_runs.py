"""Small runs for the tests of the report, friendly and hostile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from tests import build
from trackside.records.engine_run import FileLedger, Role, Worker
from trackside.report.bench_report import write_bench_report

HOSTILE_NODE = "<svg/onload=window.pwned=1>\"'</script><script>window.pwned=2</script>\u202eevil"
HOSTILE_VALUE = "</script><img src=x onerror=window.pwned=3>"


def lines_of(node: str = "n1", seconds: int = 300) -> list[dict[str, Any]]:
    """Five minutes of a 1P/1D run: two prefill ranks, four decode ranks of which DP3 is hot."""
    prefill = [
        build.prefill_line(_clock(at), 500, node=node, dp=at % 2, cached_token=100, queue_req=at % 7, token_usage=0.1)
        for at in range(0, seconds, 3)
    ]
    decode = [
        build.decode_line(
            _clock(at),
            100.0 + dp,
            node=node,
            dp=dp,
            running_req=60 if dp == 3 else 20,
            queue_req=0,
            token_usage=0.2 * (dp + 1),
            transfer_req=at % 5,
            accept_len=2.5,
        )
        for at in range(0, seconds, 4)
        for dp in range(4)
    ]
    start = [
        build.memory_line("09:59:00", "weights_end", node=node, mem_usage_gb=40.0, avail_mem_gb=50.0),
        build.memory_line("09:59:10", "kv_cache", node=node, kv_tokens=100_000, kv_cache_gb=8.0),
    ]
    return prefill + decode + start


def _clock(second: int) -> str:
    return f"10:{second // 60:02d}:{second % 60:02d}"


def workers_of(node: str = "n1", value: str = "fa3") -> tuple[Worker, ...]:
    """The two workers of that run with a launch configuration."""
    return tuple(
        build.worker(role, node=node, gpus=4, config={"attention_backend": value, "tp_size": 4, "mode": role.value})
        for role in (Role.PREFILL, Role.DECODE)
    )


def write(out: Path, rows: pl.DataFrame | None = None, workers: tuple[Worker, ...] | None = None, **more: Any) -> Path:
    """The report of the friendly run, or of what is given."""
    ledger = more.pop("ledger", (FileLedger("n1_prefill_w0.out", lines=500, prefill=100, decode=300, memory=2),))
    return write_bench_report(
        more.pop("name", "4401463"),
        build.engine_rows(*lines_of()) if rows is None else rows,
        workers_of() if workers is None else workers,
        ledger,
        more.pop("notes", ()),
        out,
        **more,
    )


def write_hostile(out: Path, group_by: str = "node") -> Path:
    """A report in which every name that comes from outside tries to run."""
    ledger = (
        FileLedger(
            f"{HOSTILE_NODE}.out", lines=9, prefill=3, unrecognised=1, samples=(HOSTILE_VALUE,), note=HOSTILE_VALUE
        ),
    )
    return write(
        out,
        build.engine_rows(*lines_of(HOSTILE_NODE)),
        workers_of(HOSTILE_NODE, HOSTILE_VALUE),
        name=HOSTILE_NODE,
        ledger=ledger,
        notes=(HOSTILE_VALUE,),
        group_by=group_by,
    )
