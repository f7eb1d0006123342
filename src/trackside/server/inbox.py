"""Deliveries of webhooks on their way into the store: gathered for a moment, stored in one commit, then answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from starlette.exceptions import HTTPException

from trackside.errors import TracksideError
from trackside.records.deliveries import Incoming, Outcome
from trackside.server.backend import Backend
from trackside.server.metrics import Metrics

MOST_OF_A_COMMIT: Final = 2_000
MOST_WAITING: Final = 5_000
MOST_BYTES: Final = 256 * 1024 * 1024
"""Deliveries that wait are held in memory: beyond this no more are taken until they are stored."""
_FULL: Final = "Too many deliveries wait to be stored: deliver it again later."
Waiting = tuple[Incoming, "asyncio.Future[Outcome]"]


class Inbox:
    """Takes deliveries, and stores those that come within a moment together. One thread writes."""

    def __init__(
        self,
        backend: Backend,
        metrics: Metrics,
        gather_s: float,
        on_commit: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        self._backend, self._metrics, self._gather_s = backend, metrics, gather_s
        self._on_commit, self._say = on_commit, say
        self._waiting: asyncio.Queue[Waiting] = asyncio.Queue(MOST_WAITING)
        self._bytes = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="trackside-write")

    async def put(self, incoming: Incoming) -> Outcome:
        """What became of the delivery, once it is in the store.

        Raises HTTPException where it cannot be stored now; then it was not taken, and may be delivered again.
        """
        size = len(incoming.body)
        if self._waiting.full() or self._bytes + size > MOST_BYTES:
            raise HTTPException(503, _FULL, {"Retry-After": "10"})
        done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._bytes += size
        try:
            self._waiting.put_nowait((incoming, done))
            return await done
        finally:
            self._bytes -= size

    async def run(self) -> None:
        """Stores what comes until it is cancelled; what is being stored then is stored to its end."""
        while True:
            batch = [await self._waiting.get()]
            await asyncio.sleep(self._gather_s)
            while len(batch) < MOST_OF_A_COMMIT and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            await asyncio.shield(asyncio.create_task(self._store(batch)))

    async def _store(self, batch: list[Waiting]) -> None:
        deliveries = [incoming for incoming, _ in batch]
        try:
            outcomes = await asyncio.get_running_loop().run_in_executor(
                self._thread, lambda: self._backend.take(deliveries)
            )
        except Exception as error:  # noqa: BLE001 - whoever waits must be answered, and the next batch taken
            self._refuse(batch, error)
            return
        self._metrics.commits.inc()
        self._on_commit()
        for (_, done), outcome in zip(batch, outcomes, strict=True):
            if not done.done():
                done.set_result(outcome)

    def _refuse(self, batch: list[Waiting], error: Exception) -> None:
        why = str(error) if isinstance(error, TracksideError) else f"unexpected {type(error).__name__}: {error}"
        self._say(f"{len(batch):,} deliveries of webhooks were not stored: {why}")
        for _, done in batch:
            if not done.done():
                done.set_exception(HTTPException(503, "The delivery could not be stored: deliver it again later."))

    def close(self) -> None:
        """Waits for what is being stored; whoever still waits is not answered."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        while not self._waiting.empty():
            _, done = self._waiting.get_nowait()
            done.cancel()
