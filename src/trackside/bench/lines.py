"""One log line in, one row out: the parser that gives every line form its meaning.

Fields are read as key and value in any order, never by one fixed order. The fast path (``templates``) only repeats,
for lines of the same shape, what this parser said of the first of them.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Final

from trackside.bench.dialects import (
    DECODE_FIELDS,
    FLOAT_COLUMNS,
    IGNORED_FIELDS,
    INTEGER_COLUMNS,
    PREFILL_FIELDS,
    REQUIRED,
    TRTLLM_FIELDS,
    VLLM_FIELDS,
    Field,
)
from trackside.bench.numbers import NUMBER, read_float
from trackside.bench.prefixes import STAMP, Mark, Prefix, find_prefix_start, is_quoting, read_prefix
from trackside.bench.startup import STARTUP_ANCHOR, message_start, read_startup

Value = int | float | bool | str | None

BATCH_ANCHOR: Final = re.compile(rb"(?P<kind>Prefill|Decode) batch(?: ?\[(?P<iter>\d{1,18})\])?(?:[.,] ?|$)")
_VLLM_ANCHOR: Final = re.compile(rb"Avg prompt throughput: ")
_TRTLLM_ANCHOR: Final = re.compile(rb"iter = \d+, ")
_ANCHOR: Final = re.compile(
    b"|".join(one.pattern for one in (BATCH_ANCHOR, _VLLM_ANCHOR, _TRTLLM_ANCHOR, STARTUP_ANCHOR))
)
BATCH_LIKE: Final = re.compile(rb"(?:[Pp]refill|[Dd]ecode)(?: \w+)? batch\b[^#]{0,80}#[a-z]")
_FIELD: Final = re.compile(
    rb"(?P<key>#?[A-Za-z][\w .()/-]*?): ?"
    rb"(?P<value>\[[^\]]{0,2000}\]|\{[^}]{0,2000}\}|[^\s,]+)"
    rb"(?P<unit> (?:tokens/s|reqs)\.?)?(?:,\s*|\s*$)"
)
_TRTLLM_FIELD: Final = re.compile(rb"'?(?P<key>\w+)'?(?: = |: )(?P<value>'[^']*'|\{|N/A|[^\s,}]+)")
_GRAPH: Final = re.compile(r"(\w+) graph$")
_UNIT: Final = re.compile(rb"(?:%|ms|s)?\.?")
_DIGIT: Final = re.compile(rb"\d")
_MAX_KEY: Final = 60
_MAX_FIELDS: Final = 200
# What Ray writes behind a line that stands for several that differ in numbers only.
_REPEATED: Final = re.compile(rb"\[repeated \d+x across cluster\].*")


@dataclass(slots=True)
class Row:
    """One recognised line. ``values`` holds our columns; ``marks`` are the spans that vary between lines of a shape."""

    kind: str
    engine: str
    prefix: Prefix
    message_start: int
    values: dict[str, Value] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    not_a_number: int = 0
    torn: bool = False
    learnable: bool = True


@dataclass(slots=True, frozen=True)
class Miss:
    """A line that looks like a batch line and is none of ours. ``quoted``: it stands inside other text."""

    quoted: bool


def read_line(line: bytes) -> Row | Miss | None:
    """What one line (no line end, colours stripped) says: a row, a miss to count, or None for other text."""
    batch = BATCH_ANCHOR.search(line)
    if batch:
        return _read_batch(line, batch)
    for anchor, reader in ((_VLLM_ANCHOR, _read_vllm), (_TRTLLM_ANCHOR, _read_trtllm)):
        match = anchor.search(line)
        if match:
            prefix = read_prefix(line[: match.start()])
            return Miss(quoted=True) if prefix is None else reader(line, match, prefix)
    startup = STARTUP_ANCHOR.search(line)
    if startup:
        prefix = read_prefix(line[: message_start(line, startup)])
        return None if prefix is None else _read_startup(line, startup, prefix)
    return Miss(quoted=False) if BATCH_LIKE.search(line) else None


def split_glued(line: bytes) -> list[tuple[int, int]]:
    """Spans of the log lines that were written into one line without a break between them."""
    cuts = [0]
    previous: re.Match[bytes] | None = None
    for anchor in _ANCHOR.finditer(line):
        if previous:
            start = find_prefix_start(line, previous.end(), anchor.start())
            if start is not None and not is_quoting(line[cuts[-1] : start]):
                cuts.append(start)
        previous = anchor
    return list(zip(cuts, [*cuts[1:], len(line)], strict=True))


def _read_batch(line: bytes, anchor: re.Match[bytes]) -> Row | Miss | None:
    prefix = read_prefix(line[: anchor.start()])
    if prefix is None:
        return Miss(quoted=True) if BATCH_LIKE.search(line) else None
    body_start = anchor.end()
    line = _REPEATED.sub(b"", line)
    if not prefix.stamp and not prefix.ranks and not _FIELD.match(line, body_start):
        return Miss(quoted=False) if BATCH_LIKE.search(line) else None
    kind = anchor["kind"].decode().lower()
    row = Row(kind, "sglang", prefix, anchor.start(), torn=prefix.torn)
    if anchor["iter"]:
        _take_number(row, anchor["iter"], anchor.start("iter"), Field("iteration"))
    fields = PREFILL_FIELDS if kind == "prefill" else DECODE_FIELDS
    _read_fields(line, body_start, row, fields)
    if not row.keys and BATCH_LIKE.search(line) and not row.torn:
        return Miss(quoted=False)
    _judge_torn(row, line)
    return row


def _read_fields(line: bytes, pos: int, row: Row, fields: dict[str, Field]) -> None:
    end = len(line)
    while pos < end and len(row.keys) < _MAX_FIELDS:
        match = _FIELD.match(line, pos)
        if match is None:
            comma = line.find(b", ", pos)
            stop = end if comma < 0 else comma + 2
            if line[pos:stop].strip(b" ,\r"):
                row.torn = True
                row.keys.append("?")
            pos = stop
            continue
        pos = match.end()
        key = match["key"].decode("ascii")
        known = fields.get(key)
        if known:
            row.keys.append(key)
            _take_number(row, match["value"], match.start("value"), known)
        else:
            _take_other(row, key, match["value"], fields)


def _take_other(row: Row, key: str, value: bytes, fields: dict[str, Field]) -> None:
    graph = _GRAPH.match(key)
    if graph and value in (b"True", b"False"):
        row.keys.append(key)
        row.values["graph"] = value == b"True"
        row.values["graph_device"] = graph[1]
    elif key in IGNORED_FIELDS:
        row.keys.append(key)
    elif _is_splice(key, row, fields):
        row.torn = True
        row.keys.append("?")
    else:
        row.keys.append(key)
        row.unknown.append(key[:80])


def _is_splice(key: str, row: Row, fields: dict[str, Field]) -> bool:
    """Whether the key is the head of one known key run into the tail of another: text was lost in between.

    A new field may look like one too (``#waiting-req``), so a field that stands before the usage must be missing.
    """
    if "token_usage" in row.values or "token usage" in key.removeprefix("#") or len(key) > _MAX_KEY:
        return False
    absent = [k for k in fields if k not in row.keys and k != key]
    return any(
        any(k.startswith(key[:i]) for k in absent) and any(k.endswith(key[i:]) for k in absent)
        for i in range(3, len(key) - 3)
    )


def _take_number(row: Row, text: bytes, start: int, known: Field) -> None:
    """Puts a value into the row; a value that is no number stays null and is counted."""
    column = known.column
    if column in row.values:
        return
    match = NUMBER.match(text)
    if match is None or match["frac"] == b"" or not _UNIT.fullmatch(text, match.end()):
        _refuse(row, column, text)
        return
    span = (start + match.start(), start + match.end())
    if column in INTEGER_COLUMNS:
        if match["frac"] or match["exp"] or len(match["int"]) > 18:
            _refuse(row, column, text)
            return
        row.values[column] = int(match[0])
        row.marks.append(Mark(*span, "i", column))
    elif column in FLOAT_COLUMNS:
        number = read_float(match, known.scale10)
        if math.isinf(number):
            _refuse(row, column, text)
            return
        row.values[column] = number
        row.marks.append(Mark(*span, "f", column, known.scale10))


def _refuse(row: Row, column: str, text: bytes) -> None:
    """A value that is no number of the column; another line of the shape may hold one, unless it has no digits."""
    row.values[column] = None
    row.not_a_number += text != b"N/A"
    row.learnable &= not _DIGIT.search(text)


def _judge_torn(row: Row, line: bytes) -> None:
    """Marks a line without its required fields as cut, and drops a last value that the cut may have halved."""
    if any(column not in row.values for column in REQUIRED[row.kind]):
        row.torn = True
        if row.keys and row.keys[-1] != "?":
            drop_last_value(row, len(line))


def drop_last_value(row: Row, line_end: int) -> None:
    """Forgets the value that touches the end of the line."""
    row.learnable = False
    for mark in row.marks:
        if mark.end == line_end and mark.column:
            row.values[mark.column] = None


def _read_vllm(line: bytes, anchor: re.Match[bytes], prefix: Prefix) -> Row:
    row = Row("engine", "vllm", prefix, anchor.start(), torn=prefix.torn)
    _read_fields(line, anchor.start(), row, VLLM_FIELDS)
    if any(mark.end == len(line) for mark in row.marks):  # each value has a unit
        row.torn = True
        drop_last_value(row, len(line))
    _judge_torn(row, line)
    return row


def _read_trtllm(line: bytes, anchor: re.Match[bytes], prefix: Prefix) -> Row:
    row = Row("iteration", "trtllm", prefix, anchor.start(), torn=prefix.torn)
    for match in _TRTLLM_FIELD.finditer(line, anchor.start()):
        key, value = match["key"].decode("ascii", "replace"), match["value"]
        known = TRTLLM_FIELDS.get(key)
        row.keys.append(key)
        if known:
            _take_number(row, value, match.start("value"), known)
        elif key == "timestamp" and not prefix.form:
            _take_stamp(row, line, match.start("value"))
        elif key not in IGNORED_FIELDS:
            row.unknown.append(key[:80])
    if "states" not in row.keys or line.count(b"{") > line.count(b"}"):
        row.torn = True
        drop_last_value(row, len(line))
    _judge_torn(row, line)
    return row


def _take_stamp(row: Row, line: bytes, start: int) -> None:
    stamp = STAMP.match(line, start)
    if stamp and stamp["full"]:
        row.prefix = row.prefix._replace(form="full", stamp=stamp["full"])
        row.marks.append(Mark(stamp.start("full"), stamp.end("full"), "stamp", "full"))


def _read_startup(line: bytes, anchor: re.Match[bytes], prefix: Prefix) -> Row | None:
    found = read_startup(line, anchor)
    if found is None:
        return None
    row = Row(found.kind, "sglang", prefix, anchor.start(), torn=prefix.torn or found.torn, learnable=False)
    row.values.update(found.values)
    return row
