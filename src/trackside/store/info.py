"""What a store holds, table by table."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from trackside.records.store_tables import StoredTable
from trackside.store.location import Location
from trackside.store.read import older_rows
from trackside.store.schema import TABLES, Table
from trackside.store.tables import open_table, readable_errors


def tell(location: Location, tables: Iterable[Table] = TABLES.values()) -> list[StoredTable]:
    """One StoredTable for each table."""
    return [_tell(location, table) for table in tables]


def _tell(location: Location, table: Table) -> StoredTable:
    snapshot = open_table(location, table)
    with readable_errors(location, table, "read"):
        files = snapshot.files
        rows = sum(file.rows for file in files)
        about = pl.col(table.about)
        span = snapshot.scan().select(oldest=about.min(), newest=about.max()).collect(engine="streaming")
        return StoredTable(
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
