"""Pull requests, branches and commits that git commands name in a log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

import msgspec

from trackside.runlogs.findings import GitReference
from trackside.runlogs.lines import LogLine, shown

MOST: Final = 60
"""So many references of a job are kept; the others are counted."""
_REF: Final = r"[^\s~^:?*\[\\'\"]{1,200}"
_SHA: Final = r"([0-9a-f]{40})"
_PULL_REF: Final = re.compile(r"(?<![\w-])(?:refs/(?:remotes/)?)?pull/(\d{1,9})/(?:merge|head)\b")
_PULL_URL: Final = re.compile(r"https?://[\w.:-]{1,100}/([\w.-]{1,100}/[\w.-]{1,100})/pull/(\d{1,9})\b")
_FETCHED: Final = re.compile(rf" \* (?:branch|\[new branch\])\s{{1,80}}({_REF})\s{{1,80}}-> ({_REF})")
_UPDATED: Final = re.compile(
    rf"[ +]{{2,4}}[0-9a-f]{{7,40}}\.{{2,3}}[0-9a-f]{{7,40}}\s{{1,20}}({_REF})\s{{1,80}}-> ({_REF})"
)
_SWITCHED: Final = re.compile(rf"(?:Switched to|Reset) (?:a new )?branch '({_REF})'")
_TRACKS: Final = re.compile(rf"[Bb]ranch '({_REF})' set up to track ")
_ON: Final = re.compile(rf"On branch ({_REF})$")
_PUSH: Final = re.compile(r"(?:\[command\]\S{0,100}|\+ |\$ )?git (?:push|checkout|switch)((?: [^\s'\"]{1,200}){1,8})$")
_COMMITTED: Final = re.compile(rf"\[({_REF})(?: \(root-commit\))? ([0-9a-f]{{7,40}})\] \S")
_HEAD: Final = re.compile(r"HEAD is now at ([0-9a-f]{7,40})\b")
_CHECKED_OUT: Final = re.compile(rf"(?:\[command\]\S{{0,100}}git|git) .{{0,400}}?(?<![\w+:/])\+?{_SHA}(?=:refs|\s|$)")
_BARE_SHA: Final = re.compile(rf"'?{_SHA}'?$")
_LOG: Final = "git log -1 --format="
_ROUGH: Final = ("pull/", " -> ", "ranch", "git ", "HEAD is now at", "] ")
_REMOTES: Final = ("origin/", "remotes/origin/", "refs/heads/", "refs/remotes/origin/", "upstream/")
_NO_BRANCH: Final = frozenset({"HEAD", "FETCH_HEAD", "origin", "upstream", "detached"})
Kind = Literal["pull", "branch", "sha"]


class _Named(NamedTuple):
    kind: Kind
    name: str


class GitReferences:
    """Takes the lines of a job's log; ``found`` is what git commands name in it, of ``repo`` where that is known."""

    def __init__(self, job: str, repo: str | None) -> None:
        self.left_out = 0
        self._job = job
        self._repo = repo.lower() if repo else None
        self._found: dict[_Named, GitReference] = {}
        self._asked = False

    def take(self, line: LogLine) -> None:
        """A line of the log."""
        if line.is_script:
            return
        text, asked = line.text, self._asked
        self._asked = _LOG in text
        if asked and (found := _BARE_SHA.match(text)):
            self._keep(line, _Named("sha", found[1]))
        elif any(word in text for word in _ROUGH):
            for named in {**dict.fromkeys(_pulls(text, self._repo)), **dict.fromkeys(_named(text))}:
                self._keep(line, named)

    @property
    def found(self) -> tuple[GitReference, ...]:
        """The references, pull requests first, each in the order in which it was first named."""
        order = {"pull": 0, "branch": 1, "sha": 2}
        return tuple(sorted(self._found.values(), key=lambda one: (order[one.kind], one.line_number)))

    def _keep(self, line: LogLine, named: _Named) -> None:
        known = self._found.get(named)
        if known is not None:
            self._found[named] = msgspec.structs.replace(known, count=known.count + 1)
        elif len(self._found) == MOST:
            self.left_out += 1
        else:
            name = shown(named.name, 200)
            self._found[named] = GitReference(
                kind=named.kind, name=name, job=self._job, step=line.step, line_number=line.number
            )


def _pulls(text: str, repo: str | None) -> Iterator[_Named]:
    for number in _PULL_REF.findall(text):
        yield _Named("pull", str(int(number)))
    for home, number in _PULL_URL.findall(text):
        if repo is None or home.lower() == repo:
            yield _Named("pull", str(int(number)))


def _named(text: str) -> Iterator[_Named]:
    for pattern in (_FETCHED, _UPDATED):
        if found := pattern.match(text):
            yield from _branches(found[1])
    for pattern in (_SWITCHED, _TRACKS, _ON):
        if found := pattern.match(text):
            yield from _branches(found[1])
    if found := _PUSH.match(text):
        yield from _pushed(found[1].split())
    if found := _COMMITTED.match(text):
        yield from _branches(found[1])
        yield _Named("sha", found[2])
    if found := _HEAD.match(text):
        yield _Named("sha", found[1])
    if found := _CHECKED_OUT.match(text):
        yield _Named("sha", found[1])


def _pushed(words: list[str]) -> Iterator[_Named]:
    """The branch of ``git push origin HEAD:branch``, ``git checkout -b branch`` and the like."""
    named = [word for word in words if not word.startswith("-")]
    if named and not re.fullmatch(r"[0-9a-f]{7,40}", named[-1]):
        yield from _branches(named[-1].rpartition(":")[2])


def _branches(name: str) -> Iterator[_Named]:
    for start in _REMOTES:
        name = name.removeprefix(start)
    if name not in _NO_BRANCH and not _PULL_REF.search(name) and not name.startswith(("pull/", "refs/", "/", ".", "-")):
        yield _Named("branch", name)
