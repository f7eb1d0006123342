"""Every prefix form and every message form of the engines, one literal line each, and what happens to cut lines."""

from __future__ import annotations

from typing import Any

import pytest

from trackside.bench.lines import Miss, Row, read_line, split_glued

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


FULL = b"2026-01-04 00:44:47"
PREFIXES = {
    "P1 DP TP EP": (b"[2026-01-04 00:44:47 DP0 TP1 EP2] ", FULL, {"dp": 0, "tp": 1, "ep": 2}, b""),
    "P2 TP": (b"[2026-01-04 00:44:47 TP7] ", FULL, {"tp": 7}, b""),
    "P3 no tag": (b"[2026-01-04 00:44:47] ", FULL, {}, b""),
    "P4 TP EP": (b"[2026-01-04 00:44:47 TP0 EP0] ", FULL, {"tp": 0, "ep": 0}, b""),
    "P5 DP TP": (b"[2026-01-04 00:44:47 DP9 TP9] ", FULL, {"dp": 9, "tp": 9}, b""),
    "P6 PP": (b"[2026-01-04 00:44:47 PP0] ", FULL, {"pp": 0}, b""),
    "P6 DP": (b"[2026-01-04 00:44:47 DP3] ", FULL, {"dp": 3}, b""),
    "P6 DP PP TP EP": (b"[2026-01-04 00:44:47 DP0 PP1 TP2 EP3] ", FULL, {"dp": 0, "pp": 1, "tp": 2, "ep": 3}, b""),
    "P7 context parallel": (
        b"[2026-01-04 00:44:47 PP0 ATTN_CP1 TP1 EP1] ",
        FULL,
        {"pp": 0, "attn_cp": 1, "tp": 1, "ep": 1},
        b"",
    ),
    "P7 all six": (
        b"[2026-01-04 00:44:47 DP0 PP1 ATTN_CP2 MOE_DP3 TP4 EP5] ",
        FULL,
        {"dp": 0, "pp": 1, "attn_cp": 2, "moe_dp": 3, "tp": 4, "ep": 5},
        b"",
    ),
    "a tag nobody knows yet": (b"[2026-01-04 00:44:47 DP0 NEW_CP4 TP1] ", FULL, {"dp": 0, "tp": 1}, b""),
    "P8 milliseconds": (b"[2026-01-04 00:44:47.615 DP3 TP3] ", FULL, {"dp": 3, "tp": 3}, b""),
    "P9 time only": (b"[16:43:29 TP0] ", b"16:43:29", {"tp": 0}, b""),
    "P10 nothing": (b"", b"", {}, b""),
    "P11 level and source": (b"[2026-01-04 00:44:47] INFO scheduler.py:123: ", FULL, {}, b""),
    "P12 dynamo, colours left as text": (
        b"p0 [2m2026-01-04T00:44:47.880Z[0m [32m INFO[0m [2msglang[0m[2m:[0m ",
        b"2026-01-04T00:44:47",
        {},
        b"",
    ),
    "P13 dynamo": (
        b"2026-01-04T00:44:47.799938Z  INFO metrics_reporter.report_stats: ",
        b"2026-01-04T00:44:47",
        {},
        b"",
    ),
    "P13 dynamo, Rust target": (
        b"2026-01-04T00:44:47.799938Z  INFO sglang::scheduler: ",
        b"2026-01-04T00:44:47",
        {},
        b"",
    ),
    "P14 bracket eaten": (
        b"2026-01-04T00:44:47.500Z pod-5yl-rhk INFO TP0] ",
        b"2026-01-04T00:44:47",
        {"tp": 0},
        b"pod-5yl-rhk",
    ),
    "P15 Ray": (b"(SGLangEngine pid=41820) [2026-01-04 00:44:47 TP0] ", FULL, {"tp": 0}, b"SGLangEngine pid=41820"),
    "P15 Ray with address": (
        b"(SGLangEngine pid=5, ip=10.0.0.7) [2026-01-04 00:44:47 TP0] ",
        FULL,
        {"tp": 0},
        b"SGLangEngine pid=5, ip=10.0.0.7",
    ),
    "P16 compose": (b"sglang-1  | [2026-01-04 00:44:47 TP0] ", FULL, {"tp": 0}, b"sglang-1"),
    "P16 srun label": (b"12: [2026-01-04 00:44:47 TP0] ", FULL, {"tp": 0}, b"12"),
    "P16 srun label, padded": (b" 0: [2026-01-04 00:44:47 TP0] ", FULL, {"tp": 0}, b"0"),
    "kubectl --prefix": (b"[pod/sgl-0/main] [2026-01-04 00:44:47 TP0] ", FULL, {"tp": 0}, b"sgl-0/main"),
    "CI runner": (b"2026-01-04T00:44:48.1234567Z [2026-01-04 00:44:47 TP0] ", FULL, {"tp": 0}, b""),
    "journal": (b"Jan 04 00:44:47 host python3[1]: [2026-01-04 00:44:47] ", FULL, {}, b""),
    "logging config": (b"2026-01-04 00:44:47,123 - INFO - sglang.srt.scheduler - ", FULL, {}, b""),
    "logging config, source in brackets": (b"INFO 2026-01-04 00:44:47,123 scheduler.py:33] ", FULL, {}, b""),
    "after a progress bar": (b"  0%|   | 0/23 [00:00<?, ?it/s][2026-01-04 00:44:47 TP0] ", FULL, {"tp": 0}, b""),
}


