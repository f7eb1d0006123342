"""Scans one log: every line is matched against learned templates, what is left goes through the line parser.

The scanner keeps the state of one file between chunks, so a file may be fed in pieces of whole lines of any size.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trackside.bench.chunks import MAX_LINE_BYTES
from trackside.bench.clock import FORMS, FULL_STAMP, Clock
from trackside.bench.endings import is_cut, shape_of
from trackside.bench.kernels import NO_STAMP, Text, word_of
from trackside.bench.launch import LAUNCH_NEEDLES, read_launch
from trackside.bench.lines import Miss, Row, drop_last_value, read_line, split_glued
from trackside.bench.prefixes import read_label
from trackside.bench.row_blocks import NULL_INT, Array, Columns, RowBlock, RowStore
from trackside.bench.scan_records import BATCH_KINDS, ENGINES, KINDS, SAMPLES, Launch, ScanCounts, ScanState
from trackside.bench.shapes import Found, ShapeBook
from trackside.bench.startup import STARTUP_NEEDLES

Ints = NDArray[np.int64]

PARSER_VERSION: Final = 1
BLOCK_LINES: Final = 12_288
_KIND_CODES: Final = {kind: code for code, kind in enumerate(KINDS)}
_ENGINE_CODES: Final = {engine: code for code, engine in enumerate(ENGINES)}
_ANSI: Final = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_NEEDLES: Final = (b" batch", b"prompt throughput", b"iter = ", *STARTUP_NEEDLES, *LAUNCH_NEEDLES)
_STAMP_CHARS: Final = len("[2026-01-04 00:44:47")
_ACCESS_STAMPED: Final = word_of(b"] INFO: ")
_ACCESS_PLAIN: Final = word_of(b"INFO:   ")
_ACCESS_END: Final = word_of(b'" 200 OK')
_MAX_SLOW_BYTES: Final = 65_536
_SAMPLE_CHARS: Final = 300
_MAX_UNKNOWN: Final = 50
_STAMP_SEARCH_BYTES: Final = 262_144
_STAMP_TAILS_BYTES: Final = (2_048, 32_768, _STAMP_SEARCH_BYTES)
_LEARN_FROM: Final = 8
_TEXT_COLUMNS: Final = ("graph_device", "detail")


class LogScanner:
    """Turns chunks of whole lines into rows (``rows``) and counts (``counts``)."""

    def __init__(self, state: ScanState) -> None:
        self.state = state
        self.counts = ScanCounts()
        self.rows = RowStore()
        self.clock = Clock(state.clock)
        self._book = ShapeBook()
        self._streams = {name: index for index, name in enumerate(state.streams)}
        self._texts = {text: index for index, text in enumerate(state.texts)}

    def feed(self, chunk: bytes, *, overlong: int = 0) -> None:
        """Scans lines; the last one may lack its line feed."""
        self._count_bytes(chunk)
        self.counts.overlong += overlong
        if b"\x1b" in chunk:
            chunk = _ANSI.sub(b"", chunk)
        text = Text(chunk)
        starts, ends, numbers, lines = _find_lines(text, chunk, self.state.lines)
        self.counts.lines += lines
        self.counts.overlong += int((ends - starts > MAX_LINE_BYTES).sum())
        self.state.lines += lines
        self._note_stamps(chunk)
        for at in range(0, len(starts), BLOCK_LINES):
            part = slice(at, at + BLOCK_LINES)
            _BlockScan(self, text, chunk, starts[part], ends[part], numbers[part]).run()

    def _count_bytes(self, chunk: bytes) -> None:
        if not chunk.isascii():
            try:
                chunk.decode("utf-8")
            except UnicodeDecodeError:
                self.counts.invalid_utf8_bytes += len(chunk) - len(chunk.decode("utf-8", "ignore").encode())

    def _note_stamps(self, chunk: bytes) -> None:
        if self.counts.first_stamp is None:
            first = FULL_STAMP.search(chunk, 0, _STAMP_SEARCH_BYTES)
            self.counts.first_stamp = first[1].decode() if first else None
            if first is None:
                return
        for size in _STAMP_TAILS_BYTES:
            last = FULL_STAMP.findall(chunk, max(0, len(chunk) - size))
            if last:
                self.counts.last_stamp = last[-1].decode()
                return

    def stream(self, label: bytes) -> int:
        """The number of the stream (a labelled writer into this file) that ``label`` names."""
        name = label.decode("utf-8", "replace")
        index = self._streams.get(name)
        if index is None:
            index = self._streams[name] = len(self.state.streams)
            self.state.streams.append(name)
        return index

    def text(self, value: str) -> int:
        """The number of a text in the file's table of texts."""
        index = self._texts.get(value)
        if index is None:
            index = self._texts[value] = len(self.state.texts)
            self.state.texts.append(value)
        return index

    def count_row(self, row: Row, times: int, *, torn: bool) -> None:
        """Counts ``times`` rows of the shape of ``row``."""
        counts = self.counts
        counts.kinds[row.kind] = counts.kinds.get(row.kind, 0) + times
        counts.torn += torn * times
        counts.not_a_number += row.not_a_number * times
        for name in row.unknown:
            if name in counts.unknown_fields or len(counts.unknown_fields) < _MAX_UNKNOWN:
                counts.unknown_fields[name] = counts.unknown_fields.get(name, 0) + times

    def count_miss(self, miss: Miss, line: bytes) -> None:
        """Counts a line that looks like a batch line and is none."""
        if miss.quoted:
            self.counts.quoted += 1
            return
        self.counts.unrecognised += 1
        if len(self.counts.samples) < SAMPLES:
            self.counts.samples.append(line[:_SAMPLE_CHARS].decode("utf-8", "replace"))

    def judge_shape(self, row: Row, line: bytes, *, glued: bool) -> None:
        """Marks a row as cut when the file knows its shape to go on, and remembers whole shapes.

        So is a number that ends a line to which the next one is ``glued``: it may have had more digits.
        """
        if row.kind not in KINDS[:BATCH_KINDS] or row.torn:
            return
        shape = list(shape_of(row, line))
        known = self.state.shapes.setdefault(row.kind, [])
        halved = glued and any(mark.end == len(line) for mark in row.marks)
        if halved or (shape not in known and is_cut(shape, known)):
            row.torn = True
            drop_last_value(row, len(line))
        elif shape not in known and len(known) < _MAX_UNKNOWN:
            known.append(shape)

    def constants(self, row: Row) -> dict[str, int]:
        """The columns that are the same for every line of the row's shape."""
        out = {
            "kind": _KIND_CODES[row.kind],
            "engine": _ENGINE_CODES[row.engine],
            "torn": int(row.torn),
        }
        marked = {mark.column for mark in row.marks}
        for name, value in row.values.items():
            if name in _TEXT_COLUMNS and isinstance(value, str):
                out[name] = self.text(value)
            elif name == "graph" and value is not None:
                out[name] = int(value)
            elif name not in marked and isinstance(value, (int, float)):
                out[name] = value  # type: ignore[assignment]
        return out

    def prefix_constants(self, row: Row) -> dict[str, int]:
        """The columns that follow from what stands before the message, ranks and time aside."""
        zone = row.prefix.zone
        return {
            "stream": self.stream(row.prefix.label),
            "utc": int(bool(zone)),
            "form": FORMS[row.prefix.form],
            "offset_s": zone_offset_s(zone),
        }


