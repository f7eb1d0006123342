"""Which runs a list asks for: the query parameters of ``GET …/actions/runs``."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping

from tests.fake_github.things import Run

CAPPING = ("actor", "branch", "check_suite_id", "created", "event", "head_sha", "status")
_DAY = dt.timedelta(days=1)
_STAMP = re.compile(r"^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$")
Test = Callable[[Run], bool]


class BadFilterError(ValueError):
    """A value GitHub would answer 422 to."""


def span(text: str) -> tuple[dt.datetime, dt.datetime]:
    """A date or moment of the search syntax as [first, last): a date is a whole day, a moment one second."""
    if not _STAMP.match(text):
        raise BadFilterError(text)
    try:
        first = dt.datetime.fromisoformat(text)
        first = first.replace(tzinfo=dt.UTC) if first.tzinfo is None else first.astimezone(dt.UTC)
        return first, first + (_DAY if "T" not in text else dt.timedelta(seconds=1))
    except (ValueError, OverflowError) as problem:
        raise BadFilterError(text) from problem


def created_test(text: str) -> Test:
    """``2026-06-01``, ``>=X``, ``>X``, ``<=X``, ``<X``, ``A..B``, with ``*`` for an open end; both ends count."""
    if ".." in text:
        first, _, last = text.partition("..")
        low = None if first == "*" else span(first)[0]
        high = None if last == "*" else span(last)[1]
        return lambda run: (low is None or whole(run) >= low) and (high is None or whole(run) < high)
    for sign in (">=", "<=", ">", "<"):
        if text.startswith(sign):
            return _one_sided(sign, *span(text[len(sign) :]))
    first_, last_ = span(text)
    return lambda run: first_ <= whole(run) < last_


def _one_sided(sign: str, first: dt.datetime, last: dt.datetime) -> Test:
    if sign == ">=":
        return lambda run: whole(run) >= first
    if sign == ">":
        return lambda run: whole(run) >= last
    if sign == "<=":
        return lambda run: whole(run) < last
    return lambda run: whole(run) < first


def whole(run: Run) -> dt.datetime:
    """When the run was created, in whole seconds as it is shown."""
    return run.created_at.replace(microsecond=0)


def tests_of(query: Mapping[str, str]) -> list[Test]:
    """One test for each filter that is given; raises BadFilterError."""
    tests: list[Test] = []
    for name, value in query.items():
        if name in CAPPING and value:
            tests.append(_test(name, value))
    return tests


def _test(name: str, value: str) -> Test:
    simple: dict[str, Test] = {
        "actor": lambda run: run.actor.login.lower() == value.lower(),
        "branch": lambda run: run.head_branch == value,
        "check_suite_id": lambda run: str(run.check_suite_id) == value,
        "event": lambda run: run.event == value,
        "head_sha": lambda run: run.head_sha == value,
        "status": lambda run: value in (run.status, run.conclusion),
    }
    return created_test(value) if name == "created" else simple[name]
