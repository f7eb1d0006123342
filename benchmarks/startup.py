"""What a worker logs before it serves: warnings, launch arguments, weights, KV pool, graphs, capacity."""

from __future__ import annotations

from typing import Final

from benchmarks.server_args import server_args_repr
from benchmarks.worker import Worker

DURATION_S: Final = 240.0
_GRAPH_SIZES: Final = (512, 384, 256, 192, 128, 96, 64, 48, 32, 24, 16, 8, 4, 2, 1)
_NOTES: Final = (
    "/opt/venv/lib/python3.12/site-packages/torch/cuda/__init__.py:61: FutureWarning: The pynvml package is "
    "deprecated. Please install nvidia-ml-py instead.\n  import pynvml  # type: ignore[import]\n"
)


def log_startup(worker: Worker, begin_s: float) -> None:
    """Log the start of one worker; it takes ``DURATION_S`` seconds from ``begin_s``."""
    log, launch = worker.log, worker.launch
    log.add(
        begin_s,
        worker.head(begin_s, "") + "Attention backend not specified. Use flashinfer backend.\n",
        "other",
    )
    log.add(begin_s, _NOTES, "other")
    args = server_args_repr(launch, worker.dialect)
    log.add(begin_s + 2, worker.head(begin_s + 2, "") + f"server_args={args}\n", "other")
    _each_rank(worker, begin_s + 9, "Init torch distributed begin.", "other")
    _each_rank(worker, begin_s + 14, "Init torch distributed ends. mem usage=1.02 GB", "other")
    _load_weights(worker, begin_s + 15)
    _allocate_memory(worker, begin_s + 150)
    _capture_graphs(worker, begin_s + 170)
    _report_capacity(worker, begin_s + 225)


def _each_rank(worker: Worker, time_s: float, message: str, kind: str) -> None:
    launch = worker.launch
    for tp in range(launch.tp):
        at = time_s + worker.rng.uniform(0, 2.5)
        tag = launch.tag(tp // (launch.tp // launch.dp), tp)
        worker.log.add(at, f"{worker.head(at, tag)}{message}\n", kind)


def _load_weights(worker: Worker, time_s: float) -> None:
    _each_rank(worker, time_s, "Load weight begin. avail mem=181.32 GB", "memory")
    bars = "".join(
        f"\rLoading safetensors checkpoint shards: {done * 100 // 163:3d}% Completed | {done}/163 "
        f"[{done // 2 // 60:02d}:{done // 2 % 60:02d}<01:22,  1.98it/s]\n"
        for done in range(0, 164, 8)
    )
    worker.log.add(time_s + 110, bars + "\n", "other")
    end = worker.dialect.weights_end.format(
        model="DeepseekV3ForCausalLM",
        avail=128.41,
        used=52.91,
        elapsed=round(worker.rng.uniform(108, 119), 2),
    )
    _each_rank(worker, time_s + 112, end, "memory")


def _allocate_memory(worker: Worker, time_s: float) -> None:
    capacity = worker.launch.capacity
    size = capacity * 70_272 / 2**30
    line = worker.dialect.kv_line.format(tokens=capacity, size=size, half=size / 2)
    _each_rank(worker, time_s, line, "memory")
    if worker.dialect.mtp:
        draft = worker.dialect.kv_line.format(tokens=capacity, size=size / 61, half=size / 122)
        _each_rank(worker, time_s + 5, draft, "memory")
    _each_rank(worker, time_s + 9, f"Memory pool end. avail mem={126.1 - size:.2f} GB", "memory")


def _capture_graphs(worker: Worker, time_s: float) -> None:
    begin = "Capture cuda graph begin. This can take up to several minutes. avail mem=31.07 GB"
    _each_rank(worker, time_s, begin, "memory")
    bars = "".join(
        f"\rCapturing batches (bs={size} avail_mem={31.0 - done * 0.09:.2f} GB): {done * 100 // 15:3d}%|"
        f"{'█' * done:15s}| {done}/15 [00:{done * 2:02d}<00:{30 - done * 2:02d},  2.01s/it]"
        for done, size in enumerate(_GRAPH_SIZES)
    )
    worker.log.add(time_s + 36, bars + "\n", "other")
    end = "Capture cuda graph end. Time elapsed: 38.41 s. mem usage=1.36 GB. avail mem=29.71 GB."
    _each_rank(worker, time_s + 38, end, "memory")


def _report_capacity(worker: Worker, time_s: float) -> None:
    launch = worker.launch
    line = (
        f"max_total_num_tokens={launch.capacity}, chunked_prefill_size={launch.chunk}, "
        f"max_prefill_tokens=16384, max_running_requests={launch.max_running}, "
        f"context_len=32768, available_gpu_mem=29.71 GB\n"
    )
    worker.log.add(time_s, worker.head(time_s, launch.tag(0)) + line, "memory")
    for text in ("INFO:     Started server process [1841]\n", "INFO:     Application startup complete.\n",
                 "The server is fired up and ready to roll!\n"):  # fmt: skip
        worker.log.add(time_s + 4, worker.head(time_s + 4, "") + text, "other")
