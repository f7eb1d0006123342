"""What is done beside serving on a clock: syncs as the settings say, and upkeep of a store that deliveries scatter."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from typing import Final

from starlette.exceptions import HTTPException

from trackside.errors import TracksideError
from trackside.server.backend import Backend, Serving
from trackside.server.builds import GOOD, Builds
from trackside.server.children import last_sentence, run_child
from trackside.server.metrics import Metrics
from trackside.server.reads import Reads

LIMIT_S: Final = 3600.0
COMMITS_OF_A_FOLD: Final = 150
"""After so many commits of deliveries the store is folded, whose every commit makes each look at it slower."""
_FOLD_LOOK_S: Final = 60.0


class Chores:
    """The children on a clock, one of each kind at a time. ``sync_error`` says that the last sync failed."""

    def __init__(
        self,
        serving: Serving,
        backend: Backend,
        reads: Reads,
        builds: Builds,
        metrics: Metrics,
        say: Callable[[str], None],
    ) -> None:
        self.sync_error: str | None = None
        self.is_syncing = False
        self.commits = 0
        self._serving, self._backend, self._reads = serving, backend, reads
        self._builds, self._metrics, self._say = builds, metrics, say

    async def sync(self) -> None:
        """Syncs each time that the newest sync of the store is as old as was asked for, until it is cancelled."""
        every_s = self._serving.sync_every_s
        assert every_s is not None
        await asyncio.sleep(max(0.0, every_s - await self._synced_ago_s()))
        while True:
            await self._sync_once()
            await asyncio.sleep(every_s)

    async def fold(self) -> None:
        """Folds the store after many commits of deliveries, until it is cancelled."""
        commands = self._serving.commands
        while True:
            await asyncio.sleep(_FOLD_LOOK_S)
            if self.commits < COMMITS_OF_A_FOLD:
                continue
            self.commits = 0
            ended = await run_child(commands.compact, commands.environ, limit_s=LIMIT_S)
            if ended.code != 0:
                self._say(f"The store was not folded: {last_sentence(ended.said)}")

    async def _sync_once(self) -> None:
        commands = self._serving.commands
        self.is_syncing = True
        try:
            ended = await run_child(commands.sync, commands.environ, limit_s=LIMIT_S)
        finally:
            self.is_syncing = False
        result = "ok" if ended.code == 0 else "partial" if ended.code in GOOD else "failed"
        self._metrics.syncs.labels(result).inc()
        self.sync_error = None
        if result == "failed":
            self._say(f"The sync failed: {last_sentence(ended.said)}")
            # Why may name paths of whoever runs the server, and is for them alone.
            self.sync_error = (
                f"The sync failed at {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC. The server's log says why."
            )
        self._builds.changed.set()

    async def _synced_ago_s(self) -> float:
        """How long ago the newest sync ended; very long ago where none did, or the store cannot be read."""
        try:
            figures = await self._reads.ask(self._backend.figures)
        except (HTTPException, TracksideError):
            return float("inf")
        if figures.synced_at is None:
            return float("inf")
        return (dt.datetime.now(dt.UTC) - figures.synced_at).total_seconds()
