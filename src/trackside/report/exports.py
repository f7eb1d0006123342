"""Tidy tables of a run as Parquet or CSV files: rows, workers, ledger, launch_config."""

from __future__ import annotations

import enum
import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import msgspec
import polars as pl
from polars.io.plugins import register_io_source

from trackside.errors import OutputError
from trackside.records.engine_rows import COLUMNS, SCHEMA_VERSION
from trackside.records.engine_run import FileLedger, Worker
from trackside.report.safe_text import csv_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROW_SCHEMA: Final[dict[str, pl.DataType]] = {one.name: getattr(pl, one.dtype)() for one in COLUMNS}
WORKER_SCHEMA: Final[dict[str, pl.DataType]] = {
    "node": pl.String(),
    "worker_type": pl.String(),
    "worker_id": pl.String(),
    "worker": pl.String(),
    "engine": pl.String(),
    "files": pl.String(),
    "batch_rows": pl.Int64(),
    "memory_rows": pl.Int64(),
    "first_us": pl.Int64(),
    "last_us": pl.Int64(),
    "launches": pl.Int64(),
    "tp_size": pl.Int64(),
    "dp_size": pl.Int64(),
    "ep_size": pl.Int64(),
    "pp_size": pl.Int64(),
    "gpus": pl.Int64(),
}
LAUNCH_SCHEMA: Final[dict[str, pl.DataType]] = {
    "worker": pl.String(),
    "key": pl.String(),
    "value": pl.String(),
}
_LEDGER_TEXT: Final = ("file", "state", "samples", "unknown_fields", "first_stamp", "last_stamp", "note")
LEDGER_SCHEMA: Final[dict[str, pl.DataType]] = {
    one.name: pl.String() if one.name in _LEDGER_TEXT else pl.Int64() for one in msgspec.structs.fields(FileLedger)
}


class FileFormat(enum.StrEnum):
    """How a table is written."""

    PARQUET = "parquet"
    CSV = "csv"


class ExportedTable(msgspec.Struct, frozen=True):
    """One written table."""

    name: str
    path: Path
    rows: int


def export_run(
    rows: Iterable[pl.DataFrame],
    workers: Iterable[Worker],
    ledger: Iterable[FileLedger],
    folder: Path,
    file_format: FileFormat,
    parser_version: int | str,
) -> tuple[ExportedTable, ...]:
    """Writes the four tables into ``folder`` (made if needed) and tells what was written.

    ``rows`` are frames with the schema of COLUMNS; one is held at a time. A table appears under its name only
    when it is complete. Raises OutputError where something cannot be written.
    """
    workers = tuple(workers)
    tables: dict[str, tuple[dict[str, pl.DataType], Iterable[pl.DataFrame]]] = {
        "rows": (ROW_SCHEMA, rows),
        "workers": (WORKER_SCHEMA, [worker_table(workers)]),
        "ledger": (LEDGER_SCHEMA, [ledger_table(ledger)]),
        "launch_config": (LAUNCH_SCHEMA, [launch_table(workers)]),
    }
    versions = {
        "trackside.schema_version": str(SCHEMA_VERSION),
        "trackside.parser_version": str(parser_version),
    }
    written = []
    with _readable_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, (schema, frames) in tables.items():
            path = folder / f"{name}.{file_format.value}"
            counted = _Counted(frames)
            _write(counted, schema, path, file_format, {**versions, "trackside.table": name})
            written.append(ExportedTable(name, path, counted.rows))
    return tuple(written)


def worker_table(workers: Iterable[Worker]) -> pl.DataFrame:
    """One row a worker; ``files`` separated by ``;``, times in µs since 1970-01-01 UTC."""
    taken = ("node", "worker_id", "engine", "batch_rows", "memory_rows", "first_us", "last_us", "launches")
    sizes = ("tp_size", "dp_size", "ep_size", "pp_size", "gpus")
    records = [
        {name: getattr(worker, name) for name in (*taken, *sizes)}
        | {"worker_type": worker.role.value, "worker": worker.name, "files": ";".join(worker.files)}
        for worker in workers
    ]
    return pl.DataFrame(records, schema=WORKER_SCHEMA)


def ledger_table(ledger: Iterable[FileLedger]) -> pl.DataFrame:
    """One row a file, the fields of FileLedger; ``samples`` and ``unknown_fields`` are JSON."""
    records = []
    for file in ledger:
        record: dict[str, Any] = msgspec.structs.asdict(file)
        record["samples"] = json.dumps(file.samples, ensure_ascii=False) if file.samples else None
        unknown = file.unknown_fields
        record["unknown_fields"] = json.dumps(unknown, ensure_ascii=False) if unknown else None
        records.append(record)
    return pl.DataFrame(records, schema=LEDGER_SCHEMA)


def launch_table(workers: Iterable[Worker]) -> pl.DataFrame:
    """One row a worker and setting; a value that is no text is JSON."""
    records = [
        (worker.name, key, value if isinstance(value, str) else json.dumps(value, default=str))
        for worker in workers
        for key, value in worker.config.items()
    ]
    return pl.DataFrame(records, schema=LAUNCH_SCHEMA, orient="row")


class _Counted:
    """Frames passed on one by one, their rows counted."""

    def __init__(self, frames: Iterable[pl.DataFrame]) -> None:
        self._frames = frames
        self.rows = 0

    def __iter__(self) -> Iterator[pl.DataFrame]:
        for frame in self._frames:
            self.rows += frame.height
            yield frame


def _write(
    frames: Iterable[pl.DataFrame],
    schema: dict[str, pl.DataType],
    path: Path,
    file_format: FileFormat,
    metadata: dict[str, str],
) -> None:
    with _complete_or_absent(path) as stream:
        if file_format is FileFormat.CSV:
            _write_csv(frames, schema, stream)
        else:
            _lazy(frames, schema).sink_parquet(stream, compression="zstd", metadata=metadata)


def _lazy(frames: Iterable[pl.DataFrame], schema: dict[str, pl.DataType]) -> pl.LazyFrame:
    """The frames as one lazy frame that pulls them when they are written."""

    def pull(
        columns: list[str] | None, predicate: pl.Expr | None, limit: int | None, size: int | None
    ) -> Iterator[pl.DataFrame]:
        for frame in frames:
            taken = frame if predicate is None else frame.filter(predicate)
            yield taken if columns is None else taken.select(columns)

    return register_io_source(pull, schema=schema)


def _write_csv(frames: Iterable[pl.DataFrame], schema: dict[str, pl.DataType], stream: IO[bytes]) -> None:
    pl.DataFrame(schema=schema).write_csv(stream)
    for frame in frames:
        frame.with_columns(_safe_cells(frame)).write_csv(stream, include_header=False)


def _safe_cells(frame: pl.DataFrame) -> list[pl.Series]:
    """The text columns that hold cells a spreadsheet or a terminal would act on, made harmless."""
    columns = []
    for column in frame.select(pl.col(pl.String)):
        texts = column.drop_nulls().unique().to_list()
        changed = {text: safe for text in texts if (safe := csv_text(text)) != text}
        if changed:
            columns.append(column.replace(changed))
    return columns


@contextmanager
def _complete_or_absent(path: Path) -> Iterator[IO[bytes]]:
    """A stream whose file takes the name ``path`` only when everything was written."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            yield stream
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def _readable_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise OutputError(f"Could not write the tables into {folder}: {reason}.") from error
