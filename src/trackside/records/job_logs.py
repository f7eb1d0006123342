"""The log of a job, or why there is none."""

from __future__ import annotations

import datetime as dt
import enum

import msgspec


class LogState(enum.StrEnum):
    """What became of a log."""

    READY = "ready"
    """It was read, whole or up to the cap (``truncated``)."""
    NOT_YET = "not_yet"
    """GitHub has none yet: the job or its run is not over. It is asked again."""
    NEVER = "never"
    """The storage has none and will have none, as for a job that was cancelled before it began."""
    EXPIRED = "expired"
    """GitHub has deleted it: older than the retention of the repository."""
    UNREADABLE = "unreadable"
    """It could not be read this time; ``note`` says why. It is asked again."""


class JobLog(msgspec.Struct, frozen=True, kw_only=True):
    """The key is (``repo``, ``job_id``). ``content`` is the log as it came, compressed with Zstandard.

    ``size_bytes`` counts what was kept of it, before compression; ``truncated`` says that there was more: then the
    beginning and the end are there, with a line in between that says how many bytes are not, and numbers of lines are
    those of the text that was kept.
    """

    repo: str
    job_id: int
    run_id: int
    run_attempt: int
    state: LogState
    size_bytes: int = 0
    truncated: bool = False
    content: bytes | None = None
    note: str | None = None


class AskedLog(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a log that was asked for, and when that was; ``size_bytes`` as in ``JobLog``."""

    job_id: int
    state: LogState
    size_bytes: int
    asked_at: dt.datetime
