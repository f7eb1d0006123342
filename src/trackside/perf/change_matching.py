"""Which of the changes found now are those that are known: the same series and direction, at about the same commit."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterator, Sequence, Set
from typing import Final, NamedTuple

import polars as pl

from trackside.perf.change_records import Change
from trackside.perf.level_changes import change_id_of, unused_id
from trackside.perf.points import searched_points
from trackside.records.perf_rules import KnownChange
from trackside.stats.level_scan import SHORTEST

NEARBY: Final = 5
"""A change may move by so many points as more data come, and is still the same."""


class _Place(NamedTuple):
    """A point of a series: its run, its commit, and when the commit was first run."""

    job_id: int
    run_id: int
    sha: str | None
    ordered_at: dt.datetime


class SeriesPlaces:
    """The points of one series that were searched, in the order of commits."""

    def __init__(self, places: Sequence[_Place]) -> None:
        self._places = places
        self._of_job = {one.job_id: index for index, one in enumerate(places)}

    def range_of(self, change: Change) -> tuple[int, int, int]:
        """The indices of the last good point, the first of the new level, and the first bad one."""
        return (
            self._of_job[change.last_good.job_id],
            self._of_job[change.at.job_id],
            self._of_job[change.first_bad.job_id],
        )

    def index_of(self, known: KnownChange) -> int | None:
        """Where a known change began: by its commit, else its run, else its time; None where nothing tells it."""
        first = (index for index, one in enumerate(self._places) if one.sha and one.sha == known.first_bad_sha)
        same = (index for index, one in enumerate(self._places) if one.run_id == known.first_bad_run_id)
        for found in (first, same):
            if (index := next(found, None)) is not None:
                return index
        if known.first_bad_at is None:
            return None
        return bisect_left(self._places, known.first_bad_at, key=lambda one: one.ordered_at)

    def is_before(self, known: KnownChange) -> bool:
        """Whether a known change began too early to be found again: too few of the points are of the level before."""
        index = self.index_of(known)
        return index is not None and index < SHORTEST

    def ids_about(self, change: Change) -> Iterator[str]:
        """The ids that the change would have had if it had been seen to begin at another point of its range."""
        good, at, bad = self.range_of(change)
        for index in range(max(min(good + 1, at - NEARBY), 0), min(max(bad, at + NEARBY) + 1, len(self._places))):
            place = self._places[index]
            yield change_id_of(change.series, change.direction, place.sha, place.run_id)


class Matching:
    """The changes found, each with the known one that it is."""

    def __init__(self, changes: Sequence[Change], points: pl.DataFrame, known: Sequence[KnownChange]) -> None:
        self._changes = changes
        self.places = _places(points, {*(one.series for one in changes), *(one.series for one in known)})
        pairs = sorted(self._pairs(known), key=lambda pair: pair[:3])
        self._known: dict[str, KnownChange] = {}
        taken: set[str] = set()
        for *_, change, one in pairs:
            if change.change_id not in self._known and one.change_id not in taken:
                self._known[change.change_id] = one
                taken.add(one.change_id)
        self.unmatched = [one for one in known if one.change_id not in taken]

    def known_of(self, change: Change) -> KnownChange | None:
        """The known change that a found one is."""
        return self._known.get(change.change_id)

    def ids(self, said: Set[str]) -> dict[str, str]:
        """The id of each change found, by the id that it has by itself.

        One that is not known takes an id out of ``said`` that it would have had at another point of its range.
        """
        ids = {own: one.change_id for own, one in self._known.items()}
        used = set(ids.values()) | {one.change_id for one in self.unmatched}
        for change in self._changes:
            if change.change_id not in ids:
                about = (one for one in self.places[change.series].ids_about(change) if one in said and one not in used)
                ids[change.change_id] = next(about, None) or unused_id(change, used)
                used.add(ids[change.change_id])
        return ids

    def _pairs(self, known: Sequence[KnownChange]) -> Iterator[tuple[bool, int, str, Change, KnownChange]]:
        """Each found change with each known one that it may be: the same id first, then by how far they are apart."""
        of_series: dict[tuple[str, str], list[KnownChange]] = {}
        for one in known:
            of_series.setdefault((one.series, one.direction), []).append(one)
        for change in self._changes:
            for one in of_series.get((change.series, change.direction.value), ()):
                distance = self._distance(change, one)
                if distance is not None:
                    yield (one.change_id != change.change_id, distance, one.change_id, change, one)

    def _distance(self, change: Change, known: KnownChange) -> int | None:
        """By how many points they are apart; None where they are two changes."""
        if known.change_id == change.change_id:
            return 0
        index = self.places[change.series].index_of(known)
        if index is None:
            return None
        good, at, bad = self.places[change.series].range_of(change)
        apart = abs(index - at)
        return apart if apart <= NEARBY or good < index <= bad else None


def _places(points: pl.DataFrame, series: Set[str]) -> dict[str, SeriesPlaces]:
    rows = searched_points(points).filter(pl.col("series").is_in(list(series)), pl.col("ordered_at").is_not_null())
    found: dict[str, list[_Place]] = {name: [] for name in series}
    for name, *told in rows.select("series", *_Place._fields).iter_rows():
        found[name].append(_Place(*told))
    return {name: SeriesPlaces(places) for name, places in found.items()}
