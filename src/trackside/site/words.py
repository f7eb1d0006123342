"""Texts and names as people read them."""

from __future__ import annotations

from typing import Final, overload

MOST_OF_A_LINE: Final = 300


@overload
def cut(text: str, most: int = ...) -> str: ...
@overload
def cut(text: None, most: int = ...) -> None: ...
@overload
def cut(text: str | None, most: int = ...) -> str | None: ...
def cut(text: str | None, most: int = MOST_OF_A_LINE) -> str | None:
    """The beginning of a long text."""
    return text if text is None or len(text) <= most else f"{text[: most - 1]}…"


def no_command(text: str) -> str:
    """A text from outside as it stands within a sentence of ours: what is between backticks there is a command."""
    return text.replace("`", "'")


def words(name: str) -> str:
    """A cause or a state as it is read."""
    return name.replace("_", " ")
