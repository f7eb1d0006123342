"""Reads the per-request records that SGLang writes under ``--export-metrics-to-file-dir``.

One JSON object a line, one file an hour (``sglang-request-metrics-YYYYMMDD_HH.log``): ``request_parameters``
(often with the whole prompt, so a line may be long) beside the flat ``meta_info`` of the answer. Times are
seconds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec
import polars as pl

from trackside.bench.request_times import REQUEST_SCHEMA
from trackside.engine.reading import open_reading
from trackside.errors import NoDataError, PathNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_LINE_BYTES: Final = 64 * 1024 * 1024
_MAX_SAMPLES: Final = 5
_SAMPLE_CHARS: Final = 160
_ROWS_A_FRAME: Final = 50_000
_SUFFIXES: Final = ("", ".gz", ".zst")
_PATTERNS: Final = ("sglang-request-metrics-*.log", "*.jsonl")

# prefill_launch_delay became prefill_waiting_latency in 2026; the record carries the request id as id.
_LOGGED_AS: Final[dict[str, tuple[str, ...]]] = {
    "rid": ("rid", "id"),
    "prompt_tokens": ("prompt_tokens",),
    "completion_tokens": ("completion_tokens",),
    "queue_time_s": ("queue_time",),
    "prefill_launch_delay_s": ("prefill_launch_delay", "prefill_waiting_latency"),
    "prefill_launch_latency_s": ("prefill_launch_latency",),
    "inference_time_s": ("inference_time",),
    "e2e_latency_s": ("e2e_latency",),
}
_SPANS: Final = (
    "queue_time_s",
    "prefill_launch_delay_s",
    "prefill_launch_latency_s",
    "inference_time_s",
    "e2e_latency_s",
)


@dataclass(frozen=True)
class RequestMetrics:
    """The requests of a directory and the account of what was read.

    ``requests`` has the columns of REQUEST_SCHEMA, in file order. ``unreadable`` lines are not JSON objects,
    ``without_times`` are objects with none of the time fields, ``overlong`` lines exceed MAX_LINE_BYTES;
    ``not_a_number`` counts values that should be numbers and are not; ``cut_files`` ended early.
    """

    requests: pl.DataFrame
    files: tuple[str, ...]
    lines: int
    unreadable: int
    without_times: int
    overlong: int
    not_a_number: int
    cut_files: tuple[str, ...]
    samples: tuple[str, ...]
    limit_reached: bool

    @property
    def unread(self) -> int:
        """Lines that gave no request."""
        return self.unreadable + self.without_times + self.overlong


def read_request_metrics(path: Path, limit: int | None = None) -> RequestMetrics:
    """The requests of ``sglang-request-metrics-*.log`` (else ``*.jsonl``) in ``path``, plain, .gz or .zst.

    ``path`` may also be one such file. With ``limit`` reading stops after that many requests, in file order.
    Raises NoDataError where there is no such file or none holds a request time.
    """
    files = find_metric_files(path)
    reading = _Reading(limit=limit)
    for file in files:
        if not reading.full:
            reading.read(file)
    if not reading.requests:
        raise NoDataError(
            f"No request times in {path}: read {reading.lines:,} lines of {len(files)} file(s), none with "
            "e2e_latency, queue_time or another span. Point to the folder of --export-metrics-to-file-dir."
        )
    return reading.result()


def find_metric_files(path: Path) -> list[Path]:
    """The files to read of a directory, else of its ``logs``, by name (so by hour). Raises NoDataError."""
    if not path.exists():
        raise PathNotFoundError(f"Path does not exist: {path}")
    if path.is_file():
        return [path]
    for folder in (path, path / "logs"):
        for pattern in _PATTERNS:
            found = sorted(file for suffix in _SUFFIXES for file in folder.glob(pattern + suffix) if file.is_file())
            if found:
                return found
    raise NoDataError(
        f"No request metrics in {path}: expected sglang-request-metrics-*.log or *.jsonl "
        "(written by SGLang under --export-metrics-to-file --export-metrics-to-file-dir DIR)."
    )


class _Record(msgspec.Struct):
    """The fields that matter, undecoded beyond JSON; everything else in the line is skipped."""

    rid: Any = None
    id: Any = None
    prompt_tokens: Any = None
    completion_tokens: Any = None
    queue_time: Any = None
    prefill_launch_delay: Any = None
    prefill_waiting_latency: Any = None
    prefill_launch_latency: Any = None
    forward_entry_time: Any = None
    prefill_finished_time: Any = None
    inference_time: Any = None
    e2e_latency: Any = None
    meta_info: Any = None


_FIELDS: Final = _Record.__struct_fields__
_DECODER: Final = msgspec.json.Decoder(_Record)


def _decode(line: bytes) -> _Record | None:
    """The record of a line, None where it is no JSON object. NaN and lone surrogates take the lenient way."""
    try:
        return _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        try:
            decoded = json.loads(line.decode("utf-8", errors="replace"))
        except (ValueError, RecursionError):
            return None
    return _from_dict(decoded)


def _from_dict(decoded: object) -> _Record | None:
    if not isinstance(decoded, dict):
        return None
    return _Record(**{name: decoded[name] for name in _FIELDS if name in decoded})


@dataclass
class _Reading:
    """What has been read so far; one a call."""

    limit: int | None
    requests: int = 0
    lines: int = 0
    unreadable: int = 0
    without_times: int = 0
    overlong: int = 0
    not_a_number: int = 0
    files: list[str] = field(default_factory=list)
    cut_files: list[str] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)
    frames: list[pl.DataFrame] = field(default_factory=list)
    rows: list[list[object]] = field(default_factory=list)

    @property
    def full(self) -> bool:
        return self.limit is not None and self.requests >= self.limit

    def read(self, file: Path) -> None:
        self.files.append(file.name)
        try:
            reading = open_reading(file)
            for line in _lines(reading.blocks()):
                self._take(line)
                if self.full:
                    return
        except OSError as error:
            self.cut_files.append(f"{file.name} ({error.strerror or error})")
            return
        if reading.truncated:
            self.cut_files.append(f"{file.name} (the archive is cut)")

    def _take(self, line: bytes | None) -> None:
        if line is None:
            self.lines += 1
            self.overlong += 1
            return
        if not line.strip():
            return
        self.lines += 1
        record = _decode(line)
        if record is None:
            self.unreadable += 1
            self._sample(line)
            return
        self._take_record(record, line)

    def _take_record(self, record: _Record, line: bytes) -> None:
        if isinstance(record.meta_info, dict) and record.e2e_latency is None:
            record = _from_dict(record.meta_info) or record
        row = self._row(record)
        if all(row[_POSITION[name]] is None for name in _SPANS):
            self.without_times += 1
            self._sample(line)
            return
        self.requests += 1
        self.rows.append(row)
        if len(self.rows) >= _ROWS_A_FRAME:
            self._close_frame()

    def _row(self, record: _Record) -> list[object]:
        row: list[object] = [None] * len(_POSITION)
        for column, names in _LOGGED_AS.items():
            logged = next((value for name in names if (value := getattr(record, name)) is not None), None)
            row[_POSITION[column]] = _text(logged) if column == "rid" else self._number(logged, column)
        began = self._number(record.forward_entry_time, "prefill_span_s")
        ended = self._number(record.prefill_finished_time, "prefill_span_s")
        if isinstance(began, float) and isinstance(ended, float):
            row[_POSITION["prefill_span_s"]] = ended - began
        return row

    def _number(self, logged: object, column: str) -> float | int | None:
        if logged is None:
            return None
        if isinstance(logged, bool) or not isinstance(logged, int | float) or not abs(logged) < 2**53:
            self.not_a_number += 1
            return None
        return int(logged) if REQUEST_SCHEMA[column] == pl.Int64 else float(logged)

    def _sample(self, line: bytes) -> None:
        if len(self.samples) < _MAX_SAMPLES:
            self.samples.append(line[:_SAMPLE_CHARS].decode("utf-8", errors="replace").strip())

    def _close_frame(self) -> None:
        self.frames.append(pl.DataFrame(self.rows, schema=REQUEST_SCHEMA, orient="row"))
        self.rows = []

    def result(self) -> RequestMetrics:
        self._close_frame()
        return RequestMetrics(
            requests=pl.concat(self.frames),
            files=tuple(self.files),
            lines=self.lines,
            unreadable=self.unreadable,
            without_times=self.without_times,
            overlong=self.overlong,
            not_a_number=self.not_a_number,
            cut_files=tuple(self.cut_files),
            samples=tuple(self.samples),
            limit_reached=self.full,
        )


_POSITION: Final = {name: place for place, name in enumerate(REQUEST_SCHEMA)}


def _text(value: object) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text.encode("utf-8", errors="replace").decode("utf-8")  # a frame cannot hold lone surrogates


def _lines(blocks: Iterator[bytes]) -> Iterator[bytes | None]:
    """Each line of the blocks; None for one that is longer than MAX_LINE_BYTES."""
    parts: list[bytes] = []
    size = 0
    for block in blocks:
        *whole, rest = block.split(b"\n")
        for line in whole:
            if size + len(line) > MAX_LINE_BYTES:
                yield None
            else:
                yield b"".join((*parts, line)) if parts else line
            parts, size = [], 0
        size += len(rest)
        if size <= MAX_LINE_BYTES:
            parts.append(rest)
        else:
            parts = []
    if size:
        yield None if size > MAX_LINE_BYTES else b"".join(parts)