@pytest.mark.parametrize("form", PREFIXES)
def test_prefix(form: str) -> None:
    lead, stamp, ranks, label = PREFIXES[form]
    row = read(lead + DECODE)
    assert (row.prefix.stamp, row.prefix.ranks, row.prefix.label) == (stamp, ranks, label)
    assert row.values == DECODE_VALUES
    assert not row.torn


def test_milliseconds_and_zones_are_read() -> None:
    assert read(b"[2026-01-04 00:44:47.615 TP0] " + DECODE).prefix.frac == b"615"
    assert read(b"2026-01-04T00:44:47.5Z  INFO a: " + DECODE).prefix.zone == b"Z"
    assert read(b"[2026-01-04 00:44:47+0800 TP0] " + DECODE).prefix.zone == b"+0800"


def test_a_tag_without_its_bracket_and_time_is_flagged() -> None:
    row = read(b"TP0] " + DECODE)
    assert row.torn
    assert row.prefix.ranks == {"tp": 0}


P = b"[2026-01-04 00:44:47 TP0] "
MESSAGES = {
    "2024 prefill": (
        b"Prefill batch. #new-seq: 1, #new-token: 7, #cached-token: 2, cache hit rate: 12.50%, token usage: 0.01, "
        b"#running-req: 3, #queue-req: 4",
        {
            "new_seq": 1,
            "new_token": 7,
            "cached_token": 2,
            "cache_hit_rate_pct": 12.5,
            "token_usage": 0.01,
            "running_req": 3,
            "queue_req": 4,
        },
    ),
    "2025-04 prefill of a PD run": (
        b"Prefill batch. #new-seq: 1, #new-token: 7, #cached-token: 2, token usage: 0.01, #unbootstrapped-req: 5, "
        b"#queue-req: 4, #transferring-req: 6, input throughput (token/s): 8.25, ",
        {
            "new_seq": 1,
            "new_token": 7,
            "cached_token": 2,
            "token_usage": 0.01,
            "prealloc_req": 5,
            "queue_req": 4,
            "inflight_req": 6,
            "input_throughput": 8.25,
        },
    ),
    "2025-07 prefill with a time stamp field": (
        b"Prefill batch. #new-seq: 1, #new-token: 2192, #cached-token: 35, #token: 36, token usage: 0.00, "
        b"#running-req: 0, #queue-req: 0, timestamp: 2025-07-18T15:32:52.498932",
        {
            "new_seq": 1,
            "new_token": 2192,
            "cached_token": 35,
            "num_tokens": 36,
            "token_usage": 0.0,
            "running_req": 0,
            "queue_req": 0,
        },
    ),
    "2025-10 prefill of a PD run": (
        b"Prefill batch [12], #new-seq: 1, #new-token: 7, #cached-token: 2, token usage: 0.01, #running-req: 0, "
        b"#queue-req: 4, #prealloc-req: 5, #inflight-req: 6, input throughput (token/s): 8.25, ",
        {
            "iteration": 12,
            "new_seq": 1,
            "new_token": 7,
            "cached_token": 2,
            "token_usage": 0.01,
            "running_req": 0,
            "queue_req": 4,
            "prealloc_req": 5,
            "inflight_req": 6,
            "input_throughput": 8.25,
        },
    ),
    "2026-02 prefill, graph last": (
        b"Prefill batch, #new-seq: 1, #new-token: 7, #cached-token: 2, token usage: 0.01, #running-req: 0, "
        b"#queue-req: 4, input throughput (token/s): 8.25, cpu graph: False",
        {
            "new_seq": 1,
            "new_token": 7,
            "cached_token": 2,
            "token_usage": 0.01,
            "running_req": 0,
            "queue_req": 4,
            "input_throughput": 8.25,
            "graph": False,
            "graph_device": "cpu",
        },
    ),
    "2026-07 prefill with all fields": (
        b"Prefill batch, #new-seq: 1, #new-token: 7, #cached-token: 2, full token usage: 0.01, swa token usage: 0.02, "
        b"mamba usage: 0.03, #running-req: 0, #queue-req: 4, #pending-token: 9, #bootstrap-req: 5, #inflight-req: 6, "
        b"#optimistic-req: 11, waiting-image-req: 12, npu graph: True, input throughput (token/s): 8.25, "
        b"est. prefill TFLOPS/s (per GPU): 13.50, fwd occupancy: 97.25%",
        {
            "new_seq": 1,
            "new_token": 7,
            "cached_token": 2,
            "token_usage": 0.01,
            "swa_usage": 0.02,
            "mamba_usage": 0.03,
            "running_req": 0,
            "queue_req": 4,
            "pending_token": 9,
            "prealloc_req": 5,
            "inflight_req": 6,
            "optimistic_req": 11,
            "waiting_image_req": 12,
            "graph": True,
            "graph_device": "npu",
            "input_throughput": 8.25,
            "tflops_per_gpu": 13.5,
            "fwd_occupancy_pct": 97.25,
        },
    ),
    "2024 decode": (
        b"Decode batch. #running-req: 233, #token: 370959, token usage: 0.82, gen throughput (token/s): 4594.01, "
        b"#queue-req: 317",
        {
            "running_req": 233,
            "num_tokens": 370959,
            "token_usage": 0.82,
            "gen_throughput": 4594.01,
            "queue_req": 317,
        },
    ),
    "decode of a PD run": (
        b"Decode batch, #running-req: 1, #token: 64, token usage: 0.01, pre-allocated usage: 0.02, #prealloc-req: 3, "
        b"#transfer-req: 4, #retracted-req: 5, cuda graph: True, gen throughput (token/s): 0.42, #queue-req: 6, ",
        {
            "running_req": 1,
            "num_tokens": 64,
            "token_usage": 0.01,
            "preallocated_usage": 0.02,
            "prealloc_req": 3,
            "transfer_req": 4,
            "retracted_req": 5,
            "graph": True,
            "graph_device": "cuda",
            "gen_throughput": 0.42,
            "queue_req": 6,
        },
    ),
    "decode with sliding window and speculation": (
        b"Decode batch, #running-req: 1, #full token: 330, full token usage: 0.10, #swa token: 331, "
        b"swa token usage: 0.20, accept len: 1.98, accept rate: 0.07, cap len: 4.00, block accept len: 2.50, "
        b"cuda graph: True, gen throughput (token/s): 15.32, #queue-req: 0",
        {
            "running_req": 1,
            "num_tokens": 330,
            "token_usage": 0.1,
            "swa_tokens": 331,
            "swa_usage": 0.2,
            "accept_len": 1.98,
            "accept_rate": 0.07,
            "cap_len": 4.0,
            "block_accept_len": 2.5,
            "graph": True,
            "graph_device": "cuda",
            "gen_throughput": 15.32,
            "queue_req": 0,
        },
    ),
    "decode of a state-space hybrid": (
        b"Decode batch, #running-req: 1, #full token: 480, full token usage: 0.00, mamba num: 2, mamba usage: 0.50, "
        b"cuda graph: False, gen throughput (token/s): 14.43, #queue-req: 0",
        {
            "running_req": 1,
            "num_tokens": 480,
            "token_usage": 0.0,
            "mamba_num": 2,
            "mamba_usage": 0.5,
            "graph": False,
            "graph_device": "cuda",
            "gen_throughput": 14.43,
            "queue_req": 0,
        },
    ),
    "decode with host memory": (
        b"Decode batch, #running-req: 1, #gpu token: 480, gpu token usage: 0.10, #cpu token: 512, "
        b"cpu token usage: 0.20, cuda graph: True, gen throughput (token/s): 14.43, #queue-req: 0",
        {
            "running_req": 1,
            "num_tokens": 480,
            "token_usage": 0.1,
            "cpu_tokens": 512,
            "cpu_usage": 0.2,
            "graph": True,
            "graph_device": "cuda",
            "gen_throughput": 14.43,
            "queue_req": 0,
        },
    ),
    "decode with hardware estimates": (
        DECODE + b", est. decode TFLOPS/s (per GPU): 12.50, est. read BW (GB/s per GPU): 345.60, "
        b"est. write BW (GB/s per GPU): 44.10, fwd occupancy: 97.50%",
        DECODE_VALUES
        | {"tflops_per_gpu": 12.5, "read_bw_gb_s": 345.6, "write_bw_gb_s": 44.1, "fwd_occupancy_pct": 97.5},
    ),
    "decode of sglang-jax": (
        b"Decode batch. #running-req: 8, #token: 100, token usage: 0.10, gen throughput (token/s): 84.41, "
        b"#queue-req: 0, #cache_miss: 3",
        {
            "running_req": 8,
            "num_tokens": 100,
            "token_usage": 0.1,
            "gen_throughput": 84.41,
            "queue_req": 0,
            "cache_miss": 3,
        },
    ),
    "exponents and signs": (
        b"Decode batch, #running-req: 1, #token: 5, token usage: -0.01, gen throughput (token/s): 1.5e+03, "
        b"#queue-req: 0",
        {"running_req": 1, "num_tokens": 5, "token_usage": -0.01, "gen_throughput": 1500.0, "queue_req": 0},
    ),
}


