"""Which actions the text of a workflow uses, and whether GitHub Agentic Workflows compiled it."""

from __future__ import annotations

import re
from typing import Final

import msgspec

_USES: Final = re.compile(r"^[ \t]*(?:-[ \t]+)?(?:\{.*?\b)?[\"']?uses[\"']?[ \t]*:[ \t]*[\"']?([^\s\"'#,}]+)")
_BLOCK: Final = re.compile(r"^(?P<indent>[ \t]*(?:-[ \t]+)*)[^#\s-][^#]*:[ \t]*[|>][-+0-9]*[ \t]*(?:#.*)?$")
_LOCK: Final = ".lock.yml"
_HEADER: Final = re.compile(r"gh[- ]aw\b|github/gh-aw|GitHub Agentic Workflows|githubnext/gh-aw", re.IGNORECASE)
_HEADER_LINES: Final = 60


class WorkflowUses(msgspec.Struct, frozen=True, kw_only=True):
    """What a workflow's text tells. ``actions`` are ``owner/name[/path]`` without versions, each once."""

    path: str
    actions: tuple[str, ...] = ()
    is_compiled: bool = False


def workflow_uses(path: str, text: str) -> WorkflowUses:
    """What the text of the workflow at ``path`` uses. Comments and the text of scripts are not looked at."""
    actions = [found[1] for line in _lines_of_keys(text) if (found := _USES.match(line))]
    remote = [action.partition("@")[0] for action in actions if not action.startswith((".", "docker:"))]
    return WorkflowUses(
        path=path,
        actions=tuple(dict.fromkeys(remote)),
        is_compiled=path.endswith(_LOCK) and _has_header(text),
    )


def _has_header(text: str) -> bool:
    """Whether the comments at the top say that the file was compiled."""
    for line in text.split("\n", _HEADER_LINES)[:_HEADER_LINES]:
        if line.strip() and not line.lstrip("\ufeff").startswith("#"):
            return False
        if _HEADER.search(line):
            return True
    return False


def _lines_of_keys(text: str) -> list[str]:
    """The lines without those of block scalars, in which a script may say ``uses:``."""
    kept: list[str] = []
    inside: int | None = None
    for line in text.replace("\r\n", "\n").split("\n"):
        indent = len(line) - len(line.lstrip(" \t"))
        if inside is not None:
            if not line.strip() or indent > inside:
                continue
            inside = None
        kept.append(line)
        if (found := _BLOCK.match(line)) is not None:
            inside = len(found["indent"])
    return kept
