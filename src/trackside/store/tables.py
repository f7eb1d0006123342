"""The Delta tables of a store: opened, made, brought forward, and their files told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import polars as pl
from deltalake import DeltaTable, Schema
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from trackside.errors import NoDataError, OutputError, TracksideError, UnreadableInputError
from trackside.store.location import Location, make_directory
from trackside.store.schema import Table

VERSION_KEY: Final = "trackside.schema_version"
FOLDED: Final = "folded-"
"""How the names of files begin in which each key stands once; the next part is the same for files of one fold."""
_NO_SPACE: Final = re.compile(r"no space left|os error 28|quota exceeded|file too large|os error 27", re.IGNORECASE)
_DENIED: Final = re.compile(r"permission denied|os error 13|read-only file system|os error 30", re.IGNORECASE)

_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_STACK: Final = re.compile(r"\s+\d+: |\s+at |stack backtrace")
_LONGEST: Final = 400


@dataclass(frozen=True)
class DataFile:
    """A file of a table: its name in the table, its size and how many rows it has."""

    name: str
    size_bytes: int
    rows: int

    @property
    def fold(self) -> str | None:
        """The fold that wrote the file; None for appended rows, which may have keys that others have too."""
        return self.name[len(FOLDED) :].partition("-")[0] if self.name.startswith(FOLDED) else None


@dataclass(frozen=True)
class Snapshot:
    """A table as it was when it was opened; ``delta`` is None where there is no such table yet."""

    location: Location
    table: Table
    delta: DeltaTable | None

    @cached_property
    def files(self) -> tuple[DataFile, ...]:
        """Its files by name."""
        if self.delta is None:
            return ()
        actions = pl.DataFrame(self.delta.get_add_actions(flatten=True))
        if actions.is_empty():
            return ()
        rows = actions["num_records"] if "num_records" in actions.columns else [None] * actions.height
        told = sorted(zip(actions["path"], actions["size_bytes"], rows, strict=True))
        return tuple(DataFile(name, size, self._count(name) if rows is None else rows) for name, size, rows in told)

    def _count(self, name: str) -> int:
        """The rows of a file whose writer did not say."""
        counted = self.scan((DataFile(name, 0, 0),)).select(pl.len()).collect()
        return int(counted.item())

    @property
    def version(self) -> int | None:
        """The version of its schema; None where there is no such table yet."""
        return None if self.delta is None else _schema_version(self.delta)

    def scan(self, files: tuple[DataFile, ...] | None = None) -> pl.LazyFrame:
        """The rows of ``files``, of all where None. Columns that a file lacks are null."""
        chosen = self.files if files is None else files
        if not chosen:
            return pl.LazyFrame(schema=self.table.schema)
        return pl.scan_parquet(
            [self.location.file_of(self.table, file.name) for file in chosen],
            schema=self.table.schema,
            missing_columns="insert",
            extra_columns="ignore",
            cast_options=pl.ScanCastOptions(missing_struct_fields="insert", extra_struct_fields="ignore"),
            storage_options=self.location.options or None,
            glob=False,
            hive_partitioning=False,
            cache=False,
        )


def open_table(location: Location, table: Table) -> Snapshot:
    """The table as it is now.

    Raises UnreadableInputError for a log that cannot be read, a table of a newer version of trackside, and one that
    another program gave features that are not understood here.
    """
    with readable_errors(location, table, "read"):
        delta = _open(location, table)
    if delta is not None:
        _check_readable(location, table, delta)
    return Snapshot(location, table, delta)


def version_of(location: Location, table: Table) -> int | None:
    """The number of its newest commit; None where there is no such table yet. Of a directory only names are read."""
    folder = location.folder_of(table)
    if folder is None:
        delta = open_table(location, table).delta
        return None if delta is None else delta.version()
    with readable_errors(location, table, "read"):
        commits = (entry.stem for entry in (folder / "_delta_log").glob("*.json"))
        return max((int(name) for name in commits if name.isdecimal()), default=None)


def open_or_make(location: Location, table: Table) -> DeltaTable:
    """The table, made where it is not there yet; several may try at once. Brings an older version forward."""
    delta = open_table(location, table).delta or _make(location, table)
    if _schema_version(delta) < table.version:
        delta.alter.set_table_properties({VERSION_KEY: str(table.version)}, raise_if_not_exists=False)
    return delta


def arrow_schema(schema: dict[str, pl.DataType]) -> Schema:
    """``schema`` as Delta tables have it."""
    return Schema.from_arrow(pl.Schema(schema))


@contextmanager
def readable_errors(location: Location, table: Table, verb: str) -> Iterator[None]:
    """Raises what the libraries raise as one sentence; a conflict of two writers passes, it is tried again."""
    try:
        yield
    except (TracksideError, CommitFailedError):
        raise
    except (DeltaError, pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise _translated(location, table, verb, error) from error


def _translated(location: Location, table: Table, verb: str, error: Exception) -> TracksideError:
    what, text = f"Table {table.name} of the store {location.name}", str(error)
    if _NO_SPACE.search(text):
        return OutputError(f"{what} cannot be {_past(verb)}: no space is left. Nothing that was stored is damaged.")
    if _DENIED.search(text):
        return OutputError(f"{what} cannot be {_past(verb)}: no permission.")
    reason = _reason(text) or type(error).__name__
    kind = UnreadableInputError if verb == "read" else OutputError
    return kind(f"{what} cannot be {_past(verb)}: {reason}.")


def _reason(text: str) -> str:
    """The chain of causes in one line, without colours and the stack that may follow."""
    causes: list[str] = []
    for line in _COLOUR.sub("", text).splitlines():
        if _STACK.match(line):
            break
        cause = line.strip().removeprefix("↳").strip().rstrip(".").removeprefix("Kernel error: ")
        if cause and cause not in causes:
            causes.append(cause)
    return ": ".join(causes)[:_LONGEST]


def _past(verb: str) -> str:
    return {"read": "read", "write": "written"}[verb]


def _open(location: Location, table: Table) -> DeltaTable | None:
    folder = location.folder_of(table)
    if folder is not None:
        if location.path is not None and location.path.exists() and not location.path.is_dir():
            raise UnreadableInputError(f"The store {location.name} is a file, not a directory.")
        if not (folder / "_delta_log").exists():
            return None
        _refuse_empty_commits(location, table)
    try:
        return DeltaTable(location.of(table), storage_options=location.options or None)
    except TableNotFoundError:
        return None


def _refuse_empty_commits(location: Location, table: Table) -> None:
    """An empty commit reads as one that did nothing: rows would be lost without a word."""
    folder = location.folder_of(table)
    assert folder is not None
    for entry in (folder / "_delta_log").glob("*.json"):
        with suppress(FileNotFoundError):  # a log file that has just been cleaned away
            if entry.stat().st_size == 0:
                name = f"Table {table.name} of the store {location.name}"
                raise UnreadableInputError(f"{name} cannot be read: its log file {entry.name} is empty.")


def _make(location: Location, table: Table) -> DeltaTable:
    make_directory(location)
    with readable_errors(location, table, "write"):
        try:
            return DeltaTable.create(
                location.of(table),
                schema=arrow_schema(table.schema),
                mode="error",
                name=table.name,
                description=f"trackside: {table.stands_for}",
                configuration={
                    VERSION_KEY: str(table.version),
                    "delta.checkpointInterval": "20",
                    "delta.dataSkippingStatsColumns": ",".join(table.key),
                },
                storage_options=location.options or None,
                raise_if_key_not_exists=False,
            )
        except (DeltaError, OSError):
            # Another process was first: its table is as good. Where there is none, the reason is the first error.
            if (made := _open(location, table)) is None:
                raise
            return made


def _schema_version(delta: DeltaTable) -> int:
    text = delta.metadata().configuration.get(VERSION_KEY, "0")
    return int(text) if text.isdecimal() else 0


def _check_readable(location: Location, table: Table, delta: DeltaTable) -> None:
    if (version := _schema_version(delta)) > table.version:
        msg = (
            f"The store {location.name} was written by a newer trackside: its table {table.name} has version "
            f"{version}, this one knows {table.version}. Install the newer trackside."
        )
        raise UnreadableInputError(msg)
    features = delta.protocol().reader_features or []
    if unknown := sorted(set(features) - {"timestampNtz", "vacuumProtocolCheck", "v2Checkpoint"}):
        msg = (
            f"Table {table.name} of the store {location.name} uses {', '.join(unknown)}, set by another program, "
            "which trackside does not read."
        )
        raise UnreadableInputError(msg)


def require_any_table(location: Location, tables: tuple[Table, ...]) -> None:
    """Raises NoDataError where ``location`` has none of ``tables``."""
    if all(open_table(location, table).delta is None for table in tables):
        msg = (
            f"There is no store at {location.name}: trackside sync --repo OWNER/NAME makes one, and so does a report "
            "without --offline; one that lies elsewhere is named with --store."
        )
        raise NoDataError(msg)
