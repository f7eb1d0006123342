"""What every exchange with the server has: its host is checked, its headers are set, it is counted, nothing escapes."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

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
_ABSOLUTE: Final = re.compile(rb"https?://([^/?#]*)(/.*)?", re.IGNORECASE | re.DOTALL)


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
        _to_origin_form(scope)

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
        except asyncio.CancelledError:
            if not status:
                await refused_answer(HTTPException(503, "The server is ending."))(scope, receive, framed)
            raise
        except Exception as error:  # noqa: BLE001 - whoever asked gets an answer, and the server goes on
            route = self._routes.get(scope.get("endpoint"), OTHER)
            self._say(f"{scope['method']} {scope['path'][:200]}: unexpected {type(error).__name__}: {error}")
            if not status:
                await refused_answer(HTTPException(500, "The server could not answer this."))(scope, receive, framed)
        self._metrics.requests.labels(route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(time.monotonic() - began_s)


def _to_origin_form(scope: Scope) -> None:
    """Takes the server's name out of the address where that has it, as in requests to a proxy: it counts for Host."""
    found = _ABSOLUTE.fullmatch(scope["raw_path"])
    if found is None:
        return
    scope["raw_path"] = found[2] or b"/"
    scope["path"] = unquote(scope["raw_path"].decode("ascii"))
    scope["headers"] = [(name, found[1] if name == b"host" else value) for name, value in scope["headers"]]
