"""The commands of a step that run a test each, and which of them is at hand.

A step may name several commands, and the shell shows all of them before the first prints anything. They are told apart
by unittest's (or pytest's) own result at the end of each: what comes after the result of one is of the next, unless the
one had told nothing yet and it comes at once (output that was held back until the end of its command).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Final

from trackside.perf.places import Attempt
from trackside.records.measurements import TestOutcome

_HELD_BACK: Final = dt.timedelta(seconds=5)


@dataclass
class Commands:
    """The commands of a step that run a test each.

    ``over``: the one that is at hand told its result, ``ended_at`` then; ``late``: it had told no number until then.
    """

    known: list[Attempt] = field(default_factory=list)
    at: int = 0
    over: bool = False
    late: bool = False
    ended_at: dt.datetime | None = None
    header: bool = False

    @property
    def running(self) -> Attempt | None:
        """The command at hand, None where the step names none."""
        return self.known[self.at] if self.known else None

    def names(self) -> list[str]:
        """What the commands run, in their order."""
        return [command.name for command in self.known]

    def next(self) -> None:
        """The command at hand is the one after it, where there is one."""
        if self.at + 1 < len(self.known):
            self.begin(self.at + 1)

    def begin(self, place: int) -> None:
        """The command at this place begins."""
        self.at, self.over, self.late = place, False, False

    def is_of_next(self, moment: dt.datetime | None) -> bool:
        """Whether a number that was printed then is of the command after the one at hand."""
        if not self.over or not self.late:
            return self.over
        return moment is not None and self.ended_at is not None and moment - self.ended_at > _HELD_BACK

    def end(self, outcome: TestOutcome, moment: dt.datetime | None) -> None:
        """A command told its result: the one at hand, or the next where that did already."""
        if self.over:
            self.next()
        running = self.running
        if running is not None:
            self.over, self.late, self.ended_at = True, not running.has_values, moment
            running.outcome = outcome
