"""Numbers as engines log them, converted so that the vectorised way gives the same bits."""

from __future__ import annotations

import re
from typing import Final

NUMBER: Final = re.compile(rb"(?P<sign>[-+]?)(?P<int>\d+)(?:\.(?P<frac>\d*))?(?:[eE](?P<exp>[-+]?\d{1,3}))?")
MAX_EXACT_DIGITS: Final = 15
MAX_EXACT_POWER: Final = 22


def read_float(match: re.Match[bytes], scale10: int = 0) -> float:
    """The number of a ``NUMBER`` match times 10**scale10, rounded once where its digits allow it."""
    frac = match["frac"] or b""
    digits = match["int"] + frac
    power = int(match["exp"] or 0) - len(frac) + scale10
    if len(digits) > MAX_EXACT_DIGITS or abs(power) > MAX_EXACT_POWER:
        return float(match[0]) * (10.0**scale10 if scale10 else 1.0)
    value = float(int(digits))
    value = value * 10.0**power if power >= 0 else value / 10.0**-power
    return -value if match["sign"] == b"-" else value
