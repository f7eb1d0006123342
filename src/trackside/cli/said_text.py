"""What people say on the command line of things that are kept: short texts, and pages where more is said."""

from __future__ import annotations

from trackside.errors import UsageError
from trackside.records.knowledge import LONGEST_WORDS


def said_text(text: str | None, option: str) -> str | None:
    """The words of an option without the space about them, None where there are none. Raises UsageError."""
    short = " ".join((text or "").split())
    if len(short) > LONGEST_WORDS:
        msg = f"{option} has {len(short):,} characters; {LONGEST_WORDS:,} are enough."
        raise UsageError(msg)
    return short or None


def require_page(link: str | None, option: str) -> None:
    """Raises UsageError where a link is no address of a page."""
    if link is not None and not link.lower().startswith(("https://", "http://")):
        msg = f"{option} {link[:100]} is no address of a page: it begins with https://."
        raise UsageError(msg)
