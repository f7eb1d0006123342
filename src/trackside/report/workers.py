"""Words and figures of a run's workers that every form of the tables shares."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from trackside.records.engine_run import FileLedger, Role, Worker

ENGINE_ROLES: Final = (Role.PREFILL, Role.DECODE, Role.AGG)
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class RunTables(msgspec.Struct, frozen=True):
    """What the tables need of one run. With ``tz`` times are shown on its clock, else as logged."""

    name: str
    path: str
    workers: tuple[Worker, ...]
    ledger: tuple[FileLedger, ...]
    notes: tuple[str, ...] = ()
    cache_path: str | None = None
    from_cache: bool = False
    tz: str | None = None


def engine_workers(workers: Iterable[Worker], role: Role | None = None) -> list[Worker]:
    """The workers that are engines (frontends are not), of one role if given."""
    roles = ENGINE_ROLES if role is None else (role,)
    return [worker for worker in workers if worker.role in roles]


def span_us(workers: Iterable[Worker]) -> tuple[int, int] | None:
    """First and last time of the workers, None where no worker logged any."""
    known = [(w.first_us, w.last_us) for w in workers if w.first_us is not None and w.last_us is not None]
    return (min(first for first, _ in known), max(last for _, last in known)) if known else None


def clock(time_us: int, tz: str | None) -> dt.datetime:
    """The time to show: as it was logged, or on the clock of ``tz``."""
    moment = _EPOCH + dt.timedelta(microseconds=time_us)
    return moment if tz is None else moment.astimezone(ZoneInfo(tz))


def format_duration(duration_us: int) -> str:
    """``67m 50s``, minutes counted on beyond the hour; ``42s`` under a minute."""
    minutes, seconds = divmod(duration_us // 1_000_000, 60)
    return f"{minutes}m {seconds}s" if minutes else f"{seconds}s"


def format_span(workers: Sequence[Worker], tz: str | None) -> str:
    """``16:10:37 → 17:18:27 (67m 50s)``, ``-`` where nothing was logged."""
    span = span_us(workers)
    if span is None:
        return "-"
    first, last = (clock(time_us, tz).strftime("%H:%M:%S") for time_us in span)
    return f"{first} → {last} ({format_duration(span[1] - span[0])})"


def iso_time(time_us: int | None, tz: str | None) -> str | None:
    """``2026-01-31T16:10:37.123456``; with an offset from UTC only where ``tz`` is given."""
    if time_us is None:
        return None
    moment = clock(time_us, tz)
    return (moment.replace(tzinfo=None) if tz is None else moment).isoformat()
