"""Times as GitHub writes them, and what lies between two of them."""

from __future__ import annotations

import datetime as dt

_EARLIEST = 1970


class TimeReader:
    """Reads the times of one object; what it cannot read is None and a sentence in ``problems``."""

    def __init__(self, where: str) -> None:
        self._where = where
        self.problems: list[str] = []

    def read(self, text: str | None, field: str) -> dt.datetime | None:
        """``text`` as an aware time in UTC. The year 1, with which GitHub says "never", is None without a word."""
        if not text:
            return None
        try:
            moment = dt.datetime.fromisoformat(text)
            if moment.year < _EARLIEST:
                return None
            if moment.tzinfo is not None:
                return moment.astimezone(dt.UTC)
        except (ValueError, OverflowError):
            pass
        self.problems.append(f"{self._where}.{field}".lstrip(".") + f": {text[:40]!r} is no time with a zone")
        return None


def between(start: dt.datetime | None, stop: dt.datetime | None) -> float | None:
    """Seconds from ``start`` to ``stop``, never negative: clocks of GitHub's parts differ by seconds."""
    return None if start is None or stop is None else max(0.0, (stop - start).total_seconds())
