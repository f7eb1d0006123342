"""Rows of a table as lazy frames: all that were ever added, or the newest of each key."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import accumulate
from typing import Final

import numpy as np
import polars as pl

from trackside.store.tables import DataFile, Snapshot

_ROW: Final = "__row"


def history(snapshot: Snapshot) -> pl.LazyFrame:
    """Every row, in no order: the columns of the table."""
    return snapshot.scan()


def newest(snapshot: Snapshot) -> pl.LazyFrame:
    """The newest row of each key, in no order: the columns of the table.

    Which rows are older is found out at once, from the keys alone; after a fold there are none to look for. Collect
    it with ``engine="streaming"`` where many columns of many rows are wanted.
    """
    hidden = older_rows(snapshot)
    if hidden.is_empty():
        return snapshot.scan()
    return _without(snapshot.scan().with_row_index(_ROW), hidden).drop(_ROW)


def newest_of_runs(snapshot: Snapshot, runs: Collection[int]) -> pl.LazyFrame:
    """The same of the runs with these ids: no other row is looked at."""
    table = snapshot.table
    mine = snapshot.scan().filter(pl.col("run_id").is_in(pl.Series(sorted(runs), dtype=pl.Int64).implode()))
    return mine.sort(table.newer, descending=True, nulls_last=True).unique(table.key, keep="first")


def older_rows(snapshot: Snapshot) -> pl.Series:
    """The places, in the order of ``snapshot.files``, of rows that a newer row of their key hides.

    The newest is the last by precedence, then update (where there is one), observation and digest; of rows that
    are equal in all of these, one.
    """
    if is_folded(snapshot):
        return pl.Series(_ROW, [], pl.get_index_type())
    table = snapshot.table
    rows = snapshot.scan().with_row_index(_ROW).select(_ROW, *table.key, *table.newer)
    shared = rows.filter(pl.len().over(table.key) > 1).sort(table.newer, descending=True, nulls_last=True)
    older = shared.filter(pl.int_range(pl.len()).over(table.key) > 0)
    return older.select(_ROW).collect(engine="streaming")[_ROW].sort()


def is_folded(snapshot: Snapshot) -> bool:
    """Each key stands once for certain: every file is of the same fold, or there is none."""
    folds = {file.fold for file in snapshot.files}
    return not folds or (len(folds) == 1 and None not in folds)


def sorted_parts(snapshot: Snapshot, gone: pl.LazyFrame | None = None) -> Iterator[pl.DataFrame]:
    """The newest rows in the order of the table, ``table.part`` at a time, so that a table of any size fits.

    Rows that have the values of a row of ``gone`` in its columns are left out.
    """
    files = snapshot.files
    places = _places(snapshot, gone)
    for start in range(0, len(places), snapshot.table.part):
        yield _rows_at(snapshot, files, places[start : start + snapshot.table.part])


def _places(snapshot: Snapshot, gone: pl.LazyFrame | None) -> np.ndarray:
    """Where the newest rows are, in the order of the table."""
    rows = _without(snapshot.scan().with_row_index(_ROW), older_rows(snapshot))
    if gone is not None:
        rows = rows.join(gone, on=gone.collect_schema().names(), how="anti")
    order = rows.select(_ROW, *snapshot.table.order).sort(snapshot.table.order)
    return order.select(_ROW).collect(engine="streaming")[_ROW].to_numpy()


def _rows_at(snapshot: Snapshot, files: tuple[DataFile, ...], places: np.ndarray) -> pl.DataFrame:
    """The rows at ``places``, sorted; only files that hold some are read."""
    ends = np.fromiter(accumulate(file.rows for file in files), dtype=np.int64, count=len(files))
    of_file = np.searchsorted(ends, places, side="right")
    used = np.unique(of_file)
    begins = ends - np.array([file.rows for file in files])
    read_begins = np.cumsum([0, *(files[one].rows for one in used)])[:-1]
    place = np.searchsorted(used, of_file)
    local = pl.Series(_ROW, places - begins[of_file] + read_begins[place], pl.get_index_type())
    rows = snapshot.scan(tuple(files[one] for one in used)).with_row_index(_ROW)
    wanted = rows.filter(pl.col(_ROW).is_in(local.implode())).drop(_ROW)
    return wanted.collect(engine="streaming").sort(snapshot.table.order).rechunk()


def _without(rows: pl.LazyFrame, hidden: pl.Series) -> pl.LazyFrame:
    return rows if hidden.is_empty() else rows.filter(~pl.col(_ROW).is_in(hidden.implode()))
