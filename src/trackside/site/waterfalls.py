"""What ran over the time of a run or a job: bars that say when each part began and how long it took."""

from __future__ import annotations

import datetime as dt

import msgspec


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A job or a step: its place in per cent of the whole (None where its times are not known), and its steps.

    ``length`` is its duration in words, ``note`` what else is to be told, ``url`` leads from its name to its lines in
    the log. A job with steps has its ``log`` below them, which are shown at once where it ``is_open``.
    """

    name: str
    state: str
    left: float | None = None
    width: float | None = None
    length: str = "–"
    note: str | None = None
    url: str | None = None
    log: str | None = None
    steps: tuple[Bar, ...] = ()
    is_open: bool = False


class Waterfall(msgspec.Struct, frozen=True, kw_only=True):
    """A run or one of its jobs as bars. ``run`` says which run it is (of), ``left_out`` counts bars not drawn."""

    title: str
    state: str
    run: str
    url: str | None
    began: dt.datetime | None
    length: str
    bars: tuple[Bar, ...]
    left_out: int = 0
    job: str = ""


def place(
    started: dt.datetime | None, seconds: float | None, began: dt.datetime | None, span_s: float
) -> tuple[float | None, float | None]:
    """Left edge and width in per cent of ``span_s`` from ``began`` on, within it; None where a time is not known."""
    if started is None or seconds is None or began is None:
        return None, None
    left = min(100.0, max(0.0, 100 * (started - began).total_seconds() / span_s))
    return round(left, 2), round(min(100 - left, max(0.0, 100 * seconds / span_s)), 2)
