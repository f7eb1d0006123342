"""What people say on the command line of things that are kept: short texts, and pages where more is said."""

from __future__ import annotations

from typing import Final

from trackside.errors import UsageError

LONGEST: Final = 2_000
"""So many characters a text or a link may have."""


def said_text(text: str | None, option: str) -> str | None:
    """The words of an option without the space about them, None where there are none. Raises UsageError."""
    short = " ".join((text or "").split())
    if len(short) > LONGEST:
        msg = f"{option} has {len(short):,} characters; {LONGEST:,} are enough."
        raise UsageError(msg)
    return short or None


def require_page(link: str | None, option: str) -> None:
    """Raises UsageError where a link is no address of a page."""
    if link is not None and not link.lower().startswith(("https://", "http://")):
        msg = f"{option} {link[:100]} is no address of a page: it begins with https://."
        raise UsageError(msg)
