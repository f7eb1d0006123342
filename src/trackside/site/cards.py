"""The headline figures of pages."""

from __future__ import annotations

from typing import Final

import msgspec

UNKNOWN: Final = "unknown"
"""The value of a figure that cannot be told."""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A figure, what it is of (how many, when, or what to do to know it), where to look, and its tone.

    ``key`` names it for the script of its page, where that renews it.
    """

    label: str
    value: str
    basis: str
    url: str | None = None
    tone: str = ""
    key: str = ""
