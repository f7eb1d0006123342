"""Runs the scanner over bytes and gives what it found as plain values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from trackside.bench.clock import ClockState
from trackside.bench.row_blocks import NULL_INT, NULL_SMALL
from trackside.bench.scan import LogScanner
from trackside.bench.scan_records import KINDS, ScanCounts, ScanState

Rows = list[dict[str, Any]]


def new_state(anchor: str = "2026-01-04") -> ScanState:
    """The state of a file of which nothing was read."""
    return ScanState(ClockState(anchor, "other_lines"), streams=[], texts=[], shapes={})


def scan(
    pieces: bytes | Iterable[bytes], *, learn: bool = True, state: ScanState | None = None
) -> tuple[Rows, ScanCounts]:
    """Rows (columns that are not null) and counts. Without ``learn`` each line goes through the line parser."""
    scanner = LogScanner(state or new_state())
    if not learn:
        scanner._book.strikes = 10**9
    for piece in [pieces] if isinstance(pieces, bytes) else pieces:
        scanner.feed(piece)
    columns = scanner.rows.take() if scanner.rows.size else {}
    rows = []
    for index in range(len(columns.get("line", ()))):
        row: dict[str, Any] = {name: _plain(values[index]) for name, values in columns.items()}
        row = {name: value for name, value in row.items() if value is not None}
        row["kind"] = KINDS[row["kind"]]
        row["stream"] = scanner.state.streams[row["stream"]]
        for name in ("graph_device", "detail"):
            if name in row:
                row[name] = scanner.state.texts[row[name]]
        rows.append(row)
    return rows, scanner.counts


def _plain(value: Any) -> int | float | None:
    if isinstance(value, np.floating):
        return None if np.isnan(value) else float(value)
    null = NULL_SMALL if isinstance(value, np.int16) else NULL_INT
    return None if int(value) == null else int(value)


def seen(counts: ScanCounts) -> dict[str, Any]:
    """The counts that do not depend on how a file was cut into pieces."""
    names = ("lines", "kinds", "unrecognised", "samples", "torn", "quoted", "not_a_number", "unknown_fields")
    return {name: getattr(counts, name) for name in (*names, "invalid_utf8_bytes")} | {"launches": len(counts.launches)}
