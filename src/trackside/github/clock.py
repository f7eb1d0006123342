"""Time and chance for the GitHub client, given from outside so that a test never waits."""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
from typing import Protocol


class Clock(Protocol):
    """What the client asks of time and chance."""

    def now(self) -> dt.datetime:
        """The time of day, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    def sleep(self, seconds: float, wake: threading.Event) -> None:
        """Return after so many seconds, or as soon as ``wake`` is set."""
        ...

    def random(self) -> float:
        """A number from 0 up to, not including, 1."""
        ...


class SystemClock:
    """The machine's own time and chance. A sleep in the main thread ends at Ctrl-C."""

    def __init__(self) -> None:
        self._chance = random.SystemRandom()

    def now(self) -> dt.datetime:
        """The time of day, aware, UTC."""
        return dt.datetime.now(dt.UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float, wake: threading.Event) -> None:
        """Return after so many seconds, or as soon as ``wake`` is set."""
        wake.wait(min(max(seconds, 0.0), threading.TIMEOUT_MAX))

    def random(self) -> float:
        """A number from 0 up to, not including, 1."""
        return self._chance.random()
