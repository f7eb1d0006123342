"""Bytes of a log file, unpacked and as UTF-8, from a given offset on."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import zstandard

BLOCK_BYTES: Final = 4 << 20
LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"
PACKING_MAGIC: Final = {b"\x1f\x8b": "gz", b"\x28\xb5\x2f\xfd": "zst"}
_SKIPPED_FRAME: Final = b"\x50\x2a\x4d\x18"
_REPEATED_BYTE: Final = 1
_UTF16_MARKS: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


@dataclass(slots=True)
class Reading:
    """One pass over a file. ``truncated`` is set when a packed file ends too early or is damaged."""

    path: Path
    packing: str | None
    encoding: str | None
    truncated: bool = False

    @property
    def resumable(self) -> bool:
        """Whether a later pass may begin where this one ended."""
        return self.packing is None and self.encoding is None

    def blocks(self, offset: int = 0, limit: int | None = None) -> Iterator[bytes]:
        """The file's text in blocks; a plain file from ``offset`` on and up to ``limit`` bytes of the file."""
        with self.path.open("rb") as raw:
            if self.packing is None:
                raw.seek(offset)
                blocks = _plain(raw, None if limit is None else limit - offset)
            else:
                blocks = self._unpack(raw)
            if self.encoding is None:
                yield from blocks
            else:
                yield from _recode(blocks, self.encoding)

    def _unpack(self, raw: IO[bytes]) -> Iterator[bytes]:
        if self.packing == "gz":
            read = gzip.GzipFile(fileobj=raw).read1
        else:
            read = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True, closefd=False).read
        while True:
            try:
                block = read(BLOCK_BYTES)
            except (EOFError, OSError, zlib.error, zstandard.ZstdError):
                self.truncated = True
                return
            if not block:
                self.truncated = self.packing == "zst" and not _has_whole_frames(raw)
                return
            yield block


def _has_whole_frames(raw: IO[bytes]) -> bool:
    """Whether a zstd file ends where a frame ends, which its decoder does not tell (RFC 8878, section 3.1)."""
    size = raw.seek(0, 2)
    at = 0
    while at < size:
        raw.seek(at)
        head = raw.read(18)
        if head[1:4] == _SKIPPED_FRAME[1:] and head[0] & 0xF0 == _SKIPPED_FRAME[0]:
            at += 8 + int.from_bytes(head[4:8], "little")
            continue
        try:
            at += zstandard.frame_header_size(head)
            checksum = 4 if zstandard.get_frame_parameters(head).has_checksum else 0
        except zstandard.ZstdError:
            return False
        last = 0
        while not last and at < size:
            raw.seek(at)
            block = int.from_bytes(raw.read(3), "little")
            last, kind, length = block & 1, block >> 1 & 3, block >> 3
            at += 3 + (1 if kind == _REPEATED_BYTE else length)
        if not last:
            return False
        at += checksum
    return at == size


def open_reading(path: Path) -> Reading:
    """How ``path`` is to be read: packing and encoding are told from its first bytes."""
    with path.open("rb") as raw:
        head = raw.read(4096)
    packing = next((name for magic, name in PACKING_MAGIC.items() if head.startswith(magic)), None)
    return Reading(path, packing, None if packing else _encoding(head))


def _encoding(head: bytes) -> str | None:
    for mark, name in _UTF16_MARKS.items():
        if head.startswith(mark):
            return name
    sample = head[: len(head) & ~1]
    if len(sample) >= 64:
        if sample[1::2].count(0) > 0.9 * len(sample[1::2]) and not sample[::2].count(0):
            return "utf-16-le"
        if sample[::2].count(0) > 0.9 * len(sample[::2]) and not sample[1::2].count(0):
            return "utf-16-be"
    return None


def _plain(raw: IO[bytes], limit: int | None) -> Iterator[bytes]:
    left = limit
    while left is None or left > 0:
        block = raw.read(BLOCK_BYTES if left is None else min(BLOCK_BYTES, left))
        if not block:
            return
        if left is not None:
            left -= len(block)
        yield block


def _recode(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    first = True
    for block in blocks:
        text = decoder.decode(block)
        if first:
            text = text.removeprefix("\ufeff")
            first = False
        yield text.encode()
    yield decoder.decode(b"", final=True).encode()
