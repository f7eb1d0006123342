"""How a job broke on the default line, to ask what was broken there at a moment."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from trackside.ci.neighbours import REACH
from trackside.ci.stretches import Stretch

Row = dict[str, Any]


class MainBreakage:
    """The stretches of failures of one job on the default line."""

    def __init__(self, stretches: Iterable[Stretch]) -> None:
        """Takes the stretches on all lines; those of a line are in the order of time."""
        on_main = [
            (begun, one)
            for one in stretches
            if one.failures[0]["is_default_line"] and (begun := one.failures[0]["run_created_at"]) is not None
        ]
        on_main.sort(key=itemgetter(0))
        self._begun = [begun for begun, _ in on_main]
        self._stretches = [one for _, one in on_main]
        self._over = [_over(one) for one in self._stretches]
        self._errors = [frozenset(mark for row in one.failures for mark in _errors(row)) for one in self._stretches]

    def shown_at(self, at: dt.datetime, row: Row) -> Stretch | None:
        """The first stretch that shows the error of ``row`` and had begun by then.

        A branch that began while main was broken stays so until it takes the fix in, for which it has a day.
        """
        wanted = _errors(row)
        first, stop = bisect_left(self._over, at - REACH), bisect_right(self._begun, at)
        places = (place for place in range(first, stop) if not wanted.isdisjoint(self._errors[place]))
        return next((self._stretches[place] for place in places), None)


def _over(stretch: Stretch) -> dt.datetime:
    """When the success that ended it was created; the end of time where it goes on."""
    end: dt.datetime | None = None if stretch.after is None else stretch.rows[stretch.after]["run_created_at"]
    return dt.datetime.max.replace(tzinfo=dt.UTC) if end is None else end


def _errors(row: Row) -> frozenset[tuple[str | None, ...]]:
    """What makes two failures the same error (``clues.same_error``) where they have one of it in common."""
    marks: list[tuple[str | None, ...]] = []
    if row["fingerprint"] is not None:
        marks.append((row["fingerprint"],))
    if row["test"] is not None:
        marks.append((row["test"], row["cause"]))
    return frozenset(marks)
