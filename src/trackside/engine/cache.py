"""What is kept of a run between commands: a manifest, pieces of rows, and ``node_metrics.parquet`` made from them.

Everything is written beside its place and then moved there, so a killed or a second process leaves a whole cache:
each pass writes pieces into a directory of its own, and goes on reading the table that it opened, whoever replaces it.
A cache that is damaged, of another version or of other files is not used.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import shutil
import tempfile
import time
import weakref
import zipfile
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from trackside.bench.scan import PARSER_VERSION
from trackside.engine.parse_file import Scanned
from trackside.engine.whole_files import write_atomically
from trackside.errors import OutputError
from trackside.records.engine_rows import SCHEMA_VERSION

DIRECTORY: Final = "cached_assets"
TABLE: Final = "node_metrics.parquet"
_HASH_BYTES: Final = 1 << 20
_LEFT_OVER_S: Final = 3600
"""What nothing names may belong to a process that still runs; after an hour it does not."""
VERSION: Final = (PARSER_VERSION, SCHEMA_VERSION)


class TablePart(msgspec.Struct, frozen=True):
    """The rows of one file in ``node_metrics.parquet``: ``rows`` from ``offset`` on."""

    offset: int
    rows: int


class TableIdentity(msgspec.Struct, frozen=True):
    """How the Parquet file that parts speak of is known again: cheaply by size and time, surely by its digest."""

    size_bytes: int
    mtime_ns: int
    digest: str


class Entry(msgspec.Struct, frozen=True):
    """One file of the run as it was read last; ``part`` is None where its rows are in pieces alone."""

    scanned: Scanned
    part: TablePart | None = None


class Manifest(msgspec.Struct, frozen=True):
    """The state of a cache. ``table`` is the Parquet file that the parts speak of.

    ``settled_for`` is the digest of the run's model that the workers in that file were taken from.
    """

    version: tuple[int, int]
    entries: dict[str, Entry]
    table: TableIdentity | None = None
    settled_for: str | None = None


class Cache:
    """The cache of one logs directory, or of the one log ``of`` in it.

    Without ``keep`` it lives in a temporary directory and ends with the object.
    """

    def __init__(self, logs_dir: Path, *, keep: bool, of: str | None = None) -> None:
        table = TABLE if of is None else f"{of}.{TABLE}"
        self._stem = table.removesuffix(".parquet")
        self.directory = logs_dir / DIRECTORY
        self.reason: str | None = None
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._spool: Path | None = None
        self._opened: BinaryIO | None = None
        self._table_name = table
        self.keeps = keep and self._can_write()
        self.reads = keep
        if not keep:
            self.move_away()
        self._name_files()

    def _name_files(self) -> None:
        self.table = self.directory / self._table_name
        self.pieces = self.directory / f"{self._stem}.pieces"
        self._manifest = self.directory / f"{self._stem}.manifest.json"

    def move_away(self) -> None:
        """Goes on in a temporary directory: this one must not be written."""
        self._temporary = tempfile.TemporaryDirectory(prefix="trackside-")
        self.directory = Path(self._temporary.name)
        self.reads = False
        self._name_files()

    def _can_write(self) -> bool:
        try:
            self.directory.mkdir(exist_ok=True)
            with tempfile.TemporaryFile(dir=self.directory):
                return True
        except OSError as error:
            self.reason = error.strerror or type(error).__name__
            return False

    @property
    def opened_table(self) -> Path:
        """The table as it was when it was loaded or written here: on Linux also after another process replaced it."""
        held = None if self._opened is None else Path(f"/proc/self/fd/{self._opened.fileno()}")
        return held if held and held.exists() else self.table

    def load(self) -> Manifest | None:
        """The manifest, if it is whole, of this version, and its table is there."""
        try:
            manifest = msgspec.json.decode(self._manifest.read_bytes(), type=Manifest)
        except (OSError, msgspec.DecodeError):
            return None
        if manifest.version != VERSION:
            return None
        if any(entry.part for entry in manifest.entries.values()) and not self._open_table(manifest.table):
            return None
        return manifest

    def _open_table(self, wanted: TableIdentity | None) -> bool:
        try:
            opened = self.table.open("rb")
        except OSError:
            return False
        status = os.fstat(opened.fileno())
        if wanted is None or (status.st_size, status.st_mtime_ns) != (wanted.size_bytes, wanted.mtime_ns):
            opened.close()
            return False
        self._hold(opened)
        return True

    def _hold(self, opened: BinaryIO) -> None:
        if self._opened is not None:
            self._opened.close()
        self._opened = opened
        weakref.finalize(self, opened.close)

    def adopt_table(self, written: Path) -> TableIdentity:
        """Moves a finished table to its place; how it is known again. Raises OSError."""
        written.chmod(0o644)
        opened = written.open("rb")
        self._hold(opened)
        identity = _identify(opened)
        written.replace(self.table)
        return identity

    def is_whole(self, manifest: Manifest) -> bool:
        """Whether table and pieces hold what was written to them, to the byte."""
        try:
            if self._opened is not None and _identify(self._opened) != manifest.table:
                return False
            pieces = [piece for entry in manifest.entries.values() for piece in entry.scanned.pieces]
            return all(_is_sound(self.pieces / piece.name) for piece in pieces)
        except OSError:
            return False

    def has_pieces(self, scanned: Scanned) -> bool:
        """Whether all pieces of a file's rows are there."""
        return all(piece.held or (self.pieces / piece.name).is_file() for piece in scanned.pieces)

    def spool(self) -> Path:
        """Where this pass writes pieces. Raises OutputError."""
        if self._spool is None or not self._spool.is_dir():
            try:
                self.pieces.mkdir(parents=True, exist_ok=True)
                self._spool = Path(tempfile.mkdtemp(dir=self.pieces, prefix=""))
                self._spool.chmod(0o755)
            except OSError as error:
                msg = f"Rows could not be written to {self.pieces}: {error.strerror} (make room, or give --no-cache)"
                raise OutputError(msg) from error
        return self._spool

    def drop_spool(self) -> None:
        """Removes what this pass wrote."""
        if self._spool is not None:
            shutil.rmtree(self._spool, ignore_errors=True)

    def save(self, manifest: Manifest) -> None:
        """Replaces the manifest. Raises OSError."""
        write_atomically(self._manifest, msgspec.json.encode(manifest))

    def drop_pieces(self, keep: set[str]) -> None:
        """Removes what nothing names any more and no other process can be at work on."""
        emptied = {folder for folder in self.pieces.glob("*") if folder == self._spool or _is_old(folder)}
        for piece in self.pieces.glob("*/*.npz"):
            if f"{piece.parent.name}/{piece.name}" not in keep and (piece.parent == self._spool or _is_old(piece)):
                piece.unlink(missing_ok=True)
                emptied.add(piece.parent)
        for folder in emptied:
            with contextlib.suppress(OSError):  # not empty: some pieces in it are still named
                folder.rmdir()
        for left in self.directory.glob(f".{glob.escape(self._stem)}.*"):
            if _is_old(left):
                left.unlink(missing_ok=True)


def _identify(opened: BinaryIO) -> TableIdentity:
    status = os.fstat(opened.fileno())
    opened.seek(0)
    digest = hashlib.blake2b(digest_size=16)
    while block := opened.read(_HASH_BYTES):
        digest.update(block)
    return TableIdentity(status.st_size, status.st_mtime_ns, digest.hexdigest())


def _is_sound(piece: Path) -> bool:
    try:
        with zipfile.ZipFile(piece) as archive:
            return archive.testzip() is None
    except (zipfile.BadZipFile, EOFError, ValueError):
        return False


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > _LEFT_OVER_S
    except OSError:
        return False
