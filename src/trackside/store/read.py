"""Rows of a table as lazy frames: all that were ever added, or the newest of each key."""

from __future__ import annotations

import polars as pl

from trackside.store.schema import Table
from trackside.store.tables import DataFile, Snapshot


def history(snapshot: Snapshot) -> pl.LazyFrame:
    """Every row, in no order: the columns of the table."""
    return snapshot.scan()


def newest(snapshot: Snapshot) -> pl.LazyFrame:
    """The newest row of each key, in no order: the columns of the table.

    Rows of a fold stand for themselves unless a later row has their key, so only the later ones and those they
    meet are sorted.
    """
    table, (folded, later) = snapshot.table, parts(snapshot)
    if not later:
        return snapshot.scan(folded)
    if not folded:
        return newest_rows(snapshot.scan(later), table)
    key = list(table.key)
    keys = snapshot.scan(later).select(key).unique()
    alone = snapshot.scan(folded).join(keys, on=key, how="anti")
    met = snapshot.scan(folded).join(keys, on=key, how="semi")
    return pl.concat([alone, newest_rows(pl.concat([met, snapshot.scan(later)]), table)])


def newest_rows(rows: pl.LazyFrame, table: Table) -> pl.LazyFrame:
    """The last row of each key by precedence, then update (where there is one), observation and digest."""
    return rows.sort(table.newer, nulls_last=False).unique(table.key, keep="last")


def parts(snapshot: Snapshot) -> tuple[tuple[DataFile, ...], tuple[DataFile, ...]]:
    """The files of one fold, in which each key stands once, and all others.

    Two folds at once are refused at their commit; were there files of several all the same, none would count.
    """
    files = snapshot.files
    folds = {file.fold for file in files} - {None}
    if len(folds) != 1:
        return (), files
    folded = tuple(file for file in files if file.fold is not None)
    return folded, tuple(file for file in files if file.fold is None)
