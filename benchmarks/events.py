"""The event queue of a simulated run."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

from benchmarks.workload import Request


class Events:
    """What happens next, in time order; equal times keep the order in which they were put."""

    def __init__(self, on_finished: Callable[[Request], None]) -> None:
        self.finished = on_finished
        self._heap: list[tuple[float, int, Callable[[float, Any], None], Any]] = []
        self._put = 0

    def put(self, time_s: float, action: Callable[[float, Any], None], subject: object) -> None:
        """Let ``action(time_s, subject)`` happen at a time."""
        self._put += 1
        heapq.heappush(self._heap, (time_s, self._put, action, subject))

    def run_until(self, time_s: float) -> None:
        """Let everything up to a time happen."""
        heap = self._heap
        while heap and heap[0][0] <= time_s:
            at, _, action, subject = heapq.heappop(heap)
            action(at, subject)