def zone_offset_s(zone: bytes) -> int:
    """Seconds east of UTC of ``Z``, ``+08:00`` or nothing."""
    if len(zone) < 5:
        return 0
    digits = zone[1:].replace(b":", b"")
    seconds = int(digits[:2]) * 3600 + int(digits[2:4]) * 60
    return -seconds if zone[:1] == b"-" else seconds


def _find_lines(text: Text, chunk: bytes, lines_before: int) -> tuple[Ints, Ints, Ints, int]:
    """Starts, ends and numbers of all lines, and how many there are; a carriage return ends no line of its own."""
    data = text.bytes[: text.size]
    returns = b"\r" in chunk
    breaks = np.flatnonzero((data == 10) | (data == 13)) if returns else np.flatnonzero(data == 10)
    starts = np.concatenate((np.zeros(1, dtype=np.int64), breaks + 1))
    ends = np.concatenate((breaks, np.array([text.size], dtype=np.int64)))
    if returns:
        feeds = (data[breaks] == 10).astype(np.int64)
        numbers = lines_before + 1 + np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(feeds)))
        count = int(feeds.sum())
    else:
        numbers = lines_before + 1 + np.arange(len(starts), dtype=np.int64)
        count = len(breaks)
    count += not chunk.endswith(b"\n")
    full = ends > starts
    if full.all():
        return starts, ends, numbers, count
    return starts[full], ends[full], numbers[full], count


