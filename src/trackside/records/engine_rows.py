"""The columns of one engine-log row, the schema of ``node_metrics.parquet`` and of every frame of a run.

One row is one recognised log line. Columns that a line does not carry are null: missing is not zero.
"""

from __future__ import annotations

from typing import Final, NamedTuple

SCHEMA_VERSION: Final = 1


class Column(NamedTuple):
    """One column: its name, Polars type name, unit, meaning and the field names that engines log for it."""

    name: str
    dtype: str
    unit: str
    meaning: str
    logged_as: tuple[str, ...] = ()


ESTABLISHED_COLUMNS: Final[tuple[Column, ...]] = (
    Column("node", "String", "", "node part of the file name, or the file's stem where the name says nothing"),
    Column("worker_type", "String", "", "prefill, decode, agg or frontend"),
    Column(
        "worker_id",
        "String",
        "",
        "worker part of the file name (w0), or the label of the stream inside the file",
    ),
    Column("tp_size", "Int64", "", "tensor-parallel size of the launch"),
    Column("dp_size", "Int64", "", "data-parallel size of the launch"),
    Column("ep_size", "Int64", "", "expert-parallel size of the launch"),
    Column("metric_type", "String", "", "batch or memory"),
    Column("timestamp", "String", "", "logged time, YYYY-MM-DD HH:MM:SS, in the zone it was logged in"),
    Column("dp", "Int64", "", "data-parallel rank", ("DPn", "Engine NNN")),
    Column("tp", "Int64", "", "tensor-parallel rank", ("TPn", "rank = n")),
    Column("ep", "Int64", "", "expert-parallel rank", ("EPn",)),
    Column(
        "batch_type",
        "String",
        "",
        "prefill, decode, engine (an interval line) or iteration; null on memory rows",
    ),
    Column("new_seq", "Int64", "sequences", "sequences in this prefill batch", ("#new-seq", "num_ctx_requests")),
    Column("new_token", "Int64", "tokens", "prompt tokens computed", ("#new-token", "num_ctx_tokens")),
    Column(
        "cached_token",
        "Int64",
        "tokens",
        "prompt tokens found in the cache",
        ("#cached-token", "cached_kv_tokens"),
    ),
    Column(
        "token_usage",
        "Float64",
        "0-1",
        "used share of the main KV pool",
        (
            "token usage",
            "full token usage",
            "gpu token usage",
            "GPU KV cache usage",
            "KV cache usage",
            "kv_cache_util",
        ),
    ),
    Column(
        "running_req",
        "Int64",
        "requests",
        "running requests",
        ("#running-req", "Running", "num_scheduled_requests"),
    ),
    Column("queue_req", "Int64", "requests", "waiting requests", ("#queue-req", "Waiting", "Pending")),
    Column(
        "prealloc_req",
        "Int64",
        "requests",
        "prefill: waiting for bootstrap; decode: waiting for KV allocation",
        ("#prealloc-req", "#bootstrap-req", "#unbootstrapped-req"),
    ),
    Column(
        "inflight_req",
        "Int64",
        "requests",
        "prefill: KV being sent",
        ("#inflight-req", "#transferring-req"),
    ),
    Column("transfer_req", "Int64", "requests", "decode: KV being received", ("#transfer-req",)),
    Column(
        "preallocated_usage",
        "Float64",
        "0-1",
        "decode: reserved share of the KV pool",
        ("pre-allocated usage",),
    ),
    Column("num_tokens", "Int64", "tokens", "tokens in the main KV pool", ("#token", "#full token", "#gpu token")),
    Column(
        "input_throughput",
        "Float64",
        "tokens/s",
        "as logged: tokens over the gap since the previous prefill line (do not average)",
        ("input throughput (token/s)", "Avg prompt throughput"),
    ),
    Column(
        "gen_throughput",
        "Float64",
        "tokens/s",
        "as logged, of one scheduler: tokens since its previous decode line over the gap",
        ("gen throughput (token/s)", "Avg generation throughput"),
    ),
    Column("avail_mem_gb", "Float64", "GB", "free device memory", ("avail mem", "available_gpu_mem")),
    Column("mem_usage_gb", "Float64", "GB", "memory taken by this step (can be negative)", ("mem usage",)),
    Column("kv_cache_gb", "Float64", "GB", "size of a KV pool (K + V)", ("KV size", "K size + V size")),
    Column("kv_tokens", "Int64", "tokens", "capacity of a KV pool", ("#tokens",)),
)