@pytest.mark.parametrize("form", MESSAGES)
def test_batch_message(form: str) -> None:
    message, want = MESSAGES[form]
    row = read(P + message)
    assert row.values == want
    assert (row.torn, row.unknown, row.not_a_number) == (False, [], 0)


def test_fields_may_stand_in_any_order() -> None:
    fields = DECODE.removeprefix(b"Decode batch, ").split(b", ")
    assert values(P + b"Decode batch, " + b", ".join(reversed(fields))) == DECODE_VALUES


def test_per_rank_lists_of_sglang_jax_are_no_numbers_and_break_nothing() -> None:
    row = read(P + DECODE.replace(b"#token", b"#running-req per DP: [1, 2], #token"))
    assert row.values == DECODE_VALUES
    assert row.unknown == ["#running-req per DP"]


def test_a_new_field_is_counted_and_costs_nothing() -> None:
    row = read(P + DECODE.replace(b"cuda graph", b"#waiting-req: 9, cuda graph"))
    assert row.values == DECODE_VALUES
    assert row.unknown == ["#waiting-req"]


@pytest.mark.parametrize("text", [b"1.2.3", b".", b"nan", b"inf", b"0x10", b"1e", b"5.", b"1e999", b"--1", b"None"])
def test_what_is_no_number_is_null_and_counted(text: bytes) -> None:
    row = read(P + DECODE.replace(b"75.25", text))
    assert row.values["gen_throughput"] is None
    assert row.not_a_number == 1


