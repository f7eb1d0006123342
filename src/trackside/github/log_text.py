"""A log on its way into the store: compressed while it streams by, never held whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
import zstandard

MOST_TEXT: Final = 64 * 1024 * 1024
"""Bytes of one log that are kept where nothing else is said."""


class LogText(msgspec.Struct, frozen=True, kw_only=True):
    """The log as it came, byte order mark and stamps and all, compressed with Zstandard.

    ``size_bytes`` counts what was kept, before compression; ``truncated`` says that there was more.
    """

    content: bytes
    size_bytes: int
    truncated: bool


def pack_log(chunks: Iterable[bytes], most: int = MOST_TEXT) -> LogText:
    """The first ``most`` bytes of ``chunks``; what comes after them is not read."""
    packer = zstandard.ZstdCompressor().compressobj()
    packed: list[bytes] = []
    size, truncated = 0, False
    for chunk in chunks:
        room = most - size
        if len(chunk) > room:
            chunk, truncated = chunk[:room], True
        packed.append(packer.compress(chunk))
        size += len(chunk)
        if truncated:
            break
    packed.append(packer.flush())
    return LogText(content=b"".join(packed), size_bytes=size, truncated=truncated)
