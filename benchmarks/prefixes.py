"""What stands before the message of a line: time stamp, rank tag and what wrappers add."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Final

Head = Callable[[float, str], str]
"""Text before the message, for a time (seconds since the run's start) and a rank tag (``DP1 TP4 EP4``)."""


class Clock:
    """Wall-clock stamps of a run; one string is made per second."""

    def __init__(self, start: dt.datetime) -> None:
        self.start = start
        self._known: dict[int, str] = {}

    def at(self, time_s: float) -> str:
        """``YYYY-MM-DD HH:MM:SS`` of a time since the run's start."""
        second = int(time_s)
        stamp = self._known.get(second)
        if stamp is None:
            if len(self._known) > 4096:
                self._known.clear()
            stamp = (self.start + dt.timedelta(seconds=second)).strftime("%Y-%m-%d %H:%M:%S")
            self._known[second] = stamp
        return stamp

    def iso(self, time_s: float) -> str:
        """``YYYY-MM-DDTHH:MM:SS.ffffffZ`` of a time since the run's start."""
        return f"{self.at(time_s).replace(' ', 'T')}.{int(time_s % 1 * 1e6):06d}Z"


def _bracket(clock: Clock, before: str = "") -> Head:
    return lambda time_s, tag: f"{before}[{clock.at(time_s)} {tag}] " if tag else f"{before}[{clock.at(time_s)}] "


def _milliseconds(clock: Clock) -> Head:
    def head(time_s: float, tag: str) -> str:
        stamp = f"{clock.at(time_s)}.{int(time_s % 1 * 1000):03d}"
        return f"[{stamp} {tag}] " if tag else f"[{stamp}] "

    return head


def _dynamo(clock: Clock) -> Head:
    return lambda time_s, tag: f"{clock.iso(time_s)}  INFO metrics_reporter.report: "


def _dynamo_ansi(clock: Clock) -> Head:
    return lambda time_s, tag: (
        f"\x1b[2m{clock.iso(time_s)}\x1b[0m \x1b[32m INFO\x1b[0m \x1b[2mmetrics_reporter\x1b[0m\x1b[2m:\x1b[0m "
    )


def _shipped(clock: Clock) -> Head:
    return lambda time_s, tag: f"{clock.iso(time_s)} sglang-decode-7f9c INFO {tag}] "


_COLOUR: Final = "\x1b[36m"


def _coloured(clock: Clock) -> Head:
    return lambda time_s, tag: f"{_COLOUR}[{clock.at(time_s)} {tag}]\x1b[0m "


PREFIXES: Final[Mapping[str, Callable[[Clock], Head]]] = {
    "bracket": _bracket,
    "ms": _milliseconds,
    "dynamo": _dynamo,
    "dynamo-ansi": _dynamo_ansi,
    "ansi": _coloured,
    "shipped": _shipped,
    "ray": lambda clock: _bracket(clock, "(SGLangEngine pid=41820, ip=10.0.3.17) "),
    "srun": lambda clock: _bracket(clock, "3: "),
    "compose": lambda clock: _bracket(clock, "sglang  | "),
}
"""Prefix forms by name; bracket is the form of a plain worker."""

TAG_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "dp-tp-ep": ("DP", "TP", "EP"),
    "dp-tp": ("DP", "TP"),
    "dp": ("DP",),
    "tp-ep": ("TP", "EP"),
    "tp": ("TP",),
    "none": (),
}
"""Which ranks the tag names. Forms without DP suit workers with one DP rank."""


def rank_tag(form: str, dp: int, tp: int) -> str:
    """The tag of one rank; expert rank equals tensor rank, as in a plain DP-attention launch."""
    value = {"DP": dp, "TP": tp, "EP": tp}
    return " ".join(f"{part}{value[part]}" for part in TAG_PARTS[form])
