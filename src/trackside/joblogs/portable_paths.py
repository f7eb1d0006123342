"""Paths of test files as they are on every machine.

The folder that a checkout is in differs from runner to runner and within containers. What is kept of an absolute path
begins, by the first of these that applies: after a runner's work directory (``_work/X/X``, ``__w/X/X``, ``work/X/X``,
``a/X/X``) or ``/github/workspace``; after the folder that bears the repository's name, the second one where two stand
in each other; at the first folder that repositories keep tests and sources in (``test``, ``tests``, ``python``,
``src``, …). Of a path that has none of them only the file's name is kept.
"""

from __future__ import annotations

import re
from typing import Final

_DRIVE: Final = re.compile(r"[A-Za-z]:(?=/)")
_WORK: Final = frozenset({"_work", "__w", "work", "a"})
_TOPS: Final = frozenset(
    {"test", "tests", "testing", "python", "src", "lib", "benchmark", "benchmarks", "bench", "examples", "scripts"}
)
_LONGEST: Final = 400


def portable_path(path: str, repo: str) -> str:
    """``path`` as it is on every machine, with ``/``; at most 400 characters, the end of a longer one."""
    path = path.strip().strip("'\"").replace("\\", "/")
    path = _DRIVE.sub("", path, count=1) if _DRIVE.match(path) else path
    parts = [part for part in path.split("/") if part not in ("", ".")]
    while parts[:1] == [".."]:
        parts = parts[1:]
    if path.startswith("/"):
        parts = _within_checkout(parts, repo.rsplit("/", 1)[-1].lower())
    return "/".join(parts)[-_LONGEST:]


def same_file(one: str, other: str) -> bool:
    """Whether two portable paths can be of one file: they are equal, or one ends with the other."""
    return one == other or one.endswith(f"/{other}") or other.endswith(f"/{one}")


def _within_checkout(parts: list[str], repo: str) -> list[str]:
    folders = parts[:-1]
    for place in range(len(folders) - 2):
        if folders[place] in _WORK and folders[place + 1] == folders[place + 2]:
            return parts[place + 3 :]
    if folders[:2] == ["github", "workspace"]:
        return parts[2:]
    for place, folder in enumerate(folders):
        if folder.lower() == repo:
            # Runners check a repository out into a folder of its name within a folder of its name.
            doubled = folders[place + 1 : place + 2] == [folder]
            return parts[place + 1 + doubled :]
    for place, folder in enumerate(folders):
        if folder in _TOPS:
            return parts[place:]
    return parts[-1:]
