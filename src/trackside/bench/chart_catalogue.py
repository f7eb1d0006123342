"""Which levels are charted, what they mean on each kind of line, and how they add up."""

from __future__ import annotations

from typing import NamedTuple


class Gauge(NamedTuple):
    """A level of a rank. ``additive`` levels of several ranks of a worker are summed, others averaged."""

    column: str
    title: str
    unit: str
    additive: bool = False
    scale: float = 1.0


QUEUE = Gauge("queue_req", "Queued requests", "requests", additive=True)
RUNNING = Gauge("running_req", "Running requests", "requests", additive=True)
RETRACTED = Gauge("retracted_req", "Retracted requests", "requests", additive=True)
KV_USAGE = Gauge("token_usage", "KV cache usage", "%", scale=100)

_PREFILL = (
    RUNNING,
    QUEUE,
    Gauge("prealloc_req", "Requests waiting for bootstrap (prealloc)", "requests", additive=True),
    Gauge("inflight_req", "Requests whose KV is being sent (inflight)", "requests", additive=True),
    Gauge("optimistic_req", "Requests prefilled before bootstrap", "requests", additive=True),
    Gauge("pending_token", "Tokens still to prefill", "tokens", additive=True),
)
_DECODE = (
    RUNNING,
    QUEUE,
    Gauge("prealloc_req", "Requests waiting for KV allocation (prealloc)", "requests", additive=True),
    Gauge("transfer_req", "Requests whose KV is being received (transfer)", "requests", additive=True),
    RETRACTED,
)
_POOLS = (
    KV_USAGE,
    Gauge("preallocated_usage", "KV cache pre-allocated", "%", scale=100),
    Gauge("swa_usage", "KV usage of the sliding-window pool (SWA)", "%", scale=100),
    Gauge("mamba_usage", "Usage of the state pool (mamba)", "%", scale=100),
    Gauge("cpu_usage", "KV usage of the host pool", "%", scale=100),
)
_MORE = (
    Gauge("cache_hit_rate_pct", "Cache hit rate as logged (cumulative)", "%"),
    Gauge("accept_len", "Accepted tokens per step (accept length)", "tokens/step"),
    Gauge("accept_rate", "Acceptance rate", "%", scale=100),
    Gauge("cap_len", "Speculation cap length", "tokens/step"),
    Gauge("block_accept_len", "Accepted block length", "tokens/step"),
    Gauge("waiting_image_req", "Requests waiting for the image encoder", "requests", additive=True),
    Gauge("fwd_occupancy_pct", "Time in forward passes", "%"),
    Gauge("tflops_per_gpu", "Estimated compute rate per GPU", "TFLOPS/s"),
    Gauge("read_bw_gb_s", "Estimated read bandwidth per GPU", "GB/s"),
    Gauge("write_bw_gb_s", "Estimated write bandwidth per GPU", "GB/s"),
)
_INTERVALS = (RUNNING, QUEUE, Gauge("swapped_req", "Swapped-out requests", "requests", additive=True))
_ITERATIONS = (
    RUNNING,
    QUEUE,
    Gauge("active_req", "Active requests", "requests", additive=True),
    Gauge("host_step_ms", "Host time of an iteration", "ms"),
    Gauge("device_step_ms", "Device time of the previous iteration", "ms"),
)

GAUGES: dict[str, tuple[Gauge, ...]] = {
    "prefill": (*_PREFILL, *_POOLS, RETRACTED, *_MORE),
    "decode": (*_DECODE, *_POOLS, *_MORE),
    "engine": (*_INTERVALS, *_POOLS, *_MORE),
    "iteration": (*_ITERATIONS, *_POOLS, *_MORE),
}
RAW_RATES: dict[str, tuple[Gauge, ...]] = {
    "prefill": (Gauge("input_throughput", "Input throughput as logged, line by line", "tokens/s"),),
    "decode": (Gauge("gen_throughput", "Generation throughput as logged, line by line", "tokens/s"),),
    "engine": (
        Gauge("input_throughput", "Prompt throughput as logged, line by line", "tokens/s"),
        Gauge("gen_throughput", "Generation throughput as logged, line by line", "tokens/s"),
    ),
    "iteration": (),
}
INPUT_SIDE: dict[str, tuple[bool, ...]] = {
    "prefill": (True,),
    "decode": (False,),
    "engine": (True, False),
    "iteration": (True, False),
}
TITLES = {
    ("prefill", "prefill"): "Prefill workers",
    ("decode", "decode"): "Decode workers",
    ("agg", "prefill"): "Aggregated workers: prefill phase",
    ("agg", "decode"): "Aggregated workers: decode phase",
    ("agg", "engine"): "Aggregated workers: interval lines",
    ("agg", "iteration"): "Aggregated workers: iterations",
}
ROLE_ORDER = {"prefill": 0, "decode": 1, "agg": 2}
ROLE_NAMES = {"prefill": "prefill", "decode": "decode", "agg": "aggregated", "frontend": "frontend"}
LINE_NAMES = {"prefill": "prefill", "decode": "decode", "engine": "interval", "iteration": "iteration"}


def section_title(role: str, batch_type: str) -> str:
    """The heading of the lines of one kind of one role."""
    known = TITLES.get((role, batch_type))
    return known or f"{ROLE_NAMES.get(role, role).capitalize()} workers: {LINE_NAMES[batch_type]} lines"
