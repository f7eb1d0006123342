"""The lines of a log that hold one of a few words, without looking at each line of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

LONGEST: Final = 4096
"""So many bytes of a line are looked at."""


def lines_with(content: bytes, words: Sequence[bytes]) -> Iterator[bytes]:
    """Each line that holds a word, in order, cut after LONGEST bytes; CR is left at its end."""
    for start, end in sorted({place for word in words for place in _places(content, word)}):
        yield content[start : min(end, start + LONGEST)]


def _places(content: bytes, word: bytes) -> Iterator[tuple[int, int]]:
    end = 0
    while (hit := content.find(word, end)) >= 0:
        start = content.rfind(b"\n", end, hit) + 1
        end = content.find(b"\n", hit)
        if end < 0:
            end = len(content)
        yield (start, end)
