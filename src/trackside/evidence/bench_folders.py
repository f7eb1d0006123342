"""Runs that stand in a folder: each directory in it that holds the logs of engines is one."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from trackside.engine.cache import DIRECTORY as CACHED
from trackside.engine.files import find_logs, shown_path
from trackside.errors import TracksideError

MOST_DEEP: Final = 3
MOST_DIRECTORIES: Final = 2_000
MOST_RUNS: Final = 200
_LOGS: Final = "logs"
T = TypeVar("T")


class Unread(NamedTuple):
    """Why a directory is no run, in a sentence; directories that hold no logs at all are not told of."""

    note: str


def read_folder(folder: Path, opened: Collection[str], read: Callable[[Path], T]) -> Iterator[T | Unread]:
    """What ``read`` makes of the runs of ``folder``: of itself, and of directories up to three levels below it.

    A directory that is a run is not looked into further. Those whose logs are in the directories ``opened`` are passed
    over. At most 2,000 directories are looked at and 200 runs read; what is beyond is told.
    """
    waiting, seen, runs = deque([(folder, 0)]), set(opened), 0
    looked_at = 0
    while waiting:
        here, depth = waiting.popleft()
        place = _place(here, folder)
        if looked_at == MOST_DIRECTORIES or runs == MOST_RUNS:
            bound = f"{MOST_RUNS:,} runs" if runs == MOST_RUNS else f"{MOST_DIRECTORIES:,} directories"
            yield Unread(f"{_place(folder, folder)}: only the first {bound} were read.")
            return
        looked_at += 1
        try:
            resolved = here.resolve(strict=True)
            if seen & {shown_path(resolved), shown_path(resolved / _LOGS)}:
                continue
            seen.add(shown_path(resolved))
            below = _directories(resolved)
            found = _run_at(resolved, place, read)
            is_run = found is not None and not isinstance(found, Unread)
        except (OSError, RuntimeError) as error:  # RuntimeError: a link to itself, before Python 3.13
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "it links to itself"
            yield Unread(f"{place} cannot be read: {reason}.")
            continue
        if found is not None:
            runs += is_run
            yield found
        if not is_run and depth < MOST_DEEP:
            waiting.extend((here / path.name, depth + 1) for path in below)


def _run_at(directory: Path, place: str, read: Callable[[Path], T]) -> T | Unread | None:
    try:
        if not find_logs(directory).sources:
            return None
        return read(directory)
    except TracksideError as error:
        return Unread(f"{place} was not read: {str(error).replace(shown_path(directory), place)}")


def _directories(directory: Path) -> list[Path]:
    """The directories in ``directory``; its ``logs`` were looked into with it."""
    with os.scandir(directory) as entries:
        names = sorted(entry.name for entry in entries if _is_directory(entry))
    return [directory / name for name in names if not name.startswith(".") and name not in (CACHED, _LOGS)]


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _place(path: Path, folder: Path) -> str:
    """The path as it is told: below the folder that was named, not where that is on the machine."""
    return shown_path(Path(folder.name or os.fspath(folder)) / path.relative_to(folder))
