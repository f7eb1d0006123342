"""How long something took, in words."""

from __future__ import annotations


def length(seconds: float | None) -> str:
    """``45 s``, ``12.5 min``, ``3.2 h``; – where it is not known."""
    if seconds is None:
        return "–"
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if round(seconds / 60, 1) < 60 else f"{seconds / 3600:,.1f} h"
