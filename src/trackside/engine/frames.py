"""Rows of a run in one frame: sorted, cut to a window, on a clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from trackside.bench.frames import MEASURED, SCHEMA
from trackside.engine.accounts import with_totals
from trackside.engine.assemble import FileRows
from trackside.records.engine_run import Ranks, RankTotals, Worker

Window = tuple[int | None, int | None]

_KEY: Final = ("node", "worker_type", "worker_id")
_RANKS: Final = Ranks.__struct_fields__


def rows_by_worker(
    files: Sequence[FileRows], window: Window, tz: str | None, columns: Sequence[str] | None
) -> pl.DataFrame:
    """All rows by (node, worker_type, worker_id), then time, stable in file order; unowned rows are left out."""
    wanted = list(SCHEMA) if columns is None else list(dict.fromkeys(columns))
    filled = {name for file in files for name in file.entry.scanned.columns}
    empty = [name for name in wanted if name in MEASURED and name not in filled]
    needed = list(dict.fromkeys([*wanted, *_KEY, "timestamp", "time_us", "tz_assumed"]))
    needed = [name for name in needed if name not in empty]
    by_worker: dict[tuple[str, str, str], list[pl.DataFrame]] = {}
    for file in files:
        for batch in file.batches(needed):
            for key, part in _split(within(batch, window)):
                by_worker.setdefault(key, []).append(part)
    parts = [_by_time(on_clock(pl.concat(frames), tz)) for _, frames in sorted(by_worker.items())]
    rows = pl.concat(parts) if parts else pl.DataFrame(schema={name: SCHEMA[name] for name in needed})
    rows = rows.with_columns([pl.lit(None, dtype=SCHEMA[name]).alias(name) for name in empty])
    return rows.select(wanted)


def _split(frame: pl.DataFrame) -> list[tuple[tuple[str, str, str], pl.DataFrame]]:
    if not frame.height:
        return []
    first = frame.row(0)
    names = [frame.columns.index(name) for name in _KEY]
    key = tuple(first[i] for i in names)
    if frame.select((pl.col(_KEY[i]).eq_missing(pl.lit(key[i]))).all() for i in range(3)).row(0) == (True, True, True):
        return [] if key[0] is None else [(key, frame)]
    parts = frame.filter(pl.col("node").is_not_null()).partition_by(_KEY, as_dict=True, maintain_order=True)
    return [((str(key[0]), str(key[1]), str(key[2])), part) for key, part in parts.items()]


def _by_time(frame: pl.DataFrame) -> pl.DataFrame:
    time = frame["time_us"].forward_fill()
    if time.is_sorted():
        return frame
    return frame.sort(time, maintain_order=True)


def within(frame: pl.DataFrame, window: Window) -> pl.DataFrame:
    """The rows of a window of logged time; rows without a time belong to none."""
    low, high = window
    if low is not None:
        frame = frame.filter(logged_us() >= low)
    if high is not None:
        frame = frame.filter(logged_us() <= high)
    return frame


def logged_us() -> pl.Expr:
    """The time that the log shows: a stamp with an offset shows another than ``time_us``."""
    shown = pl.col("timestamp").str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us").cast(pl.Int64)
    micros = pl.col("time_us") % 1_000_000
    return pl.when(pl.col("tz_assumed") == "utc").then(shown + micros).otherwise(pl.col("time_us"))


def on_clock(frame: pl.DataFrame, tz: str | None) -> pl.DataFrame:
    """The rows with zone-less stamps read as times of ``tz``; the hour that a zone skips counts on as before."""
    if tz is None:
        return frame
    local = pl.col("time_us").cast(pl.Datetime("us"))

    def utc(moment: pl.Expr) -> pl.Expr:
        zoned = moment.dt.replace_time_zone(tz, ambiguous="earliest", non_existent="null")
        return zoned.dt.convert_time_zone("UTC").dt.replace_time_zone(None).cast(pl.Int64)

    hour = pl.duration(hours=1)
    shifted = pl.coalesce(utc(local), utc(local - hour) + 3_600_000_000)
    unknown = pl.col("tz_assumed") == "unknown"
    return frame.with_columns(
        time_us=pl.when(unknown).then(shifted).otherwise(pl.col("time_us")),
        tz_assumed=pl.when(unknown).then(pl.lit(tz)).otherwise(pl.col("tz_assumed")),
    )


def workers_within(
    workers: Sequence[Worker], files: Sequence[FileRows], window: Window, tz: str | None
) -> tuple[Worker, ...]:
    """The workers as a window shows them; one without a line in it is left out.

    Their times are logged ones, with ``tz`` true UTC.
    """
    wanted = [*_KEY, "metric_type", "batch_type", *_RANKS, "time_us", "new_token", "cached_token"]
    rows = rows_by_worker(files, window, tz, [*wanted, "timestamp", "tz_assumed"])
    if tz is None:
        rows = rows.with_columns(time_us=logged_us())
    groups = rows.group_by(*_KEY, "metric_type", "batch_type", *_RANKS, maintain_order=True).agg(
        pl.len().alias("rows"),
        pl.col("time_us").min().alias("first_us"),
        pl.col("time_us").max().alias("last_us"),
        pl.col("new_token").sum(),
        pl.col("cached_token").sum(),
    )
    found = groups.partition_by(_KEY, as_dict=True)
    out = []
    for worker in workers:
        mine = found.get((worker.node, worker.role.value, worker.worker_id))
        if mine is None:
            continue
        batch = mine.filter(pl.col("metric_type") == "batch")
        totals = tuple(
            RankTotals(
                Ranks(*(row[name] for name in _RANKS)),
                row["batch_type"],
                row["rows"],
                row["first_us"],
                row["last_us"],
                row["new_token"],
                row["cached_token"],
            )
            for row in batch.iter_rows(named=True)
        )
        span = (mine["first_us"].min(), mine["last_us"].max())
        rows_in = int(batch["rows"].sum())
        out.append(with_totals(worker, rows_in, int(mine["rows"].sum()) - rows_in, span, totals))  # type: ignore[arg-type]
    return tuple(out)
