"""Changes as a short message that reads the same as plain text and as Markdown, and in which no name does anything."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from trackside.ci.changes import Change, ChangeKind, Changes

MOST_LINES: Final = 10
MOST_CHARACTERS: Final = 1_500
_MOST_OF_A_NAME: Final = 120
_WORDS: Final = {
    ChangeKind.BROKEN: ("newly broken", "Broken"),
    ChangeKind.FIXED: ("fixed", "Fixed"),
    ChangeKind.GONE: ("no longer run", "No longer run"),
    ChangeKind.ERROR: ("new error", "New error"),
    ChangeKind.FLAKY: ("newly flaky", "Flaky"),
}
# What chat services act on, even within code: mentions, special links, and addresses that are not ours.
_HARMLESS: Final = str.maketrans({"@": "＠", "<": "‹", ">": "›", "`": "ˋ", "|": "¦", "!": "！", "\\": "＼"})
_ADDRESS: Final = re.compile(r"://|(?<![A-Za-z0-9])www\.", re.IGNORECASE)
_URL: Final = re.compile(r"https?://[A-Za-z0-9.:_~/?#=&%+,-]{1,300}")


class Message(msgspec.Struct, frozen=True):
    """What is sent: at most MOST_LINES lines and MOST_CHARACTERS characters, title and body together."""

    title: str
    body: str

    @property
    def text(self) -> str:
        """The whole message."""
        return f"{self.title}\n{self.body}" if self.body else self.title


def message_of(changes: Changes) -> Message | None:
    """The message that tells ``changes``; None where there is nothing to tell."""
    if not changes.items:
        return None
    lines = [told_line(_WORDS[one.kind][1], one.what, _facts(one), one.url) for one in changes.items]
    return compose(_title(changes), lines, _ends(changes))


def compose(title: str, lines: Sequence[str], ends: Sequence[str] = ()) -> Message:
    """A message of as many ``lines`` as fit, how many are left out, and the lines that must stand at the end."""
    room = MOST_CHARACTERS - len(title) - sum(len(line) + 1 for line in ends)
    taken = _fitting(lines, MOST_LINES - 1 - len(ends), room)
    left = len(lines) - taken
    more = [f"… and {left:,} more."] if left else []
    return Message(title, "\n".join([*lines[:taken], *more, *ends]))


def told_line(word: str, what: str, facts: str, url: str | None) -> str:
    """One thing in one line, its link at the end: ``Broken: `unit` (since run #7) https://…``. ``what`` is harmless."""
    link = url if url and _URL.fullmatch(url) else None
    about = f" ({facts})" if facts else ""
    return f"{word}: {harmless(what)}{about}{f' {link}' if link else ''}"


def counted_title(repo: str, parts: Iterable[str]) -> str:
    """The title of a message on what changed: ``octo/engine: 1 newly broken, 2 fixed``."""
    return f"{harmless(repo).strip('`')}: {', '.join(parts)}"


def harmless(text: str, most: int = _MOST_OF_A_NAME) -> str:
    """``text`` from outside as code, cut to ``most`` characters: no mention, link or command comes out of it."""
    shown = "".join(char if char.isprintable() else " " for char in text[: most * 4]).translate(_HARMLESS)
    shown = _ADDRESS.sub(lambda found: found[0].replace("/", "⁄").replace(".", "․"), " ".join(shown.split()))
    cut = shown if len(shown) <= most else shown[: most - 1] + "…"
    return f"`{cut or '?'}`"


def _title(changes: Changes) -> str:
    if changes.is_first:
        jobs = len(changes.items)
        words = "job is" if jobs == 1 else "jobs are"
        return counted_title(changes.repo, [f"{jobs:,} {words} broken on the default branch"])
    counts = Counter(change.kind for change in changes.items)
    parts = [f"{counts[kind]:,} {_plural(kind, counts[kind])}" for kind in ChangeKind if counts[kind]]
    return counted_title(changes.repo, parts)


def _plural(kind: ChangeKind, count: int) -> str:
    words = _WORDS[kind][0]
    return f"{words}s" if kind is ChangeKind.ERROR and count > 1 else words


def _facts(change: Change) -> str:
    cause = f"{change.cause.replace('_', ' ')}" if change.cause and change.cause != "other" else None
    run = f"run #{change.since}" if change.since is not None else None
    if change.kind is ChangeKind.BROKEN:
        where = f"on {harmless(change.where[0], 60)}" if change.where else None
        rows = f"{change.count:,} runs in a row" if change.count > 1 else "again when tried again"
        return ", ".join(filter(None, (where, f"since {run}" if run else None, rows, cause)))
    if change.kind is ChangeKind.ERROR:
        jobs = harmless(change.where[0], 60) if change.where else None
        more = f"{jobs} and {len(change.where) - 1:,} more" if jobs and len(change.where) > 1 else jobs
        return ", ".join(filter(None, (cause, f"in {more}" if more else None, f"{change.count:,} ×")))
    if change.kind is ChangeKind.FLAKY:
        return f"passed and failed on {change.count:,} commit{'' if change.count == 1 else 's'}"
    verb = "in" if change.kind is ChangeKind.FIXED else "last seen in"
    return f"{verb} {run}" if run else ""


def _ends(changes: Changes) -> list[str]:
    """What the first message says of all that is known without being told one by one."""
    known = []
    if changes.flaky_known:
        known.append(f"{changes.flaky_known:,} flaky job{'' if changes.flaky_known == 1 else 's'}")
    if changes.errors_known:
        known.append(f"{changes.errors_known:,} error{'' if changes.errors_known == 1 else 's'}")
    if not changes.is_first:
        return []
    also = f"Known besides: {' and '.join(known)}. " if known else ""
    return [f"{also}From now on only changes are told."]


def _fitting(lines: Sequence[str], most_lines: int, room: int) -> int:
    """How many of ``lines`` fit, leaving room to say how many do not."""
    if len(lines) <= most_lines and sum(len(line) + 1 for line in lines) <= room:
        return len(lines)
    taken, used = 0, len("… and 1,000,000 more.") + 1
    for line in lines[: most_lines - 1]:
        used += len(line) + 1
        if used > room:
            break
        taken += 1
    return taken
