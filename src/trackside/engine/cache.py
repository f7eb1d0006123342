"""What is kept of a run between commands: a manifest, pieces of rows, and ``node_metrics.parquet`` made from them.

Everything is written beside its place and then moved there, so a killed or a second process leaves a whole cache.
A cache that is damaged, of another version or of other files is not used.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from trackside.bench.scan import PARSER_VERSION
from trackside.engine.parse_file import Scanned
from trackside.records.engine_rows import SCHEMA_VERSION

DIRECTORY: Final = "cached_assets"
TABLE: Final = "node_metrics.parquet"
_MANIFEST: Final = "node_metrics.manifest.json"
_PIECES: Final = "node_metrics.pieces"
VERSION: Final = (PARSER_VERSION, SCHEMA_VERSION)


class TablePart(msgspec.Struct, frozen=True):
    """The rows of one file in ``node_metrics.parquet``: ``rows`` from ``offset`` on."""

    offset: int
    rows: int


class Entry(msgspec.Struct, frozen=True):
    """One file of the run as it was read last; ``part`` is None where its rows are in pieces alone."""

    scanned: Scanned
    part: TablePart | None = None


class Manifest(msgspec.Struct, frozen=True):
    """The state of a cache. ``table`` is size and time of change of the Parquet file that the parts speak of.

    ``settled_for`` is the digest of the run's model that the workers in that file were taken from.
    """

    version: tuple[int, int]
    entries: dict[str, Entry]
    table: tuple[int, int] | None = None
    settled_for: str | None = None


class Cache:
    """The cache of one logs directory; without ``keep`` it lives in a temporary directory and ends with the object."""

    def __init__(self, logs_dir: Path, *, keep: bool) -> None:
        self.directory = logs_dir / DIRECTORY
        self.reason: str | None = None
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self.keeps = keep and self._can_write()
        if not self.keeps:
            self._temporary = tempfile.TemporaryDirectory(prefix="trackside-")
            self.directory = Path(self._temporary.name)
        self.table = self.directory / TABLE
        self.pieces = self.directory / _PIECES

    def _can_write(self) -> bool:
        try:
            self.directory.mkdir(exist_ok=True)
            (self.directory / _PIECES).mkdir(exist_ok=True)
            with tempfile.TemporaryFile(dir=self.directory):
                return True
        except OSError as error:
            self.reason = error.strerror or type(error).__name__
            return False

    def load(self) -> Manifest | None:
        """The manifest, if it is whole, of this version, and all that it names is there."""
        try:
            manifest = msgspec.json.decode((self.directory / _MANIFEST).read_bytes(), type=Manifest)
        except (OSError, msgspec.DecodeError):
            return None
        if manifest.version != VERSION:
            return None
        if any(entry.part for entry in manifest.entries.values()) and not self.has_table(manifest):
            return None
        return manifest

    def has_table(self, manifest: Manifest) -> bool:
        """Whether the Parquet file is the one that the manifest speaks of."""
        return manifest.table is not None and self.table_identity() == manifest.table

    def table_identity(self) -> tuple[int, int] | None:
        """Size and time of change of the Parquet file; None where there is none."""
        try:
            status = self.table.stat()
        except OSError:
            return None
        return status.st_size, status.st_mtime_ns

    def has_pieces(self, scanned: Scanned) -> bool:
        """Whether all pieces of a file's rows are there."""
        return all((self.pieces / piece.name).is_file() for piece in scanned.pieces)

    def spool(self) -> Path:
        """Where pieces are written: made if it is not there."""
        self.pieces.mkdir(parents=True, exist_ok=True)
        return self.pieces

    def save(self, manifest: Manifest) -> None:
        """Replaces the manifest. Raises OSError."""
        write_atomically(self.directory / _MANIFEST, msgspec.json.encode(manifest))

    def drop_pieces(self, keep: set[str]) -> None:
        """Removes pieces that nothing names any more."""
        for piece in self.pieces.glob("*.npz"):
            if piece.name not in keep:
                piece.unlink(missing_ok=True)


def write_atomically(path: Path, data: bytes) -> None:
    """Writes a file so that it is either the old or the new one. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
