"""The launch configuration that a worker prints at its start, and the files that describe the run."""

from __future__ import annotations

from typing import Any, Final

from benchmarks.line_forms import Dialect
from benchmarks.worker import Launch

MODEL: Final = "/models/deepseek-r1-0528-fp8"
_SIZES: Final = [1, 2, 4, *range(8, 257, 8), *range(272, 513, 16)]

_OFF: Final = (
    "skip_tokenizer_init is_embedding grpc_mode skip_server_warmup enable_fp32_lm_head quantize_and_serve "
    "enable_dynamic_chunking enable_priority_scheduling abort_on_priority_when_disabled disable_hybrid_swa_memory "
    "stream_output sleep_on_idle log_requests show_time_cost enable_metrics_for_all_schedulers "
    "collect_tokens_histogram enable_trace enable_cache_report prefill_round_robin_balance enable_mtp enable_eplb "
    "enable_async_eplb enable_expert_distribution_metrics enable_hierarchical_cache enable_lmcache "
    "enable_double_sparsity disable_cuda_graph disable_cuda_graph_padding enable_profile_cuda_graph "
    "enable_cudagraph_gc enable_layerwise_nvtx_marker enable_nccl_nvls enable_symm_mem "
    "disable_flashinfer_cutlass_moe_fp4_allgather enable_tokenizer_batch_encode disable_tokenizer_batch_decode "
    "disable_outlines_disk_cache enable_mscclpp enable_torch_symm_mem disable_overlap_schedule enable_mixed_chunk "
    "enable_two_batch_overlap enable_single_batch_overlap enable_torch_compile enable_piecewise_cuda_graph "
    "enable_torch_compile_debug_mode enable_nan_detection enable_p2p_check triton_attention_reduce_in_fp32 "
    "delete_ckpt_after_loading enable_memory_saver enable_weights_cpu_backup enable_draft_weights_cpu_backup "
    "allow_auto_truncate enable_custom_logit_processor flashinfer_mla_disable_ragged disable_chunked_prefix_cache "
    "disable_fast_image_processor keep_mm_feature_on_device enable_return_hidden_states "
    "enable_return_routed_experts enable_deterministic_inference enable_attn_tp_input_scattered "
    "enable_nsa_prefill_context_parallel enable_fused_qk_norm_rope enable_dynamic_batch_tokenizer"
).split()
_UNSET: Final = (
    "enable_multimodal limit_mm_data_per_request revision warmups nccl_port quantization_param_path "
    "modelopt_quant modelopt_checkpoint_restore_path modelopt_checkpoint_save_path modelopt_export_path "
    "rl_quant_profile max_queued_requests max_total_tokens prefill_max_requests hybrid_kvcache_ratio "
    "pp_max_micro_batch_size constrained_json_whitespace_pattern soft_watchdog_timeout dist_timeout download_dir "
    "custom_sigquit_handler log_level_http crash_dump_folder bucket_time_to_first_token bucket_inter_token_latency "
    "bucket_e2e_request_latency prompt_tokens_buckets generation_tokens_buckets kv_events_config api_key "
    "chat_template completion_template reasoning_parser tool_call_parser tool_server preferred_sampling_params "
    "enable_lora max_lora_rank lora_target_modules lora_paths max_loaded_loras mm_attention_backend "
    "speculative_draft_model_revision speculative_draft_load_format speculative_token_map "
    "speculative_draft_attention_backend speculative_moe_a2a_backend ep_dispatch_algorithm "
    "eplb_rebalance_layers_per_chunk expert_distribution_recorder_mode deepep_config elastic_ep_backend "
    "max_mamba_cache_size hicache_storage_backend hicache_storage_backend_extra_config kt_weight_path kt_cpuinfer "
    "kt_num_gpu_experts kt_max_deferred_experts_per_token dllm_algorithm dllm_algorithm_config "
    "ds_channel_config_path multi_item_scoring_delimiter triton_attention_split_tile_size numa_node "
    "rl_on_policy_target debug_tensor_dump_output_folder debug_tensor_dump_layers debug_tensor_dump_input_file"
).split()


