"""Whether a job was broken at a time: how it did on other commits just before and just after."""

from __future__ import annotations

import datetime as dt
import enum
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import polars as pl

from trackside.ci.results import FAILED, PASSED

REACH: Final = dt.timedelta(hours=24)
"""So far before and after an attempt others are looked at,"""
LOOKED_AT: Final = 5
"""and so many of the nearest on each side."""
MAJORITY_OF: Final = 3
"""Where one side has this many or more, most of them failed means that the job was broken."""
NEXT_TO_IT: Final = 2
"""So many failures next to the attempt, the two sides together, without a success in between, mean the same."""
RED_IN_A_ROW: Final = 2
"""So many commits of the default line (or of the attempt's own) that failed and never passed mean the same,"""
MENDED_IN: Final = dt.timedelta(hours=2)
"""and one of them does where it may have been mended before the success: other commits ran in between, or so much time
went by."""
SOON: Final = dt.timedelta(hours=6)
"""Where no other commit shows anything, a success on the same commit counts only if it came as soon."""


class Surroundings(enum.StrEnum):
    """How the job did on other commits around an attempt that failed."""

    WORKING = "working"
    """It worked: the failure was the attempt's own."""
    BROKEN = "broken"
    """It failed there too."""
    UNKNOWN = "unknown"
    """No other commit shows it, and the success came late: something may have been mended in between."""


class Seen(NamedTuple):
    """A decided attempt: when it began, on which commit of which line, and how it ended.

    ``recovered`` says that the job passed on this commit at any time.
    """

    at: dt.datetime
    sha: str | None
    line: str | None
    is_default: bool
    failed: bool
    recovered: bool


class Neighbours:
    """The decided attempts of one job, by time."""

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """The rows are ``at``, ``sha``, ``line``, ``is_default_line``, ``result``."""
        kept = [row for row in rows if row[0] is not None]
        recovered = {sha for _, sha, *_, result in kept if result == PASSED}
        seen = (
            Seen(at, sha, line, bool(is_default), result == FAILED, sha in recovered)
            for at, sha, line, is_default, result in kept
        )
        self._seen = sorted(seen, key=lambda one: (one.at, one.sha or ""))
        self._times = [seen.at for seen in self._seen]

    def around(self, failed: dict[str, Any], passed_at: dt.datetime | None) -> Surroundings:
        """How the job did around the attempt ``failed``, whose commit passed in an attempt that began ``passed_at``.

        On the side of the success only what lies before it counts: by then the job worked. But where nothing else
        passed in between and main is red after it, the failure was the first sign of that, and the success of old code.
        """
        at = failed["at"]
        if at is None:
            return Surroundings.UNKNOWN
        step = -1 if passed_at is not None and passed_at < at else 1
        away = [seen for seen in self._side(at, -step) if seen.sha != failed["sha"]]
        other = [seen for seen in self._side(at, step) if seen.sha != failed["sha"]]
        between = [seen for seen in other if passed_at is None or abs(seen.at - at) <= abs(passed_at - at)]
        own = None if failed["is_default_line"] else failed["line"]
        gap = None if passed_at is None else abs(passed_at - at)
        mendable = bool(between) or gap is None or gap >= MENDED_IN
        if any(_is_red(side, own, 1 if mendable else RED_IN_A_ROW) for side in (away, between)):
            return Surroundings.BROKEN
        if all(seen.failed for seen in between) and _is_red(other[len(between) :], None, RED_IN_A_ROW):
            return Surroundings.BROKEN
        sides = [_nearest(side, own) for side in (away, between)]
        if any(_mostly_failed(side) for side in sides) or sum(map(_failed_at_once, sides)) >= NEXT_TO_IT:
            return Surroundings.BROKEN
        if any(not seen.failed for side in sides for seen in side):
            return Surroundings.WORKING
        return Surroundings.WORKING if gap is not None and gap <= SOON else Surroundings.UNKNOWN

    def _side(self, at: dt.datetime, step: int) -> Iterator[Seen]:
        """The attempts on one side within REACH, the nearest first."""
        start = bisect_left(self._times, at)
        places = range(start, len(self._seen)) if step > 0 else range(start - 1, -1, -1)
        for place in places:
            if abs(self._times[place] - at) > REACH:
                return
            yield self._seen[place]


def _nearest(side: Sequence[Seen], own: str | None) -> list[Seen]:
    """The nearest ones, each commit of the default line and each other line once; not those of the attempt's line."""
    found: dict[object, Seen] = {}
    for seen in side:
        if own is None or seen.line != own:
            found.setdefault((seen.sha,) if seen.is_default or seen.line is None else seen.line, seen)
        if len(found) == LOOKED_AT:
            break
    return list(found.values())


def _mostly_failed(side: Sequence[Seen]) -> bool:
    return len(side) >= MAJORITY_OF and 2 * sum(seen.failed for seen in side) > len(side)


def _failed_at_once(side: Sequence[Seen]) -> int:
    """How many failed before the first that did not."""
    return next((index for index, seen in enumerate(side) if not seen.failed), len(side))


def _is_red(side: Sequence[Seen], own: str | None, least: int) -> bool:
    """Whether the nearest ``least`` commits of the default line, or of the line ``own``, failed and never passed."""
    on_main = [seen for seen in side if seen.is_default]
    on_own = [seen for seen in side if own is not None and seen.line == own]
    return any(_nearest_failed(seen, least) for seen in (on_main, on_own))


def _nearest_failed(side: Sequence[Seen], least: int) -> bool:
    commits: dict[str | None, Seen] = {}
    for seen in side:
        commits.setdefault(seen.sha, seen)
        if len(commits) == least:
            return all(one.failed and not one.recovered for one in commits.values())
    return False


def began_at() -> pl.Expr:
    """When an attempt began, as far as it is told."""
    return pl.coalesce("started_at", "created_at", "run_created_at")
