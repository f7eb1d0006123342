"""Text from outside (names, log lines) made harmless for a terminal, a CSV file and a Markdown comment."""

from __future__ import annotations

import re
from typing import Final

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_MARKDOWN_ACTIVE: Final = re.compile(
    r"[\\`*{}\[\]<>#|~@&$]"  # these anywhere
    r"|^\s*[-+=]|(?<=[Gg][Hh])-"  # at the beginning: lists, rules, headings; GH-1 is a reference
    r"|(?<![^\W_])_|_(?![^\W_])"  # within a word it is a letter
)


def safe_text(text: str) -> str:
    r"""``text`` with every character that a terminal would act on shown: ``\x1b``, ``\r``, ``\u202e``.

    Newlines are shown too, so that a name or a log line never becomes two lines.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def csv_text(text: str) -> str:
    """``text`` for a CSV cell: control characters shown, and no spreadsheet takes it for a formula."""
    shown = safe_text(text)
    return f"'{shown}" if text.startswith(_FORMULA_STARTS) else shown


def markdown_text(text: str) -> str:
    """``text`` for Markdown: no mention, reference, link, HTML, fence or table cell comes out of it.

    What is harmless where it stands stays as it is: ``unit-test (4)`` can be searched for.
    """
    return _MARKDOWN_ACTIVE.sub(lambda found: f"{found[0][:-1]}&#{ord(found[0][-1])};", safe_text(text))


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")
