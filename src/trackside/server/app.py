"""The server: its parts put together, and what begins and ends with it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from trackside.errors import TracksideError
from trackside.server.analysis import Analyses
from trackside.server.answers import refused_answer
from trackside.server.api import Api
from trackside.server.backend import Backend, Serving
from trackside.server.builds import Builds
from trackside.server.chores import Chores
from trackside.server.documents import DOCUMENTS
from trackside.server.exchanges import Exchanges
from trackside.server.health import Health
from trackside.server.hosts import allowed_names
from trackside.server.inbox import Inbox
from trackside.server.metrics import Metrics
from trackside.server.pages import Pages
from trackside.server.reads import Reads
from trackside.server.webhooks import Webhooks

Say = Callable[[str], None]
_END_S: Final = 5.0


class _Parts:
    """Everything that lives as long as the server."""

    def __init__(self, serving: Serving, backend: Backend, say: Say) -> None:
        self.serving = serving
        self.metrics = Metrics(serving.version)
        self.reads = Reads()
        self.builds = Builds(serving, backend, self.reads, self.metrics, say)
        self.chores = Chores(serving, backend, self.reads, self.builds, self.metrics, say)
        self.inbox = Inbox(backend, self.metrics, serving.gather_s, self._stored, say)
        self.health = Health(backend, self.reads, self.builds, self.chores, self.metrics)
        self.api = Api(serving, backend, self.reads, self.builds, self.chores)
        self.webhooks = Webhooks(serving.secret, self.inbox, self.metrics)
        self.analyses = Analyses(serving.commands, serving.token, self.metrics)
        self.pages = Pages(self.builds, serving.repo)

    def routes(self) -> list[Route]:
        """Every address; the last is that of the site."""
        own = [
            Route("/healthz", self.health.health),
            Route("/metrics", self.health.metrics),
            *_posted("/webhooks/github", self.webhooks.receive),
            Route("/api/openapi.json", self.api.description),
            Route("/api/v1/status", self.api.status),
            Route("/api/v1/runs", self.api.runs),
            Route("/api/v1/runs/{run_id}", self.api.run),
            *_posted("/api/v1/runs/{run_id}/analysis", self.analyses.analyse),
        ]
        documents = [Route(f"/api/v1/{one.path}", self.api.document(one)) for one in DOCUMENTS]
        nothing = [_nothing(f"/{words}/{{path:path}}") for words in ("api", "webhooks")]
        return [*own, *documents, *nothing, Route("/{path:path}", self.pages.answer)]

    @contextlib.asynccontextmanager
    async def live(self, _app: Starlette) -> AsyncIterator[None]:
        """Begins what is done beside serving, and ends it with its children."""
        jobs: list[Coroutine[Any, Any, None]] = [self.builds.run(), self.inbox.run(), self.chores.fold()]
        if self.serving.sync_every_s is not None:
            jobs.append(self.chores.sync())
        tasks = [asyncio.create_task(job) for job in jobs]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=_END_S)
            await asyncio.to_thread(self.inbox.close)
            self.reads.close()

    def _stored(self) -> None:
        self.chores.commits += 1
        self.builds.changed.set()


def make_app(serving: Serving, backend: Backend, say: Say) -> Starlette:
    """The server as an ASGI application; ``say`` takes the sentences that whoever runs it should read.

    Raises UsageError for a name in ``serving`` that is none.
    """
    names = allowed_names(serving.names)
    parts = _Parts(serving, backend, say)
    routes = parts.routes()
    labels = {route.endpoint: route.path for route in routes}
    return Starlette(
        routes=routes,
        middleware=[Middleware(Exchanges, names=names, metrics=parts.metrics, routes=labels, say=say)],
        exception_handlers={HTTPException: _refused, TracksideError: _failed},
        lifespan=parts.live,
    )


def _posted(path: str, answer: Callable[[Request], Awaitable[Response]]) -> list[Route]:
    """An address that takes POST alone, and says so where it is asked otherwise."""

    async def post_only(_request: Request) -> Response:
        raise HTTPException(405, headers={"Allow": "POST"})

    return [Route(path, answer, methods=["POST"]), Route(path, post_only)]


def _nothing(path: str) -> Route:
    """Addresses at which nothing is. Each route has a function of its own, by which its requests are counted."""

    async def nothing(_request: Request) -> Response:
        raise HTTPException(404)

    return Route(path, nothing)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return refused_answer(error)


async def _failed(_request: Request, error: Exception) -> Response:
    """What the store could not tell is the matter of whoever runs the server: its sentence names paths of theirs."""
    return refused_answer(HTTPException(503, f"The store cannot be read now ({type(error).__name__})."))
