"""Rows appended to a table. Any number of processes may write at once; one append is one commit."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final

import polars as pl
from deltalake import CommitProperties, DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError

from trackside.errors import OutputError
from trackside.store.location import Location
from trackside.store.schema import Table
from trackside.store.tables import arrow_schema, open_or_make, readable_errors

TRIES: Final = 12
_PAUSE_S: Final = 0.02
_LONGEST_PAUSE_S: Final = 1.0


def append(location: Location, table: Table, rows: pl.DataFrame, sleep: Callable[[float], None] = time.sleep) -> None:
    """Adds ``rows`` in one commit, or raises OutputError and adds none; no rows are no commit.

    A commit that another writer was faster with is tried again, ``TRIES`` times in all.
    """
    if rows.is_empty():
        return

    def add() -> None:
        delta = open_or_make(location, table)
        with readable_errors(location, table, "write"):
            write_deltalake(
                delta,
                rows,
                mode="append",
                schema_mode="merge" if _differs(delta, rows) else None,
                writer_properties=WriterProperties(compression="ZSTD"),
                commit_properties=CommitProperties(max_commit_retries=50),
            )

    again_on_conflict(location, table, add, sleep)


def bring_forward(location: Location, table: Table) -> None:
    """Gives a table of an older version the columns and the version of today; one that is up to date stays as it is."""
    delta = open_or_make(location, table)
    nothing = pl.DataFrame(schema=table.schema)
    if _differs(delta, nothing):
        with readable_errors(location, table, "write"):
            write_deltalake(delta, nothing, mode="append", schema_mode="merge")


def again_on_conflict(
    location: Location, table: Table, work: Callable[[], None], sleep: Callable[[float], None] = time.sleep
) -> None:
    """Does ``work``, again from its start where another writer's commit came in between."""
    for trial in range(TRIES):
        try:
            return work()
        except CommitFailedError as error:
            if trial == TRIES - 1:
                msg = (
                    f"Table {table.name} of the store {location.name} was changed by others {TRIES} times while it "
                    "was to be written. Run it again when they are done."
                )
                raise OutputError(msg) from error
        sleep(random.uniform(0.5, 1.0) * min(_LONGEST_PAUSE_S, _PAUSE_S * 2**trial))  # noqa: S311 - no secret
    return None


def _differs(delta: DeltaTable, rows: pl.DataFrame) -> bool:
    """The stored columns are not those of ``rows``: an older version's table, or one that others added to."""
    wanted = arrow_schema(dict(rows.schema))
    return [(one.name, str(one.type)) for one in delta.schema().fields] != [
        (one.name, str(one.type)) for one in wanted.fields
    ]
