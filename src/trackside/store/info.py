"""What a store holds, table by table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple

import polars as pl

from trackside.store.location import Location
from trackside.store.read import older_rows
from trackside.store.schema import TABLES, Table
from trackside.store.tables import open_table, readable_errors


class TableInfo(NamedTuple):
    """One table. ``keys`` is how many rows are the newest of their key, ``rows`` how many there are in all.

    ``oldest`` and ``newest`` are of the column ``about``, None where no row tells it. ``version`` is that of the
    stored schema, None where the table was not made yet.
    """

    table: str
    keys: int
    rows: int
    files: int
    size_bytes: int
    about: str
    oldest: dt.datetime | None
    newest: dt.datetime | None
    version: int | None


def tell(location: Location, tables: Iterable[Table] = TABLES.values()) -> list[TableInfo]:
    """One TableInfo for each table."""
    return [_tell(location, table) for table in tables]


def _tell(location: Location, table: Table) -> TableInfo:
    snapshot = open_table(location, table)
    with readable_errors(location, table, "read"):
        files = snapshot.files
        rows = sum(file.rows for file in files)
        about = pl.col(table.about)
        span = snapshot.scan().select(oldest=about.min(), newest=about.max()).collect(engine="streaming")
        return TableInfo(
            table=table.name,
            keys=rows - older_rows(snapshot).len(),
            rows=rows,
            files=len(files),
            size_bytes=sum(file.size_bytes for file in files),
            about=table.about,
            oldest=span["oldest"][0],
            newest=span["newest"][0],
            version=snapshot.version,
        )
