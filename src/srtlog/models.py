"""The objects of the established API. Fields are columns of a row frame; None: not logged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class BatchMetrics:
    """One batch line. ``timestamp`` is the logged ``YYYY-MM-DD HH:MM:SS``; units stand in docs/data.md."""

    timestamp: str | None
    dp: int | None
    tp: int | None
    ep: int | None
    batch_type: str
    new_seq: int | None = None
    new_token: int | None = None
    cached_token: int | None = None
    token_usage: float | None = None
    running_req: int | None = None
    queue_req: int | None = None
    prealloc_req: int | None = None
    inflight_req: int | None = None
    transfer_req: int | None = None
    preallocated_usage: float | None = None
    num_tokens: int | None = None
    input_throughput: float | None = None
    gen_throughput: float | None = None
    file: str | None = None
    line: int | None = None
    stream: str | None = None
    time_us: int | None = None
    tz_assumed: str | None = None
    date_from: str | None = None
    engine: str | None = None
    kind: str | None = None
    pp: int | None = None
    attn_cp: int | None = None
    moe_dp: int | None = None
    duplicate: bool | None = None
    torn: bool | None = None
    iteration: int | None = None
    graph: bool | None = None
    graph_device: str | None = None
    cache_hit_rate_pct: float | None = None
    pending_token: int | None = None
    optimistic_req: int | None = None
    waiting_image_req: int | None = None
    retracted_req: int | None = None
    swapped_req: int | None = None
    swa_tokens: int | None = None
    swa_usage: float | None = None
    mamba_num: int | None = None
    mamba_usage: float | None = None
    cpu_tokens: int | None = None
    cpu_usage: float | None = None
    accept_len: float | None = None
    accept_rate: float | None = None
    cap_len: float | None = None
    block_accept_len: float | None = None
    tflops_per_gpu: float | None = None
    read_bw_gb_s: float | None = None
    write_bw_gb_s: float | None = None
    fwd_occupancy_pct: float | None = None
    cache_miss: int | None = None
    largest_len: int | None = None
    gen_token: int | None = None
    host_step_ms: float | None = None
    device_step_ms: float | None = None
    active_req: int | None = None

    @property
    def cache_hit_rate(self) -> float | None:
        """Share of this batch's prompt tokens found in the cache, percent; None without prompt tokens."""
        if self.new_token is None or self.cached_token is None:
            return None
        prompt = self.new_token + self.cached_token
        return 100.0 * self.cached_token / prompt if prompt else None


@dataclass(frozen=True, slots=True)
class MemoryMetrics:
    """One start-up or memory line. ``metric_type`` is kv_cache for the lines of KV pools, else memory."""

    timestamp: str | None
    dp: int | None
    tp: int | None
    ep: int | None
    metric_type: str
    avail_mem_gb: float | None = None
    mem_usage_gb: float | None = None
    kv_cache_gb: float | None = None
    kv_tokens: int | None = None
    file: str | None = None
    line: int | None = None
    stream: str | None = None
    time_us: int | None = None
    tz_assumed: str | None = None
    date_from: str | None = None
    engine: str | None = None
    kind: str | None = None
    pp: int | None = None
    attn_cp: int | None = None
    moe_dp: int | None = None
    torn: bool | None = None
    retracted_req: int | None = None
    elapsed_s: float | None = None
    detail: str | None = None
    max_total_num_tokens: int | None = None
    max_running_requests: int | None = None
    chunked_prefill_size: int | None = None
    max_prefill_tokens: int | None = None
    context_len: int | None = None
    tokens_gained: int | None = None


@dataclass(frozen=True, slots=True)
class NodeMetrics:
    """One worker, merged over its files.

    ``node_info`` holds node, worker_type and worker_id; ``config`` the launch configuration that was logged.
    ``batches`` and ``memory_snapshots`` of a parsed run make their objects only when they are touched.
    """

    node_info: dict[str, str]
    batches: Sequence[BatchMetrics] = field(default_factory=list)
    memory_snapshots: Sequence[MemoryMetrics] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    run_id: str = ""

    @property
    def node_name(self) -> str:
        """The node part of the file name."""
        return self.node_info.get("node", "")

    @property
    def worker_type(self) -> str:
        """The role: prefill, decode or agg."""
        return self.node_info.get("worker_type", "")

    @property
    def worker_id(self) -> str:
        """The worker part of the file name, such as w0."""
        return self.node_info.get("worker_id", "")

    @property
    def label(self) -> str:
        """``<node>_<worker_type>_<worker_id>``."""
        return f"{self.node_name}_{self.worker_type}_{self.worker_id}"

    @property
    def is_prefill(self) -> bool:
        """Whether this is a prefill worker."""
        return self.worker_type == "prefill"

    @property
    def is_decode(self) -> bool:
        """Whether this is a decode worker."""
        return self.worker_type == "decode"

    @property
    def is_agg(self) -> bool:
        """Whether this worker does both (aggregated)."""
        return self.worker_type == "agg"