def server_args(launch: Launch, dialect: Dialect) -> dict[str, Any]:
    """The arguments of one worker by name, in the order in which they are printed."""
    expert = launch.tp if "EP" in launch.tag_form.upper() else 1
    shared = {
        "model_path": MODEL, "tokenizer_path": MODEL, "tokenizer_mode": "auto", "tokenizer_worker_num": 1,
        "load_format": "auto", "model_loader_extra_config": "{}", "trust_remote_code": True, "context_length": 32768,
        "model_impl": "auto", "host": launch.address, "port": 30000, "fastapi_root_path": "", "dtype": "auto",
        "quantization": "fp8", "kv_cache_dtype": "fp8_e4m3", "mem_fraction_static": 0.83,
        "max_running_requests": launch.max_running * launch.dp, "chunked_prefill_size": launch.chunk,
        "max_prefill_tokens": 16384, "schedule_policy": "fcfs", "schedule_conservativeness": 1.0, "page_size": 1,
        "swa_full_tokens_ratio": 0.8, "radix_eviction_policy": "lru", "device": "cuda", "tp_size": launch.tp,
        "pp_size": 1, "pp_async_batch_depth": 0, "stream_interval": 1, "random_seed": 395079264 + launch.index,
        "watchdog_timeout": 1000000, "base_gpu_id": 0, "gpu_id_step": 1, "log_level": "info",
        "log_requests_level": 2, "enable_metrics": True, "tokenizer_metrics_custom_labels_header": "x-custom-labels",
        "gc_warning_threshold_secs": 0.0, "decode_log_interval": 40, "otlp_traces_endpoint": "localhost:4317",
        "export_metrics_to_file": True, "export_metrics_to_file_dir": "/logs", "served_model_name": "deepseek-r1",
        "weight_version": "default", "file_storage_path": "sglang_storage", "sampling_defaults": "model",
        "dp_size": launch.dp, "load_balance_method": "round_robin", "dist_init_addr": f"{launch.address}:29500",
        "nnodes": 1, "node_rank": 0, "json_model_override_args": "{}", "attention_backend": "flashinfer",
        "sampling_backend": "flashinfer", "grammar_backend": "xgrammar",
    }  # fmt: skip
    parallel = {
        "speculative_algorithm": "EAGLE" if dialect.mtp else None,
        "speculative_num_steps": 3 if dialect.mtp else None,
        "speculative_eagle_topk": 1 if dialect.mtp else None,
        "speculative_num_draft_tokens": 4 if dialect.mtp else None, "ep_size": expert,
        "moe_a2a_backend": "deepep" if expert > 1 else "none", "moe_runner_backend": "auto", "deepep_mode": "auto",
        "ep_num_redundant_experts": 0, "init_expert_location": "trivial", "eplb_algorithm": "auto",
        "eplb_rebalance_num_iterations": 1000, "expert_distribution_recorder_buffer_size": 1000,
        "mamba_ssm_dtype": "float32", "mamba_full_memory_ratio": 0.9, "hicache_ratio": 2.0, "hicache_size": 0,
        "hicache_write_policy": "write_through", "hicache_io_backend": "kernel", "cpu_offload_gb": 0,
        "offload_group_size": -1, "disable_radix_cache": False, "cuda_graph_max_bs": 512, "cuda_graph_bs": _SIZES,
        "enable_dp_attention": launch.dp > 1, "enable_dp_lm_head": launch.dp > 1, "torch_compile_max_bs": 32,
        "piecewise_cuda_graph_tokens": [*range(4, 33, 4), *range(48, 257, 16), *range(288, 4097, 128)],
        "disaggregation_mode": {"agg": "null"}.get(launch.role, launch.role),
        "disaggregation_transfer_backend": "nixl", "disaggregation_bootstrap_port": 30001,
        "disaggregation_ib_device": None, "num_reserved_decode_tokens": 512, "pdlb_url": None,
        "custom_weight_loader": [], "weight_loader_disable_mmap": False, "mm_process_config": {},
    }  # fmt: skip
    return {**shared, **dict.fromkeys(_OFF, False), **dict.fromkeys(_UNSET), **parallel}


def server_args_repr(launch: Launch, dialect: Dialect) -> str:
    """``ServerArgs(...)`` as the server prints it."""
    return f"ServerArgs({', '.join(f'{name}={value!r}' for name, value in server_args(launch, dialect).items())})"


def worker_config(launch: Launch, dialect: Dialect) -> dict[str, Any]:
    """The content of ``<node>_<role>_config.json``."""
    gpu = {"name": "NVIDIA GB200", "memory_total": "189471 MiB", "driver_version": "580.65.06"}
    args = ["python3", "-m", "sglang.launch_server", "--model-path", MODEL, "--tp-size", str(launch.tp)]
    return {
        "gpu_info": {"count": launch.tp, "gpus": [gpu] * min(launch.tp, 4)},
        "config": {"server_args": server_args(launch, dialect)},
        "environment": {"NCCL_MNNVL_ENABLE": "1", "SGLANG_ENABLE_JIT_DEEPGEMM": "1", "MC_FORCE_MNNVL": "1"},
        "runtime_info": {"command_line_args": args},
    }
