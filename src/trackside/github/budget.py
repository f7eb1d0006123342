"""What a rate limit leaves: what the answers told, and whether one more call may go.  Pure: no clock, no threads."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from typing import Final

import msgspec

PERIOD_S: Final = 3600
# The servers behind one limit do not agree on the second at which it is renewed.
_SAME_RESET_S: Final = 2
_PAUSE_BELOW: Final = 100
_PAUSE_SHARE: Final = 0.2
_STOP_BELOW: Final = 50
_STOP_SHARE: Final = 0.1


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of one limit in one period. None is unknown, never zero. ``reset_s`` is GitHub's epoch time."""

    limit: int | None = None
    remaining: int | None = None
    reset_s: float | None = None

    def after(self, seen: Allowance) -> Allowance:
        """What is known once an answer told ``seen``. Answers come out of order: within a period only less counts."""
        if seen.remaining is None:
            return self
        if self.remaining is None:
            return seen
        if seen.reset_s is not None and self.reset_s is not None:
            if seen.reset_s > self.reset_s + _SAME_RESET_S:
                return seen
            if seen.reset_s < self.reset_s - _SAME_RESET_S:
                return self
        return Allowance(
            limit=self.limit if seen.limit is None else seen.limit,
            remaining=min(self.remaining, seen.remaining),
            reset_s=_latest(self.reset_s, seen.reset_s),
        )

    def spent(self) -> Allowance:
        """What is known after a call whose answer did not tell: it is taken to have counted."""
        if self.remaining is None:
            return self
        return msgspec.structs.replace(self, remaining=max(self.remaining - 1, 0))

    def used_up(self, told: Allowance) -> Allowance:
        """What is known once a call was refused: nothing is left, until the reset that the refusal itself tells."""
        return Allowance(
            limit=self.limit if told.limit is None else told.limit,
            remaining=0,
            reset_s=self.reset_s if told.reset_s is None else told.reset_s,
        )

    def renewed(self) -> Allowance:
        """What is known once the period is over: the limit, and not what is left of it."""
        return Allowance(limit=self.limit)


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """Below how many remaining calls one pauses, and below how many one stops. None: the defaults."""

    pause_below: int | None = None
    stop_below: int | None = None

    def at(self, limit: int | None) -> tuple[float, float]:
        """Both marks for a limit: the smaller of 100 and 20 % of it, the smaller of 50 and 10 % of it."""
        pause = _least(_PAUSE_BELOW, _PAUSE_SHARE, limit) if self.pause_below is None else self.pause_below
        stop = _least(_STOP_BELOW, _STOP_SHARE, limit) if self.stop_below is None else self.stop_below
        # A call takes one: where nothing is left, none may go, whatever the marks.
        return max(pause, stop, 1), stop


class Leave(enum.Enum):
    """Whether one more call may go."""

    GO = "go"
    PAUSE = "pause until the limit is renewed"
    STOP = "stop: too little is left even to wait and go on"
    RENEWED = "the period is over, what is left is unknown again"


def may_go(known: Allowance, in_flight: int, server_now_s: float, marks: Marks) -> Leave:
    """Whether one more call may go while ``in_flight`` others have not been answered."""
    if known.remaining is None:
        return Leave.GO
    if known.reset_s is not None and server_now_s >= known.reset_s + 1:
        return Leave.RENEWED
    effective = known.remaining - in_flight
    pause, stop = marks.at(known.limit)
    if effective < stop:
        return Leave.STOP
    return Leave.PAUSE if effective < pause else Leave.GO


def read_allowance(headers: Mapping[str, str], server_now_s: float) -> Allowance:
    """What the ``x-ratelimit-*`` headers tell. A reset that cannot be true is unknown."""
    reset = read_count(headers.get("x-ratelimit-reset"))
    if reset is not None and not server_now_s - PERIOD_S <= reset <= server_now_s + 2 * PERIOD_S:
        reset = None
    return Allowance(
        limit=read_count(headers.get("x-ratelimit-limit")),
        remaining=read_count(headers.get("x-ratelimit-remaining")),
        reset_s=reset,
    )


def read_count(text: str | None) -> int | None:
    """A whole number from 0 up to 12 digits, else None."""
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None


def _least(most: int, share: float, limit: int | None) -> float:
    return min(most, share * (math.inf if limit is None else limit))


def _latest(one: float | None, other: float | None) -> float | None:
    return max((one for one in (one, other) if one is not None), default=None)
