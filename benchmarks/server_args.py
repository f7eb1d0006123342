"""The launch configuration that a worker prints at its start and that its configuration file repeats."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, Final

from benchmarks.line_forms import Dialect
from benchmarks.worker import Launch

MODEL: Final = "/models/deepseek-r1-0528-fp8"
_DEFAULTS: Final = Path(__file__).with_name("server_args.json")


@functools.cache
def _defaults() -> dict[str, Any]:
    defaults: dict[str, Any] = json.loads(_DEFAULTS.read_text())
    return defaults


def server_args(launch: Launch, dialect: Dialect) -> dict[str, Any]:
    """The arguments of one worker by name, in the order in which they are printed."""
    expert = launch.tp if launch.tag_form.endswith("ep") else 1
    speculative = {
        "speculative_algorithm": "EAGLE",
        "speculative_num_steps": 3,
        "speculative_eagle_topk": 1,
        "speculative_num_draft_tokens": 4,
    }
    return {
        **_defaults(),
        "model_path": MODEL,
        "tokenizer_path": MODEL,
        "host": launch.address,
        "max_running_requests": launch.max_running * launch.dp,
        "chunked_prefill_size": launch.chunk,
        "tp_size": launch.tp,
        "dp_size": launch.dp,
        "ep_size": expert,
        "random_seed": 395079264 + launch.number,
        "dist_init_addr": f"{launch.address}:29500",
        **(speculative if dialect.mtp else {}),
        "moe_a2a_backend": "deepep" if expert > 1 else "none",
        "enable_dp_attention": launch.dp > 1,
        "enable_dp_lm_head": launch.dp > 1,
        "disaggregation_mode": "null" if launch.role == "agg" else launch.role,
    }


def server_args_repr(launch: Launch, dialect: Dialect) -> str:
    """``ServerArgs(...)`` as the server prints it."""
    arguments = server_args(launch, dialect).items()
    return f"ServerArgs({', '.join(f'{name}={value!r}' for name, value in arguments)})"


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
