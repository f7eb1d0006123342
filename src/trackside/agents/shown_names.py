"""Names in a length that can be shown. Rows are grouped by whole names, and told with these."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final, TypeVar

import msgspec

MOST_NAME: Final = 300
"""Characters of a name; GitHub's own are shorter, but for names of steps made of commands."""
_NAMES: Final = ("name", "file", "workflow", "job", "step", "agent", "conclusion", "failed_step")
_HASH: Final = 8
R = TypeVar("R", bound=msgspec.Struct)


def shown_name(name: str) -> str:
    """``name``, of a long one its beginning and a hash of it: two that differ later on stay two."""
    if len(name) <= MOST_NAME:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH]
    return f"{name[: MOST_NAME - _HASH - 1]}…{digest}"


def with_shown_names(rows: Iterable[R]) -> tuple[R, ...]:
    """The rows of a table with the names in them as they are shown."""
    return tuple(_shown(row) for row in rows)


def _shown(row: R) -> R:
    told = {name: getattr(row, name, None) for name in _NAMES}
    short = {name: shown_name(text) for name, text in told.items() if text is not None and len(text) > MOST_NAME}
    steps = getattr(row, "failed_steps", ())
    if any(len(step) > MOST_NAME for step in steps):
        return msgspec.structs.replace(row, **short, failed_steps=tuple(map(shown_name, steps)))
    return msgspec.structs.replace(row, **short) if short else row
