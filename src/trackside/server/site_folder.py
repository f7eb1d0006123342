"""A built site in memory: every file as it was when its build was complete, packed once."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

SITE_FILE: Final = "data/site.json"
KINDS: Final = {
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".xml": "application/xml",
}
_OTHER: Final = "application/octet-stream"
_PACKED: Final = frozenset(KINDS) - {".png"}
_LEVEL: Final = 6


class ServedFile(NamedTuple):
    """A file: its type, the digest of its content, the content itself, packed with gzip where that pays.

    ``stamp`` is (inode, mtime in ns, size) of the file it was read from.
    """

    kind: str
    digest: str
    content: bytes
    packed: bool
    stamp: tuple[int, int, int]

    @property
    def plain(self) -> bytes:
        """The content as it is in the file."""
        return gzip.decompress(self.content) if self.packed else self.content


class _SiteJson(msgspec.Struct):
    generated_at: dt.datetime | None = None


class _AgentRun(msgspec.Struct):
    id: int | None = None
    run_attempt: int | None = None
    agent_name: str | None = None


class _AgentRuns(msgspec.Struct):
    runs: list[_AgentRun] = []


class Site(NamedTuple):
    """The files by their path, when they were built, and the agent of each run attempt that they tell one of."""

    files: Mapping[str, ServedFile] = MappingProxyType({})
    generated_at: dt.datetime | None = None
    agents: Mapping[tuple[int, int], str] = MappingProxyType({})


def load_site(folder: Path, before: Site) -> Site:
    """The site in ``folder``; files that did not change are taken over from ``before``. Without site.json it is empty.

    Links are not followed, and nothing outside the folder is read.
    """
    files: dict[str, ServedFile] = {}
    for path, stamp in _walk(folder):
        known = before.files.get(path)
        if known is not None and known.stamp == stamp:
            files[path] = known
        elif (content := _read(folder / path)) is not None:
            files[path] = _served(path, content, stamp)
    if SITE_FILE not in files:
        return Site()
    plain = files[SITE_FILE].plain
    files[SITE_FILE] = _served(SITE_FILE, _live(plain), files[SITE_FILE].stamp)
    return Site(MappingProxyType(files), _generated_at(plain), _agents(files))


def _walk(folder: Path, below: str = "") -> Iterator[tuple[str, tuple[int, int, int]]]:
    """Every plain file with its stamp; not what is hidden, and not what a link leads to."""
    try:
        entries = sorted(os.scandir(folder / below), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        path = f"{below}{entry.name}"
        if entry.name.startswith("."):
            continue
        try:
            told = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        if stat.S_ISDIR(told.st_mode):
            yield from _walk(folder, f"{path}/")
        elif stat.S_ISREG(told.st_mode):
            yield path, (told.st_ino, told.st_mtime_ns, told.st_size)


def _read(path: Path) -> bytes | None:
    """The content; None where the file went away meanwhile, or is a link by now."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def _served(path: str, content: bytes, stamp: tuple[int, int, int]) -> ServedFile:
    suffix = os.path.splitext(path)[1].lower()  # noqa: PTH122 - a path of the site, not of this machine
    packed = gzip.compress(content, _LEVEL, mtime=0) if suffix in _PACKED else content
    pays = len(packed) < len(content)
    digest = hashlib.sha256(content).hexdigest()
    return ServedFile(KINDS.get(suffix, _OTHER), digest, packed if pays else content, pays, stamp)


def _live(content: bytes) -> bytes:
    """site.json as a server tells it: pages see by ``live`` that they can ask it."""
    try:
        told = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return content
    return msgspec.json.encode({**told, "live": True})


def _generated_at(content: bytes) -> dt.datetime | None:
    try:
        return msgspec.json.decode(content, type=_SiteJson).generated_at
    except msgspec.DecodeError:
        return None


def _agents(files: Mapping[str, ServedFile]) -> Mapping[tuple[int, int], str]:
    """The agents that the data file of agent operations and its segments tell."""
    agents: dict[tuple[int, int], str] = {}
    for path, file in files.items():
        if not (path.startswith("data/agentops-runs") and path.endswith(".json")):
            continue
        try:
            told = msgspec.json.decode(file.plain, type=_AgentRuns)
        except msgspec.DecodeError:
            continue
        for run in told.runs:
            if run.id is not None and run.agent_name:
                agents[run.id, run.run_attempt or 1] = run.agent_name
    return MappingProxyType(agents)