@pytest.mark.parametrize("text", [b"1.5", b"1e3", b"9999999999999999999", b"5."])
def test_counts_are_whole_numbers_of_at_most_eighteen_digits(text: bytes) -> None:
    row = read(P + DECODE.replace(b"640", text))
    assert row.values["num_tokens"] is None
    assert row.not_a_number == 1


def test_a_line_that_stands_for_several_in_ray_is_whole() -> None:
    row = read(b"(Engine pid=5) " + P + DECODE + b" [repeated 3x across cluster] (Ray deduplicates logs by default.)")
    assert row.values == DECODE_VALUES
    assert not row.torn


VLLM_V1 = (
    b"Avg prompt throughput: 212.3 tokens/s, Avg generation throughput: 110.5 tokens/s, Running: 13 reqs, "
    b"Waiting: 14 reqs, GPU KV cache usage: 15.5%, Prefix cache hit rate: 44.0%"
)
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
TRT_SHAPES = {
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


STARTUP = {
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
    row = read(P + message)
    assert (row.kind, row.values, row.torn) == (kind, want, False)


@pytest.mark.parametrize("message", STARTUP, ids=range(len(STARTUP)))
def test_a_start_up_line_cut_anywhere_gives_no_half_value(message: bytes) -> None:
    """Only what may end a line of some version can be halved unseen: ``context_len`` and the counts of a retraction."""
    _, want = STARTUP[message]
    for cut in range(len(message)):
        row = read_line(P + message[:cut])
        if not isinstance(row, Row):
            continue
        row.values.pop("detail", None)
        wrong = {name for name, value in row.values.items() if value != want[name]}
        assert wrong <= {"context_len", "retracted_req", "tokens_gained"}, (cut, row.values)


@pytest.mark.parametrize(
    "line",
    [
        b"[2026-01-04 00:44:47] Receive: text='[2026-01-04 00:44:47 TP0] " + DECODE + b"'",
        b'[2026-01-04 00:44:47] INFO: prompt: "why does it say ' + DECODE + b'?"',
        b"[2026-01-04 00:44:47] text='a\\n" + P + DECODE + b"\\n" + P + DECODE + b"\\n'",
        b"tell me what this means: " + DECODE,
    ],
)
def test_a_quoted_line_is_no_row_and_is_counted(line: bytes) -> None:
    for start, end in split_glued(line):
        assert read_line(line[start:end]) == Miss(quoted=True)


@pytest.mark.parametrize(
    "line",
    [
        P + b"Prefill rank batch, #new-token: 25, #cached-token: 0, #chunks: 1",
        P + b"Decode batch phase=tp, #running-req: 3, #token: 5",
        P + b"Decode rank batch, rank: 0, #round: 7453",
    ],
)
def test_a_dialect_of_a_fork_is_counted_as_not_recognised(line: bytes) -> None:
    assert read_line(line) == Miss(quoted=False)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[2026-01-04 00:44:47] The server is fired up and ready to roll!",
        b"[2026-01-04 00:44:47] Using a prefill batch size of 4",
        b"E0219 16:32:42.940686 572100 rdma_transport.cpp:529] Failed",
        b"ReqTimeStats(rid=1, bootstrap_duration=1.2ms)",
    ],
)
def test_other_lines_are_none(line: bytes) -> None:
    assert read_line(line) is None


def test_lines_glued_together_are_parted() -> None:
    first, second = P + DECODE, b"[2026-01-04 00:44:48 TP1] " + DECODE
    spans = split_glued(first + second)
    assert [(first + second)[start:end] for start, end in spans] == [first, second]
    engine = b"(APIServer pid=1) INFO 03-19 07:08:57 [loggers.py:259] Engine 000: " + VLLM_V1
    assert split_glued(engine[:150] + engine) == [(0, 150), (150, 150 + len(engine))]
    weights = P + b"Load weight begin. avail mem=94.30 GB"
    assert split_glued(weights[:60] + weights) == [(0, 60), (60, 60 + len(weights))]


def test_a_key_of_any_length_is_read_in_time() -> None:
    row = read(P + b"Decode batch, " + b"a" * 60_000 + b": 1, " + DECODE.removeprefix(b"Decode batch, "))
    assert row.values == DECODE_VALUES
