"""How long jobs wait for a runner, by pool and over time, and how many wait and run now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import polars as pl

from trackside.history.frames import History

_WAITING: Final = ("queued", "waiting", "pending", "requested")
_RUNNING: Final = "in_progress"
_STEPS_H: Final = (1, 3, 6, 12, 24, 24 * 7)
_MOST_BUCKETS: Final = 30


class WaitBucket(msgspec.Struct, frozen=True, kw_only=True):
    """The jobs that were created in a stretch of time, from ``start`` on, and began. Quantiles are interpolated."""

    start: dt.datetime
    jobs: int
    p50_s: float
    p90_s: float
    max_s: float


class PoolWaiting(msgspec.Struct, frozen=True, kw_only=True):
    """The waiting time in one pool; ``pool`` is the labels a job asks for, None where they were not told.

    ``jobs`` began and their waiting time is known; of ``unknown`` jobs that began it is not. Seconds are None where no
    waiting time is known. ``waiting`` and ``running`` are jobs as last seen; ``longest_s`` is how long the oldest of
    the waiting ones has waited until then.
    """

    pool: str | None
    jobs: int
    unknown: int
    p50_s: float | None
    p90_s: float | None
    max_s: float | None
    waiting: int
    longest_s: float | None
    running: int
    buckets: tuple[WaitBucket, ...] = ()


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """All pools, the slowest (by ``p90_s``) first. ``bucket_s`` is the length of the stretches of time."""

    pools: tuple[PoolWaiting, ...]
    jobs: int
    unknown: int
    waiting: int
    running: int
    bucket_s: float

    def longer_than(self, seconds: float) -> tuple[PoolWaiting, ...]:
        """The pools in which one job in ten waited longer, or one that waits now does."""
        return tuple(one for one in self.pools if max(one.p90_s or 0.0, one.longest_s or 0.0) > seconds)


def waiting_times(history: History, until: dt.datetime, bucket: dt.timedelta | None = None) -> Waiting:
    """The waiting time of every job of the window that began, ignored jobs too, for they take runners as well.

    ``until`` is when the jobs were last looked at. Without ``bucket`` it is the shortest of an hour to a week that
    gives at most 30 stretches. A job that was skipped, or cancelled before it began, did not wait for its turn to end.
    """
    jobs = history.jobs.filter(pl.col("outcome") != "skipped").with_columns(
        is_waiting=pl.col("status").is_in(_WAITING) & pl.col("conclusion").is_null(),
        is_running=(pl.col("status") == _RUNNING) & pl.col("conclusion").is_null(),
        waited=pl.col("queue_s").is_not_null() & pl.col("started_at").is_not_null(),
    )
    began = jobs.filter(pl.col("started_at").is_not_null(), ~pl.col("is_waiting"))
    length = bucket or _bucket_of(began)
    pools = [_pool(part, length, until) for part in jobs.partition_by("pool", maintain_order=True)]
    pools = [one for one in pools if one.jobs or one.unknown or one.waiting or one.running]
    pools.sort(key=lambda one: (one.p90_s is None, -(one.p90_s or 0.0), one.pool or ""))
    return Waiting(
        pools=tuple(pools),
        jobs=sum(one.jobs for one in pools),
        unknown=sum(one.unknown for one in pools),
        waiting=sum(one.waiting for one in pools),
        running=sum(one.running for one in pools),
        bucket_s=length.total_seconds(),
    )


def _pool(jobs: pl.DataFrame, bucket: dt.timedelta, until: dt.datetime) -> PoolWaiting:
    began = jobs.filter(pl.col("started_at").is_not_null(), ~pl.col("is_waiting"))
    known = began.filter(pl.col("waited"))
    waiting = jobs.filter(pl.col("is_waiting"))
    oldest = waiting["created_at"].min()
    total = _quantiles(known) if known.height else None
    return PoolWaiting(
        pool=jobs["pool"][0],
        jobs=known.height,
        unknown=began.height - known.height,
        p50_s=total["p50_s"] if total else None,
        p90_s=total["p90_s"] if total else None,
        max_s=total["max_s"] if total else None,
        waiting=waiting.height,
        longest_s=max((until - oldest).total_seconds(), 0.0) if isinstance(oldest, dt.datetime) else None,
        running=jobs.filter(pl.col("is_running")).height,
        buckets=_buckets(known, bucket),
    )


def _buckets(known: pl.DataFrame, bucket: dt.timedelta) -> tuple[WaitBucket, ...]:
    """Stretches in which a job was created, the oldest first."""
    start = pl.col("created_at").dt.truncate(bucket).alias("start")
    dated = known.filter(pl.col("created_at").is_not_null())
    rows = dated.group_by(start).agg(pl.len().alias("jobs"), *_QUANTILES).sort("start")
    return tuple(WaitBucket(**row) for row in rows.iter_rows(named=True))


_QUANTILES: Final = (
    pl.col("queue_s").quantile(0.5, "linear").alias("p50_s"),
    pl.col("queue_s").quantile(0.9, "linear").alias("p90_s"),
    pl.col("queue_s").max().alias("max_s"),
)


def _quantiles(known: pl.DataFrame) -> Mapping[str, Any]:
    return known.select(_QUANTILES).row(0, named=True)


def _bucket_of(began: pl.DataFrame) -> dt.timedelta:
    first, last = began["created_at"].min(), began["created_at"].max()
    span = last - first if isinstance(first, dt.datetime) and isinstance(last, dt.datetime) else dt.timedelta()
    fitting = (dt.timedelta(hours=hours) for hours in _STEPS_H)
    return next((one for one in fitting if span / one <= _MOST_BUCKETS), dt.timedelta(hours=_STEPS_H[-1]))
