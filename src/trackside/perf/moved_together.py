"""Changes of several series whose ranges overlap: one cause may have moved them all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from trackside.perf.change_records import Change


def moved_together(changes: Sequence[Change]) -> list[Change]:
    """The changes, each with the ids of those in other series that have a range of commits in common with it.

    The surest ones found the groups, and a group holds only what has one range in common with all of it: changes that
    merely touch at both ends of a third one are no group. Of several groups one with another metric of the same test
    is the nearest, then the one that began about where the change did.
    """
    groups: list[_Group] = []
    for change in sorted(changes, key=_width):
        homes = [group for group in groups if group.takes(change)]
        home = min(homes, key=lambda group: group.strangeness(change), default=None)
        if home is None:
            groups.append(_Group(change))
        else:
            home.add(change)
    ids = {change.change_id: group for group in groups for change in group.changes}
    return [msgspec.structs.replace(one, moved_with=ids[one.change_id].others(one)) for one in changes]


def _width(change: Change) -> tuple[object, ...]:
    """The narrowest range first; among equals the clearest change."""
    width = change.first_bad.ordered_at - change.last_good.ordered_at
    return (width, -abs(change.noises or 0.0), change.series, change.change_id)


class _Group:
    """Changes with a range in common: after ``start``, up to ``stop``."""

    def __init__(self, change: Change) -> None:
        self.start: dt.datetime = change.last_good.ordered_at
        self.stop: dt.datetime = change.first_bad.ordered_at
        self.changes = [change]

    def takes(self, change: Change) -> bool:
        if any(one.series == change.series for one in self.changes):
            return False
        return max(self.start, change.last_good.ordered_at) < min(self.stop, change.first_bad.ordered_at)

    def strangeness(self, change: Change) -> tuple[bool, dt.timedelta]:
        """How little a change goes with the group: nothing of its test is in it, and it began far from its first."""
        test = (change.workflow, change.job, change.test)
        is_strange = all((one.workflow, one.job, one.test) != test for one in self.changes)
        return is_strange, abs(change.at.ordered_at - self.changes[0].at.ordered_at)

    def add(self, change: Change) -> None:
        self.start = max(self.start, change.last_good.ordered_at)
        self.stop = min(self.stop, change.first_bad.ordered_at)
        self.changes.append(change)

    def others(self, change: Change) -> tuple[str, ...]:
        """The ids of the others, in the order of their series."""
        own = sorted(self.changes, key=lambda one: (one.series, one.change_id))
        return tuple(one.change_id for one in own if one is not change)
