"""Start-up lines, whole and cut."""

from __future__ import annotations

import pytest

from tests.engine_lines import TAG, read
from trackside.bench.lines import Row, read_line

STARTUP: dict[bytes, tuple[str, dict[str, object]]] = {
    b"Load weight begin. avail mem=94.30 GB": ("weights_begin", {"avail_mem_gb": 94.3}),
    b"Load weight end. type=DeepseekV3ForCausalLM, dtype=torch.bfloat16, avail mem=30.11 GB, mem usage=64.20 GB.": (
        "weights_end",
        {"detail": "type=DeepseekV3ForCausalLM, dtype=torch.bfloat16", "avail_mem_gb": 30.11, "mem_usage_gb": 64.2},
    ),
    b"Load weight end. elapsed=12.50 s, type=Q, quant=fp8, fmt=e4m3, avail mem=30.11 GB, mem usage=-0.52 GB.": (
        "weights_end",
        {"detail": "type=Q, quant=fp8, fmt=e4m3", "elapsed_s": 12.5, "avail_mem_gb": 30.11, "mem_usage_gb": -0.52},
    ),
    b"KV Cache is allocated. #tokens: 1000, KV size: 30.50 GB": ("kv_cache", {"kv_tokens": 1000, "kv_cache_gb": 30.5}),
    b"KV Cache is allocated. #tokens: 1000, K size: 30.50 GB, V size: 30.25 GB": (
        "kv_cache",
        {"kv_tokens": 1000, "kv_cache_gb": 60.75},
    ),
    b"KV Cache is allocated. dtype: torch.float8_e4m3fn, #tokens: 1000, K size: 1.10 GB, V size: 2.20 GB": (
        "kv_cache",
        {"detail": "dtype=torch.float8_e4m3fn", "kv_tokens": 1000, "kv_cache_gb": 3.3},
    ),
    b"Memory pool end. avail mem=3.50 GB": ("memory_pool", {"avail_mem_gb": 3.5}),
    b"Capture cuda graph begin. This can take up to several minutes. avail mem=9.50 GB": (
        "graph_begin",
        {"detail": "cuda", "avail_mem_gb": 9.5},
    ),
    b"Capture draft extend cuda graph end. Time elapsed: 14.25 s. mem usage=1.05 GB. avail mem=8.45 GB.": (
        "graph_end",
        {"detail": "draft extend cuda", "elapsed_s": 14.25, "mem_usage_gb": 1.05, "avail_mem_gb": 8.45},
    ),
    b"Capture target verify CUDA graph end. elapsed=1.50 s, mem usage=1.05 GB, avail mem=8.45 GB.": (
        "graph_end",
        {"detail": "target verify CUDA", "elapsed_s": 1.5, "mem_usage_gb": 1.05, "avail_mem_gb": 8.45},
    ),
    b"max_total_num_tokens=163840, chunked_prefill_size=-1, max_prefill_tokens=16384, max_running_requests=2048, "
    b"context_len=163840, available_gpu_mem=8.40 GB": (
        "capacity",
        {
            "max_total_num_tokens": 163840,
            "chunked_prefill_size": -1,
            "max_prefill_tokens": 16384,
            "max_running_requests": 2048,
            "context_len": 163840,
            "avail_mem_gb": 8.4,
        },
    ),
    b"Init torch distributed ends. mem usage=0.10 GB": ("memory", {"mem_usage_gb": 0.1}),
    b"SWAKVPool mem usage: 3.50 GB, swa size: 10, full size: 20": ("memory", {"mem_usage_gb": 3.5}),
    b"KV cache pool is full. Retract requests. #retracted_reqs: 3, #new_tokens_gained: 2944, #mamba_num_gained: 3, "
    b"#new_token_ratio: 0.0912 -> 0.8345": ("retract", {"retracted_req": 3, "tokens_gained": 2944}),
    b"KV cache pool is full. Retract requests. #retracted_reqs: 1, #new_token_ratio: 0.0980 -> 0.8353": (
        "retract",
        {"retracted_req": 1},
    ),
    b"Decode out of memory happened. #retracted_reqs: 2, #new_token_ratio: 0.5000 -> 0.9000": (
        "retract",
        {"retracted_req": 2},
    ),
    b"decode out of memory happened, #retracted_reqs: 2, #new_token_ratio: 0.5000 -> 0.9000": (
        "retract",
        {"retracted_req": 2},
    ),
}


@pytest.mark.parametrize("message", STARTUP, ids=range(len(STARTUP)))
def test_start_up_line(message: bytes) -> None:
    kind, want = STARTUP[message]
    row = read(TAG + message)
    assert (row.kind, row.values, row.torn) == (kind, want, False)


@pytest.mark.parametrize("message", STARTUP, ids=range(len(STARTUP)))
def test_a_start_up_line_cut_anywhere_gives_no_half_value(message: bytes) -> None:
    """Only what may end a line of some version can be halved unseen: ``context_len`` and the counts of a retraction."""
    _, want = STARTUP[message]
    for cut in range(len(message)):
        row = read_line(TAG + message[:cut])
        if not isinstance(row, Row):
            continue
        row.values.pop("detail", None)
        wrong = {name for name, value in row.values.items() if value != want[name]}
        assert wrong <= {"context_len", "retracted_req", "tokens_gained"}, (cut, row.values)
