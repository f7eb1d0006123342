"""What a store holds, and what was done to it, for a terminal and as JSON."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Final

import msgspec
from rich import box
from rich.table import Table
from rich.text import Text

from trackside.records.store_tables import StoredTable
from trackside.report.ledger import counted
from trackside.report.safe_text import safe_text

STORE_VERSION: Final = 1


class StoreDocument(msgspec.Struct, frozen=True):
    """What ``trackside store info --format json`` prints. ``version`` is null for a table that was not made yet."""

    schema_version: int
    store: str
    tables: tuple[StoredTable, ...]


def store_json(store: str, tables: Sequence[StoredTable]) -> str:
    """A StoreDocument in ASCII."""
    return json.dumps(msgspec.to_builtins(StoreDocument(STORE_VERSION, store, tuple(tables))), indent=2)


def store_table(store: str, tables: Sequence[StoredTable]) -> Table:
    """A row a table: newest rows, all rows, files, size, time of the oldest and newest, schema version."""
    table = Table(title=Text(safe_text(store)), box=box.ROUNDED, title_justify="left")
    table.add_column("Table")
    for heading in ("Newest Rows", "All Rows", "Files", "MB"):
        table.add_column(heading, justify="right")
    for heading in ("Oldest", "Newest", "Of"):
        table.add_column(heading)
    table.add_column("Version", justify="right")
    for one in tables:
        numbers = (f"{one.keys:,}", f"{one.rows:,}", f"{one.files:,}", f"{one.size_bytes / 1e6:,.1f}")
        version = "-" if one.version is None else str(one.version)
        table.add_row(one.table, *numbers, _minute(one.oldest), _minute(one.newest), one.about, version)
    return table


def folded_line(table: str, rows: tuple[int, int], files: tuple[int, int]) -> str:
    """What folding did: rows and files before and after."""
    if rows[0] == rows[1] and files[0] == files[1]:
        return f"{table}: {counted(rows[0], 'row')} in {counted(files[0], 'file')}, nothing to do"
    gone = counted(rows[0] - rows[1], "row")
    now, before = counted(files[1], "file"), counted(files[0], "file")
    return f"{table}: {counted(rows[1], 'row')} in {now}, {gone} gone ({before} before)"


def _minute(moment: dt.datetime | None) -> str:
    return "-" if moment is None else f"{moment:%Y-%m-%d %H:%M}"
