"""What a scan remembers of a file, and what it counted: plain records that a cache can keep."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from trackside.bench.clock import ClockState

KINDS: Final = (
    "prefill",
    "decode",
    "engine",
    "iteration",
    "weights_begin",
    "weights_end",
    "kv_cache",
    "memory_pool",
    "graph_begin",
    "graph_end",
    "capacity",
    "retract",
    "memory",
)
ENGINES: Final = ("sglang", "vllm", "trtllm")
BATCH_KINDS: Final = 4
SAMPLES: Final = 5


class Launch(msgspec.Struct, frozen=True):
    """One launch that a log tells of: where, in which stream, and with which settings."""

    line: int
    stream: int
    source: str
    settings: dict[str, Any]


class ScanState(msgspec.Struct):
    """All that a scanner must remember of a file to go on with what is appended to it."""

    clock: ClockState
    lines: int = 0
    streams: list[str] = []
    texts: list[str] = []
    shapes: dict[str, list[list[str]]] = {}


class ScanCounts(msgspec.Struct):
    """What one scan saw. Counts are lines unless the name says otherwise."""

    lines: int = 0
    kinds: dict[str, int] = {}
    unrecognised: int = 0
    samples: list[str] = []
    torn: int = 0
    quoted: int = 0
    overlong: int = 0
    invalid_utf8_bytes: int = 0
    not_a_number: int = 0
    slow_path: int = 0
    unknown_fields: dict[str, int] = {}
    first_stamp: str | None = None
    last_stamp: str | None = None
    launches: list[Launch] = []


def add_counts(a: ScanCounts, b: ScanCounts) -> ScanCounts:
    """What two scans of one file saw, the second behind the first."""
    return ScanCounts(
        lines=a.lines + b.lines,
        kinds={k: a.kinds.get(k, 0) + b.kinds.get(k, 0) for k in KINDS if k in a.kinds or k in b.kinds},
        unrecognised=a.unrecognised + b.unrecognised,
        samples=(a.samples + b.samples)[:SAMPLES],
        torn=a.torn + b.torn,
        quoted=a.quoted + b.quoted,
        overlong=a.overlong + b.overlong,
        invalid_utf8_bytes=a.invalid_utf8_bytes + b.invalid_utf8_bytes,
        not_a_number=a.not_a_number + b.not_a_number,
        slow_path=a.slow_path + b.slow_path,
        unknown_fields={
            name: a.unknown_fields.get(name, 0) + b.unknown_fields.get(name, 0)
            for name in [*a.unknown_fields, *(n for n in b.unknown_fields if n not in a.unknown_fields)]
        },
        first_stamp=a.first_stamp or b.first_stamp,
        last_stamp=b.last_stamp or a.last_stamp,
        launches=a.launches + b.launches,
    )
