"""Windows of time as they are typed: 7d, 24h, 2026-11-01, or a whole ISO time."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from trackside.errors import UsageError

_AGO: Final = re.compile(r"(\d{1,6})\s*(m|h|d|w)")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SECONDS: Final = re.compile(r"(\d{1,9}(?:\.\d+)?)\s*(s|m|h)?")
_FACTORS: Final = {None: 1, "s": 1, "m": 60, "h": 3600}


def parse_moment(text: str, now: dt.datetime, option: str, *, end_of_day: bool = False) -> dt.datetime:
    """The moment that ``text`` means, UTC; a date alone is its first or its last second. Raises UsageError."""
    if found := _AGO.fullmatch(text.strip().lower()):
        try:
            return now - dt.timedelta(**{_UNITS[found[2]]: int(found[1])})
        except OverflowError:
            raise _wrong(text, option) from None
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise _wrong(text, option) from None
    if end_of_day and len(text.strip()) <= len("2026-11-01"):
        moment += dt.timedelta(days=1, seconds=-1)
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


def parse_window(
    since: str, until: str | None, now: dt.datetime, option: str = "--since"
) -> tuple[dt.datetime, dt.datetime | None]:
    """The two ends of a window, the second None where it is open; ``option`` is where ``since`` was said.

    Raises UsageError for a window that holds nothing.
    """
    start = parse_moment(since, now, option)
    stop = None if until is None else parse_moment(until, now, "--until", end_of_day=True)
    if start >= (stop or now):
        msg = f"The window is empty: {option} {since} is not before {'now' if until is None else f'--until {until}'}."
        raise UsageError(msg)
    return start, stop


def parse_seconds(text: str, option: str) -> float:
    """Seconds out of ``60``, ``60s``, ``5m`` or ``1h``. Raises UsageError."""
    found = _SECONDS.fullmatch(text.strip().lower())
    if found is None:
        msg = f"{option} {text}: a time such as 60s, 5m or 1h is understood."
        raise UsageError(msg)
    return float(found[1]) * _FACTORS[found[2]]


def _wrong(text: str, option: str) -> UsageError:
    msg = f"{option} {text}: 7d and 24h are understood, a date (2026-11-01) and a time (2026-11-01T06:00)."
    return UsageError(msg)
