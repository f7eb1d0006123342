"""JSON documents in a stream: one a line, or one for the whole, or several one after the other."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import BinaryIO, Final

import msgspec

MOST_DOCUMENT: Final = 128 * 1024 * 1024
"""Bytes of one line or of one document that spans lines; a longer one is not held in memory."""
_DRAIN: Final = 1024 * 1024
_MARK: Final = b"\xef\xbb\xbf"


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What should be one document: where it begins, and its bytes, None where it is too long to be read."""

    line: int
    data: bytes | None


def documents(file: BinaryIO, most: int = MOST_DOCUMENT) -> Iterator[Document]:
    """The documents in ``file``. A line that is no JSON comes back as it is; of a file of lines none but one is held.

    Where the first line is no document of its own, the first ``most`` bytes are looked at as a whole.
    """
    lines = enumerate(_lines(file, most), 1)
    first = next(((line, data) for line, data in lines if data is None or data.strip(_MARK + b" \t\r\n")), None)
    if first is None:
        return
    number, data = first
    if data is None or _is_json(data.removeprefix(_MARK)):
        yield from _numbered(itertools.chain([first], lines))
        return
    head = data.removeprefix(_MARK) + file.read(max(0, most - len(data)))
    if head and not head.endswith(b"\n"):
        head += file.readline(most)
    if (found := _split(head)) is not None:
        yield from (Document(line=number + before, data=part) for before, part in found)
        yield from _numbered(enumerate(_lines(file, most), number + head.count(b"\n")))
        return
    if not any(line.lstrip()[:1] in (b"{", b"[") and _is_json(line) for line in BytesIO(head)):
        # One document over many lines that is torn or too long, and not as many bad lines.
        yield Document(line=number, data=None if len(head) >= most else head)
        return
    yield from _numbered(enumerate(itertools.chain(_lines(BytesIO(head), most), _lines(file, most)), number))


def _numbered(lines: Iterable[tuple[int, bytes | None]]) -> Iterator[Document]:
    for number, data in lines:
        if data is None:
            yield Document(line=number, data=None)
        elif text := data.removeprefix(_MARK).strip():
            yield Document(line=number, data=text)


def _lines(file: BinaryIO, most: int) -> Iterator[bytes | None]:
    """The lines of ``file``, None for one of more than ``most`` bytes."""
    while line := file.readline(most + 1):
        if len(line) <= most or line.endswith(b"\n"):
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(_DRAIN)
        yield None


def _is_json(data: bytes) -> bool:
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (ValueError, RecursionError):
        return False
    return True


def _split(data: bytes) -> list[tuple[int, bytes]] | None:
    """The documents that ``data`` is made of, each with the line breaks before it; None where it does not begin so.

    What follows the last whole document comes as one more.
    """
    text = data.decode("utf-8", "surrogateescape")
    decoder, found, place = json.JSONDecoder(), list[tuple[int, bytes]](), 0
    while (place := _next_text(text, place)) < len(text):
        try:
            _, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            if not found:
                return None
            end = len(text)
        found.append((text.count("\n", 0, place), text[place:end].encode("utf-8", "surrogateescape")))
        place = end
    return found


def _next_text(text: str, place: int) -> int:
    while place < len(text) and text[place] in " \t\r\n":
        place += 1
    return place
