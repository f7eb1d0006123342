"""What every exchange with the server has: its host is checked, its headers are set, it is counted, nothing escapes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trackside.server.answers import refused_answer
from trackside.server.hosts import Name, check_host
from trackside.server.metrics import Metrics
from trackside.site.pages import POLICY

HEADERS: Final = {
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
REFUSED: Final = "refused"
OTHER: Final = "other"


class Exchanges:
    """Stands before everything else. ``routes`` are the names of what answers, for the figures."""

    def __init__(
        self,
        app: ASGIApp,
        names: Sequence[Name],
        metrics: Metrics,
        routes: Mapping[Any, str],
        say: Callable[[str], None],
    ) -> None:
        self._app, self._names, self._metrics = app, names, metrics
        self._routes, self._say = routes, say

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One exchange."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s, status = time.monotonic(), 0

        async def framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        route = REFUSED
        try:
            check_host(scope, self._names)
            await self._app(scope, receive, framed)
            route = self._routes.get(scope.get("endpoint"), OTHER)
        except HTTPException as refusal:
            await refused_answer(refusal)(scope, receive, framed)
        except Exception as error:  # noqa: BLE001 - whoever asked gets an answer, and the server goes on
            self._say(f"{scope['method']} {scope['path'][:200]}: unexpected {type(error).__name__}: {error}")
            if not status:
                await refused_answer(HTTPException(500, "The server could not answer this."))(scope, receive, framed)
        self._metrics.requests.labels(route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(time.monotonic() - began_s)
