"""The clock of the fake: it stands still until it is told to move, or runs on from a given moment."""

from __future__ import annotations

import datetime as dt
import threading
import time

START = dt.datetime(2026, 6, 1, 12, 0, 0, tzinfo=dt.UTC)


class Clock:
    """Now, for everything the fake says about time: rate resets, expiry of links and tokens, arrivals.

    ``ticking`` adds the real time that has passed; a clock of a test stands still and is moved by ``advance``.
    """

    def __init__(self, now: dt.datetime = START, *, ticking: bool = False) -> None:
        self._now = now.astimezone(dt.UTC)
        self._since = time.monotonic() if ticking else None
        self._lock = threading.Lock()

    def now(self) -> dt.datetime:
        """Aware UTC."""
        with self._lock:
            if self._since is None:
                return self._now
            return self._now + dt.timedelta(seconds=time.monotonic() - self._since)

    def epoch_s(self) -> float:
        """Seconds since 1970."""
        return self.now().timestamp()

    def advance(self, seconds: float) -> None:
        """Move on; the ``sleep`` of a client under test may be this very function."""
        with self._lock:
            self._now += dt.timedelta(seconds=seconds)

    def set(self, now: dt.datetime) -> None:
        """Stand at another moment."""
        with self._lock:
            self._now = now.astimezone(dt.UTC)
            self._since = None if self._since is None else time.monotonic()


def stamp(moment: dt.datetime) -> str:
    """``2026-06-01T12:00:00Z``, as GitHub writes times: whole seconds."""
    return f"{moment.year:04}-{moment.month:02}-{moment.day:02}T{moment.hour:02}:{moment.minute:02}:{moment.second:02}Z"