class _BlockScan:
    """One block of lines on its way through templates, needles and the line parser."""

    def __init__(self, scanner: LogScanner, text: Text, chunk: bytes, starts: Ints, ends: Ints, numbers: Ints) -> None:
        self.scanner = scanner
        self.text = text
        self.chunk = chunk
        self.starts = starts
        self.ends = ends
        self.numbers = numbers
        self.block = RowBlock()

    def run(self) -> None:
        matched = _access_lines(self.text, self.starts, self.ends)
        book = self.scanner._book
        lines = np.flatnonzero(~matched)
        for found in book.apply(self.text, lines, self.starts, self.ends, self.scanner.clock.decode_many):
            matched[found.match.lines] = True
            self._add_found(found)
        candidates = self._candidates(np.flatnonzero(~matched))
        self._read_slowly(candidates)
        columns, lines = self.block.ordered()
        if columns:
            columns["line"] = self.numbers[lines]
            self._finish(columns)

    def _candidates(self, lines: Ints) -> Ints:
        """The lines among ``lines`` that hold a needle, found in one pass a needle over their joined text."""
        if not lines.size:
            return lines
        gaps = np.flatnonzero(np.diff(lines) > 1) + 1
        firsts = lines[np.concatenate((np.zeros(1, dtype=np.int64), gaps))]
        lasts = lines[np.concatenate((gaps - 1, np.array([len(lines) - 1])))]
        run_starts, run_ends = self.starts[firsts], self.ends[lasts] + 1
        joined = b"".join([self.chunk[s:e] for s, e in zip(run_starts.tolist(), run_ends.tolist(), strict=True)])
        hits = _find_needles(joined)
        if not hits.size:
            return hits
        sizes = np.minimum(run_ends, len(self.chunk)) - run_starts
        joined_starts = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(sizes)[:-1]))
        run = np.searchsorted(joined_starts, hits, side="right") - 1
        offsets = run_starts[run] + hits - joined_starts[run]
        return np.unique(np.searchsorted(self.starts, offsets, side="right") - 1)

    def _read_slowly(self, candidates: Ints) -> None:
        book = self.scanner._book
        while candidates.size:
            line_index = int(candidates[0])
            line = self.chunk[self.starts[line_index] : self.ends[line_index]]
            row = self._read_one(line_index, line)
            candidates = candidates[1:]
            if row is None or not row.learnable or candidates.size < _LEARN_FROM:
                continue
            pair = book.learn(line, row, self.scanner.prefix_constants(row), self.scanner.constants(row))
            if pair is None:
                continue
            found = book.apply_pair(self.text, pair, candidates, self.starts, self.ends, self.scanner.clock.decode_many)
            if found is not None:
                self._add_found(found)
                candidates = np.setdiff1d(candidates, found.match.lines, assume_unique=True)

    def _read_one(self, index: int, line: bytes) -> Row | None:
        scanner = self.scanner
        scanner.counts.slow_path += 1
        if any(needle in line for needle in LAUNCH_NEEDLES):
            self._read_launch(index, line)
        spans = split_glued(line[:_MAX_SLOW_BYTES])
        row: Row | None = None
        for start, end in spans:
            part = line[start:end]
            found = read_line(part)
            if isinstance(found, Miss):
                scanner.count_miss(found, part)
            elif found is not None:
                scanner.judge_shape(found, part, glued=end < len(line))
                self._add_row(index, found)
                row = found
        return row if len(spans) == 1 else None

    def _read_launch(self, index: int, line: bytes) -> None:
        launch = read_launch(line)
        if launch and len(self.scanner.counts.launches) < 256:
            stream = self.scanner.stream(read_label(line))
            self.scanner.counts.launches.append(Launch(int(self.numbers[index]), stream, *launch))

    def _add_row(self, index: int, row: Row) -> None:
        scanner = self.scanner
        scanner.count_row(row, 1, torn=row.torn)
        constants = scanner.constants(row) | scanner.prefix_constants(row)
        constants |= row.prefix.ranks
        constants |= {m.column: row.values[m.column] for m in row.marks if _is_number(row.values.get(m.column))}  # type: ignore[misc]
        form = row.prefix.form
        code = scanner.clock.decode(form, row.prefix.stamp) if form else NO_STAMP
        constants["code"] = code
        constants["micros"] = _micros(row.prefix.frac)
        self.block.add(np.array([index], dtype=np.int64), {}, constants)

    def _add_found(self, found: Found) -> None:
        match = found.match
        self.scanner.count_row(found.row, len(match.lines), torn=found.torn)
        arrays: dict[str, Array] = dict(match.columns)
        if match.stamps is not None:
            arrays["code"] = match.stamps
        if match.micros is not None:
            arrays["micros"] = match.micros
        self.block.add(match.lines, arrays, found.constants)

    def _finish(self, columns: Columns) -> None:
        codes = columns.pop("code", None)
        size = len(columns["kind"])
        if codes is None:
            codes = np.full(size, NO_STAMP, dtype=np.int64)
        forms = columns.pop("form").astype(np.int8)
        seconds = self.scanner.clock.resolve(codes, forms)
        micros = columns.pop("micros", np.zeros(size, dtype=np.int64))
        offsets = columns.pop("offset_s")
        stamped = seconds != NO_STAMP
        logged = seconds * 1_000_000 + np.where(micros == NULL_INT, 0, micros)
        columns["logged_us"] = np.where(stamped, logged, NULL_INT)
        if offsets.any():
            columns["offset_us"] = offsets * 1_000_000
        columns["dateless"] = (forms >= 2).astype(np.int16)
        self.scanner.rows.append(columns)


def _access_lines(text: Text, starts: Ints, ends: Ints) -> NDArray[np.bool_]:
    """Successful requests as the server's access log tells them: half of the lines of a long run.

    ``INFO:`` and a quotation mark that closes a request say that no other message stands in the line.
    """
    last: NDArray[np.bool_] = text.words(np.maximum(ends - 8, starts)) == _ACCESS_END
    stamped = text.words(np.minimum(starts + _STAMP_CHARS, text.size)) == _ACCESS_STAMPED
    last &= stamped | (text.words(starts) == _ACCESS_PLAIN)
    return last


def _find_needles(text: bytes) -> Ints:
    hits: list[int] = []
    for needle in _NEEDLES:
        at = text.find(needle)
        while at >= 0:
            hits.append(at)
            at = text.find(needle, at + 1)
    return np.array(sorted(hits), dtype=np.int64)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float))


def _micros(frac: bytes) -> int:
    return int(frac[:6].ljust(6, b"0")) if frac else 0
