"""Calls of the backend in threads: so many at once, and not more waiting than can be answered soon."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from starlette.exceptions import HTTPException

THREADS: Final = 4
MOST_WAITING: Final = 100
_BUSY: Final = "Too many questions wait for the store: ask again in a moment."
R = TypeVar("R")


class Reads:
    """The threads in which the store is read. Closing waits for nothing."""

    def __init__(self, threads: int = THREADS, most_waiting: int = MOST_WAITING) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="trackside-read")
        self._most = threads + most_waiting
        self._open = 0

    async def ask(self, call: Callable[[], R]) -> R:
        """What ``call`` returns or raises. Raises HTTPException where too many wait already."""
        if self._open >= self._most:
            raise HTTPException(503, _BUSY, {"Retry-After": "2"})
        self._open += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        finally:
            self._open -= 1

    def close(self) -> None:
        """Takes no more calls, and drops those that have not begun."""
        self._threads.shutdown(wait=False, cancel_futures=True)
