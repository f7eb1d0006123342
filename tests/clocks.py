"""A clock for tests: a sleep takes no time, and the clock then shows that it did."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable


class StillClock:
    """Stands at ``start`` until somebody sleeps on it. ``sleeps`` are the seconds asked for, ``chance`` the dice.

    ``on_sleep`` is called with the seconds before a sleep returns: the place to change the world meanwhile.
    """

    def __init__(
        self,
        start: dt.datetime = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC),
        chance: float = 0.0,
        on_sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.start = start
        self.chance = chance
        self.sleeps: list[float] = []
        self.on_sleep = on_sleep
        self._lock = threading.Lock()
        self._passed_s = 0.0

    def now(self) -> dt.datetime:
        return self.start + dt.timedelta(seconds=self._passed_s)

    def monotonic(self) -> float:
        return 1000.0 + self._passed_s

    def sleep(self, seconds: float, wake: threading.Event) -> None:
        if wake.is_set():
            return
        with self._lock:
            self.sleeps.append(seconds)
        if self.on_sleep is not None:
            self.on_sleep(seconds)
        self.advance(seconds)

    def random(self) -> float:
        return self.chance

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._passed_s += seconds
