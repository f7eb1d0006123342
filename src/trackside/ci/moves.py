"""Breakage that moves between the shards of a family when its tests are divided anew."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from trackside.ci.results import FAILED, PASSED, UNDECIDED
from trackside.ci.stretches import Place, Stretch, Track, place_of

SURE_WITHOUT_LOGS: Final = 2
"""So many failed runs in a row a shard must have for its breakage to have moved where nothing else tells."""
_NUMBER: Final = re.compile(r"\d+")
Family = tuple[str, str, str | None]
"""Workflow, family, branch line."""


class FamilyRun(NamedTuple):
    """A run in which a family ran: its place, the result of each shard, and one of the rows."""

    place: Place
    results: dict[str | None, str]
    row: dict[str, Any]

    @property
    def passed(self) -> bool:
        """Whether at least one shard passed and none failed."""
        values = self.results.values()
        return PASSED in values and FAILED not in values


class Families:
    """The runs of each family of shards, in order."""

    def __init__(self, tracks: dict[Track, list[dict[str, Any]]]) -> None:
        runs: dict[Family, dict[Place, FamilyRun]] = {}
        for track, rows in tracks.items():
            for row in rows:
                if row["shard"] is not None:
                    family = (track.workflow, row["family"], track.line)
                    place = place_of(row)
                    run = runs.setdefault(family, {}).setdefault(place, FamilyRun(place, {}, row))
                    run.results[track.job] = row["result"]
        self._runs = {family: [found[place] for place in sorted(found)] for family, found in runs.items()}

    def runs_of(self, stretch: Stretch) -> Sequence[FamilyRun]:
        """The runs of the family of a stretch; empty where its job is no shard."""
        return self._runs.get(family_of_stretch(stretch), ())

    def last_good(self, stretch: Stretch) -> dict[str, Any] | None:
        """A row of the newest run before the stretch in which the whole family was good."""
        first = place_of(stretch.rows[stretch.first])
        return next((run.row for run in reversed(self.runs_of(stretch)) if run.place < first and run.passed), None)


def family_of_stretch(stretch: Stretch) -> Family:
    """The family that the job of a stretch is a shard of."""
    return (stretch.track.workflow, stretch.rows[stretch.first]["family"], stretch.track.line)


def find_moves(stretches: Iterable[Stretch], families: Families) -> dict[Stretch, Stretch]:
    """For each stretch that goes on from one of a sibling shard, which one that is; no stretch goes on twice.

    A breakage has moved where one shard begins to fail at the very run at which a sibling is good again or is no
    longer there, as far as decided results tell. The same fingerprint or test on both sides supports it and different
    ones rule it out. Where logs tell nothing the sibling must have failed in SURE_WITHOUT_LOGS runs, or the number of
    shards must have changed.
    """
    by_family: dict[Family, list[Stretch]] = {}
    for stretch in stretches:
        if stretch.rows[stretch.first]["shard"] is not None:
            by_family.setdefault(family_of_stretch(stretch), []).append(stretch)
    moves: dict[Stretch, Stretch] = {}
    for members in by_family.values():
        if len(members) > 1:
            moves |= _moves_of(members, families.runs_of(members[0]))
    return moves


def _moves_of(members: Sequence[Stretch], runs: Sequence[FamilyRun]) -> dict[Stretch, Stretch]:
    shards: dict[Track, list[Stretch]] = {}
    for member in sorted(members, key=_begin):
        shards.setdefault(member.track, []).append(member)
    offers = [
        (_rank(old, new, supported=bool(old.marks & new.marks)), old, new)
        for old in members
        if (end := _end_of(old, runs)) is not None
        for new in _begun_then(old, end, shards)
        if old.marks & new.marks or (not (old.marks and new.marks) and _plausible(old, _begin(new), runs))
    ]
    taken: dict[Stretch, Stretch] = {}
    gone_on: set[Stretch] = set()
    for _, old, new in sorted(offers, key=lambda offer: offer[0]):
        if new not in taken and old not in gone_on:
            taken[new] = old
            gone_on.add(old)
    return taken


def _rank(old: Stretch, new: Stretch, *, supported: bool) -> tuple[object, ...]:
    """What goes on from what first: where marks agree, then where most failures are."""
    length = len(old.failures) + len(new.failures)
    return (not supported, -length, _begin(new), _distance(old, new), str(old.track.job), str(new.track.job))


def _begun_then(old: Stretch, end: Place, shards: dict[Track, list[Stretch]]) -> Iterator[Stretch]:
    """The stretches of other shards that may have begun when ``old`` ended; those of a shard are in order."""
    last = place_of(old.rows[old.last])
    for track, stretches in shards.items():
        if track == old.track:
            continue
        # Of those that begin after the end only the next one can have been undecided since.
        stop = bisect_right(stretches, end, key=_begin) + 1
        for new in stretches[bisect_right(stretches, last, key=_begin) : stop]:
            if _may_begin(new, end):
                yield new


def _may_begin(new: Stretch, end: Place) -> bool:
    """Whether a shard may have begun to fail at ``end``: in the run itself, or it was undecided from there on."""
    if _begin(new) <= end:
        return True
    known_good = new.rows[0] if new.before is None else new.rows[new.before]
    return place_of(known_good) < end or (new.before is None and place_of(known_good) == end)


def _begin(stretch: Stretch) -> Place:
    return place_of(stretch.rows[stretch.first])


def _end_of(stretch: Stretch, runs: Sequence[FamilyRun]) -> Place | None:
    """The first run after the stretch in which its shard passed, or was not there while others ran; None if neither."""
    job = stretch.track.job
    after = bisect_right(runs, place_of(stretch.rows[stretch.last]), key=_place)
    for index in range(after, len(runs)):
        results = runs[index].results
        if results.get(job) != UNDECIDED and any(result != UNDECIDED for result in results.values()):
            return runs[index].place
    return None


def _plausible(old: Stretch, begin: Place, runs: Sequence[FamilyRun]) -> bool:
    ends = (place_of(old.rows[old.last]), begin)
    one, other = (len(runs[bisect_left(runs, end, key=_place)].results) for end in ends)
    return one != other or len(old.failures) >= SURE_WITHOUT_LOGS


def _place(run: FamilyRun) -> Place:
    return run.place


def _distance(old: Stretch, new: Stretch) -> int:
    ones, others = (_NUMBER.findall(stretch.rows[stretch.first]["shard"]) for stretch in (old, new))
    return sum(abs(int(one) - int(other)) for one, other in zip(ones, others, strict=False))
