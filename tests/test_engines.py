"""The lines of vLLM and TensorRT-LLM."""

from __future__ import annotations

import pytest

from tests.engine_lines import VLLM_V1, read, values

VLLM_V1_VALUES = {
    "input_throughput": 212.3,
    "gen_throughput": 110.5,
    "running_req": 13,
    "queue_req": 14,
    "token_usage": 0.155,
    "cache_hit_rate_pct": 44.0,
}
VLLM_PREFIXES = {
    b"(APIServer pid=1) INFO 03-19 07:08:57 [loggers.py:259] Engine 003: ": (b"03-19 07:08:57", {"dp": 3}, b""),
    b"INFO 03-19 07:08:57 [loggers.py:116] ": (b"03-19 07:08:57", {}, b""),
    b"INFO 03-19 07:08:57 metrics.py:467] ": (b"03-19 07:08:57", {}, b""),
    b"0: INFO 03-19 07:08:57 llm_engine.py:624] ": (b"03-19 07:08:57", {}, b"0"),
    b"(ApiServer_0 pid=3) INFO 03-19 07:08:57 [loggers.py:259] Engine 000: ": (b"03-19 07:08:57", {"dp": 0}, b""),
    b"(APIServer pid=6) INFO 03-19 07:08:57 [v1/metrics/loggers.py:271] 2 Engines Aggregated: ": (
        b"03-19 07:08:57",
        {},
        b"",
    ),
    b"2026-03-19T07:08:57.000000002Z (APIServer pid=1) INFO 03-19 07:08:57 [loggers.py:310] Engine 000: ": (
        b"03-19 07:08:57",
        {"dp": 0},
        b"",
    ),
    b"p0 [2m2025-05-13T13:47:38.880Z[0m [32m INFO[0m [2mmetrics.log[0m[2m:[0m ": (b"2025-05-13T13:47:38", {}, b""),
}


@pytest.mark.parametrize("lead", VLLM_PREFIXES, ids=range(len(VLLM_PREFIXES)))
def test_vllm_v1_line(lead: bytes) -> None:
    stamp, ranks, label = VLLM_PREFIXES[lead]
    row = read(lead + VLLM_V1)
    assert (row.kind, row.engine, row.torn) == ("engine", "vllm", False)
    assert (row.prefix.stamp, row.prefix.ranks, row.prefix.label) == (stamp, ranks, label)
    assert row.values == VLLM_V1_VALUES


def test_vllm_v0_line() -> None:
    assert values(
        b"INFO 03-19 07:08:57 [metrics.py:481] Avg prompt throughput: 0.9 tokens/s, Avg generation throughput: 0.1 "
        b"tokens/s, Running: 8 reqs, Swapped: 2 reqs, Pending: 3 reqs, GPU KV cache usage: 1.4%, "
        b"CPU KV cache usage: 0.5%."
    ) == {
        "input_throughput": 0.9,
        "gen_throughput": 0.1,
        "running_req": 8,
        "swapped_req": 2,
        "queue_req": 3,
        "token_usage": 0.014,
        "cpu_usage": 0.005,
    }


TRT = b"[05/20/2026-23:24:41] [TRT-LLM] [I] "
TRT_STATES = b"states = {'num_ctx_requests': 1, 'num_ctx_tokens': 13694, 'num_generation_tokens': 140"
TRT_SHAPES: dict[str, tuple[bytes, dict[str, object]]] = {
    "oldest": (
        TRT + b"iter = 7, global_rank = 9, rank = 1, currank_total_requests = 0/1, elapsed_time = 1.5s, "
        b"timestamp = 2026-05-20 23:24:41, num_scheduled_requests: 12, " + TRT_STATES + b"}",
        {"host_step_ms": 1500.0},
    ),
    "old": (
        b"3: " + TRT + b"[_torch][RANK 0] iter = 7, global_rank = 9, rank = 1, currank_total_requests = 0/1, "
        b"host_step_time = 45810.2ms, prev_device_step_time = N/A, timestamp = 2026-05-20 23:24:41, "
        b"num_scheduled_requests: 12, " + TRT_STATES + b"}",
        {"host_step_ms": 45810.2, "device_step_ms": None},
    ),
    "new": (
        b"[TRT-LLM] [I] [_torch][RANK 0] iter = 7, global_rank = 9, rank = 1, num_scheduled_requests = 12, "
        b"kv_cache_util = 0.125, currank_total_requests = 1/8, host_step_time = 12.5ms, "
        b"prev_device_step_time = 12.25ms, "
        b"timestamp = 2026-05-20 23:24:41, "
        + TRT_STATES
        + b", 'cached_kv_tokens': 63821}, num_active = 15, num_fetched = 16",
        {
            "token_usage": 0.125,
            "host_step_ms": 12.5,
            "device_step_ms": 12.25,
            "cached_token": 63821,
            "active_req": 15,
        },
    ),
}


@pytest.mark.parametrize("shape", TRT_SHAPES)
def test_tensorrt_llm_iteration_line(shape: str) -> None:
    line, more = TRT_SHAPES[shape]
    row = read(line)
    assert (row.kind, row.engine, row.torn) == ("iteration", "trtllm", False)
    assert row.prefix.stamp in (b"05/20/2026-23:24:41", b"2026-05-20 23:24:41")
    assert (
        row.values
        == {
            "iteration": 7,
            "tp": 1,
            "running_req": 12,
            "new_seq": 1,
            "new_token": 13694,
            "gen_token": 140,
        }
        | more
    )
