"""Where the site that is served is kept: within the store, so that it is there at the next start."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_PREFIX: Final = "served-site-"
_DIGITS: Final = 12


@contextmanager
def served_folder(store: Path | None, *marks: object) -> Iterator[Path]:
    """The folder of the site of ``marks``, alone for this server as long as it lasts.

    A temporary one, which is removed at the end, where the store is no directory (None), cannot be written to, or
    another server has the folder.
    """
    with _kept(store, marks) as folder:
        if folder is not None:
            yield folder
            return
    with tempfile.TemporaryDirectory(prefix="trackside-site-", ignore_cleanup_errors=True) as temporary:
        yield Path(temporary) / "site"


@contextmanager
def _kept(store: Path | None, marks: tuple[object, ...]) -> Iterator[Path | None]:
    """The folder within the store, None where it cannot be had."""
    lock = None if store is None else _locked(store / f"{_PREFIX}{_digest(marks)}.lock")
    if store is None or lock is None:
        yield None
        return
    try:
        yield store / f"{_PREFIX}{_digest(marks)}"
    finally:
        os.close(lock)


def _digest(marks: tuple[object, ...]) -> str:
    return hashlib.sha256(repr(marks).encode()).hexdigest()[:_DIGITS]


def _locked(path: Path) -> int | None:
    """A lock that goes with the process; None where another has it or none can be made."""
    try:
        import fcntl

        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle
