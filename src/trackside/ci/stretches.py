"""Stretches of failures: a job on a branch line, run after run, and where its failures begin and end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

from trackside.ci.results import FAILED, PASSED, UNDECIDED

Place = tuple[dt.datetime, int]
"""Where a run stands in the order of runs: when it was created, then its id."""
_NEVER: Final = dt.datetime.min.replace(tzinfo=dt.UTC)


class Track(NamedTuple):
    """What is followed over the runs: a job of a workflow on a branch line; job None is the workflow itself."""

    workflow: str
    job: str | None
    line: str | None


@dataclass(frozen=True, eq=False)
class Stretch:
    """Failures in a row of one track: no run between the first and the last of them passed.

    ``rows`` are all results of the track in the order of the runs; the others are places in it. ``before`` is the
    nearest success before, ``after`` the first one after; None where there is none.
    """

    track: Track
    rows: Sequence[dict[str, Any]]
    first: int
    last: int
    before: int | None
    after: int | None

    @property
    def inside(self) -> Sequence[dict[str, Any]]:
        """The results from the first failure up to the success that ended it, or up to the newest."""
        return self.rows[self.first : self.after]

    @cached_property
    def failures(self) -> list[dict[str, Any]]:
        """The failed ones."""
        return [row for row in self.inside if row["result"] == FAILED]

    @cached_property
    def marks(self) -> frozenset[str]:
        """Fingerprints and tests of its failures; empty where no log told any."""
        return frozenset(mark for row in self.failures for mark in row["marks"])


def place_of(row: dict[str, Any]) -> Place:
    """Where the run of a result stands."""
    return (row["run_created_at"] or _NEVER, row["run_id"])


def tracks_of(rows: Iterable[dict[str, Any]]) -> dict[Track, list[dict[str, Any]]]:
    """The results of each track, in the order of the runs."""
    tracks: dict[Track, list[dict[str, Any]]] = {}
    for row in rows:
        tracks.setdefault(Track(row["workflow"], row["job"], row["line"]), []).append(row)
    for found in tracks.values():
        found.sort(key=place_of)
    return tracks


def stretches_of(track: Track, rows: Sequence[dict[str, Any]]) -> Iterator[Stretch]:
    """The stretches of failures of a track, oldest first. What is undecided neither ends nor begins one."""
    before: int | None = None
    first = last = -1
    for index, row in enumerate(rows):
        if row["result"] == FAILED:
            first = index if first < 0 else first
            last = index
        elif row["result"] == PASSED:
            if first >= 0:
                yield Stretch(track, rows, first, last, before, index)
            before, first = index, -1
    if first >= 0:
        yield Stretch(track, rows, first, last, before, None)


def undecided_in(stretch: Stretch) -> int:
    """How many runs of the stretch were cancelled, skipped or have not ended."""
    return sum(row["result"] == UNDECIDED for row in stretch.inside)
