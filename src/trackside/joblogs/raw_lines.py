"""The lines of a log where they stand: found by words, read only where they are wanted."""

from __future__ import annotations

import bisect
import re
from typing import Final, NamedTuple

from trackside.joblogs.cleaning import STAMP, clean
from trackside.joblogs.rule_table import TRIGGERS

_RAW_LIMIT: Final = 16_384
_FORM_LIMIT: Final = 4096
_MOST_HITS: Final = 100_000
_SCRIPT: Final = b"\x1b[36;1m"


class RawLine(NamedTuple):
    """A line: where it begins and ends in the log, and its text, cleaned. ``echo``: a script that is shown."""

    start: int
    end: int
    text: str
    echo: bool


class RawLines:
    """A log as lines. Nothing is split up front: logs have up to 64 MiB and few lines matter."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def at(self, start: int) -> RawLine:
        """The line that begins at ``start``."""
        end = self.content.find(b"\n", start)
        end = len(self.content) if end == -1 else end
        raw = self.content[start : min(end, start + _RAW_LIMIT)]
        stamp = STAMP.match(raw)
        return RawLine(start, end, clean(raw), raw.startswith(_SCRIPT, stamp.end() if stamp else 0))

    def form_at(self, start: int) -> bytes:
        """The line that begins at ``start`` without its digits."""
        end = self.content.find(b"\n", start, start + _FORM_LIMIT)
        return self.content[start : end if end != -1 else start + _FORM_LIMIT].translate(None, b"0123456789")

    def start_of(self, offset: int) -> int:
        """Where the line begins that holds the byte at ``offset``."""
        return self.content.rfind(b"\n", 0, offset) + 1

    def number(self, start: int) -> int:
        """The number of the line that begins at ``start``, from 1."""
        return self.content.count(b"\n", 0, start) + 1

    def before(self, start: int, count: int) -> list[RawLine]:
        """Up to ``count`` lines before the one at ``start``, the nearest first."""
        found: list[RawLine] = []
        while start > 0 and len(found) < count:
            start = self.start_of(start - 1)
            found.append(self.at(start))
        return found

    def after(self, end: int, count: int) -> list[RawLine]:
        """Up to ``count`` lines after the one that ends at ``end``."""
        found: list[RawLine] = []
        while end + 1 < len(self.content) and len(found) < count:
            found.append(self.at(end + 1))
            end = found[-1].end
        return found

    def stamp_of(self, start: int) -> bytes | None:
        """The stamp of the line at ``start``, or of the nearest of 100 lines before it that has one."""
        for _ in range(100):
            stamp = STAMP.match(self.content, start, start + 60)
            if stamp:
                return stamp[1]
            if start == 0:
                return None
            start = self.start_of(start - 1)
        return None


def lines_with_triggers(content: bytes) -> list[int]:
    """Where the lines begin, in order, that hold one of the words without which no rule looks at a line."""
    lower = content.lower()
    starts: set[int] = set()
    for word in TRIGGERS:
        starts.update(lines_with_word(lower, word.encode()))
    return sorted(starts)


def lines_with_word(lower: bytes, word: bytes) -> list[int]:
    """Where the lines begin that hold ``word``; of one that very many lines hold the first and the last of them."""
    found: list[int] = []
    at = lower.find(word)
    while at != -1:
        if len(found) == _MOST_HITS:
            return found + _last_lines_with(lower, word, at)
        found.append(lower.rfind(b"\n", 0, at) + 1)
        end = lower.find(b"\n", at)
        at = -1 if end == -1 else lower.find(word, end)
    return found


def _last_lines_with(lower: bytes, word: bytes, first: int) -> list[int]:
    found: list[int] = []
    at = lower.rfind(word, first)
    while at != -1 and len(found) < _MOST_HITS:
        found.append(lower.rfind(b"\n", 0, at) + 1)
        at = lower.rfind(word, first, found[-1])
    return found


def offsets_of(content: bytes, word: bytes) -> list[int]:
    """Where ``word`` stands at the beginning of a line, stamp or not."""
    found: list[int] = []
    at = content.find(word)
    while at != -1:
        start = content.rfind(b"\n", 0, at) + 1
        if at - start <= 40 and (at == start or STAMP.fullmatch(content, start, at)):
            found.append(at)
        at = content.find(word, at + len(word))
    return found


def index_before(offsets: list[int], offset: int) -> int:
    """The index of the last of ``offsets`` that is not after ``offset``, -1 where all are."""
    return bisect.bisect_right(offsets, offset) - 1


_PREFIX: Final = re.compile(
    r"##\[error\]|\s{0,4}#\d{1,4} \d{1,6}\.\d{1,3} |\((?:\w{1,40}(?: \w{1,40}){0,3} )?pid=\d+[^()]{0,60}\) "
    r"|\[rank\d+\]: ?|\[\d{1,4}\]: ?"
    r"|(?:INFO|ERROR|CRITICAL|WARNING) \d\d-\d\d \d\d:\d\d:\d\d \[[^\]]{1,120}\] |\[test\] |\[(?:stderr"
    r"|stdout)\] ?|  \[31m|\d{1,2}: (?=\w+Error)"
    r"|\[?\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,6})?(?: [A-Z]{2,8}\d{1,4}){0,6}\]? (?=\S)"
)


def message_of(text: str) -> str:
    """The line without what wrote it: annotation mark, step of an image build, process, rank, the log's own stamp."""
    at = 0
    for _ in range(5):
        found = _PREFIX.match(text, at)
        if not found:
            break
        at = found.end()
    return text[at:]
