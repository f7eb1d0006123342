"""Frames of a run from its cache: from pieces, from the Parquet file, and from both into a new Parquet file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl
from polars.io.plugins import register_io_source

from trackside.bench.frames import SCHEMA, FileTexts, build_frame, reassign
from trackside.bench.model import RunModel
from trackside.engine.cache import VERSION, Cache, Entry, TablePart
from trackside.engine.parse_file import unpack

_ROW_GROUP: Final = 131_072


class FileRows:
    """The rows of one file of a run, wherever they lie."""

    def __init__(self, entry: Entry, texts: FileTexts, cache: Cache, model: RunModel) -> None:
        self.entry = entry
        self.texts = texts
        self.cache = cache
        self.model = model

    def batches(self) -> Iterator[pl.DataFrame]:
        """Frames with the schema of COLUMNS, in file order."""
        if self.entry.part is not None and self.entry.part.rows:
            part = self.entry.part
            frame = pl.scan_parquet(self.cache.table).slice(part.offset, part.rows).collect()
            yield reassign(frame, self.texts, self.model)
        for piece in self.entry.scanned.pieces:
            yield build_frame(unpack(piece.data or self.cache.pieces / piece.name), self.texts, self.model)


def write_table(files: list[FileRows], cache: Cache) -> list[TablePart]:
    """Writes ``node_metrics.parquet`` from the rows of ``files``, streaming; where each file's rows lie in it.

    Raises OSError where it cannot be written; the old table stays then.
    """
    parts: list[TablePart] = []

    def frames() -> Iterator[pl.DataFrame]:
        offset = 0
        for file in files:
            rows = 0
            for frame in file.batches():
                rows += frame.height
                yield frame
            parts.append(TablePart(offset, rows))
            offset += rows

    handle, name = tempfile.mkstemp(dir=cache.directory, prefix=".node_metrics.")
    os.close(handle)
    try:
        sink_parquet(frames(), Path(name))
        os.chmod(name, 0o644)
        os.replace(name, cache.table)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return parts


def sink_parquet(frames: Iterator[pl.DataFrame], path: Path) -> None:
    """Streams frames with the schema of COLUMNS into one Parquet file (zstd, versions in its metadata)."""

    def source(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        del predicate, n_rows, batch_size
        for frame in frames:
            yield frame if with_columns is None else frame.select(with_columns)

    metadata = {"trackside.parser_version": str(VERSION[0]), "trackside.schema_version": str(VERSION[1])}
    try:
        register_io_source(source, schema=SCHEMA, is_pure=True).sink_parquet(
            path, compression="zstd", compression_level=1, row_group_size=_ROW_GROUP, metadata=metadata
        )
    except pl.exceptions.ComputeError as error:
        if "os error" in str(error).lower():
            raise OSError(str(error)) from error
        raise
