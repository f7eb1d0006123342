"""Tidy tables of a run as Parquet or CSV files: rows, workers, ledger, launch_config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import polars as pl

from trackside.records.engine_rows import COLUMNS, SCHEMA_VERSION
from trackside.records.engine_run import FileLedger, Worker
from trackside.report.table_files import ExportedTable, FileFormat, readable_errors, write_table

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    with readable_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        return tuple(
            write_table(name, schema, frames, folder, file_format, {**versions, "trackside.table": name})
            for name, (schema, frames) in tables.items()
        )


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
