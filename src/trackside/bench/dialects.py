"""What engines call their fields: one table a message form, from the logged name to our column.

The line parser and the learned templates both read these tables, so a field has one meaning everywhere.
Names are the ones in the sources of SGLang (2024-01 to 2026-07), sglang-jax, vLLM (V0, V1) and TensorRT-LLM.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from trackside.records.engine_rows import COLUMNS


class Field(NamedTuple):
    """Where a logged value goes. ``scale10`` is the power of ten that turns the logged unit into ours."""

    column: str
    scale10: int = 0


INTEGER_COLUMNS: Final = frozenset(c.name for c in COLUMNS if c.dtype == "Int64")
FLOAT_COLUMNS: Final = frozenset(c.name for c in COLUMNS if c.dtype == "Float64")

RANK_COLUMNS: Final = {
    b"DP": "dp",
    b"PP": "pp",
    b"ATTN_CP": "attn_cp",
    b"MOE_DP": "moe_dp",
    b"TP": "tp",
    b"EP": "ep",
}

_SHARED: Final = {
    "token usage": Field("token_usage"),
    "full token usage": Field("token_usage"),
    "gpu token usage": Field("token_usage"),
    "swa token usage": Field("swa_usage"),
    "cpu token usage": Field("cpu_usage"),
    "mamba usage": Field("mamba_usage"),
    "mamba num": Field("mamba_num"),
    "#token": Field("num_tokens"),
    "#full token": Field("num_tokens"),
    "#gpu token": Field("num_tokens"),
    "#swa token": Field("swa_tokens"),
    "#cpu token": Field("cpu_tokens"),
    "#running-req": Field("running_req"),
    "#queue-req": Field("queue_req"),
    "#prealloc-req": Field("prealloc_req"),
    "#retracted-req": Field("retracted_req"),
    "waiting-image-req": Field("waiting_image_req"),
    "#waiting-image-req": Field("waiting_image_req"),
    "fwd occupancy": Field("fwd_occupancy_pct"),
    "cache hit rate": Field("cache_hit_rate_pct"),
    "#cache_miss": Field("cache_miss"),
    "input throughput (token/s)": Field("input_throughput"),
    "gen throughput (token/s)": Field("gen_throughput"),
    "est. prefill TFLOPS/s (per GPU)": Field("tflops_per_gpu"),
    "est. decode TFLOPS/s (per GPU)": Field("tflops_per_gpu"),
    "est. read BW (GB/s per GPU)": Field("read_bw_gb_s"),
    "est. write BW (GB/s per GPU)": Field("write_bw_gb_s"),
}

PREFILL_FIELDS: Final = {
    **_SHARED,
    "#new-seq": Field("new_seq"),
    "#new-token": Field("new_token"),
    "#cached-token": Field("cached_token"),
    "#unbootstrapped-req": Field("prealloc_req"),
    "#bootstrap-req": Field("prealloc_req"),
    "#inflight-req": Field("inflight_req"),
    "#transferring-req": Field("inflight_req"),
    "#optimistic-req": Field("optimistic_req"),
    "#pending-token": Field("pending_token"),
    "largest-len": Field("largest_len"),
    "#largest-len": Field("largest_len"),
}

DECODE_FIELDS: Final = {
    **_SHARED,
    "accept len": Field("accept_len"),
    "accept rate": Field("accept_rate"),
    "cap len": Field("cap_len"),
    "block accept len": Field("block_accept_len"),
    "pre-allocated usage": Field("preallocated_usage"),
    "#transfer-req": Field("transfer_req"),
}

VLLM_FIELDS: Final = {
    "Avg prompt throughput": Field("input_throughput"),
    "Avg generation throughput": Field("gen_throughput"),
    "Running": Field("running_req"),
    "Waiting": Field("queue_req"),
    "Pending": Field("queue_req"),
    "Swapped": Field("swapped_req"),
    "GPU KV cache usage": Field("token_usage", -2),
    "KV cache usage": Field("token_usage", -2),
    "CPU KV cache usage": Field("cpu_usage", -2),
    "Prefix cache hit rate": Field("cache_hit_rate_pct"),
    "GPU prefix cache hit rate": Field("cache_hit_rate_pct"),
}

TRTLLM_FIELDS: Final = {
    "iter": Field("iteration"),
    "rank": Field("tp"),
    "num_active": Field("active_req"),
    "elapsed_time": Field("host_step_ms", 3),
    "host_step_time": Field("host_step_ms"),
    "prev_device_step_time": Field("device_step_ms"),
    "num_scheduled_requests": Field("running_req"),
    "kv_cache_util": Field("token_usage"),
    "num_ctx_requests": Field("new_seq"),
    "num_ctx_tokens": Field("new_token"),
    "num_generation_tokens": Field("gen_token"),
    "cached_kv_tokens": Field("cached_token"),
}

MEMORY_FIELDS: Final = {
    "avail mem": Field("avail_mem_gb"),
    "available_gpu_mem": Field("avail_mem_gb"),
    "mem usage": Field("mem_usage_gb"),
    "KV size": Field("kv_cache_gb"),
    "K size": Field("_k_size_gb"),
    "V size": Field("_v_size_gb"),
    "#tokens": Field("kv_tokens"),
    "elapsed": Field("elapsed_s"),
    "Time elapsed": Field("elapsed_s"),
    "max_total_num_tokens": Field("max_total_num_tokens"),
    "chunked_prefill_size": Field("chunked_prefill_size"),
    "max_prefill_tokens": Field("max_prefill_tokens"),
    "max_running_requests": Field("max_running_requests"),
    "context_len": Field("context_len"),
}

RETRACT_FIELDS: Final = {
    "#retracted_reqs": Field("retracted_req"),
    "#aborted_retracted_reqs": Field("retracted_req"),
    "#new_tokens_gained": Field("tokens_gained"),
}

# Fields that are known, and carry nothing a column of ours needs: they are not counted as unknown.
IGNORED_FIELDS: Final = frozenset(
    {
        "timestamp",
        "global_rank",
        "currank_total_requests",
        "states",
        "num_fetched",
        "#new_token_ratio",
        "#mamba_num_gained",
        "swa size",
        "full size",
        "type",
        "dtype",
        "quant",
        "quant_algo",
        "fmt",
        "#dequeue-time",
        "page usage",
        "External prefix cache hit rate",
        "MM cache hit rate",
        "Preempted",
    }
)

# A batch line without these was cut: every version of the line form has them.
REQUIRED: Final = {
    "prefill": ("new_token", "queue_req"),
    "decode": ("running_req", "gen_throughput", "queue_req"),
    "engine": ("input_throughput", "gen_throughput"),
    "iteration": ("iteration",),
}

# Fields behind all others that some lines of a log have and others have not.
OPTIONAL_TAIL: Final = frozenset(
    {
        "fwd_occupancy_pct",
        "External prefix cache hit rate",
        "MM cache hit rate",
    }
)
