"""The text of a log: packed while it streams by, of a long one its end is held, never the whole; and unpacked again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
import zstandard

MOST_TEXT: Final = 64 * 1024 * 1024
"""Bytes of one log that are kept where nothing else is said."""
_BLOCK: Final = 64 * 1024
"""Small pieces are joined up to this: each piece that is held costs more than its bytes."""


class LogText(msgspec.Struct, frozen=True, kw_only=True):
    """The log as it came, byte order mark and stamps and all, compressed with Zstandard.

    Of one that is too long the beginning and the end were kept, with a line in between that says how many bytes are
    missing there. ``size_bytes`` counts what was kept, before compression and without that line; ``truncated`` says
    that there was more.
    """

    content: bytes
    size_bytes: int
    truncated: bool


def pack_log(chunks: Iterable[bytes], most: int = MOST_TEXT) -> LogText:
    """All of ``chunks``, or their first and last bytes, ``most`` together: errors stand at the end of a log."""
    packer = zstandard.ZstdCompressor().compressobj()
    packed = bytearray()
    room, last = most - most // 2, b""
    end = _End(most // 2)
    for chunk in chunks:
        head = chunk[:room]
        if head:
            packed += packer.compress(head)
            room, last = room - len(head), head[-1:]
        end.add(chunk[len(head) :])
    if end.left_out:
        packed += packer.compress(_gap(end.left_out, last))
    for block in end.blocks():
        packed += packer.compress(block)
    packed += packer.flush()
    size = most - most // 2 - room + end.size
    return LogText(content=bytes(packed), size_bytes=size, truncated=end.left_out > 0)


def unpack_log(content: bytes | None) -> bytes:
    """The text of a packed log; of a damaged one what comes before the damage, of none nothing."""
    return b"".join(_unpacked(content)) if content else b""


def _unpacked(content: bytes) -> Iterator[bytes]:
    reader = zstandard.ZstdDecompressor().stream_reader(content, read_across_frames=True)
    try:
        while chunk := reader.read(1 << 20):
            yield chunk
    except zstandard.ZstdError:
        return


class _End:
    """The last ``most`` of the bytes that are added, and how many came before them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._blocks: deque[bytearray] = deque()
        self._held = 0
        self._dropped = 0

    @property
    def size(self) -> int:
        return min(self._held, self._most)

    @property
    def left_out(self) -> int:
        return self._dropped + self._held - self.size

    def add(self, piece: bytes) -> None:
        if not piece:
            return
        if self._blocks and len(self._blocks[-1]) + len(piece) <= _BLOCK:
            self._blocks[-1] += piece
        else:
            self._blocks.append(bytearray(piece))
        self._held += len(piece)
        while self._blocks and self._held - len(self._blocks[0]) >= self._most:
            gone = len(self._blocks.popleft())
            self._held -= gone
            self._dropped += gone

    def blocks(self) -> Iterator[bytes]:
        surplus = self._held - self.size
        for block in self._blocks:
            yield bytes(block[surplus:])
            surplus = 0


def _gap(left_out: int, before: bytes) -> bytes:
    """The line that stands where bytes are missing, after the byte ``before``; on a line by itself."""
    line = b"[trackside: %d bytes were left out here]\n" % left_out
    return line if before in (b"", b"\n") else b"\n" + line
