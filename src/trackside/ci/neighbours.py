"""Whether a job was broken at a time: how it did on other commits just before and just after."""

from __future__ import annotations

import datetime as dt
import enum
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import polars as pl

from trackside.ci.results import FAILED, JOB_KEY

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
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Surroundings(enum.StrEnum):
    """How the job did on other commits around an attempt that failed."""

    WORKING = "working"
    """It worked: the failure was the attempt's own."""
    BROKEN = "broken"
    """It failed there too."""
    UNKNOWN = "unknown"
    """No other commit shows it, and the success came late: something may have been mended in between."""


class Seen(NamedTuple):
    """A decided attempt: when it began (in microseconds), on which commit of which line, and how it ended.

    ``recovered`` says that the job passed on this commit at any time.
    """

    at_us: int
    sha: str | None
    line: str | None
    is_default: bool
    failed: bool
    recovered: bool


class _Side(NamedTuple):
    """The attempts on one side of a failed one that are of other commits than ``sha``; the nearest is seen first."""

    rows: Sequence[Seen]
    first: int
    stop: int
    step: int
    sha: str | None

    def every(self) -> Iterator[Seen]:
        return self._other(range(self.first, self.stop)[:: self.step])

    def among(self, places: Sequence[int]) -> Iterator[Seen]:
        """Those at these places, which are in order."""
        return self._other(places[bisect_left(places, self.first) : bisect_left(places, self.stop)][:: self.step])

    def _other(self, places: Iterable[int]) -> Iterator[Seen]:
        return (seen for place in places if (seen := self.rows[place]).sha != self.sha)


def neighbours_of(rows: pl.DataFrame) -> dict[tuple[str, str], Neighbours]:
    """The decided attempts of each job (workflow and job), out of rows of ``attempts`` with ``at``."""
    failed = pl.col("result") == FAILED
    told = rows.filter(pl.col("at").is_not_null()).select(
        *JOB_KEY,
        pl.col("at").dt.epoch("us"),
        "sha",
        "line",
        pl.col("is_default_line").fill_null(value=False),
        failed.alias("failed"),
        (~failed).any().over(*JOB_KEY, "sha").alias("recovered"),
    )
    ordered = told.sort("at", pl.col("sha").fill_null(""), maintain_order=True)
    parts = ordered.partition_by(JOB_KEY, as_dict=True, include_key=False)
    return {(workflow, job): Neighbours(part) for (workflow, job), part in parts.items()}


class Neighbours:
    """The decided attempts of one job, by time."""

    def __init__(self, rows: pl.DataFrame) -> None:
        """The rows have the fields of ``Seen`` and are in the order of time."""
        self._seen = [Seen._make(row) for row in rows.iter_rows()]
        self._times = [seen.at_us for seen in self._seen]
        self._main = [place for place, seen in enumerate(self._seen) if seen.is_default]
        self._of_line: dict[str | None, list[int]] = {}
        for place, seen in enumerate(self._seen):
            self._of_line.setdefault(seen.line, []).append(place)

    def around(self, failed: dict[str, Any], passed_at: dt.datetime | None) -> Surroundings:
        """How the job did around the attempt ``failed``, whose commit passed in an attempt that began ``passed_at``.

        On the side of the success only what lies before it counts: by then the job worked. But where nothing else
        passed in between and main is red after it, the failure was the first sign of that, and the success of old code.
        """
        at = failed["at"]
        if at is None:
            return Surroundings.UNKNOWN
        step = -1 if passed_at is not None and passed_at < at else 1
        gap = None if passed_at is None else abs(passed_at - at)
        away, (between, beyond) = self._side(failed, -step, None)[0], self._side(failed, step, gap)
        own = None if failed["is_default_line"] else failed["line"]
        mendable = gap is None or gap >= MENDED_IN or next(between.every(), None) is not None
        if any(self._is_red(side, own, 1 if mendable else RED_IN_A_ROW) for side in (away, between)):
            return Surroundings.BROKEN
        if self._is_red(beyond, None, RED_IN_A_ROW) and all(seen.failed for seen in between.every()):
            return Surroundings.BROKEN
        sides = [_nearest(side, own) for side in (away, between)]
        if any(_mostly_failed(side) for side in sides) or sum(map(_failed_at_once, sides)) >= NEXT_TO_IT:
            return Surroundings.BROKEN
        if any(not seen.failed for side in sides for seen in side):
            return Surroundings.WORKING
        return Surroundings.WORKING if gap is not None and gap <= SOON else Surroundings.UNKNOWN

    def _side(self, failed: dict[str, Any], step: int, gap: dt.timedelta | None) -> tuple[_Side, _Side]:
        """The attempts within REACH on one side: those no further away than ``gap`` (None: all), and the others."""
        at, reach = _microseconds(failed["at"] - _EPOCH), _microseconds(REACH)
        near = reach if gap is None else min(_microseconds(gap), reach)
        here = bisect_left(self._times, at)
        if step > 0:
            middle, end = (bisect_right(self._times, at + far) for far in (near, reach))
            ends = ((here, middle), (middle, end))
        else:
            middle, end = (bisect_left(self._times, at - far) for far in (near, reach))
            ends = ((middle, here), (end, middle))
        one, other = (_Side(self._seen, first, stop, step, failed["sha"]) for first, stop in ends)
        return one, other

    def _is_red(self, side: _Side, own: str | None, least: int) -> bool:
        """Whether the nearest ``least`` commits of the default line, or of the line ``own``, failed, never passed."""
        on_own = [] if own is None else self._of_line.get(own, [])
        return any(_nearest_failed(side.among(places), least) for places in (self._main, on_own))


def _microseconds(time: dt.timedelta) -> int:
    return time // dt.timedelta(microseconds=1)


def _nearest(side: _Side, own: str | None) -> list[Seen]:
    """The nearest ones, each commit of the default line and each other line once; not those of the attempt's line."""
    found: dict[object, Seen] = {}
    for seen in side.every():
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


def _nearest_failed(side: Iterable[Seen], least: int) -> bool:
    commits: dict[str | None, Seen] = {}
    for seen in side:
        commits.setdefault(seen.sha, seen)
        if len(commits) == least:
            return all(one.failed and not one.recovered for one in commits.values())
    return False


def began_at() -> pl.Expr:
    """When an attempt began, as far as it is told."""
    return pl.coalesce("started_at", "created_at", "run_created_at")
