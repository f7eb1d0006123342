"""What an earlier report left: the data file that is replaced only by good data, and the files that it names."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Final

import msgspec

from trackside.report.agents_document import DaysFile, SegmentFile

DAYS: Final = "days"
UNDATED: Final = "undated"
"""Stands for the month of runs whose creation is not told."""
MOST_BYTES: Final = 64 * 1024 * 1024
"""A file that is larger was not written here."""


class OldFile(msgspec.Struct, frozen=True):
    """A data file as it stands: its bytes, when its runs changed last, how many it holds, and which files it names."""

    content: bytes
    last_updated: dt.datetime
    runs: int
    repository: str | None
    segments: tuple[SegmentFile, ...]
    days: DaysFile | None

    @property
    def names(self) -> frozenset[str]:
        """The files that it names."""
        return frozenset([one.file for one in self.segments] + ([self.days.file] if self.days else []))


class _Told(msgspec.Struct):
    last_updated: str
    runs: list[msgspec.Raw]
    repository: str | None = None
    segments: tuple[SegmentFile, ...] = ()
    days: DaysFile | None = None


class _Beside(msgspec.Struct):
    schema_version: int
    repository: str


def read_old(path: Path) -> OldFile | str | None:
    """The data file at ``path``, None where there is none, or why it is none: a part of a sentence."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return f"it has more than {MOST_BYTES:,} bytes"
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        return error.strerror or str(error)
    try:
        told = msgspec.json.decode(content, type=_Told)
        moment = dt.datetime.fromisoformat(told.last_updated)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        return str(error)[:200]
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    runs = len(told.runs) + sum(one.runs for one in told.segments)
    return OldFile(content, moment.astimezone(dt.UTC), runs, told.repository, told.segments, told.days)


def free_name(folder: Path, stem: str, what: str, taken: frozenset[str], repository: str) -> str:
    """A name for a file with ``what``, a month or days, that is not ``taken`` and stands for no other's file."""
    number = 1
    while True:
        name = f"{stem}-{what}.json" if number == 1 else f"{stem}-{what}-{number}.json"
        there = folder / name
        is_free = not there.exists() and not there.is_symlink()
        if name not in taken and (is_free or is_ours(there, repository)):
            return name
        number += 1


def unnamed(folder: Path, stem: str, named: frozenset[str], repository: str) -> list[Path]:
    """The files of ours in ``folder`` that no data file names any more."""
    pattern = re.compile(rf"{re.escape(stem)}-(?:\d{{4}}-\d\d|{UNDATED}|{DAYS})(?:-\d+)?\.json")
    found = [one for one in folder.iterdir() if pattern.fullmatch(one.name) and one.name not in named]
    return sorted(one for one in found if is_ours(one, repository))


def left_behind(folder: Path, stem: str, now: dt.datetime) -> list[Path]:
    """The files that a report which was killed over a day ago was about to write."""
    pattern = re.compile(rf"\.{re.escape(stem)}[\w.-]*\.[a-z0-9_]{{8}}")
    day_ago = (now - dt.timedelta(days=1)).timestamp()
    return [one for one in folder.iterdir() if pattern.fullmatch(one.name) and one.lstat().st_mtime < day_ago]


def is_ours(path: Path, repository: str) -> bool:
    """Whether a file beside the data file was written here, for this repository."""
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > MOST_BYTES:
            return False
        told = msgspec.json.decode(path.read_bytes(), type=_Beside)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return told.repository.casefold() == repository.casefold()
