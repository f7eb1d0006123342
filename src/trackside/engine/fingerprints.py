"""How a file is recognised again: size, time of change, and hashes of its head and of its tail."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import msgspec

EDGE_BYTES: Final = 4096


class Fingerprint(msgspec.Struct, frozen=True):
    """What a file looked like when it was read. ``tail`` is the hash of the last bytes up to ``size_bytes``."""

    size_bytes: int = 0
    mtime_ns: int = 0
    head: str = ""
    tail: str = ""


def take_fingerprint(path: Path) -> Fingerprint:
    """The fingerprint of the file as it is now. Raises OSError."""
    with path.open("rb") as raw:
        status = path.stat()
        return _fingerprint(raw.read, raw.seek, status.st_size, status.st_mtime_ns)


def _fingerprint(read, seek, size: int, mtime_ns: int) -> Fingerprint:  # type: ignore[no-untyped-def]
    seek(0)
    head = _hash(read(min(EDGE_BYTES, size)))
    seek(max(0, size - EDGE_BYTES))
    return Fingerprint(size, mtime_ns, head, _hash(read(min(EDGE_BYTES, size))))


def has_grown(path: Path, known: Fingerprint) -> bool:
    """Whether the file still begins with what ``known`` described and has more behind it. Raises OSError."""
    status = path.stat()
    if status.st_size <= known.size_bytes or not known.size_bytes:
        return False
    with path.open("rb") as raw:
        then = _fingerprint(raw.read, raw.seek, known.size_bytes, known.mtime_ns)
    return then == known


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=12).hexdigest()
