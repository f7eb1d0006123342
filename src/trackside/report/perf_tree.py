"""The directory of a report with many files: each is whole or not there, and those of an earlier report go.

Only what an earlier report made is removed: it left a list of its files behind.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Final, Self

import msgspec

from trackside.engine.whole_files import write_atomically
from trackside.errors import OutputError

LIST_NAME: Final = ".trackside-files.json"
_MADE: Final = re.compile(r"[^/\\\0]+_summary/[^/\\\0]+\.(?:csv|png)")
"""What may be removed, whatever a list says."""


class _Made(msgspec.Struct, frozen=True):
    schema_version: int
    files: tuple[str, ...]


class ReportTree:
    """Files of one report in ``folder``, which is made if needed.

    At the end of a ``with`` block the files of an earlier report that were not made again are removed, and directories
    that are empty then. An error keeps them: the list is that of both. Raises OutputError where something cannot be
    written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._earlier: frozenset[str] = frozenset()
        self._made: set[str] = set()

    def __enter__(self) -> Self:
        self._earlier = self._listed()
        self._write(PurePosixPath(LIST_NAME), _encoded(self._earlier))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            for name in sorted(self._earlier - self._made):
                self._remove(name)
            self._write(PurePosixPath(LIST_NAME), _encoded(self._made))
        elif self._made:
            with contextlib.suppress(OutputError):
                self._write(PurePosixPath(LIST_NAME), _encoded(self._made | self._earlier))

    def write(self, name: str, content: bytes) -> Path:
        """Writes one file of the report, ``directory/file``; returns its path as the folder was named."""
        self._write(PurePosixPath(name), content)
        self._made.add(name)
        return self.folder / name

    def _write(self, name: PurePosixPath, content: bytes) -> None:
        target = self.folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, content)
        except OSError as error:
            reason = "a file stands where a directory is needed" if isinstance(error, FileExistsError) else None
            msg = f"The report could not be written to {target}: {reason or error.strerror or error}."
            raise OutputError(msg) from error

    def _listed(self) -> frozenset[str]:
        """What an earlier report made here; nothing where its list is not there or no such list."""
        try:
            content = (self.folder / LIST_NAME).read_bytes()
            files = msgspec.json.decode(content, type=_Made).files
        except (OSError, msgspec.DecodeError, ValueError):
            return frozenset()
        return frozenset(name for name in files if _MADE.fullmatch(name) and ".." not in name.split("/"))

    def _remove(self, name: str) -> None:
        """Removes a file of an earlier report; what is not there, or cannot go, stays as it is."""
        path = self.folder / name
        if path.parent.is_symlink():
            return
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            path.parent.rmdir()


def _encoded(names: set[str] | frozenset[str]) -> bytes:
    return msgspec.json.encode(_Made(schema_version=1, files=tuple(sorted(names))))
