"""Parses one log file into pieces of rows and an account of what was read: the function that every engine maps."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from trackside.bench.chunks import whole_lines
from trackside.bench.clock import find_anchor
from trackside.bench.rank_totals import GroupTotals, group_totals, merge_totals
from trackside.bench.row_blocks import NULL_INT, Array, Columns
from trackside.bench.scan import LogScanner
from trackside.bench.scan_records import ScanCounts, ScanState, add_counts
from trackside.engine.fingerprints import Fingerprint, has_grown, take_fingerprint
from trackside.engine.reading import LFS_POINTER, Reading, open_reading
from trackside.errors import OutputError

PIECE_ROWS: Final = 131_072
_ANCHOR_BYTES: Final = 1 << 20
_DAY_NS: Final = 86_400 * 10**9
_LAST_DAY: Final = (dt.date(9000, 1, 1) - dt.date(1970, 1, 1)).days


class Piece(msgspec.Struct, frozen=True):
    """Rows of a file that lie in one place: a file of the cache, or (``data``) bytes on their way there.

    ``name`` is the path under the cache's pieces; ``held`` are columns that were written nowhere yet.
    ``provisional`` rows come from a last line without a line end; they go when the file grows.
    """

    name: str
    rows: int
    provisional: bool = False
    data: bytes | None = None
    held: dict[str, Any] | None = None


class Scanned(msgspec.Struct, frozen=True):
    """What is known of one file after a scan: enough to go on with what is appended to it.

    ``state`` is ok, empty, lfs_pointer, unreadable or truncated. ``counts`` and ``groups`` leave out the unfinished
    last line, which ``tail_counts`` and ``tail_groups`` hold. ``consumed`` bytes are whole lines. ``columns`` are
    those that any row fills. ``resumed`` says that what was known before was gone on with: its rows still count;
    ``mid_line`` that ``consumed`` ends inside an overlong line, whose rest is to be skipped.
    """

    file: str
    state: str
    fingerprint: Fingerprint
    scan: ScanState
    counts: ScanCounts
    groups: list[GroupTotals]
    pieces: list[Piece]
    consumed: int = 0
    note: str | None = None
    columns: list[str] = []
    resumed: bool = False
    mid_line: bool = False
    tail_counts: ScanCounts | None = None
    tail_groups: list[GroupTotals] = []

    @property
    def all_counts(self) -> ScanCounts:
        """Counts with the unfinished last line."""
        return self.counts if self.tail_counts is None else add_counts(self.counts, self.tail_counts)

    @property
    def all_groups(self) -> list[GroupTotals]:
        """Groups with the unfinished last line."""
        return merge_totals([*self.groups, *self.tail_groups])


class FileTask(msgspec.Struct, frozen=True):
    """One file to parse: all of it, or (``known``) what was appended since. Pieces go to ``spool`` or come as bytes.

    With ``hold`` they stay in memory: for a caller in the same process that writes them on at once.
    """

    path: str
    name: str
    number: int
    spool: str | None
    known: Scanned | None = None
    hold: bool = False


def parse_file(task: FileTask, on_bytes: Callable[[int], None] | None = None) -> Scanned:
    """The rows and counts of a file. Never raises for what is in the file; one that cannot be read says so."""
    path = Path(task.path)
    try:
        fingerprint = take_fingerprint(path)
        return _parse(task, path, fingerprint, on_bytes)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return _nothing(task, "unreadable", Fingerprint(), note=f"cannot be read: {reason}")


def _nothing(task: FileTask, state: str, fingerprint: Fingerprint, note: str | None = None) -> Scanned:
    anchor = find_anchor(b"", b"", task.name, dt.date(1970, 1, 1))
    counts = ScanCounts(lines=3 if state == "lfs_pointer" else 0)
    return Scanned(task.name, state, fingerprint, ScanState(anchor), counts, [], [], note=note)


def _parse(task: FileTask, path: Path, fingerprint: Fingerprint, on_bytes: Callable[[int], None] | None) -> Scanned:
    if fingerprint.size_bytes == 0:
        return _nothing(task, "empty", fingerprint)
    reading = open_reading(path)
    with path.open("rb") as raw:
        if raw.read(len(LFS_POINTER)) == LFS_POINTER:
            note = "a Git LFS pointer stands where the log should be: run git lfs pull"
            return _nothing(task, "lfs_pointer", fingerprint, note)
    known = task.known if reading.resumable and task.known and _still_there(path, task.known) else None
    anchor = find_anchor(*_ends(path, reading, fingerprint), task.name, _modified(fingerprint))
    if known and (known.scan.clock.anchor, known.scan.clock.source) != (anchor.anchor, anchor.source):
        known = None
    return _FileScan(task, reading, fingerprint, known, ScanState(anchor)).run(on_bytes)


def _still_there(path: Path, known: Scanned) -> bool:
    """Whether the file still begins with what is known: it may have been rotated since it was looked at."""
    return has_grown(path, known.fingerprint) or take_fingerprint(path) == known.fingerprint


def _modified(fingerprint: Fingerprint) -> dt.date:
    day = min(max(fingerprint.mtime_ns // _DAY_NS, 0), _LAST_DAY)
    return dt.date(1970, 1, 1) + dt.timedelta(days=day)


def _ends(path: Path, reading: Reading, fingerprint: Fingerprint) -> tuple[bytes, bytes]:
    """The beginning and the end of the text, where a full date may stand."""
    blocks = reading.blocks()
    head = next(blocks, b"")[:_ANCHOR_BYTES]
    blocks.close()  # type: ignore[attr-defined]
    if not reading.resumable:
        return head, b""
    with path.open("rb") as raw:
        raw.seek(max(0, fingerprint.size_bytes - _ANCHOR_BYTES // 16))
        return head, raw.read(_ANCHOR_BYTES // 16)


class _FileScan:
    def __init__(
        self, task: FileTask, reading: Reading, fingerprint: Fingerprint, known: Scanned | None, fresh: ScanState
    ) -> None:
        self.task = task
        self.reading = reading
        self.fingerprint = fingerprint
        self.known = known
        state = fresh if known is None else msgspec.convert(msgspec.to_builtins(known.scan), ScanState)
        self.scanner = LogScanner(state)
        self.consumed = known.consumed if known else 0
        self.pieces = [p for p in known.pieces if not p.provisional] if known else []
        self.groups: list[GroupTotals] = list(known.groups) if known else []
        self.columns: set[str] = set(known.columns) if known else set()

    def run(self, on_bytes: Callable[[int], None] | None) -> Scanned:
        scanner, before = self.scanner, self.consumed
        tail = b""
        overlong = 0
        limit = self.fingerprint.size_bytes if self.reading.resumable else None
        mid_line = self.known is not None and self.known.mid_line
        for chunk in whole_lines(self.reading.blocks(before, limit), skipping=mid_line):
            if chunk.is_tail:
                tail, overlong = chunk.data, chunk.overlong
                break
            scanner.feed(chunk.data, overlong=chunk.overlong)
            if on_bytes and self.reading.resumable:
                on_bytes(before + chunk.consumed - self.consumed)
            self.consumed, mid_line = before + chunk.consumed, chunk.mid_line
            if scanner.rows.size >= PIECE_ROWS:
                self._flush(provisional=False)
        self._flush(provisional=False)
        counts = add_counts(self.known.counts, scanner.counts) if self.known else scanner.counts
        state = msgspec.convert(msgspec.to_builtins(scanner.state), ScanState)
        groups = merge_totals(self.groups)
        tail_counts, tail_groups = self._scan_tail(tail, overlong)
        # What the unfinished line names for the first time is known too; these lists only grow.
        state.streams, state.texts = list(scanner.state.streams), list(scanner.state.texts)
        truncated = self.reading.truncated
        return Scanned(
            self.task.name,
            "truncated" if truncated else "ok",
            self.fingerprint,
            state,
            counts,
            groups,
            self.pieces,
            self.consumed,
            "the packed file ends too early or is damaged; what came before was read" if truncated else None,
            sorted(self.columns),
            self.known is not None,
            mid_line,
            tail_counts,
            tail_groups,
        )

    def _scan_tail(self, tail: bytes, overlong: int) -> tuple[ScanCounts | None, list[GroupTotals]]:
        if not tail:
            return None, []
        self.scanner.counts = ScanCounts()
        self.groups = []
        self.scanner.feed(tail, overlong=overlong)
        self._flush(provisional=True)
        return self.scanner.counts, merge_totals(self.groups)

    def _flush(self, *, provisional: bool) -> None:
        if not self.scanner.rows.size:
            return
        rows = self.scanner.rows.size
        columns = self.scanner.rows.take()
        self.groups.extend(group_totals(columns))
        self.columns.update(columns)
        name = f"{self.task.number:05d}-{self.consumed:014d}{'t' if provisional else ''}.npz"
        if self.task.hold and not provisional:
            self.pieces.append(Piece(name, rows, held=_narrowed(columns)))
        elif self.task.spool is None:
            self.pieces.append(Piece(name, rows, provisional, pack(columns)))
        else:
            self.pieces.append(write_piece(Piece(name, rows, provisional), Path(self.task.spool), columns))


def write_piece(piece: Piece, spool: Path, columns: Columns | None = None) -> Piece:
    """The piece with its rows (``columns``, else its bytes) in a file of ``spool``. Raises OutputError."""
    try:
        with (spool / piece.name).open("wb") as out:
            if columns is None:
                out.write(piece.data or b"")
            else:
                np.savez(out, **_narrowed(columns))
    except OSError as error:
        msg = f"Rows could not be written to {spool.parent}: {error.strerror} (make room there, or give --no-cache)"
        raise OutputError(msg) from error
    return msgspec.structs.replace(piece, name=f"{spool.name}/{piece.name}", data=None)


def pack(columns: Columns) -> bytes:
    """Columns as one NumPy archive, integers as narrow as their values allow; nulls are the type's lowest value."""
    buffer = io.BytesIO()
    np.savez(buffer, **_narrowed(columns))
    return buffer.getvalue()


def _narrowed(columns: Columns) -> dict[str, Any]:
    return {name: _narrow(values) for name, values in columns.items()}


def unpack(data: bytes | Path) -> Columns:
    """The columns of an archive as ``pack`` got them, but for the width of integers."""
    with np.load(io.BytesIO(data) if isinstance(data, bytes) else data, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _narrow(values: Array) -> Array:
    if values.dtype != np.int64:
        return values
    nulls = values == NULL_INT
    some = bool(nulls.any())
    low, high = int(values[~nulls].min(initial=0)) if some else int(values.min()), int(values.max())
    for kind in (np.int8, np.int16, np.int32):
        limits = np.iinfo(kind)
        if limits.min < low and high <= limits.max:
            narrow = values.astype(kind)
            if some:
                narrow[nulls] = limits.min
            return narrow
    return values
