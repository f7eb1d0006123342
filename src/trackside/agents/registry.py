"""Agents that a repository describes in files of its own: the front matter of ``.github/agents/*.md``."""

from __future__ import annotations

import re
from typing import Final

import msgspec

_FENCE: Final = "---"
_NAME: Final = re.compile(r"name[ \t]*:[ \t]*(.*)")
_TOKEN: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_SUFFIXES: Final = (".agent.md", ".md")
MOST_LINES: Final = 200
"""Front matter is looked for in so many first lines."""


class RegisteredAgent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent of the registry. ``aliases`` are other names that it is mentioned by; ``path`` is its file."""

    name: str
    path: str
    aliases: tuple[str, ...] = ()


def registered_agent(path: str, text: str) -> RegisteredAgent | None:
    """The agent that a file of the registry describes; None where neither its text nor its file name gives a name.

    The name is ``name`` of its front matter, where that can be mentioned as ``@name``; the name of the file is an alias
    then, and the name where there is none.
    """
    file = path.replace("\\", "/").rpartition("/")[2]
    stem = next((file[: -len(end)] for end in _SUFFIXES if file.lower().endswith(end)), file)
    told = _front_matter_name(text)
    names = [name for name in (told, stem) if name and _TOKEN.fullmatch(name)]
    if not names or stem.lower() == "readme":
        return None
    aliases = tuple(name for name in names[1:] if name.lower() != names[0].lower())
    return RegisteredAgent(name=names[0], path=path, aliases=aliases)


def _front_matter_name(text: str) -> str | None:
    lines = text.removeprefix("\ufeff").split("\n", MOST_LINES)[:MOST_LINES]
    if not lines or lines[0].strip() != _FENCE:
        return None
    end = next((index for index, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE), None)
    if end is None:
        return None
    found = next((hit for line in lines[1:end] if (hit := _NAME.match(line))), None)
    return _scalar(found[1]) if found else None


def _scalar(value: str) -> str | None:
    """A plain or quoted YAML scalar of one line; None for anything else."""
    plain = value.strip()
    if plain[:1] in ("'", '"'):
        end = plain.find(plain[0], 1)
        return plain[1:end] if end > 0 else None
    return plain.partition(" #")[0].strip() or None
