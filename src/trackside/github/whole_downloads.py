"""Downloads that are read to their end: one that breaks off is asked for again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, Final, TypeVar

from trackside.errors import GitHubError

if TYPE_CHECKING:
    from trackside.github.client import Download, GitHub

T = TypeVar("T")

TRIES: Final = 3
"""Times that a download which breaks off is begun; faults before its first byte are the client's matter."""
FOR_ALL: Final = (401, 403)
"""Refusals that every other download would meet too."""
TOO_LARGE: Final = 413


def read_whole(github: GitHub, path: str, endpoint: str, take: Callable[[Download], T]) -> T:
    """What ``take`` makes of the download; one that breaks off while it is read is asked for again.

    Raises GitHubError where it was refused, or broke off every time.
    """
    for trial in range(1, TRIES + 1):
        opened = False
        try:
            with github.open_download(path, endpoint=endpoint) as download:
                opened = True
                return take(download)
        except GitHubError:
            if not opened or trial == TRIES:
                raise
    raise AssertionError


def save_archive(download: Download, file: BinaryIO, most: int) -> int:
    """The status of ``download``, whose body is in ``file`` where it is 200; TOO_LARGE for more than ``most`` bytes."""
    file.seek(0)
    file.truncate()
    if download.status == 200:
        for chunk in download.iter_bytes():
            if file.tell() + len(chunk) > most:
                return TOO_LARGE
            file.write(chunk)
    return download.status
