"""Trailers of a commit message, by the rules of ``git interpret-trailers``."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_TRAILER: Final = re.compile(r"([A-Za-z0-9-]+)[ \t]*:(.*)", re.DOTALL)
_GENERATED: Final = ("Signed-off-by: ", "(cherry picked from commit ")
"""What git writes itself: with one of them a block may hold lines that are no trailers."""
_SHARE: Final = 3
_PERSON: Final = re.compile(r"(?P<name>[^<>]*)<(?P<email>[^<>\s]+)>")
MOST_LINES: Final = 200
"""Of a last paragraph with more lines only the last so many are looked at."""


class Trailer(NamedTuple):
    """A trailer: its token as it was written, and its value in one line."""

    token: str
    value: str


def trailers_of(message: str) -> tuple[Trailer, ...]:
    """The trailers of a commit message, in their order.

    They stand in its last paragraph, which is not its first. All lines of that must be trailers or go on with one, or
    at least a quarter, one of them written by git. Source: ``git-interpret-trailers(1)``.
    """
    block = _last_paragraph(message)
    trailers: list[Trailer] = []
    others = 0
    before_is_trailer = False
    for line in block:
        if line[:1] in (" ", "\t"):
            if before_is_trailer:
                last = trailers[-1]
                trailers[-1] = last._replace(value=f"{last.value} {line.strip()}".strip())
            else:
                others += 1
            continue
        found = _TRAILER.fullmatch(line)
        before_is_trailer = found is not None
        if found:
            trailers.append(Trailer(found[1], found[2].strip()))
        elif not line.startswith(_GENERATED[1]):
            others += 1
    if not others:
        return tuple(trailers)
    is_git = any(line.startswith(_GENERATED) for line in block)
    return tuple(trailers) if is_git and len(trailers) * _SHARE >= others else ()


def co_authors_of(message: str) -> tuple[tuple[str, str], ...]:
    """Name and address of each ``Co-authored-by`` trailer, each address once."""
    found: dict[str, tuple[str, str]] = {}
    for token, value in trailers_of(message):
        person = _PERSON.fullmatch(value) if token.lower() == "co-authored-by" else None
        if person:
            found.setdefault(person["email"].lower(), (person["name"].strip(), person["email"]))
    return tuple(found.values())


def _last_paragraph(message: str) -> list[str]:
    """The lines of the last paragraph, empty where it is the first; comments are no lines."""
    lines = [line for line in message.replace("\r\n", "\n").rstrip().split("\n") if not line.startswith("#")]
    blank = next((index for index in range(len(lines) - 1, -1, -1) if not lines[index].strip()), None)
    if blank is None or not any(line.strip() for line in lines[:blank]):
        return []
    return lines[blank + 1 :][-MOST_LINES:]