MORE_COLUMNS: Final[tuple[Column, ...]] = (
    Column("file", "String", "", "file name inside the logs directory"),
    Column("line", "Int64", "", "line number in that file, from 1"),
    Column("stream", "String", "", "label of the writer inside the file (srun task, container, actor)"),
    Column("time_us", "Int64", "µs", "time since 1970-01-01 UTC (see tz_assumed)"),
    Column(
        "tz_assumed",
        "String",
        "",
        "utc: logged with a zone; unknown: zone-less, stored as if UTC; else --tz's name",
    ),
    Column(
        "date_from",
        "String",
        "",
        "null: logged in full; other_lines, file_name or file_date: year or date inferred",
    ),
    Column("engine", "String", "", "sglang, vllm or trtllm"),
    Column(
        "kind",
        "String",
        "",
        "prefill, decode, engine, iteration, weights_begin, weights_end, kv_cache, memory_pool, graph_begin, "
        "graph_end, capacity, retract or memory",
    ),
    Column("pp", "Int64", "", "pipeline-parallel rank", ("PPn",)),
    Column("attn_cp", "Int64", "", "attention context-parallel rank", ("ATTN_CPn",)),
    Column("moe_dp", "Int64", "", "MoE data-parallel rank", ("MOE_DPn",)),
    Column("duplicate", "Boolean", "", "another rank's line of the same batch counts; leave this one out of sums"),
    Column("torn", "Boolean", "", "the line was cut; only fields that were whole are kept"),
    Column("iteration", "Int64", "", "forward iteration", ("[N]", "iter")),
    Column("graph", "Boolean", "", "a device graph was used", ("cuda graph", "npu graph", "cpu graph")),
    Column("graph_device", "String", "", "the word before 'graph': cuda, npu, cpu, ..."),
    Column(
        "cache_hit_rate_pct",
        "Float64",
        "%",
        "cumulative, as logged",
        ("cache hit rate", "Prefix cache hit rate", "GPU prefix cache hit rate"),
    ),
    Column("pending_token", "Int64", "tokens", "tokens still to prefill", ("#pending-token",)),
    Column("optimistic_req", "Int64", "requests", "prefilled before bootstrap was done", ("#optimistic-req",)),
    Column(
        "waiting_image_req",
        "Int64",
        "requests",
        "waiting for the image encoder",
        ("waiting-image-req", "#waiting-image-req"),
    ),
    Column(
        "retracted_req",
        "Int64",
        "requests",
        "retracted requests",
        ("#retracted-req", "#retracted_reqs", "#aborted_retracted_reqs"),
    ),
    Column("swapped_req", "Int64", "requests", "swapped-out requests", ("Swapped",)),
    Column("swa_tokens", "Int64", "tokens", "tokens in the sliding-window pool", ("#swa token",)),
    Column("swa_usage", "Float64", "0-1", "used share of the sliding-window pool", ("swa token usage",)),
    Column("mamba_num", "Int64", "slots", "state slots in use", ("mamba num",)),
    Column("mamba_usage", "Float64", "0-1", "used share of the state pool", ("mamba usage",)),
    Column("cpu_tokens", "Int64", "tokens", "tokens in host memory", ("#cpu token",)),
    Column(
        "cpu_usage",
        "Float64",
        "0-1",
        "used share of the host pool",
        ("cpu token usage", "CPU KV cache usage"),
    ),
    Column(
        "accept_len",
        "Float64",
        "tokens/step",
        "speculative decoding: accepted tokens a step",
        ("accept len",),
    ),
    Column("accept_rate", "Float64", "0-1", "speculative decoding: accepted share", ("accept rate",)),
    Column("cap_len", "Float64", "tokens/step", "DSpark cap", ("cap len",)),
    Column("block_accept_len", "Float64", "tokens/step", "DSpark accepted block length", ("block accept len",)),
    Column(
        "tflops_per_gpu",
        "Float64",
        "TFLOPS/s",
        "estimated compute rate",
        ("est. prefill TFLOPS/s (per GPU)", "est. decode TFLOPS/s (per GPU)"),
    ),
    Column("read_bw_gb_s", "Float64", "GB/s", "estimated read bandwidth", ("est. read BW (GB/s per GPU)",)),
    Column("write_bw_gb_s", "Float64", "GB/s", "estimated write bandwidth", ("est. write BW (GB/s per GPU)",)),
    Column("fwd_occupancy_pct", "Float64", "%", "share of time in forward passes", ("fwd occupancy",)),
    Column("cache_miss", "Int64", "", "compilation cache misses (sglang-jax)", ("#cache_miss",)),
    Column("largest_len", "Int64", "tokens", "longest sequence", ("largest-len", "#largest-len")),
    Column("gen_token", "Int64", "tokens", "tokens generated in this iteration", ("num_generation_tokens",)),
    Column("host_step_ms", "Float64", "ms", "host time of the iteration", ("host_step_time", "elapsed_time")),
    Column("device_step_ms", "Float64", "ms", "device time of the previous iteration", ("prev_device_step_time",)),
    Column("active_req", "Int64", "requests", "active requests", ("num_active",)),
    Column("elapsed_s", "Float64", "s", "duration of a start-up step", ("elapsed", "Time elapsed")),
    Column("detail", "String", "", "start-up rows: model class, quantisation, draft / draft extend, dtype"),
    Column("max_total_num_tokens", "Int64", "tokens", "KV capacity of the scheduler", ("max_total_num_tokens",)),
    Column("max_running_requests", "Int64", "requests", "limit of running requests", ("max_running_requests",)),
    Column("chunked_prefill_size", "Int64", "tokens", "chunk size (-1: off)", ("chunked_prefill_size",)),
    Column("max_prefill_tokens", "Int64", "tokens", "limit of one prefill batch", ("max_prefill_tokens",)),
    Column("context_len", "Int64", "tokens", "context length", ("context_len",)),
    Column("tokens_gained", "Int64", "tokens", "KV freed by a retraction", ("#new_tokens_gained",)),
)

COLUMNS: Final = ESTABLISHED_COLUMNS + MORE_COLUMNS
