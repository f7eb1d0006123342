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
    rb"(?P<key>#?[A-Za-z][\w# ]*?)(?:=|: ?)"
    rb"(?P<value>-?\d++(?:\.\d++)?+(?:[eE][-+]?\d++)?+(?![\w\[])|[A-Za-z][\w.]*+)"
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
# What every version of a line has: without it the line was cut.
_REQUIRED: Final = {
    "weights_begin": "avail_mem_gb",
    "weights_end": "avail_mem_gb",
    "kv_cache": "kv_cache_gb",
    "memory_pool": "avail_mem_gb",
    "graph_end": "elapsed_s",
    "capacity": "context_len",
    "retract": "retracted_req",
}
_UNITS: Final = {"gb": re.compile(rb" ?GB"), "s": re.compile(rb" ?s")}
_LAST: Final = frozenset({"context_len", "retracted_req", "tokens_gained"})
_REST: Final = re.compile(rb"(?: ?(?:GB|s)\.?)?(?: -> \d+\.\d+)?\.?\s*")
_DETAIL: Final = ("type", "dtype", "quant", "quant_algo", "fmt")
_CAPTURE: Final = re.compile(rb"Capture (?P<what>[\w ]*?) ?graph (?:begin|end)")


class Startup(NamedTuple):
    """One start-up line: its kind and our columns; ``torn`` where it was cut, without the value that the cut halved."""

    kind: str
    values: dict[str, int | float | bool | str | None]
    torn: bool = False


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
    torn = False
    end = 0
    for pair in _PAIR.finditer(text):
        key, value = pair["key"].decode("ascii").strip(), pair["value"]
        known = fields.get(key)
        end = pair.end()
        if known is None:
            torn |= end == len(text) and key in _DETAIL
            if key in _DETAIL and end < len(text):
                detail.append(f"{key}={value.decode()}")
        elif not _is_whole(known.column, text, end):
            torn = True
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
    if line[: anchor.start()].endswith(b"("):  # an aside of another message, whose form nobody knows
        return Startup(kind, values)
    torn |= kind in _REQUIRED and _REQUIRED[kind] not in values
    torn |= kind != "memory" and end > 0 and not _REST.fullmatch(text, end)
    return Startup(kind, values, torn)


def _is_whole(column: str, text: bytes, end: int) -> bool:
    """Whether the value that ends there was not halved: its unit follows, or a field that may be the last one ends."""
    unit = _UNITS.get(column.rsplit("_", 1)[-1])
    if unit:
        return unit.match(text, end) is not None
    return end < len(text) or column in _LAST


def _cast(column: str, value: bytes) -> int | float | None:
    if column not in INTEGER_COLUMNS:
        return float(value)
    return int(value) if len(value) <= 18 and value.lstrip(b"-").isdigit() else None
