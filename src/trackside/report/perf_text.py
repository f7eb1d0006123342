"""Levels, changes and times of performance series as the reader sees them."""

from __future__ import annotations

import datetime as dt
import math
from typing import Final

DASH: Final = "–"
_FIGURES: Final = 4
_SHORT_SHA: Final = 7


def level_text(value: float | None) -> str:
    """A value with four figures and thousands apart; a dash where unknown."""
    if value is None or not math.isfinite(value):
        return DASH
    size = abs(value)
    if size == 0 or 1000 <= size < 1e12:
        return f"{value:,.0f}"
    if not 1e-4 <= size < 1e12:
        return f"{value:.{_FIGURES - 1}g}"
    digits = _FIGURES - 1 - math.floor(math.log10(size))
    return f"{value:,.{digits}f}"


def percent_text(share: float | None) -> str:
    """``+3.1 %`` or ``−3.1 %`` of a share; a dash where unknown."""
    if share is None or not math.isfinite(share):
        return DASH
    percent = 100 * share
    digits = 0 if abs(percent) >= 100 else 1 if abs(percent) >= 0.95 else 2
    return f"{'−' if percent < 0 else '+'}{abs(percent):,.{digits}f} %"


def moment_text(at: dt.datetime | None) -> str:
    """``YYYY-MM-DD HH:MM``, UTC; a dash where unknown."""
    return DASH if at is None else f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M}"


def day_text(at: dt.datetime | None) -> str:
    """``YYYY-MM-DD``, UTC; a dash where unknown."""
    return moment_text(at)[:10]


def short_sha(sha: str | None) -> str:
    """A commit as people write it."""
    return DASH if not sha else sha[:_SHORT_SHA]
