"""Which new series a silent one may go on as: the rename that would explain it, to be put into the settings."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

import msgspec

from trackside.perf.points import SERIES_KEY

Key = tuple[str, str, str, str]
"""Workflow, job, test and metric of a series."""
KINDS: Final = ("test", "job", "metric")
"""What can be renamed, the most usual first."""
LEAST_LIKENESS: Final = 0.5
"""Names that are less alike than this are not taken for one thing renamed."""
_MOST_NAMES: Final = 200
"""Of so many new names the nearest is looked for: more cannot be renames."""
_LONGEST: Final = 300
"""Of a name so many characters are compared."""
_BASIC: Final = {"\\": "\\\\", '"': '\\"'}


class AliasProposal(msgspec.Struct, frozen=True, kw_only=True):
    """A rename that would explain why a series stopped; ``likeness`` is 1 for equal names."""

    kind: str
    old: str
    new: str
    likeness: float
    toml: str
    """The entry of the settings that says it."""


def nearest_rename(old: Key, new: Sequence[Key]) -> AliasProposal | None:
    """The rename of one part of the key that leads to one of ``new``, the nearest name; None where none is near.

    ``new`` are series that began after the old one stopped.
    """
    found: list[AliasProposal] = []
    for kind in KINDS:
        place = SERIES_KEY.index(kind)
        for name in _others(old, new, place):
            like = likeness(old[place], name)
            if like >= LEAST_LIKENESS:
                text = entry(kind, old[place], name)
                found.append(AliasProposal(kind=kind, old=old[place], new=name, likeness=round(like, 3), toml=text))
    return max(found, key=lambda one: (one.likeness, -KINDS.index(one.kind), one.new), default=None)


def likeness(one: str, other: str) -> float:
    """How alike two names are: 1 equal, 0 nothing in common."""
    return SequenceMatcher(None, one[:_LONGEST], other[:_LONGEST], autojunk=False).ratio()


def entry(kind: str, old: str, new: str) -> str:
    """The entry of ``trackside.toml`` that reads ``old`` as ``new``."""
    return f"[[perf.aliases]]\nold = {_toml(old)}\nnew = {_toml(new)}\nkind = {_toml(kind)}"


def _others(old: Key, new: Sequence[Key], place: int) -> list[str]:
    """The names at ``place`` of those new series that are like the old one but for it."""
    rest = old[:place] + old[place + 1 :]
    names = {key[place] for key in new if key[:place] + key[place + 1 :] == rest}
    return sorted(names - {old[place]})[:_MOST_NAMES]


def _toml(text: str) -> str:
    """A basic string of TOML, in which no character acts on a terminal."""
    return '"' + "".join(_BASIC.get(char) or (char if char.isprintable() else _escaped(char)) for char in text) + '"'


def _escaped(char: str) -> str:
    return f"\\U{ord(char):08X}"
