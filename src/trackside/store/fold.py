"""The history folded away: tables rewritten as the newest row of each key, while others read and write.

A fold reads a table as it is at one moment, writes the newest rows as new files in the order of the table, and
exchanges exactly the files that it read for the new ones, in one commit. Files that were added meanwhile are not
touched: their rows are later ones, and reading decides. Two folds of one table at once cannot both commit, as both
remove the same files; the second starts again.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import time
import uuid
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import polars as pl
from deltalake import CommitProperties
from deltalake.transaction import AddAction, RemoveAction

from trackside.store.files import put_file, remove_files
from trackside.store.location import Location
from trackside.store.read import is_folded, sorted_parts
from trackside.store.schema import (
    ARTIFACT_FILES,
    ARTIFACT_LISTS,
    ARTIFACTS,
    DELIVERIES,
    FAILURES,
    FETCHED,
    JOB_LOGS,
    JOBS,
    LOGS_READ,
    MEASURED_LOGS,
    MEASUREMENTS,
    RUNS,
    TEST_FILES,
    Table,
)
from trackside.store.tables import FOLDED, Snapshot, open_table, readable_errors
from trackside.store.write import again_on_conflict, bring_forward

KEPT_HOURS: Final = 7 * 24
"""How long files that are not of the newest version stay: a reader or writer that began before still needs them."""
_ROW_GROUP: Final = 50_000
_RUN: Final = ["repo", "run_id"]
_OF_RUNS: Final = (
    FETCHED, LOGS_READ, MEASURED_LOGS, ARTIFACT_LISTS, FAILURES, TEST_FILES, MEASUREMENTS, ARTIFACTS, ARTIFACT_FILES,
    JOB_LOGS, JOBS, RUNS,
)  # fmt: skip
"""What goes when a run goes, in this order."""


class Folded(NamedTuple):
    """What folding did to a table: rows and files before and after; equal where there was nothing to do."""

    table: str
    rows_before: int
    rows_after: int
    files_before: int
    files_after: int


def compact(location: Location, table: Table) -> Folded:
    """Folds the history of ``table``. A table that is folded already is left as it is."""
    return _fold(location, table, None)


def prune(location: Location, before: dt.datetime) -> list[Folded]:
    """Removes runs that were created before ``before``, with their markers, logs, artifacts and jobs.

    Jobs whose run is not known go by their own time of creation; what has no time stays. Markers go first and runs
    last: whoever is killed in between leaves attempts that are not fetched, never markers without jobs. Rows that
    are added meanwhile stay until the next time, but for markers: these are looked through once more.
    """
    gone = _runs_before(location, before)
    done = [_fold(location, table, gone) for table in _OF_RUNS]
    _fold(location, FETCHED, gone)
    return done


def forget_deliveries(location: Location, before: dt.datetime) -> Folded:
    """Removes the deliveries of webhooks that came before ``before``."""
    rows = open_table(location, DELIVERIES).scan().filter(pl.col("received_at") < before)
    with readable_errors(location, DELIVERIES, "read"):
        gone = rows.select(DELIVERIES.key).collect(engine="streaming")
    return _fold(location, DELIVERIES, gone)


def vacuum(location: Location, table: Table, *, at_once: bool = False) -> int:
    """Deletes files that no version of the last seven days has; how many that were.

    ``at_once`` deletes all that the newest version does not have, which fails readers that began before. Files that
    a writer has written and not committed yet are never deleted at once.
    """
    delta = open_table(location, table).delta
    if delta is None:
        return 0
    with readable_errors(location, table, "write"):
        gone = delta.vacuum(
            retention_hours=0 if at_once else KEPT_HOURS,
            dry_run=False,
            enforce_retention_duration=not at_once,
            full=not at_once,
        )
    return len(gone)


def _runs_before(location: Location, before: dt.datetime) -> pl.DataFrame:
    """The (repo, run_id) that were created before ``before``, as far as is known."""
    runs = open_table(location, RUNS).scan().group_by(_RUN).agg(pl.col("created_at").min())
    jobs = open_table(location, JOBS).scan().group_by(_RUN).agg(own=pl.col("created_at").min())
    both = runs.join(jobs, on=_RUN, how="full", coalesce=True)
    old = both.filter(pl.coalesce("created_at", "own") < before).select(_RUN)
    with readable_errors(location, RUNS, "read"):
        return old.collect(engine="streaming")


def _fold(location: Location, table: Table, gone: pl.DataFrame | None) -> Folded:
    done: list[Folded] = []

    def work() -> None:
        with readable_errors(location, table, "read"):
            snapshot = open_table(location, table)
            idle = is_folded(snapshot) if gone is None else not _holds_any(snapshot, gone)
        if idle:
            done.append(_unchanged(snapshot))
            return
        bring_forward(location, table)
        done.append(_fold_once(open_table(location, table), gone))

    again_on_conflict(location, table, work)
    return done[-1]


def _fold_once(snapshot: Snapshot, gone: pl.DataFrame | None) -> Folded:
    table, files = snapshot.table, snapshot.files
    added: list[AddAction] = []
    with readable_errors(snapshot.location, table, "write"):
        try:
            _write(snapshot, sorted_parts(snapshot, None if gone is None else gone.lazy()), added)
        except BaseException:
            remove_files(snapshot.location, table, [action.path for action in added])
            raise
        # From here on the new files may be what the table is made of, whatever is raised.
        _exchange(snapshot, added)
    rows = sum(file.rows for file in files)
    after = sum(json.loads(action.stats)["numRecords"] for action in added)
    return Folded(table.name, rows, after, len(files), len(added))


def _unchanged(snapshot: Snapshot) -> Folded:
    rows, files = sum(file.rows for file in snapshot.files), len(snapshot.files)
    return Folded(snapshot.table.name, rows, rows, files, files)


def _holds_any(snapshot: Snapshot, gone: pl.DataFrame) -> bool:
    keys = gone.columns
    found = snapshot.scan().select(keys).join(gone.lazy(), on=keys, how="semi").select(pl.len())
    return bool(found.collect(engine="streaming").item())


def _write(snapshot: Snapshot, parts: Iterable[pl.DataFrame], added: list[AddAction]) -> None:
    """Writes the parts as files that nothing refers to yet, and adds to ``added`` what refers to them."""
    fold = uuid.uuid4().hex
    for number, rows in enumerate(parts):
        stream = io.BytesIO()
        rows.write_parquet(stream, compression="zstd", row_group_size=_ROW_GROUP)
        name = f"{FOLDED}{fold}-{number:05}.parquet"
        content = stream.getvalue()
        added.append(_action(name, len(content), rows, snapshot.table))
        put_file(snapshot.location, snapshot.table, name, content)


def _action(name: str, size: int, rows: pl.DataFrame, table: Table) -> AddAction:
    [low], [high] = (rows.select(getattr(pl.col(*table.key), one)()).to_dicts() for one in ("min", "max"))
    stats: dict[str, Any] = {"numRecords": rows.height, "minValues": low, "maxValues": high}
    return AddAction(
        path=name,
        size=size,
        partition_values={},
        modification_time=_now_ms(),
        data_change=True,
        stats=json.dumps(stats),
    )


def _exchange(snapshot: Snapshot, added: list[AddAction]) -> None:
    # data_change: only so does a second fold, which removes the same files, meet a conflict.
    assert snapshot.delta is not None
    now = _now_ms()
    removed = [RemoveAction(file.name, True, now, file.size_bytes, {}) for file in snapshot.files]
    snapshot.delta.create_write_transaction(
        [*added, *removed],
        mode="append",
        schema=snapshot.delta.schema(),
        commit_properties=CommitProperties(max_commit_retries=50),
    )


def _now_ms() -> int:
    return int(time.time() * 1000)
