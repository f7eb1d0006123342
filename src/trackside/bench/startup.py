"""Start-up and memory lines: weights, KV cache, memory pool, graph capture, capacities, retractions."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from trackside.bench.dialects import INTEGER_COLUMNS, MEMORY_FIELDS, RETRACT_FIELDS

STARTUP_ANCHOR: Final = re.compile(
    rb"Load weight (?:begin|end)\.|KV Cache is allocated\.|Memory pool end\.|max_total_num_tokens=\d"
    rb"|Capture (?:\w+ ){0,4}graph (?:begin|end)\.|KV cache pool is full|[Dd]ecode out of memory happened"
    rb"|#(?:aborted_)?retracted_reqs: ?\d|(?:avail mem|mem usage)[=:] ?-?\d"
)
_BRACKETED: Final = re.compile(rb"\S{0,80}?\[[^\]\[]{8,80}\] ")
# Text that only lines of the forms above hold: what a scan looks for before it tries the anchor.
STARTUP_NEEDLES: Final = (
    b"KV Cache is",
    b"mem",
    b"max_total_num_tokens=",
    b"retracted_reqs",
)
_PAIR: Final = re.compile(
    rb"(?P<key>#?[A-Za-z][\w# ]*?)(?:=|: ?)(?P<value>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|[A-Za-z][\w.]*)"
)
_KINDS: Final = (
    (re.compile(rb"Load weight begin"), "weights_begin"),
    (re.compile(rb"Load weight end"), "weights_end"),
    (re.compile(rb"KV Cache is allocated"), "kv_cache"),
    (re.compile(rb"Memory pool end"), "memory_pool"),
    (re.compile(rb"Capture .*graph begin"), "graph_begin"),
    (re.compile(rb"Capture .*graph end"), "graph_end"),
    (re.compile(rb"max_total_num_tokens="), "capacity"),
    (re.compile(rb"retracted_reqs|KV cache pool|out of memory happened"), "retract"),
)
_DETAIL: Final = ("type", "dtype", "quant", "quant_algo", "fmt")
_CAPTURE: Final = re.compile(rb"Capture (?P<what>[\w ]*?) ?graph (?:begin|end)")


class Startup(NamedTuple):
    """One start-up line: its kind and our columns."""

    kind: str
    values: dict[str, int | float | bool | str | None]


def message_start(line: bytes, anchor: re.Match[bytes]) -> int:
    """Where the message of the anchor begins: figures of memory may stand behind other words of it."""
    if anchor[0][:1] in b"am#":
        bracketed = _BRACKETED.match(line, 0, anchor.start())
        return bracketed.end() if bracketed else anchor.start()
    return anchor.start()


def read_startup(line: bytes, anchor: re.Match[bytes]) -> Startup | None:
    """What the line says from the anchor on, or None where it names no figure and no step."""
    text = line[anchor.start() :]
    kind = next((name for pattern, name in _KINDS if pattern.search(anchor[0])), "memory")
    fields = RETRACT_FIELDS if kind == "retract" else MEMORY_FIELDS
    values: dict[str, int | float | bool | str | None] = {}
    detail: list[str] = []
    sizes: dict[str, float] = {}
    for pair in _PAIR.finditer(text):
        key, value = pair["key"].decode("ascii").strip(), pair["value"]
        known = fields.get(key)
        if known is None:
            if key in _DETAIL:
                detail.append(f"{key}={value.decode()}")
        elif known.column.startswith("_"):
            sizes[known.column] = float(value)
        elif known.column not in values and value[-1:].isdigit():
            values[known.column] = _cast(known.column, value)
    if len(sizes) == 2:
        values["kv_cache_gb"] = round(sum(sizes.values()), 6)
    capture = _CAPTURE.match(text)
    if capture:
        detail.append(capture["what"].decode())
    if detail:
        values["detail"] = ", ".join(detail)[:200]
    return Startup(kind, values)


def _cast(column: str, value: bytes) -> int | float | None:
    if column not in INTEGER_COLUMNS:
        return float(value)
    return int(value) if len(value) <= 18 and value.lstrip(b"-").isdigit() else None
