"""Ledger entries and workers of a run, as the tables show them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import msgspec

from trackside.bench.scan_records import BATCH_KINDS, KINDS
from trackside.bench.times import to_utc_us
from trackside.engine.parse_file import Scanned
from trackside.records.engine_run import FileLedger, RankTotals, Worker


def ledger_of(scanned: Scanned) -> FileLedger:
    """What was read of one file, and what was not."""
    counts = scanned.all_counts
    batch = KINDS[:BATCH_KINDS]
    return FileLedger(
        file=scanned.file,
        state=scanned.state,
        size_bytes=scanned.fingerprint.size_bytes,
        lines=counts.lines,
        **{kind: counts.kinds.get(kind, 0) for kind in batch},
        memory=sum(n for kind, n in counts.kinds.items() if kind not in batch),
        unrecognised=counts.unrecognised,
        samples=tuple(counts.samples),
        torn=counts.torn,
        quoted=counts.quoted,
        overlong=counts.overlong,
        invalid_utf8_bytes=counts.invalid_utf8_bytes,
        not_a_number=counts.not_a_number,
        slow_path=counts.slow_path,
        unknown_fields=counts.unknown_fields,
        first_stamp=counts.first_stamp,
        last_stamp=counts.last_stamp,
        note=scanned.note,
    )


def worker_on_clock(worker: Worker, zone: ZoneInfo) -> Worker:
    """The worker with its times in true UTC, its stamps being zone-less ones of ``zone``."""

    def convert(time_us: int | None) -> int | None:
        return None if time_us is None else to_utc_us(time_us, zone)

    totals = tuple(
        msgspec.structs.replace(t, first_us=to_utc_us(t.first_us, zone), last_us=to_utc_us(t.last_us, zone))
        for t in worker.rank_totals
    )
    return msgspec.structs.replace(
        worker, first_us=convert(worker.first_us), last_us=convert(worker.last_us), rank_totals=totals
    )


def with_totals(
    worker: Worker,
    batch_rows: int,
    memory_rows: int,
    span: tuple[int | None, int | None],
    totals: tuple[RankTotals, ...],
) -> Worker:
    """The worker as a window of its lines shows it."""
    return msgspec.structs.replace(
        worker,
        batch_rows=batch_rows,
        memory_rows=memory_rows,
        first_us=span[0],
        last_us=span[1],
        rank_totals=totals,
    )
