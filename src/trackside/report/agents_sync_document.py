"""The file of the syncs, beside the data file: what changes at every sync, so that the data file need not."""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec

from trackside.engine.whole_files import write_atomically
from trackside.errors import OutputError
from trackside.records.alerts import Alert
from trackside.records.sync_health import SyncHealth
from trackside.report.agents_files import DataFiles
from trackside.report.agents_packing import fitting

SYNC_VERSION: Final = 1
SyncStatus = Literal["ok", "partial", "failed", "none"]
_GZIP_LEVEL: Final = 6
_MOST_OLD_BYTES: Final = 64 * 1024 * 1024
_LISTS: Final = {"failures": 500_000, "missing": 500_000, "waiting_logs": 200_000, "notes": 100_000}
"""Bytes of each list of the health; the others are short by their nature."""


class FileSize(msgspec.Struct, frozen=True, kw_only=True):
    """A data file: its bytes as they are, and compressed with gzip as a server sends them."""

    file: str
    bytes: int
    gzip_bytes: int | None = None
    sha256: str | None = None
    runs: int | None = None


class AgentsSyncDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the collection when it was looked at last; it is written by every report.

    ``status`` is that of the newest sync, ``none`` where there was none. ``synced_at`` is when it ended, ``good_at``
    when the newest one ended that brought data: where that is longer ago than twice ``interval_hours``, data is stale.
    ``data_updated_at`` is when the runs in ``data_file`` changed last, and ``kept`` says why it was not replaced where
    that had a reason. ``alerts`` are all, on or not.
    """

    schema_version: int = SYNC_VERSION
    repository: str
    checked_at: dt.datetime
    status: SyncStatus
    synced_at: dt.datetime | None = None
    good_at: dt.datetime | None = None
    interval_hours: float
    data_file: str
    data_updated_at: dt.datetime | None = None
    kept: str | None = None
    files: tuple[FileSize, ...] = ()
    alerts: tuple[Alert, ...] = ()
    health: SyncHealth


class SyncFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the file of the syncs is made of, but for the data files; ``good_at`` as alerts on stale data see it."""

    repository: str
    checked_at: dt.datetime
    interval_hours: float
    health: SyncHealth
    good_at: dt.datetime | None = None
    alerts: tuple[Alert, ...] = ()


def write_sync_file(path: Path, data: DataFiles, facts: SyncFacts) -> AgentsSyncDocument:
    """Writes the file of the syncs to ``path``, whole or not at all. Raises OutputError."""
    if path.exists() and not path.is_file():
        msg = f"The file of the syncs could not be written to {path}: something stands there that is no file."
        raise OutputError(msg)
    document = sync_document(
        facts, data.path.name, _sizes(data, _known_sizes(path)), updated_at=data.last_updated, kept=data.kept
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, msgspec.json.encode(document))
    except (OSError, RuntimeError) as error:  # the latter: links in a circle
        reason = getattr(error, "strerror", None) or error
        msg = f"The file of the syncs could not be written to {path}: {reason}."
        raise OutputError(msg) from error
    return document


def sync_document(
    facts: SyncFacts,
    data_file: str,
    files: Iterable[FileSize],
    *,
    updated_at: dt.datetime | None,
    kept: str | None = None,
) -> AgentsSyncDocument:
    """The document on the data file of that name, whose runs changed last at ``updated_at``, and ``files``."""
    health = facts.health
    return AgentsSyncDocument(
        repository=facts.repository,
        checked_at=facts.checked_at,
        status=status_of(health),
        synced_at=None if health.newest is None else health.newest.ended_at,
        good_at=facts.good_at,
        interval_hours=facts.interval_hours,
        data_file=data_file,
        data_updated_at=updated_at,
        kept=kept,
        files=tuple(files),
        alerts=facts.alerts,
        health=_short(health),
    )


def status_of(health: SyncHealth) -> SyncStatus:
    """How the newest sync ended."""
    if health.newest is None:
        return "none"
    status = health.newest.status
    return "ok" if status == "ok" else "failed" if status == "failed" else "partial"


def _short(health: SyncHealth) -> SyncHealth:
    """The health with lists that a page can load, whatever GitHub or a name in it said."""
    kept = {name: fitting(getattr(health, name), most)[0] for name, most in _LISTS.items()}
    gaps = fitting(health.missing_data.gaps, _LISTS["missing"])[0]
    missing_data = msgspec.structs.replace(health.missing_data, gaps=gaps)
    return msgspec.structs.replace(health, **kept, missing_data=missing_data)


def _sizes(data: DataFiles, known: Mapping[str, int]) -> Iterator[FileSize]:
    for one in data.files:
        packed = known.get(one.sha256)
        if packed is None:
            packed = _gzip_bytes(data.path.with_name(one.file))
        yield FileSize(file=one.file, bytes=one.bytes, gzip_bytes=packed, sha256=one.sha256, runs=one.runs)


def _gzip_bytes(path: Path) -> int | None:
    try:
        return len(gzip.compress(path.read_bytes(), compresslevel=_GZIP_LEVEL, mtime=0))
    except OSError:
        return None


class _Old(msgspec.Struct):
    files: tuple[FileSize, ...] = ()


def _known_sizes(path: Path) -> dict[str, int]:
    """The compressed sizes that the file of before told, by hash: what did not change need not be compressed again."""
    try:
        if path.stat().st_size > _MOST_OLD_BYTES:
            return {}
        old = msgspec.json.decode(path.read_bytes(), type=_Old)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
    return {one.sha256: one.gzip_bytes for one in old.files if one.sha256 and one.gzip_bytes is not None}
