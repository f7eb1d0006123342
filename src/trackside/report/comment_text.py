"""Markdown as a comment on GitHub: whatever is in it, it calls nobody, refers to nothing and starts nothing.

The text comes from a report that makes names harmless already. This is the last look at the whole: it knows nothing of
where a word came from, so it holds for all of them. What bots and GitHub act on is broken by a character without width,
which stays to be copied; within fences only what acts there too. Links stay where they lead into the repository itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import msgspec

from trackside.joblogs.cleaning import redact
from trackside.report.safe_text import safe_text

MOST_UNITS: Final = 65_536
"""GitHub speaks of 65,536 characters, and has been seen to take up to 256 KiB of UTF-8. So many units of UTF-16 are
never more than either."""
_MOST_OF_A_LINE: Final = 8_000
_NIL: Final = "\u200b"
_REST: Final = "The rest is left out: a comment is at most 65,536 characters long."
_END_OF_DETAILS: Final = "</details>"
_PLAIN_INFO: Final = frozenset({"", "text", "console", "diff", "json"})
_FENCE: Final = re.compile(r"(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)")
# Of numbers those that ``markdown_text`` writes; any other could hide what is looked for below.
_ENTITY: Final = re.compile(r"(?<=\\)&|&(?!(?:amp|gt|lt|quot|#(?:3[568]|4[235]|6[0124]|9[12356]|12[3456]));)")
_TAG: Final = re.compile(r"<(?!/?(?:details|summary)>|br>)")
_LINK: Final = re.compile(r"(?<!!)\[(?P<text>[^\[\]]*)\]\((?P<url>[^()\s<>]*)\)")
_PLAIN_URL: Final = re.compile(r"https?://[\w.~:/?#@!$&'*+,;=%-]+", re.ASCII)
_ACTIVE: Final = re.compile(
    r"@|&#64;"  # a mention
    r"|(?<!&)#(?![\s#])|&#35;|(?<=[Gg][Hh])(?:-|&#45;)"  # a reference: #1, octo/engine#1, GH-1
    r"|:(?=//)|[Ww]{3}(?=\.)"  # an address
    r"|!(?=\[)|\](?=[(:\[])"  # an image, a link, where a link leads
    r"|[`~](?=[`~]{2})|(?<=[`~])[`~](?=[`~])"  # a fence that does not begin its line
)
_COMMAND: Final = re.compile(r"^(\s*)(?=/)")


class _Piece(msgspec.Struct, frozen=True):
    """A line of the comment, and what would have to be closed were it the last: a fence, and so many details."""

    text: str
    fence: str
    details: int

    @property
    def ends(self) -> list[str]:
        """The lines that close what is open."""
        return [*([self.fence] if self.fence else []), *[_END_OF_DETAILS] * self.details]


def comment_text(marker: str, markdown: str, site: str) -> str:
    """``markdown`` below ``marker`` (its first line, by which it is found again), at most MOST_UNITS long.

    ``site`` is the page of the repository, such as ``https://github.com/octo/engine``: links into it stay. Secrets are
    replaced by ``***``. The same text gives the same comment.
    """
    used = units(marker) + 1
    pieces: list[_Piece] = []
    for piece in _pieces(markdown, site):
        used += units(piece.text) + 1
        pieces.append(piece)
        if used > MOST_UNITS:
            break
    if used + _closing(pieces, cut=False) <= MOST_UNITS:
        ends = pieces[-1].ends if pieces else []
        return "\n".join([marker, "", *(piece.text for piece in pieces), *ends])
    while pieces and used + _closing(pieces, cut=True) > MOST_UNITS:
        used -= units(pieces.pop().text) + 1
    ends = pieces[-1].ends if pieces else []
    return "\n".join([marker, "", *(piece.text for piece in pieces), *ends, "", _REST])


def is_cut(text: str) -> bool:
    """Whether a comment of ``comment_text`` is not the whole of what was to be said."""
    return text.endswith(f"\n{_REST}")


def units(text: str) -> int:
    """How long a text is in UTF-16, as GitHub may count it."""
    return len(text) + sum(char > "\uffff" for char in text)


def _closing(pieces: list[_Piece], *, cut: bool) -> int:
    """How long what must follow the pieces is."""
    last = pieces[-1] if pieces else _Piece("", "", 0)
    fence = units(last.fence) + 1 if last.fence else 0
    return fence + last.details * (len(_END_OF_DETAILS) + 1) + (units(_REST) + 2 if cut else 0)


def _pieces(markdown: str, site: str) -> Iterator[_Piece]:
    """The lines, each made harmless, with what is open after them. Only what begins a line is a fence."""
    fence, details, after_tag = "", 0, False
    for line in _lines(markdown):
        if fence:
            closes = re.fullmatch(rf" {{0,3}}{re.escape(fence[0])}{{{len(fence)},}}[ \t]*", line) is not None
            yield _Piece(fence if closes else _in_fence(line), "" if closes else fence, details)
            fence = "" if closes else fence
            continue
        if after_tag and line.strip():
            # Markdown begins again only after an empty line: until then a fence would be HTML.
            yield _Piece("", "", details)
        after_tag = False
        if opened := _FENCE.fullmatch(line):
            fence = opened["mark"]
            info = opened["info"].strip()
            yield _Piece(fence + (info if info in _PLAIN_INFO else "text"), fence, details)
            continue
        text = _in_prose(line, site)
        details = max(details + text.count("<details>") - text.count("</details>"), 0)
        after_tag = text.lstrip().startswith("<") and line.strip() != ""
        yield _Piece(text, "", details)


def _lines(markdown: str) -> Iterator[str]:
    """The lines as GitHub sees them, without secrets, every character that acts on a reader's screen shown."""
    for line in re.split(r"\r\n|\n|\r", markdown):
        # An address with a password in it is known by its @, which may be written otherwise.
        told = redact(line[: _MOST_OF_A_LINE * 2].replace("&#64;", "@").replace("\t", "    "))
        shown = safe_text(told.replace(_NIL, ""))
        yield shown if len(shown) <= _MOST_OF_A_LINE else shown[: _MOST_OF_A_LINE - 1] + "…"


def _in_fence(line: str) -> str:
    """A line of code: nothing in it is a link or a reference, but bots read it as well as people."""
    return _COMMAND.sub(rf"\1{_NIL}", line.replace("@", f"@{_NIL}"))


def _in_prose(line: str, site: str) -> str:
    """A line of text, in which only links into the repository and tags that fold text away do anything."""
    shown, place = "", 0
    for link in _LINK.finditer(line):
        if _is_within(link["url"], site):
            shown += f"{_broken(line[place : link.start()])}[{_broken(link['text'])}]({link['url']})"
            place = link.end()
    return _COMMAND.sub(rf"\1{_NIL}", shown + _broken(line[place:]))


def _broken(text: str) -> str:
    return _ACTIVE.sub(rf"\g<0>{_NIL}", _TAG.sub("‹", _ENTITY.sub(f"&{_NIL}", text)))


def _is_within(url: str, site: str) -> bool:
    """Whether a link leads into the repository: to the same host, below its page, by no way round."""
    if not _PLAIN_URL.fullmatch(url) or "/.." in url or "/%2e" in url.lower() or "\\" in url:
        return False
    told, home = urlsplit(url), urlsplit(site)
    below = told.path.lower().startswith(f"{home.path.rstrip('/').lower()}/")
    return told.scheme == home.scheme and told.netloc.lower() == home.netloc.lower() and below
