"""What a rule for a fix is: which lines of a failed job it fits, and what it suggests to do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple


class Fix(NamedTuple):
    """A suggestion and when it fits.

    It fits a line that one of the diagnosis' ``rules`` found, and one in which ``pattern`` is found; neither where
    ``unless`` is found in it, only in steps whose name ``steps`` is found in, and never for one of the causes
    ``not_for``. A ``general`` one is only suggested where no other fits.
    """

    rule_id: str
    title: str
    text: str
    pattern: re.Pattern[str] | None
    rules: frozenset[str]
    unless: re.Pattern[str] | None
    steps: re.Pattern[str] | None
    not_for: frozenset[str]
    general: bool


def fix(
    rule_id: str,
    title: str,
    text: str,
    pattern: str | None = None,
    *rules: str,
    unless: str | None = None,
    steps: str | None = None,
    not_for: Iterable[str] = (),
    general: bool = False,
) -> Fix:
    """A row of a table of fixes."""
    found, barred, where = (re.compile(one) if one else None for one in (pattern, unless, steps))
    return Fix(rule_id, title, text, found, frozenset(rules), barred, where, frozenset(not_for), general)
