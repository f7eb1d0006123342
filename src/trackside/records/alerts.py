"""Alerts on the collection itself: limits, failed and slow syncs, large files, stale data."""

from __future__ import annotations

import datetime as dt
import enum

import msgspec


class AlertKind(enum.StrEnum):
    """What an alert is about."""

    RATE_LIMIT = "rate_limit"
    """Few calls are left."""
    SYNC_FAILURES = "sync_failures"
    """Syncs failed in a row."""
    SYNC_DURATION = "sync_duration"
    """A sync took long."""
    FILE_SIZE = "file_size"
    """A data file is large."""
    STALE_DATA = "stale_data"
    """No sync ended for long."""


class AlertState(enum.StrEnum):
    """How an alert stands."""

    OFF = "off"
    """It is not on, and was not in the sync before."""
    ON = "on"
    """It is on."""
    RECOVERED = "recovered"
    """It was on in the sync before, and is not any more."""
    UNKNOWN = "unknown"
    """What it is about was not told."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert; the key is (``repo``, ``kind``).

    ``since`` is when it went on, of one that recovered too; ``value`` and ``threshold`` are in ``unit``. ``is_warning``
    says that it is near to going on. ``text`` is the sentence to read. ``issue`` is the issue that tells of it.
    """

    repo: str
    kind: AlertKind
    state: AlertState
    text: str
    value: float | None = None
    threshold: float | None = None
    unit: str = ""
    is_warning: bool = False
    since: dt.datetime | None = None
    recovered_at: dt.datetime | None = None
    checked_at: dt.datetime | None = None
    issue: int | None = None
