"""Connections of clients: not more than the process can hold open, and none for long that asks nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import h11
import msgspec
from uvicorn.protocols.http.h11_impl import H11Protocol

from trackside.server.answers import JSON
from trackside.server.exchanges import HEADERS
from trackside.server.shapes import Problem

MOST: Final = 1_000
RESERVED: Final = 200
"""Files that the process needs beside its connections: the store, its children, what was accepted a moment ago."""
FEWEST: Final = 16
ACCEPTED_AT_ONCE: Final = 32
"""Of what waits at the socket so many are taken before those that came earlier are looked at."""
_WANTED_FILES: Final = MOST + RESERVED
_SAY_AGAIN_S: Final = 60.0


def room_for_connections() -> int:
    """How many connections may be open at once; the limit of open files is raised for them as far as it may be."""
    try:
        import resource
    except ImportError:  # Windows has no such limit.
        return MOST
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = resource.RLIM_INFINITY
    wanted = _WANTED_FILES if hard == endless else min(_WANTED_FILES, hard)
    if soft != endless and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return MOST if soft == endless else max(FEWEST, min(MOST, soft - RESERVED))


class Connection(H11Protocol):
    """One connection. ``limit_concurrency`` of its configuration is how many there may be, ``timeout_keep_alive`` the
    seconds that it may take to ask something.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Counted where connections begin: it would be answered in plain text where requests do.
        self._most, self.limit_concurrency = self.limit_concurrency, None
        self._too_late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins the connection, or refuses it where there are too many."""
        super().connection_made(transport)
        if self._most is not None and len(self.connections) > self._most:
            self._refuse(503, "Too many connections are open: ask again in a moment.")
        else:
            self._wait_for_a_request()

    def data_received(self, data: bytes) -> None:
        """Takes what the client sent; what comes after a refusal is nobody's."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        # A head that comes byte by byte, and the body of a request that was answered already, ask nothing.
        if self.cycle is None or self.cycle.response_complete:
            self._wait_for_a_request()
        else:
            self._wait_no_more()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the connection."""
        self._wait_no_more()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuses what cannot be read as a request."""
        del msg
        self._refuse(400, "This is no request of HTTP.")

    def _wait_for_a_request(self) -> None:
        if self._too_late is None and not self.transport.is_closing():
            self._too_late = self.loop.call_later(self.timeout_keep_alive, self.transport.close)

    def _wait_no_more(self) -> None:
        if self._too_late is not None:
            self._too_late.cancel()
            self._too_late = None

    def _refuse(self, status: int, sentence: str) -> None:
        """Answers in the place of the application where nothing was answered yet, and closes."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.write(_refusal(status, sentence))
        self.transport.close()


def _refusal(status: int, sentence: str) -> bytes:
    body = msgspec.json.encode(Problem(sentence))
    headers = {
        **HEADERS,
        "Content-Type": JSON,
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "Connection": "close",
        **({"Retry-After": "2"} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}),
    }
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {text}" for name, text in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


class LoopErrors:
    """What the loop itself reports, as a sentence a minute: no client can fill the log with it."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said_at_s: dict[str, float] = {}

    def __call__(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Takes what the loop reports."""
        message, error = str(context.get("message", "")), context.get("exception")
        sentence = f"unexpected {type(error).__name__} of the server's loop: {message}"
        if isinstance(error, OSError) and "accept" in message:
            sentence = f"Connections wait, as no more can be taken now: {error.strerror}."
        now_s = time.monotonic()
        if now_s - self._said_at_s.get(sentence[:40], -_SAY_AGAIN_S) >= _SAY_AGAIN_S:
            self._said_at_s[sentence[:40]] = now_s
            self._say(sentence)
