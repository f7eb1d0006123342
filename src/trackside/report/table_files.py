"""Tables as files: Parquet, CSV that no spreadsheet runs, JSON lines. A file has its name only when it is complete."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import msgspec
import polars as pl
from polars.io.plugins import register_io_source

from trackside.engine.whole_files import complete_or_absent
from trackside.errors import OutputError
from trackside.report.safe_text import csv_text

_TIME: Final = "%Y-%m-%dT%H:%M:%S%.fZ"


class FileFormat(enum.StrEnum):
    """How a table is written."""

    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"


class ExportedTable(msgspec.Struct, frozen=True):
    """One written table."""

    name: str
    path: Path
    rows: int


def write_table(
    name: str,
    schema: Mapping[str, pl.DataType],
    frames: Iterable[pl.DataFrame],
    folder: Path,
    file_format: FileFormat,
    metadata: dict[str, str],
) -> ExportedTable:
    """Writes ``frames``, one held at a time, as the table ``name`` into ``folder``, which is there.

    ``metadata`` goes into a Parquet file. In CSV and JSON lines times are ISO 8601 in UTC and bytes are Base64; in CSV
    lists are JSON.
    """
    path = folder / f"{name}.{file_format.value}"
    counted = _Counted(frames)
    with complete_or_absent(path) as stream:
        if file_format is FileFormat.CSV:
            _write_csv(counted, schema, stream)
        elif file_format is FileFormat.JSONL:
            for frame in counted:
                plain_cells(frame).write_ndjson(stream)
        else:
            _lazy(counted, schema).sink_parquet(stream, compression="zstd", metadata=metadata)
    return ExportedTable(name, path, counted.rows)


class Facts(NamedTuple):
    """A table that is to be written: its columns, its rows one frame at a time, and the version of its schema."""

    name: str
    schema: Mapping[str, pl.DataType]
    frames: Iterable[pl.DataFrame]
    version: int


def write_tables(tables: Iterable[tuple[Any, ...]], folder: Path, file_format: FileFormat) -> tuple[ExportedTable, ...]:
    """Writes tables, each with the fields of Facts, into ``folder`` (made if needed); tells what was written."""
    with readable_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        return tuple(
            write_table(
                facts.name,
                facts.schema,
                facts.frames,
                folder,
                file_format,
                {"trackside.table": facts.name, "trackside.schema_version": str(facts.version)},
            )
            for facts in (Facts(*table) for table in tables)
        )


def plain_cells(frame: pl.DataFrame, *, flat: bool = False) -> pl.DataFrame:
    """``frame`` with times as ISO 8601 text and bytes as Base64; with ``flat`` lists and structs as JSON text."""
    columns = []
    for name, dtype in frame.schema.items():
        column = _plain(pl.col(name), dtype)
        columns.append(_as_json(column, name) if flat and dtype.is_nested() else column.alias(name))
    return frame.select(columns)


def safe_cells(frame: pl.DataFrame) -> pl.DataFrame:
    """``frame`` with the text of cells that a spreadsheet or a terminal would act on made harmless."""
    columns = []
    for column in frame.select(pl.col(pl.String)):
        texts = column.drop_nulls().unique().to_list()
        changed = {text: safe for text in texts if (safe := csv_text(text)) != text}
        if changed:
            columns.append(column.replace(changed))
    return frame.with_columns(columns)


class _Counted:
    """Frames passed on one by one, their rows counted."""

    def __init__(self, frames: Iterable[pl.DataFrame]) -> None:
        self._frames = frames
        self.rows = 0

    def __iter__(self) -> Iterator[pl.DataFrame]:
        for frame in self._frames:
            self.rows += frame.height
            yield frame


def _lazy(frames: Iterable[pl.DataFrame], schema: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """The frames as one lazy frame that pulls them when they are written."""

    def pull(
        columns: list[str] | None, predicate: pl.Expr | None, limit: int | None, size: int | None
    ) -> Iterator[pl.DataFrame]:
        for frame in frames:
            taken = frame if predicate is None else frame.filter(predicate)
            yield taken if columns is None else taken.select(columns)

    return register_io_source(pull, schema=dict(schema))


def _write_csv(frames: Iterable[pl.DataFrame], schema: Mapping[str, pl.DataType], stream: IO[bytes]) -> None:
    pl.DataFrame(schema=list(schema)).write_csv(stream)
    for frame in frames:
        safe_cells(plain_cells(frame, flat=True)).write_csv(stream, include_header=False)


def _plain(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Datetime):
        return column.dt.strftime(_TIME)
    if isinstance(dtype, pl.Binary):
        return column.bin.encode("base64")
    if isinstance(dtype, pl.List):
        return column.list.eval(_plain(pl.element(), _made(dtype.inner)))
    if isinstance(dtype, pl.Struct) and dtype.fields:
        fields = [_plain(column.struct.field(one.name), _made(one.dtype)).alias(one.name) for one in dtype.fields]
        return pl.when(column.is_not_null()).then(pl.struct(fields))
    return column


def _made(dtype: Any) -> pl.DataType:
    made: pl.DataType = dtype() if isinstance(dtype, type) else dtype
    return made


def _as_json(column: pl.Expr, name: str) -> pl.Expr:
    # Only structs can be written as JSON: the column is wrapped in one, and the wrapping cut off.
    wrapped = pl.struct(column.alias("v")).struct.json_encode()
    text = wrapped.str.strip_prefix('{"v":').str.strip_suffix("}")
    return pl.when(column.is_not_null()).then(text).alias(name)


@contextmanager
def readable_errors(folder: Path) -> Iterator[None]:
    """Raises OutputError where the tables cannot be written into ``folder``."""
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise OutputError(f"Could not write the tables into {folder}: {reason}.") from error
