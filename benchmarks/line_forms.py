"""The line forms that the generator writes: rank-tag prefixes and the batch lines of each SGLang dialect."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final, NamedTuple


class DecodeState(NamedTuple):
    """What a decode rank knows when it logs; usages are shares 0-1, throughput is tokens/s."""

    running: int
    tokens: int
    usage: float
    accept_len: float
    preallocated: float
    prealloc: int
    transfer: int
    throughput: float
    queue: int
    graph: bool


class PrefillState(NamedTuple):
    """What a prefill rank knows when it logs a batch."""

    seqs: int
    new_token: int
    cached_token: int
    usage: float
    running: int
    queue: int
    bootstrap: int
    inflight: int
    throughput: float
    pending: int


class Dialect(NamedTuple):
    """How one generation of SGLang writes its lines; templates take the fields of the states above."""

    name: str
    day: dt.date
    prefill: str
    decode: str
    agg_prefill: str
    agg_decode: str
    mtp: bool
    plain: bool
    kv_line: str
    weights_end: str


_KV_MLA: Final = "KV Cache is allocated. #tokens: {tokens}, KV size: {size:.2f} GB"
_KV_MHA: Final = "KV Cache is allocated. #tokens: {tokens}, K size: {half:.2f} GB, V size: {half:.2f} GB"
_KV_2026: Final = (
    "KV Cache is allocated. dtype: torch.float8_e4m3fn, #tokens: {tokens}, K size: {half:.2f} GB, V size: {half:.2f} GB"
)
_WEIGHTS_OLD: Final = (
    "Load weight end. type={model}, dtype=torch.bfloat16, avail mem={avail:.2f} GB, mem usage={used:.2f} GB."
)
_WEIGHTS_NEW: Final = (
    "Load weight end. elapsed={elapsed:.2f} s, type={model}, quant=fp8, fmt=e4m3, "
    "avail mem={avail:.2f} GB, mem usage={used:.2f} GB."
)
_PREFILL: Final = "#new-seq: %(seqs)d, #new-token: %(new_token)d, #cached-token: %(cached_token)d, "
_USED: Final = "token usage: %(usage).2f, "
_SWA_USED: Final = "swa token usage: %(swa_usage).2f, "
_RUNNING: Final = "#running-req: %(running)d, "
_QUEUED: Final = "#queue-req: %(queue)d, "
_HELD: Final = "#token: %(tokens)d, " + _USED
_SWA_HELD: Final = "#full token: %(tokens)d, full " + _USED + "#swa token: %(swa)d, " + _SWA_USED
_SENDING: Final = (
    "pre-allocated usage: %(preallocated).2f, #prealloc-req: %(prealloc)d, #transfer-req: %(transfer)d, "
    "#retracted-req: 0, "
)
_PREFILL_ESTIMATES: Final = ", est. prefill TFLOPS/s (per GPU): %(tflops).2f, fwd occupancy: %(occupancy)d%%"
_DECODE_ESTIMATES: Final = (
    ", est. decode TFLOPS/s (per GPU): %(tflops).2f, est. read BW (GB/s per GPU): %(read_bw).2f, "
    "est. write BW (GB/s per GPU): %(write_bw).2f, fwd occupancy: %(occupancy)d%%"
)
_ACCEPT: Final = "accept len: %(accept_len).2f, accept rate: %(accept_rate).2f, "
_GEN: Final = "cuda graph: %(graph)s, gen throughput (token/s): %(throughput).2f, #queue-req: %(queue)d"
_RATE: Final = "input throughput (token/s): %(throughput).2f"


def _dialect_2025_06() -> Dialect:
    prefill, decode = "Prefill batch. " + _PREFILL + _USED, "Decode batch. " + _RUNNING + _HELD
    return Dialect(
        "2025-06", dt.date(2025, 6, 14),
        prefill + "#unbootstrapped-req: %(bootstrap)d, " + _QUEUED
        + "#transferring-req: %(inflight)d, " + _RATE + ", ",
        decode + "pre-allocated usage: %(preallocated).2f, #retracted-req: 0, " + _GEN + ", ",
        prefill + _RUNNING + _QUEUED,
        decode + _GEN + ", ",
        False, True, _KV_MLA, _WEIGHTS_OLD,
    )  # fmt: skip


def _dialect_2026_01(name: str, day: dt.date, mtp: bool) -> Dialect:
    prefill = "Prefill batch, " + _PREFILL + _USED + _RUNNING + _QUEUED
    decode = "Decode batch, " + _RUNNING + _HELD + (_ACCEPT if mtp else "")
    return Dialect(
        name, day,
        prefill + "#prealloc-req: %(bootstrap)d, #inflight-req: %(inflight)d, " + _RATE + ", ",
        decode + _SENDING + _GEN + ", ",
        prefill,
        decode + _GEN + ", ",
        mtp, True, _KV_MLA, _WEIGHTS_OLD,
    )  # fmt: skip


def _dialect_2026_05(name: str, day: dt.date, *, swa: bool, estimates: bool) -> Dialect:
    used = "full " + _USED + _SWA_USED if swa else _USED
    prefill = "Prefill batch, " + _PREFILL + used + _RUNNING + _QUEUED + "#pending-token: %(pending)d, "
    decode = "Decode batch, " + _RUNNING + (_SWA_HELD if swa else _HELD)
    queues = "#bootstrap-req: %(bootstrap)d, #inflight-req: %(inflight)d, "
    optimistic = "#optimistic-req: 0, " if estimates else ""
    after_prefill, after_decode = (_PREFILL_ESTIMATES, _DECODE_ESTIMATES) if estimates else ("", "")
    return Dialect(
        name, day,
        prefill + queues + optimistic + "cuda graph: False, " + _RATE + after_prefill,
        decode + _SENDING + _GEN + after_decode,
        prefill + "cuda graph: True, " + _RATE + after_prefill,
        decode + _GEN + after_decode,
        False, not (swa or estimates), _KV_MHA if swa else _KV_2026, _WEIGHTS_NEW,
    )  # fmt: skip


DIALECTS: Final[Mapping[str, Dialect]] = {
    dialect.name: dialect
    for dialect in (
        _dialect_2025_06(),
        _dialect_2026_01("2025-11", dt.date(2025, 11, 22), mtp=False),
        _dialect_2026_01("2026-01", dt.date(2026, 1, 4), mtp=True),
        _dialect_2026_05("2026-05", dt.date(2026, 5, 19), swa=False, estimates=False),
        _dialect_2026_05("2026-07", dt.date(2026, 7, 14), swa=False, estimates=True),
        _dialect_2026_05("2026-05-swa", dt.date(2026, 5, 20), swa=True, estimates=False),
    )
}


def decode_message(template: str, state: DecodeState, plain: bool) -> str:
    """One decode line without its prefix. A plain template carries no estimates."""
    fields = state._asdict()
    fields["accept_rate"] = state.accept_len / 4.0
    if plain:
        return template % fields
    fields["swa"] = min(state.tokens, state.running * 1024)
    fields["swa_usage"] = state.usage * 0.25
    fields["tflops"] = state.throughput * 0.074
    fields["read_bw"] = state.throughput * 0.55
    fields["write_bw"] = state.throughput * 0.0007
    fields["occupancy"] = min(99, 60 + state.running * 2)
    return template % fields


def prefill_message(template: str, state: PrefillState, plain: bool) -> str:
    """One prefill line without its prefix."""
    fields = state._asdict()
    if plain:
        return template % fields
    fields["swa_usage"] = state.usage * 0.25
    fields["tflops"] = state.throughput * 0.074
    fields["occupancy"] = 20 + min(79, state.new_token // 128)
    return template % fields
