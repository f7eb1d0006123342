"""Files that are written whole or not at all: under a name of their own first, and exchanged when they are complete."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


def write_atomically(path: Path, data: bytes) -> None:
    """Writes a file so that it is either the old or the new one; a link stays one. Raises OSError."""
    with complete_or_absent(path) as out:
        out.write(data)


@contextmanager
def complete_or_absent(path: Path) -> Iterator[IO[bytes]]:
    """A stream whose file takes the name ``path`` only when everything was written.

    Where ``path`` is a link, what it leads to is written, there already or not, and the link stays one. What is no file
    (a device, a pipe) is written to, never replaced. Raises OSError, also where links lead back to themselves.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        with path.open("wb") as stream:
            yield stream
        return
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    part = target.with_name(f".{target.name[:60]}.{secrets.token_hex(4)}")
    try:
        with part.open("xb") as stream:
            yield stream
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Makes the folder, and waits for whoever else writes into it alone, where the system can do so.

    The lock goes with the process, and nothing is left in the folder. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
