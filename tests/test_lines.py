"""Every form of a batch message, one literal line each."""

from __future__ import annotations

import pytest

from tests.engine_lines import DECODE, DECODE_VALUES, TAG, read, values
from trackside.bench.lines import Miss, read_line

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
    row = read(TAG + message)
    assert row.values == want
    assert (row.torn, row.unknown, row.not_a_number) == (False, [], 0)


def test_fields_may_stand_in_any_order() -> None:
    fields = DECODE.removeprefix(b"Decode batch, ").split(b", ")
    assert values(TAG + b"Decode batch, " + b", ".join(reversed(fields))) == DECODE_VALUES


def test_per_rank_lists_of_sglang_jax_are_no_numbers_and_break_nothing() -> None:
    row = read(TAG + DECODE.replace(b"#token", b"#running-req per DP: [1, 2], #token"))
    assert row.values == DECODE_VALUES
    assert row.unknown == ["#running-req per DP"]


def test_a_new_field_is_counted_and_costs_nothing() -> None:
    row = read(TAG + DECODE.replace(b"cuda graph", b"#waiting-req: 9, cuda graph"))
    assert row.values == DECODE_VALUES
    assert row.unknown == ["#waiting-req"]


@pytest.mark.parametrize("text", [b"1.2.3", b".", b"nan", b"inf", b"0x10", b"1e", b"5.", b"1e999", b"--1", b"None"])
def test_what_is_no_number_is_null_and_counted(text: bytes) -> None:
    row = read(TAG + DECODE.replace(b"75.25", text))
    assert row.values["gen_throughput"] is None
    assert row.not_a_number == 1


@pytest.mark.parametrize("text", [b"1.5", b"1e3", b"9999999999999999999", b"5."])
def test_counts_are_whole_numbers_of_at_most_eighteen_digits(text: bytes) -> None:
    row = read(TAG + DECODE.replace(b"640", text))
    assert row.values["num_tokens"] is None
    assert row.not_a_number == 1


def test_a_line_that_stands_for_several_in_ray_is_whole() -> None:
    row = read(b"(Engine pid=5) " + TAG + DECODE + b" [repeated 3x across cluster] (Ray deduplicates logs by default.)")
    assert row.values == DECODE_VALUES
    assert not row.torn


@pytest.mark.parametrize(
    "line",
    [
        TAG + b"Prefill rank batch, #new-token: 25, #cached-token: 0, #chunks: 1",
        TAG + b"Decode batch phase=tp, #running-req: 3, #token: 5",
        TAG + b"Decode rank batch, rank: 0, #round: 7453",
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


def test_a_key_of_any_length_is_read_in_time() -> None:
    row = read(TAG + b"Decode batch, " + b"a" * 60_000 + b": 1, " + DECODE.removeprefix(b"Decode batch, "))
    assert row.values == DECODE_VALUES
