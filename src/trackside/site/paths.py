"""Names of pages: made of names from outside, never these themselves."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final

_LONGEST: Final = 60
_DIGITS: Final = 8
_OTHERS: Final = re.compile(r"[^a-z0-9]+")


def slug(text: str) -> str:
    """A name of a file for ``text``: at most 60 small letters, digits and hyphens, and 8 digits of its hash.

    Equal texts have equal names; of different ones, those that differ in case or in a slash too, they differ.
    """
    plain = unicodedata.normalize("NFKD", text[:1000]).encode("ascii", "ignore").decode().lower()
    words = _OTHERS.sub("-", plain).strip("-")[:_LONGEST].rstrip("-")
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
    return f"{words}-{digest}" if words else digest
