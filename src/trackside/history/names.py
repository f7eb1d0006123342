"""Names of jobs: what stays the same of them over matrix indices, nested workflows and renames."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Sequence
from typing import Final

from trackside.records.ci_rules import Alias

_MATRIX: Final = re.compile(r"^(?P<stem>.*\S)\s*\((?P<values>[^()]*(?:\([^()]*\)[^()]*)*)\)\s*$", re.DOTALL)
_INDEX: Final = re.compile(r"\d{1,4}(?:\s*(?:/|of)\s*\d{1,4})?")
_STEM_ENDS: Final = re.compile(r"[\s(/]")
_VALUES: Final = re.compile(r"\s*\(.*$", re.DOTALL)
BarePath = tuple[str, ...]
"""The parts of a name of nested workflows, without matrix values."""


def renamed(name: str, aliases: Sequence[Alias]) -> str:
    """``name`` as it is called now: the first alias whose ``old`` is its beginning, as a whole word, applies.

    In a name of nested workflows (``caller / job (3)``) each part is looked at.
    """
    if not aliases:
        return name
    return " / ".join(_renamed(part, aliases) for part in name.split(" / "))


def _renamed(name: str, aliases: Sequence[Alias]) -> str:
    for alias in aliases:
        rest = name[len(alias.old) :]
        if name.startswith(alias.old) and (not rest or _STEM_ENDS.match(rest)):
            return alias.new + rest
    return name


def family_of(name: str) -> str:
    """``name`` without matrix indices: ``unit (linux-mi300-gpu-1, 3)`` → ``unit (linux-mi300-gpu-1)``.

    Values that are no whole numbers (or ``3/8``) stay. A caller whose job bears its own name is named once:
    ``suite / suite (0)`` → ``suite``. A name with neither stays as it is, to the last blank.
    """
    if shard_of(name) is None and " / " not in name:
        return name
    parts = list(dict.fromkeys(_without_index(part.strip()) for part in name.split(" / ")))
    return " / ".join(parts)


def shard_of(name: str) -> str | None:
    """The matrix indices of ``name``, None where it has none: ``unit (linux-mi300-gpu-1, 3)`` → ``3``."""
    found = [value for part in name.split(" / ") for value in _values(part) if _INDEX.fullmatch(value)]
    return ", ".join(found) or None


def stem_of(name: str) -> str:
    """The last part of ``name`` without its matrix values and numbers: what a category is derived from."""
    last = name.rsplit(" / ", 1)[-1].strip()
    found = _MATRIX.match(last)
    return found["stem"] if found else last


def bare_path(name: str) -> BarePath:
    """The parts of a name of nested workflows without matrix values: ``eval / text (3)`` → ``eval``, ``text``."""
    return tuple(_VALUES.sub("", part) for part in name.split(" / "))


def stands_in(skipped: Iterable[BarePath], path: BarePath) -> bool:
    """Whether one of the ``skipped`` jobs may stand for the job at ``path``.

    GitHub names a matrix or a called workflow that is skipped once, without its values.
    """
    return any(one == path[: len(one)] for one in skipped)


def matches_any(name: str, globs: Iterable[str]) -> bool:
    """Whether ``name``, whole or its last part, matches one of the globs; case does not matter."""
    lower = name.lower()
    last = lower.rsplit(" / ", 1)[-1]
    return any(fnmatch.fnmatchcase(one, glob.lower()) for glob in globs for one in {lower, last})


def is_workflow(wanted: str, file: str | None, name: str | None) -> bool:
    """Whether ``wanted`` (a path, a file name or a name) means the workflow with this path and name."""
    if wanted in (name, file):
        return True
    return file is not None and "/" not in wanted and file.rsplit("/", 1)[-1] == wanted


def _without_index(part: str) -> str:
    found = _MATRIX.match(part)
    if not found:
        return part
    values = _values(part)
    kept = [value for value in values if not _INDEX.fullmatch(value)]
    if len(kept) == len(values):
        return part
    return f"{found['stem']} ({', '.join(kept)})" if kept else found["stem"]


def _values(part: str) -> list[str]:
    found = _MATRIX.match(part.strip())
    return [value.strip() for value in found["values"].split(",")] if found else []
