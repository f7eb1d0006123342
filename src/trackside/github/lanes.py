"""What holds calls back: one lane for each limit of GitHub, one for all of them.  No threads: its owner locks."""

from __future__ import annotations

from typing import Final

from trackside.github.budget import Allowance

EVERY: Final = "every"
GRAPHQL: Final = "graphql"


class Lane:
    """The calls under one limit.

    ``probe`` says that the next call goes alone, because what is left is not known: at the start and after a wait.
    ``stopped`` says why no call goes under this limit any more, though others may.
    ``epoch`` counts holds and renewals: what a call tells that was sent before the newest one is old news.
    """

    def __init__(self, name: str, *, probe: bool) -> None:
        self.name = name
        self.probe = probe
        self.known = Allowance()
        self.in_flight = 0
        self.epoch = 0
        self.hits = 0
        self.held_until: float | None = None
        self.why = ""
        self.announced = False
        self.sleeper = False
        self.stopped: str | None = None

    def is_held(self, now: float) -> bool:
        """Whether calls wait. A hold that has passed is lifted here: what is left is unknown, one call goes first."""
        if self.held_until is None:
            return False
        if now < self.held_until:
            return True
        self.held_until = None
        self.renew()
        return False

    def renew(self) -> None:
        """The period is over or the wait is: forget what was left, and let one call go first."""
        self.known = self.known.renewed()
        self.probe = True
        self.epoch += 1

    def hold(self, until: float, why: str) -> None:
        """Keep calls back until then; a longer hold stays."""
        if self.held_until is None:
            self.epoch += 1
        elif until <= self.held_until:
            return
        self.held_until = until
        self.why = why
        self.announced = False

    def waits_for_probe(self) -> bool:
        """Whether a call must wait because the one that goes first has not come back."""
        return self.probe and self.in_flight > 0

    def answered(self, epoch: int) -> None:
        """A call came back that no limit had refused. One sent before the newest hold tells nothing of after it."""
        if epoch == self.epoch:
            self.probe = False
            self.hits = 0

    def hit(self) -> int:
        """A limit refused a call; how many times in a row before this one."""
        self.hits += 1
        return self.hits - 1
