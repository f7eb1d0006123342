"""Waiting time for a runner: tables, JSON document, CSV."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Final

import msgspec

from trackside.ci.queueing import PoolWaiting, WaitBucket, Waiting
from trackside.ci.results import Span
from trackside.report.ledger import counted
from trackside.report.sections import Cell, Section, minutes, section_csv

QUEUE_VERSION: Final = 1
_UNKNOWN_POOL: Final = "(not told)"
_SHOWN_POOLS: Final = 4
_CSV: Final = ("pool", "start", "jobs", "unknown", "p50_s", "p90_s", "max_s", "waiting", "longest_s", "running")


class QueueDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``trackside ci queue --format json`` prints; ``until`` is when the jobs were last looked at."""

    schema_version: int
    repository: str
    until: dt.datetime
    span: Span
    queue: Waiting


def queue_json(repo: str, span: Span, waiting: Waiting, until: dt.datetime) -> str:
    """A QueueDocument in ASCII, so that no character of it acts on a terminal."""
    document = QueueDocument(schema_version=QUEUE_VERSION, repository=repo, until=until, span=span, queue=waiting)
    return json.dumps(msgspec.to_builtins(document), indent=2)


def queue_csv(waiting: Waiting) -> str:
    """One row for each pool as a whole (``start`` is empty), then one for each stretch of time."""
    return section_csv(_CSV, (row for pool in waiting.pools for row in _csv_rows(pool)))


def queue_sections(waiting: Waiting, top: int) -> Iterator[Section]:
    """The pools, the slowest first, at most ``top``; then the slowest over time."""
    yield Section(
        title="Waiting for a runner (minutes)",
        headings=("Pool", "Began", "p50", "p90", "Longest", "Unknown", "Waiting Now", "For up to", "Running Now"),
        rows=tuple(_row(pool) for pool in waiting.pools[:top]),
        notes=tuple(_notes(waiting, top)),
    )
    known = [pool for pool in waiting.pools if pool.buckets][:_SHOWN_POOLS]
    starts = sorted({bucket.start for pool in known for bucket in pool.buckets})
    if len(starts) > 1:
        told = [{bucket.start: bucket for bucket in pool.buckets} for pool in known]
        yield Section(
            title=f"Over time, by {_length(waiting.bucket_s)}: p50 / p90 / longest (jobs)",
            headings=("From (UTC)", *(pool.pool or _UNKNOWN_POOL for pool in known)),
            rows=tuple((start, *(_bucket(of.get(start)) for of in told)) for start in starts),
        )


def _row(pool: PoolWaiting) -> tuple[Cell, ...]:
    return (
        pool.pool or _UNKNOWN_POOL,
        pool.jobs,
        minutes(pool.p50_s),
        minutes(pool.p90_s),
        minutes(pool.max_s),
        pool.unknown,
        pool.waiting,
        minutes(pool.longest_s),
        pool.running,
    )


def _notes(waiting: Waiting, top: int) -> Iterator[str]:
    yield (
        f"The waiting time of {counted(waiting.jobs, 'job attempt')} is known; {waiting.waiting:,} wait and "
        f"{waiting.running:,} run now. A pool is what a job asks for in runs-on."
    )
    if waiting.unknown:
        yield (
            f"Of {counted(waiting.unknown, 'job attempt')} that began it is not told how long they waited: they are "
            "in no figure. Jobs that GraphQL told of are read again by REST, which tells it, without --offline."
        )
    if len(waiting.pools) > top:
        yield f"{len(waiting.pools) - top:,} more pools are not shown; --top shows more, --format json has them all."


def _bucket(bucket: WaitBucket | None) -> str | None:
    if bucket is None:
        return None
    return f"{bucket.p50_s / 60:.1f} / {bucket.p90_s / 60:.1f} / {bucket.max_s / 60:.1f} ({bucket.jobs:,})"


def _length(seconds: float) -> str:
    hours = seconds / 3600
    return {1.0: "hour", 24.0: "day", 168.0: "week"}.get(hours, f"{hours:g} hours")


def _csv_rows(pool: PoolWaiting) -> Iterator[tuple[Cell, ...]]:
    seconds = (pool.p50_s, pool.p90_s, pool.max_s)
    yield (pool.pool, None, pool.jobs, pool.unknown, *seconds, pool.waiting, pool.longest_s, pool.running)
    for one in pool.buckets:
        yield (pool.pool, one.start, one.jobs, None, one.p50_s, one.p90_s, one.max_s, None, None, None)
