"""The site that is served: built again by a child when the store changed, and taken over whole when that is done."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable
from typing import Final

from starlette.exceptions import HTTPException

from trackside.errors import TracksideError
from trackside.server.backend import Backend, Serving
from trackside.server.children import last_sentence, run_child
from trackside.server.metrics import Metrics
from trackside.server.reads import Reads
from trackside.server.site_folder import Site, load_site

GOOD: Final = (0, 4)
"""How a child ends that did its work, with all data or with a part."""
LIMIT_S: Final = 1800.0
"""A build that takes longer is ended."""
LONGEST_PAUSE_S: Final = 600.0
LONGEST_REST_S: Final = 60.0


class Builds:
    """Keeps ``site`` at what the store holds. One build at a time; changes while it runs make one more.

    ``error`` says that the last build failed, None where it did not; ``failed`` counts failures in a row. Why is said
    to whoever runs the server alone: it may name paths of theirs. ``changed`` is set by whoever knows that the store
    changed: then it is looked at now.
    """

    def __init__(
        self, serving: Serving, backend: Backend, reads: Reads, metrics: Metrics, say: Callable[[str], None]
    ) -> None:
        self.site = Site()
        self.changed = asyncio.Event()
        self.is_building = False
        self.failed = 0
        self.error: str | None = None
        self._serving, self._backend, self._reads = serving, backend, reads
        self._metrics, self._say = metrics, say
        self._built: str | None = None
        self._tried: str | None = None
        self._why = ""
        self._failed_since = ""
        self._not_before_s = self._same_not_before_s = 0.0

    @property
    def is_ready(self) -> bool:
        """Whether there is a site to serve."""
        return self.site.generated_at is not None

    async def run(self) -> None:
        """Looks at the store and builds, until it is cancelled. What an earlier server built is served meanwhile."""
        self.site = await asyncio.to_thread(load_site, self._serving.folder, Site())
        while True:
            try:
                await self._look()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next look must come, and it must be said
                self._fail(f"unexpected {type(error).__name__}: {error}")
            self.changed.clear()
            try:
                await asyncio.wait_for(self.changed.wait(), self._serving.poll_s)
            except TimeoutError:
                continue
            # Many changes come together: they make one build.
            await asyncio.sleep(min(1.0, self._serving.poll_s))

    async def _look(self) -> None:
        now_s = time.monotonic()
        if now_s < self._not_before_s:
            return
        try:
            revision = await self._reads.ask(self._backend.revision)
        except HTTPException:
            return
        except TracksideError as error:
            self._fail(f"The store cannot be looked at: {error}")
            return
        if revision != self._built and (revision != self._tried or now_s >= self._same_not_before_s):
            self._tried = revision
            await self._build(revision)

    async def _build(self, revision: str) -> None:
        commands, began_s = self._serving.commands, time.monotonic()
        self.is_building = True
        try:
            ended = await run_child(commands.build, commands.environ, limit_s=LIMIT_S)
            took_s = time.monotonic() - began_s
            self._metrics.build_s.set(took_s)
            if ended.code not in GOOD:
                self._fail(last_sentence(ended.said))
                return
            self.site = await asyncio.to_thread(load_site, self._serving.folder, self.site)
        finally:
            self.is_building = False
        if not self.is_ready:
            self._fail("The build ended well and left no site.")
            return
        self._metrics.builds.labels("ok").inc()
        self._built, self.failed, self.error, self._why = revision, 0, None, ""
        self._not_before_s = time.monotonic() + min(took_s, LONGEST_REST_S)

    def _fail(self, why: str) -> None:
        """The old site stays; of the same store the next try waits twice as long as the one before."""
        self.failed += 1
        least_s, now_s = self._serving.pause_s, time.monotonic()
        pause_s = min(LONGEST_PAUSE_S, least_s * 2.0 ** min(self.failed - 1, 10))
        self._not_before_s, self._same_not_before_s = now_s + least_s, now_s + pause_s
        self._metrics.builds.labels("failed").inc()
        if why != self._why:
            self._say(f"The site was not built: {why} The old one is served; it is tried again in {pause_s:,.0f} s.")
        self._why = why
        if self.failed == 1:
            self._failed_since = f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC"
        times = "once" if self.failed == 1 else f"{self.failed:,} times in a row"
        self.error = f"The site was not built: {times} since {self._failed_since}. The server's log says why."
