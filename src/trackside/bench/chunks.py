"""Cuts a stream of bytes into chunks of whole lines, with bounded memory whatever the stream holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

MAX_LINE_BYTES: Final = 1 << 20


class Chunk(NamedTuple):
    """Whole lines (each ends with a line feed), or the unfinished last line of the stream (``is_tail``).

    ``overlong`` counts lines of which only the first ``MAX_LINE_BYTES`` are in ``data``.
    ``consumed`` is how many bytes of the stream end with this chunk; with ``mid_line`` they end inside a line that was
    cut, whose rest is still to be skipped.
    """

    data: bytes
    is_tail: bool
    overlong: int
    consumed: int
    mid_line: bool = False


def whole_lines(blocks: Iterable[bytes], *, skipping: bool = False) -> Iterator[Chunk]:
    """The stream as chunks of whole lines; a line over the limit is cut, counted and its rest skipped.

    With ``skipping`` the stream begins inside such a line.
    """
    carry = b""
    overlong = 0
    consumed = 0
    for block in blocks:
        data = block
        consumed += len(block)
        if skipping:
            end = data.find(b"\n")
            if end < 0:
                continue
            data = data[end + 1 :]
            skipping = False
        cut = data.rfind(b"\n") + 1
        if cut:
            yield Chunk(b"".join((carry, memoryview(data)[:cut])), False, overlong, consumed - (len(data) - cut))
            carry, overlong = data[cut:], 0
        else:
            carry += data
        if len(carry) > MAX_LINE_BYTES:
            yield Chunk(carry[:MAX_LINE_BYTES] + b"\n", False, overlong + 1, consumed, mid_line=True)
            carry, overlong, skipping = b"", 0, True
    if carry:
        yield Chunk(carry, True, overlong, consumed)
