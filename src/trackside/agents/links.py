"""Which issues a run belongs to: only what somebody said, never a number that merely stands there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from trackside.errors import UsageError
from trackside.joblogs.pattern_cost import repeats_a_repetition
from trackside.records.attribution import LinkSource

_WORD: Final = r"(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?|refs?|references)"
_NUMBER: Final = r"(?:(?P<repo>[\w.-]{1,100}/[\w.-]{1,100})?#|GH-)(?P<number>[1-9]\d{0,8})(?![\w-])"
_URL: Final = (
    r"https?://[^\s/]{1,100}/(?P<url_repo>[\w.-]{1,100}/[\w.-]{1,100})/issues/(?P<url_number>[1-9]\d{0,8})(?!\w)"
)
_KEYWORD: Final = re.compile(rf"(?<![\w/#-]){_WORD}(?::[ \t]*|[ \t]+)(?=[\w#])", re.IGNORECASE)
_TARGET: Final = re.compile(f"{_URL}|{_NUMBER}", re.IGNORECASE)
_ALSO: Final = re.compile(r"[ \t]*(?:,|&|and\b|,[ \t]*and\b)[ \t]*(?=[\w#])", re.IGNORECASE)
_BRANCH: Final = re.compile(r"(?:^|[/_-])issues?[-_/]([1-9]\d{0,8})(?=$|[-_/])", re.IGNORECASE)
_HIDDEN: Final = (("<!--", "-->"), ("```", "```"), ("~~~", "~~~"))
_CODE: Final = re.compile(r"`[^`\n]*`")
_QUOTED: Final = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
_BROUGHT: Final = re.compile(r"\(#([1-9]\d{0,8})\)\s*$|^Merge pull request #([1-9]\d{0,8})\b")
MOST: Final = 20
"""So many issues are taken from one text."""
_MOST_TEXT: Final = 20_000
_MOST_TITLE: Final = 1000


class IssueLink(msgspec.Struct, frozen=True, kw_only=True):
    """An issue that a run belongs to, where that was said, and the words."""

    number: int
    source: LinkSource
    evidence: str


class Mention(NamedTuple):
    """An issue that a text says it is about, with the words."""

    number: int
    words: str


class LinkFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a run attempt that may name its issues.

    ``branch`` is that of its head commit where it is not the default one, ``commit_message`` that of its head commit
    where the run is about that. ``pulls`` are the texts of its pull requests, by number.
    """

    branch: str | None = None
    title: str | None = None
    commit_message: str | None = None
    pulls: tuple[tuple[int, str | None], ...] = ()


class Linker:
    """Finds the issues of runs of a repository; each text is read once.

    ``patterns`` are regular expressions with a group ``number`` for titles. ``is_pull`` says whether a number is that
    of a pull request: such a number is never an issue. Raises UsageError for a pattern that may take for ever on some
    title.
    """

    def __init__(
        self, repo: str, patterns: Sequence[str] = (), is_pull: Callable[[int], bool] = lambda _: False
    ) -> None:
        self._repo = repo
        self._patterns = tuple(_compiled(pattern) for pattern in patterns)
        self._is_pull = is_pull
        self._read: dict[str, tuple[Mention, ...]] = {}

    def issues_of(self, run: LinkFacts) -> tuple[IssueLink, ...]:
        """The issues of a run, each once with the best source, the best first."""
        own = {*(number for number, _ in run.pulls), brought_by(run.commit_message)}
        found: dict[int, IssueLink] = {}
        for source, mention in self._mentions(run):
            if mention.number not in own and not self._is_pull(mention.number):
                link = IssueLink(number=mention.number, source=source, evidence=mention.words[:200])
                found.setdefault(mention.number, link)
        return tuple(found.values())

    def _mentions(self, run: LinkFacts) -> Iterator[tuple[LinkSource, Mention]]:
        for number, text in run.pulls:
            for mention in self._said_in(text):
                yield LinkSource.PULL_BODY, Mention(mention.number, f"#{number}: {mention.words}")
        yield from ((LinkSource.COMMIT, mention) for mention in self._said_in(run.commit_message))
        if run.branch:
            yield from ((LinkSource.BRANCH, Mention(int(one[1]), run.branch)) for one in _BRANCH.finditer(run.branch))
        title = (run.title or "")[:_MOST_TITLE]
        for pattern in self._patterns:
            yield from ((LinkSource.TITLE, Mention(int(one["number"]), one[0])) for one in _numbered(pattern, title))

    def _said_in(self, text: str | None) -> tuple[Mention, ...]:
        if not text:
            return ()
        if text not in self._read:
            self._read[text] = said_issues(text, self._repo)
        return self._read[text]


def said_issues(text: str, repo: str) -> tuple[Mention, ...]:
    """The issues of ``repo`` that a text closes or refers to, at most MOST; not in code, quotes or comments.

    GitHub's keywords are close, fix and resolve in all their forms; ref, refs and references count too. A list after a
    keyword (``Fixes #1, #2``) counts whole. Source: "Linking a pull request to an issue" in GitHub's documentation.
    """
    plain = _shown(text[:_MOST_TEXT])
    found: dict[int, Mention] = {}
    for keyword in _KEYWORD.finditer(plain):
        place = keyword.end()
        while (target := _TARGET.match(plain, place)) and len(found) < MOST:
            of = target["repo"] or target["url_repo"] or repo
            number = int(target["number"] or target["url_number"])
            if of.lower() == repo.lower():
                found.setdefault(number, Mention(number, plain[keyword.start() : target.end()]))
            more = _ALSO.match(plain, target.end())
            if more is None:
                break
            place = more.end()
    return tuple(found.values())


def brought_by(text: str | None) -> int | None:
    """The pull request that a message of a commit says it was merged by: ``… (#12)`` or ``Merge pull request #12 …``.

    So GitHub names the commits that it makes of pull requests; only the first line is looked at.
    """
    found = _BROUGHT.search((text or "").partition("\n")[0][:_MOST_TITLE])
    return int(found[1] or found[2]) if found else None


def _shown(text: str) -> str:
    """``text`` without comments, code and quotes; what is not closed reaches to the end."""
    for begin, end in _HIDDEN:
        parts: list[str] = []
        place = 0
        while (start := text.find(begin, place)) >= 0:
            parts.append(text[place:start])
            stop = text.find(end, start + len(begin))
            place = len(text) if stop < 0 else stop + len(end)
        text = " ".join((*parts, text[place:]))
    return _QUOTED.sub(" ", _CODE.sub(" ", text))


def _compiled(pattern: str) -> re.Pattern[str]:
    if repeats_a_repetition(pattern):
        shown = pattern[:200]
        msg = f"issue_patterns of [agents]: {shown!r} repeats a repetition, which may take for ever on some title."
        raise UsageError(msg)
    return re.compile(pattern)


def _numbered(pattern: re.Pattern[str], title: str) -> Iterator[re.Match[str]]:
    """What a pattern of the settings finds that is a number of an issue."""
    for one in pattern.finditer(title):
        number = one["number"]
        if number is not None and re.fullmatch(r"0*[1-9]\d{0,8}", number):
            yield one
