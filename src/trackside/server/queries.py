"""The parameters of a request: each checked, and named in the sentence where it is wrong."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request

from trackside.records.run_lists import RunAsked

MOST_ROWS: Final = 500
MOST_OFFSET: Final = 10_000_000
MOST_TEXT: Final = 300
TEXTS: Final = ("workflow", "status", "conclusion", "branch", "agent")
TIMES: Final = ("since", "until")
NUMBERS: Final = {"limit": (1, MOST_ROWS), "offset": (0, MOST_OFFSET)}
_WHOLE: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?)?", re.ASCII)
_RUN: Final = re.compile(r"[0-9]{1,18}", re.ASCII)


def run_query(request: Request) -> tuple[RunAsked, str | None]:
    """The runs that are asked for, and of which agent. Raises HTTPException (400) naming what is wrong."""
    told = _told(request, (*TEXTS, *TIMES, *NUMBERS))
    asked = RunAsked(
        workflow=_text(told, "workflow"),
        status=_text(told, "status"),
        conclusion=_text(told, "conclusion"),
        branch=_text(told, "branch"),
        since=_time(told, "since"),
        until=_time(told, "until"),
        limit=_number(told, "limit", RunAsked().limit),
        offset=_number(told, "offset", 0),
    )
    return asked, _text(told, "agent")


def no_query(request: Request) -> None:
    """Raises HTTPException (400) where a parameter is given."""
    _told(request, ())


def run_id_of(request: Request) -> int:
    """The number of the run in the path. Raises HTTPException (400) for anything but digits."""
    text = request.path_params["run_id"]
    if not _RUN.fullmatch(text):
        raise HTTPException(400, "run_id: the number of a run is meant, digits alone.")
    return int(text)


def _told(request: Request, known: Collection[str]) -> dict[str, str]:
    told: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in known:
            names = f"{', '.join(known)} are" if known else "none is"
            raise HTTPException(400, f"{_shown(name)}: there is no such parameter; {names} understood.")
        if name in told:
            raise HTTPException(400, f"{name}: it is given twice.")
        told[name] = value
    return told


def _text(told: dict[str, str], name: str) -> str | None:
    value = told.get(name)
    if value is not None and not 1 <= len(value) <= MOST_TEXT:
        raise HTTPException(400, f"{name}: a text of 1 to {MOST_TEXT} characters is meant.")
    return value


def _number(told: dict[str, str], name: str, default: int) -> int:
    low, high = NUMBERS[name]
    value = told.get(name)
    if value is None:
        return default
    if not _WHOLE.fullmatch(value) or not low <= int(value) <= high:
        raise HTTPException(400, f"{name}: a whole number from {low:,} to {high:,} is meant.")
    return int(value)


def _time(told: dict[str, str], name: str) -> dt.datetime | None:
    """A date or time; UTC where it names no zone, the last second of the day for a date as ``until``."""
    value = told.get(name)
    if value is None:
        return None
    problem = HTTPException(400, f"{name}: a date (2026-11-01) or a time (2026-11-01T06:00:00Z) is meant.")
    # A plus that was not encoded comes as a space.
    text = re.sub(r" (?=\d\d:\d\d$)", "+", value) if value.count(":") > 1 else value
    if not _TIME.fullmatch(text):
        raise problem
    try:
        moment = dt.datetime.fromisoformat(text)
        if len(text) == len("2026-11-01") and name == "until":
            moment += dt.timedelta(days=1, seconds=-1)
        return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise problem from None


def _shown(name: str) -> str:
    text = name if name.isprintable() else ascii(name)
    return text[:50]
