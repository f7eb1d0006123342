"""Frames of a run from its cache: from pieces, from the Parquet file, and from both into a new Parquet file."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Final

import polars as pl
from polars.io.plugins import register_io_source

from trackside.bench.frames import SCHEMA, FileTexts, build_frame, reassign
from trackside.bench.model import RunModel
from trackside.engine.cache import VERSION, Cache, Entry, TableIdentity, TablePart
from trackside.engine.parse_file import unpack
from trackside.records.engine_rows import ESTABLISHED_COLUMNS

_ROW_GROUP: Final = 262_144
_OS_ERROR: Final = re.compile(r"\(os error (\d+)\)")
_SMALL_ROWS: Final = 16_384
_READ_CELLS: Final = 16_000_000
# Minima and maxima of every column cost a third of the time of writing, and nothing here reads them.
_STATISTICS: Final = {"min": False, "max": False, "distinct_count": False, "null_count": True}
# Written even where no row fills them: the established columns, and where and when a row comes from.
_ALWAYS: Final = frozenset(
    {one.name for one in ESTABLISHED_COLUMNS}
    | {"file", "line", "time_us", "tz_assumed", "date_from", "engine", "kind", "duplicate", "torn"}
)


class FileRows:
    """The rows of one file of a run, wherever they lie. ``settled``: the table's rows know their workers already."""

    def __init__(self, entry: Entry, texts: FileTexts, cache: Cache, model: RunModel, *, settled: bool) -> None:
        self.entry = entry
        self.texts = texts
        self.cache = cache
        self.model = model
        self.settled = settled

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """Frames in file order, with the schema of COLUMNS or those ``columns`` of it."""
        wanted = list(SCHEMA) if columns is None else list(columns)
        part = self.entry.part
        if part is not None and part.rows:
            table = pl.scan_parquet(self.cache.opened_table)
            there = table.collect_schema().names()
            step = _READ_CELLS // len(wanted if self.settled else SCHEMA)
            for offset in range(part.offset, part.offset + part.rows, step):
                rows = table.slice(offset, min(step, part.offset + part.rows - offset))
                if self.settled:
                    chosen = rows.select([name for name in wanted if name in there])
                    yield with_columns(chosen.collect(), wanted)
                else:
                    frame = with_columns(rows.collect(), list(SCHEMA))
                    yield reassign(frame, self.texts, self.model).select(wanted)
        for piece in self.entry.scanned.pieces:
            packed = piece.held or unpack(piece.data or self.cache.pieces / piece.name)
            yield build_frame(packed, self.texts, self.model, wanted)


def write_table(files: list[FileRows], cache: Cache) -> tuple[list[TablePart], TableIdentity]:
    """Writes ``node_metrics.parquet`` from the rows of ``files``, streaming; where each file's rows lie in it, and it.

    Raises OSError where it cannot be written; the old table stays then.
    """
    parts: list[TablePart] = []

    def frames() -> Iterator[pl.DataFrame]:
        offset = 0
        for file in files:
            rows = 0
            for frame in file.batches(columns):
                rows += frame.height
                yield frame
            parts.append(TablePart(offset, rows))
            offset += rows

    filled = {column for file in files for column in file.entry.scanned.columns}
    columns = [name for name in SCHEMA if name in filled or name in _ALWAYS]
    handle, name = tempfile.mkstemp(dir=cache.directory, prefix=f".{cache.table.stem}.")
    try:
        with os.fdopen(handle, "wb") as out:
            sink_parquet(_gathered(frames()), out, columns)
        identity = cache.adopt_table(Path(name))
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return parts, identity


def _gathered(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same rows with small frames joined: a run may have thousands of small files."""
    small: list[pl.DataFrame] = []
    for frame in frames:
        small.append(frame)
        if sum(one.height for one in small) >= _SMALL_ROWS:
            yield pl.concat(small)
            small.clear()
    if small:
        yield pl.concat(small)


def with_columns(frame: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """The frame with ``columns``; what the table left out, because no row had it, is null."""
    missing = [pl.lit(None, dtype=SCHEMA[name]).alias(name) for name in columns if name not in frame.columns]
    return frame.with_columns(missing).select(columns)


def sink_parquet(frames: Iterator[pl.DataFrame], out: IO[bytes], columns: list[str]) -> None:
    """Streams ``columns`` of frames into one Parquet file (zstd, versions in its metadata). Raises OSError."""

    def source(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        del predicate, n_rows, batch_size
        for frame in frames:
            yield frame.select(columns if with_columns is None else with_columns)

    metadata = {"trackside.parser_version": str(VERSION[0]), "trackside.schema_version": str(VERSION[1])}
    try:
        register_io_source(source, schema={c: SCHEMA[c] for c in columns}, is_pure=True).sink_parquet(
            out,
            compression="zstd",
            compression_level=1,
            statistics=_STATISTICS,
            row_group_size=_ROW_GROUP,
            metadata=metadata,
        )
    except pl.exceptions.ComputeError as error:
        number = _OS_ERROR.search(str(error))
        if number:
            raise OSError(int(number[1]), os.strerror(int(number[1]))) from error
        raise
