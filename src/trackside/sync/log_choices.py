"""Whose logs are downloaded where only failures that are new are looked into, and how many at most."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from trackside.agents.signatures import SIGNATURE_VERSION, signature_of
from trackside.records.agent_rules import LogBudget
from trackside.records.knowledge import LogChoice, Occurrence

DAY: Final = dt.timedelta(hours=24)
SETTLED: Final = frozenset({LogChoice.READ, LogChoice.KNOWN, LogChoice.GONE})
"""Choices that are made once for a failed job."""
_MIB: Final = 1024 * 1024


class Downloads:
    """What is left of the budget of a sync and a day. Every method may be called by any thread."""

    def __init__(self, rules: LogBudget, earlier: Iterable[Occurrence], now: dt.datetime) -> None:
        asked = [one for one in earlier if one.asked_at is not None and now - one.asked_at < DAY]
        self._rules = rules
        self._lock = threading.Lock()
        self._of_sync = rules.per_sync
        self._of_day = rules.per_day - len(asked)
        self._bytes = rules.mib_per_day * _MIB - sum(one.log_bytes for one in asked)
        self._largest = max((_MIB, *(one.log_bytes for one in asked)))

    @property
    def left(self) -> int:
        """How many logs may be asked for now: as many as fit into what is left, were each as large as the largest."""
        with self._lock:
            return max(0, min(self._of_sync, self._of_day, -(-self._bytes // self._largest)))

    def take(self) -> bool:
        """Whether one more log may be asked for; then it counts."""
        with self._lock:
            if min(self._of_sync, self._of_day, self._bytes) <= 0:
                return False
            self._of_sync -= 1
            self._of_day -= 1
            return True

    def came(self, size_bytes: int) -> None:
        """Counts the bytes of a log that was asked for. Logs that are under way at the limit come to their end."""
        with self._lock:
            self._bytes -= size_bytes
            self._largest = max(self._largest, size_bytes)

    @property
    def used_up(self) -> str:
        """Which limit is used up, as the settings say it; empty where none is."""
        with self._lock:
            left = {"per_sync": self._of_sync, "per_day": self._of_day, "mib_per_day": self._bytes}
            return next((f"{name} = {getattr(self._rules, name)}" for name, more in left.items() if more <= 0), "")


class _Kind(msgspec.Struct):
    """A kind of failure of which a log was read: when last, when the newest of them failed, how many came after it."""

    asked_at: dt.datetime
    failed_at: dt.datetime
    later: int = 0


class Turn(msgspec.Struct, frozen=True):
    """What is done next: logs to ask for, failures that need none, and those that wait for what is asked."""

    ask: tuple[Occurrence, ...]
    known: tuple[Occurrence, ...]
    rest: tuple[Occurrence, ...]


class LogChoices:
    """Chooses among failures: one of each kind that is unknown, or due to be looked into again.

    A kind is due after so many failures behind the newest that was read, or so many days after the last was.
    """

    def __init__(self, rules: LogBudget, known: Iterable[Occurrence], now: dt.datetime) -> None:
        self._rules = rules
        self._now = now
        self._kinds: dict[str, _Kind] = {}
        self._tried: set[str] = set()
        told = list(known)
        for one in told:
            if one.choice is LogChoice.READ:
                self._learn(one)
        for one in told:
            kind = self._kinds.get(current_signature(one))
            if kind is not None and one.choice is LogChoice.KNOWN and one.failed_at > kind.failed_at:
                kind.later += 1

    def turn(self, failures: Sequence[Occurrence], most: int) -> Turn:
        """Sorts out ``failures``, in their order; at most ``most`` logs are asked for, one of a kind.

        Where one of a kind that is known is looked into again, or waits for that, the others need no log.
        """
        ask: list[Occurrence] = []
        known: list[Occurrence] = []
        rest: list[Occurrence] = []
        seen = set(self._tried)
        newer = self._newer(failures)
        for failure in failures:
            kind = self._kinds.get(failure.signature)
            is_first = failure.signature not in seen
            seen.add(failure.signature)
            if kind is not None and not (is_first and self._is_due(kind, newer[failure.signature])):
                known.append(failure)
            elif is_first and len(ask) < most:
                ask.append(failure)
            else:
                rest.append(failure)
        return Turn(tuple(ask), tuple(known), tuple(rest))

    def came(self, failure: Occurrence) -> None:
        """The log of a failure was read: it stands for the others of its kind."""
        self._learn(failure)
        self._tried.add(failure.signature)

    def give_up(self, failure: Occurrence) -> None:
        """The log of a failure could not be had now: no other of its kind is asked for in this sync."""
        self._tried.add(failure.signature)

    def _newer(self, failures: Iterable[Occurrence]) -> Counter[str]:
        """How many of ``failures`` of each known kind came after the newest that was read."""
        kinds = self._kinds
        return Counter(
            one.signature
            for one in failures
            if one.signature in kinds and one.failed_at > kinds[one.signature].failed_at
        )

    def _is_due(self, kind: _Kind, newer: int) -> bool:
        """Whether one of ``newer`` failures is looked into: the others count as well as those that are known."""
        old = self._now - kind.asked_at >= dt.timedelta(days=self._rules.recheck_days)
        return old or kind.later + max(newer - 1, 0) >= self._rules.recheck_after

    def _learn(self, failure: Occurrence) -> None:
        asked_at, failed_at = failure.asked_at or failure.failed_at, failure.failed_at
        kind = self._kinds.setdefault(current_signature(failure), _Kind(asked_at, failed_at))
        kind.asked_at = max(kind.asked_at, asked_at)
        kind.failed_at = max(kind.failed_at, failed_at)


def in_turn(failures: Iterable[Occurrence]) -> list[Occurrence]:
    """The order in which logs are asked for: those that wait, the oldest first, then new ones, the newest first.

    Those that were asked for in vain come last: they must not hold up the others.
    """
    every = list(failures)
    asked = [one for one in every if one.asked_at is not None]
    waiting = [one for one in every if one.asked_at is None and one.choice is LogChoice.DEFERRED]
    new = [one for one in every if one.asked_at is None and one.choice is not LogChoice.DEFERRED]
    return [
        *sorted(waiting, key=lambda one: (one.failed_at, one.job_id)),
        *sorted(new, key=lambda one: (one.failed_at, one.job_id), reverse=True),
        *sorted(asked, key=lambda one: (one.asked_at or one.failed_at, one.job_id)),
    ]


def current_signature(failure: Occurrence) -> str:
    """Its signature as it is made today, of a row of an earlier version too."""
    if failure.version == SIGNATURE_VERSION:
        return failure.signature
    return signature_of(failure.workflow, failure.job, failure.step, failure.conclusion)
