"""Logged times on other clocks, and windows of them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from trackside.errors import UsageError

_TIME: Final = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?$")
# Entries of the system's database that name no zone, or one that differs from machine to machine.
_NO_ZONE: Final = re.compile(r"localtime$|posixrules$|Factory$|posix/|right/")
_EPOCH: Final = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - a clock on a wall, of no zone
_DAY_US: Final = 86_400_000_000


def find_zone(name: str) -> ZoneInfo:
    """The time zone called ``name``. Raises UsageError where there is none."""
    try:
        if _NO_ZONE.match(name):
            raise ValueError(name)
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        msg = f"Unknown time zone: {name} (give a name such as America/Los_Angeles or UTC)"
        raise UsageError(msg) from error


def to_utc_us(logged_us: int, zone: ZoneInfo) -> int:
    """A time that a clock in ``zone`` showed, as µs since 1970 UTC; of two such moments the earlier."""
    moment = (_EPOCH + dt.timedelta(microseconds=logged_us)).replace(tzinfo=zone)
    offset = moment.utcoffset() or dt.timedelta()
    return logged_us - offset // dt.timedelta(microseconds=1)


def read_bound(text: str, first_us: int, last_us: int, *, end: bool) -> int:
    """A bound of a window in logged time: a full date, or ``16:10:37`` on the day that is nearer to the log.

    The log goes from ``first_us`` to ``last_us``. An end includes the second (or minute, or day) that it names.
    Raises UsageError.
    """
    match = _TIME.match(text.strip())
    if match:
        hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
        if hour > 23 or minute > 59 or second > 59:
            raise _bad(text)
        micros = int((match[4] or "").ljust(6, "0"))
        bound = first_us // _DAY_US * _DAY_US + ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros
        width = 1 if match[4] else 1_000_000 if match[3] else 60_000_000
        if bound + width <= first_us and bound + _DAY_US - last_us < first_us - bound:
            bound += _DAY_US
        return bound + width - 1 if end else bound
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise _bad(text) from error
    if moment.tzinfo is not None:
        moment = moment.astimezone(dt.UTC).replace(tzinfo=None)
    bound = (moment - _EPOCH) // dt.timedelta(microseconds=1)
    width = _DAY_US if len(text.strip()) == 10 else 60_000_000 if len(text.strip()) == 16 else 1_000_000
    return bound + width - 1 if end else bound


def _bad(text: str) -> UsageError:
    return UsageError(f"Not a time: {text} (give 16:10:37 or 2026-01-31T16:10:37)")
