"""Markdown that must not be longer than something shows: the least important sections go first, and it says so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_FENCE: Final = re.compile(r"(`{3,})(?:text)?$")
_HEADING: Final = "## "
_WORTH: Final = 1000
"""Characters of a section that are worth to be shown without its end."""
_REST: Final = "The rest is left out here for its length: `--format json` has everything."


def code_block(lines: Sequence[str]) -> list[str]:
    """Lines as a block of code that none of them can end."""
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *lines, fence]


def fit(markdown: str, most: int, cut_first: Sequence[str] = ()) -> str:
    """``markdown`` in at most ``most`` characters (an emoji counts as two).

    Sections are left out, those of ``cut_first`` in that order, then the others from the end on; a line in their place
    says so. Of the last one that had to go the beginning stays, where there is room for it.
    """
    if _size(markdown) <= most:
        return markdown
    head, sections = _sections(markdown)
    titles = [title for title, _ in sections]
    order = [*cut_first, *[title for title in reversed(titles) if title not in cut_first]]
    kept = dict(sections)
    for title in order[:-1]:
        body = kept.get(title, [])
        kept |= {title: _left_out(body)} if title in kept else {}
        room = most - _size(_joined(head, [(each, kept[each]) for each in titles]))
        if room >= 0:
            kept |= {title: _begin_of(body, room)} if room > _WORTH else {}
            return _joined(head, [(each, kept[each]) for each in titles])
    return "\n".join(_cut(_joined(head, [(each, kept[each]) for each in titles]).split("\n"), most, _REST))


def _size(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _left_out(body: list[str]) -> list[str]:
    return ["", f"Left out here for its length ({_size(chr(10).join(body)):,} characters): `--format json` has it.", ""]


def _joined(head: list[str], sections: list[tuple[str, list[str]]]) -> str:
    lines = list(head)
    for title, body in sections:
        lines += [_HEADING + title, *body]
    return "\n".join(lines).rstrip("\n")


def _sections(markdown: str) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """What stands before the first section, and each section with its lines; headings in code are none."""
    head: list[str] = []
    sections: list[tuple[str, list[str]]] = []
    fence: str | None = None
    for line in markdown.split("\n"):
        fence = _fence_after(line, fence)
        if fence is None and line.startswith(_HEADING):
            sections.append((line.removeprefix(_HEADING), []))
        else:
            (sections[-1][1] if sections else head).append(line)
    return head, sections


def _fence_after(line: str, fence: str | None) -> str | None:
    """The fence that is open after a line."""
    if fence is not None:
        return None if line == fence else fence
    found = _FENCE.fullmatch(line)
    return found[1] if found else None


def _begin_of(body: list[str], room: int) -> list[str]:
    """The beginning of a section, in the place of the line that says that it is left out, and ``room`` more."""
    most = _size("\n".join(_left_out(body))) + room
    return body if _size("\n".join(body)) <= most else [*_cut(body, most, _REST), ""]


def _cut(lines: list[str], most: int, rest: str) -> list[str]:
    """The first lines that fit together with ``rest``, which says that there is more; an open block is closed."""
    kept: list[str] = []
    size, fence = 0, None
    for line in lines:
        after = _fence_after(line, fence)
        size += _size(line) + 1
        if size + len(after or fence or "") + len(rest) + 6 > most:
            break
        kept.append(line)
        fence = after
    return [*kept, *([fence] if fence else []), "", rest]
