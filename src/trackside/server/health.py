"""``/healthz`` and ``/metrics``: whether the server is well, and its figures."""

from __future__ import annotations

import datetime as dt

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from trackside.errors import TracksideError
from trackside.server.answers import json_answer
from trackside.server.backend import Backend
from trackside.server.builds import Builds
from trackside.server.chores import Chores
from trackside.server.metrics import CONTENT_TYPE, Metrics
from trackside.server.reads import Reads
from trackside.server.shapes import HealthAnswer
from trackside.server.site_figures import site_figures
from trackside.server.site_folder import Site


class Health:
    """How the parts of the server stand, for machines that watch it."""

    def __init__(self, backend: Backend, reads: Reads, builds: Builds, chores: Chores, metrics: Metrics) -> None:
        self._backend, self._reads = backend, reads
        self._builds, self._chores, self._metrics = builds, chores, metrics
        self._site: Site | None = None
        self._figures: dict[str, int | None] = {}

    async def health(self, request: Request) -> Response:
        """200 where all is well, else 503 with the reasons. The store is not asked."""
        reasons = self._reasons()
        answer = HealthAnswer(status="failing" if reasons else "ok", reasons=tuple(reasons))
        return await json_answer(request, answer, 503 if reasons else 200)

    async def metrics(self, _request: Request) -> Response:
        """The figures as Prometheus reads them. Where the store cannot be read now its figures are unknown."""
        site = self._builds.site
        if site is not self._site:
            self._site, self._figures = site, await self._reads.ask(lambda: site_figures(site))
        self._metrics.tell_site(site.generated_at, self._builds.failed, self._figures)
        try:
            self._metrics.tell_store(await self._reads.ask(self._backend.figures), dt.datetime.now(dt.UTC))
        except (HTTPException, TracksideError):
            self._metrics.unread.inc()
            self._metrics.forget_store()
        return Response(self._metrics.text(), headers={"Cache-Control": "no-store", "Content-Type": CONTENT_TYPE})

    def _reasons(self) -> list[str]:
        reasons = []
        if self._builds.error is not None:
            reasons.append(self._builds.error)
        elif not self._builds.is_ready:
            reasons.append("The site is being built for the first time.")
        if self._chores.sync_error is not None:
            reasons.append(self._chores.sync_error)
        return reasons
