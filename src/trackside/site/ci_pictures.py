"""Pictures of CI as inline SVG, made of numbers and names of ours: they need no script, and words stand beside them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

import msgspec
from markupsafe import Markup, escape

from trackside.ci.queueing import WaitBucket
from trackside.report.safe_text import safe_text

WIDTH: Final = 720
HEIGHT: Final = 200
_LEFT: Final = 64
_BOTTOM: Final = 22
_TOP: Final = 8
_RIGHT: Final = 8
_SMALL: Final = 32
_BAR_WIDTH: Final = 160
_STEPS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_DATES_H: Final = (1, 3, 6, 12, 24, 48, 24 * 7, 24 * 28)
_MOST_DATES: Final = 5
_EPOCH: Final = dt.datetime(1970, 1, 5, tzinfo=dt.UTC)
"""A Monday."""


class Dot(msgspec.Struct, frozen=True):
    """An attempt of a job: when it began, how long it took, and a result of ``ci.results``."""

    at: dt.datetime
    seconds: float
    result: str
    words: str


class Bar(msgspec.Struct, frozen=True):
    """One of a row of bars: all and the bad ones among them."""

    all: int
    bad: int


def duration_chart(dots: Sequence[Dot], title: str) -> Markup:
    """How long each attempt took over time: dots for those that passed, crosses for failed, strokes for the others.

    A broken line is at the median of those that passed.
    """
    if not dots:
        return Markup("")
    scale = _Scale(
        first=min(dot.at for dot in dots), last=max(dot.at for dot in dots), most=max(dot.seconds for dot in dots)
    )
    marks = {"passed": [], "failed": [], "undecided": []}  # type: dict[str, list[str]]
    for dot in dots:
        x, y = scale.across(dot.at), scale.upwards(dot.seconds)
        marks[dot.result].append(f"<g><title>{_text(dot.words)}</title>{_mark(dot.result, x, y)}</g>")
    passed = [dot.seconds for dot in dots if dot.result == "passed"]
    level = _level(scale, median(passed)) if passed else ""
    drawn = "".join("".join(marks[name]) for name in ("undecided", "passed", "failed"))
    return _picture("durations", title, scale.axes() + level + drawn)


def _mark(result: str, x: float, y: float) -> str:
    if result == "passed":
        return f'<circle class="good" cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>'
    if result == "failed":
        return f'<path class="bad" d="M{x - 3:.1f} {y - 3:.1f}l6 6m0 -6l-6 6"/>'
    return f'<path class="quiet" d="M{x - 3:.1f} {y:.1f}h6"/>'


def _level(scale: _Scale, seconds: float) -> str:
    y = scale.upwards(seconds)
    return f'<path class="level" d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}"/>'


def queue_chart(buckets: Sequence[WaitBucket], bucket_s: float, title: str) -> Markup:
    """p50 and p90 of the waiting time over stretches of time, as two lines; a stretch without a job breaks them."""
    scale = _Scale(first=buckets[0].start, last=buckets[-1].start, most=max(one.p90_s for one in buckets))
    lines = ""
    for name in ("p90_s", "p50_s"):
        path, before = "", None
        for one in buckets:
            gap = before is None or (one.start - before).total_seconds() > 1.5 * bucket_s
            x, y = scale.across(one.start), scale.upwards(getattr(one, name))
            path += f"{'M' if gap else 'L'}{x:.1f} {y:.1f}{'h0' if gap else ''}"
            before = one.start
        lines += f'<path class="{name[:3]}" d="{path}"/>'
    return _picture("queue", title, scale.axes() + lines)


def _picture(kind: str, title: str, drawn: str) -> Markup:
    label = escape(safe_text(title))
    return Markup(  # noqa: S704 - numbers and names of ours; titles are escaped
        f'<svg class="chart {kind}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{drawn}</svg>'
    )


class _Scale:
    """From moments and seconds to places in a picture."""

    def __init__(self, *, first: dt.datetime, last: dt.datetime, most: float) -> None:
        self._first = first
        self._length_s = max((last - first).total_seconds(), 1.0)
        self._step = next((step for step in _STEPS_S if most / step <= 4), _STEPS_S[-1])
        self._most = max(self._step * -(-most // self._step), self._step)

    def across(self, at: dt.datetime) -> float:
        share = (at - self._first).total_seconds() / self._length_s
        return _LEFT + 4 + share * (WIDTH - _LEFT - _RIGHT - 8)

    def upwards(self, seconds: float) -> float:
        return HEIGHT - _BOTTOM - seconds / self._most * (HEIGHT - _BOTTOM - _TOP)

    def axes(self) -> str:
        """Lines at round lengths of time and the days below."""
        rules = ""
        ticks = int(self._most // self._step)
        every = -(-ticks // 5)
        for tick in range(0, ticks + 1, every):
            y = self.upwards(tick * self._step)
            label = _short(tick * self._step)
            rules += f'<path class="rule" d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}"/>'
            rules += f'<text x="{_LEFT - 5}" y="{y + 3.5:.1f}" text-anchor="end">{label}</text>'
        return rules + "".join(self._dates())

    def _dates(self) -> Iterable[str]:
        """Round moments below; the first one where the picture is too short for any."""
        hours = next((one for one in _DATES_H if self._length_s / 3600 / one <= _MOST_DATES), _DATES_H[-1])
        step = dt.timedelta(hours=hours)
        form = "%m-%d" if hours >= 24 else "%m-%d %H:%M"
        last = self._first + dt.timedelta(seconds=self._length_s)
        at = _EPOCH + -(-(self._first - _EPOCH) // step) * step
        if at > last:
            at, form = self._first, "%m-%d %H:%M"
        while at <= last:
            x = self.across(at)
            anchor = "start" if x < _LEFT + 40 else "end" if x > WIDTH - _RIGHT - 40 else "middle"
            yield f'<text x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="{anchor}">{at:{form}}</text>'
            at += step


def _short(seconds: float) -> str:
    if seconds == 0:
        return "0"
    if seconds < 60:
        return f"{seconds:g} s"
    return f"{seconds / 60:g} min" if seconds < 7200 else f"{seconds / 3600:g} h"


def bars(row: Sequence[Bar], most: int) -> Markup:
    """A row of bars, all behind and the bad ones before them; ``most`` is the height of the picture."""
    step = _BAR_WIDTH / max(len(row), 1)
    wide = max(step - 1, 1.0)
    drawn = ""
    for place, bar in enumerate(row):
        for kind, number in (("all", bar.all), ("bad", bar.bad)):
            if number:
                high = max(number / max(most, 1) * (_SMALL - 1), 1.0)
                drawn += (
                    f'<rect class="{kind}" x="{place * step:.1f}" y="{_SMALL - high:.1f}" '
                    f'width="{wide:.1f}" height="{high:.1f}"/>'
                )
    return Markup(  # noqa: S704 - numbers and names of ours
        f'<svg class="bars" viewBox="0 0 {_BAR_WIDTH} {_SMALL}" preserveAspectRatio="none" aria-hidden="true">'
        f"{drawn}</svg>"
    )


def strip(states: Sequence[tuple[str, str]]) -> Markup:
    """Results in a row, as (tone, mark): small squares with marks, hidden from readers of text."""
    cells = "".join(f'<i class="{tone}">{escape(mark)}</i>' for tone, mark in states)
    return Markup(f'<span class="results" aria-hidden="true">{cells}</span>')  # noqa: S704 - tones and marks of ours


def _text(text: str) -> Markup:
    return escape(safe_text(text))
