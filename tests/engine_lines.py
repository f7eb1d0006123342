"""Lines that several tests of the line parser read, and how they read them."""

from __future__ import annotations

from typing import Any

from trackside.bench.lines import Row, read_line

TAG = b"[2026-01-04 00:44:47 TP0] "
DECODE = (
    b"Decode batch, #running-req: 3, #token: 640, token usage: 0.02, cuda graph: True, "
    b"gen throughput (token/s): 75.25, #queue-req: 1"
)
DECODE_VALUES = {
    "running_req": 3,
    "num_tokens": 640,
    "token_usage": 0.02,
    "graph": True,
    "graph_device": "cuda",
    "gen_throughput": 75.25,
    "queue_req": 1,
}


def read(line: bytes) -> Row:
    row = read_line(line)
    assert isinstance(row, Row), f"{line!r} gave {row}"
    return row


def values(line: bytes) -> dict[str, Any]:
    return dict(read(line).values)


VLLM_V1 = (
    b"Avg prompt throughput: 212.3 tokens/s, Avg generation throughput: 110.5 tokens/s, Running: 13 reqs, "
    b"Waiting: 14 reqs, GPU KV cache usage: 15.5%, Prefix cache hit rate: 44.0%"
)
