"""``POST /api/v1/runs/{run_id}/analysis``: a run's logs looked into by a child, for whoever has the token."""

from __future__ import annotations

import asyncio
import hmac
import os
from collections.abc import Coroutine
from typing import Any, Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from trackside.server.answers import json_answer
from trackside.server.backend import Commands
from trackside.server.children import Ended, last_sentence, run_child
from trackside.server.metrics import Metrics
from trackside.server.queries import no_query, run_id_of

AT_ONCE: Final = 2
LIMIT_S: Final = 300.0
MOST_BYTES: Final = 16 * 1024 * 1024
_BEARER: Final = "bearer "
_ASK: Final = {"WWW-Authenticate": 'Bearer realm="trackside"'}


class Analyses:
    """Runs at most two analyses at once. Without a token nobody may ask for one."""

    def __init__(self, commands: Commands, token: str | None, metrics: Metrics) -> None:
        self._commands, self._metrics = commands, metrics
        self._token = os.fsencode(token) if token else None
        self._running = 0

    async def analyse(self, request: Request) -> Response:
        """The analysis, as ``trackside agents analyze --format json`` prints it."""
        self._check_token(request)
        run_id = run_id_of(request)
        no_query(request)
        if self._running >= AT_ONCE:
            self._metrics.analyses.labels("busy").inc()
            raise HTTPException(429, f"{AT_ONCE} analyses are running: ask again later.", {"Retry-After": "30"})
        self._running += 1
        try:
            body = await self._run(request, run_id)
        except HTTPException:
            self._metrics.analyses.labels("failed").inc()
            raise
        finally:
            self._running -= 1
        self._metrics.analyses.labels("ok").inc()
        return await json_answer(request, body)

    def _check_token(self, request: Request) -> None:
        if self._token is None:
            raise HTTPException(503, "No run is analysed here: TRACKSIDE_SERVER_TOKEN is not set.")
        said = request.headers.get("authorization", "")
        if said[: len(_BEARER)].lower() != _BEARER:
            raise HTTPException(401, "An analysis needs the header Authorization: Bearer with the token.", _ASK)
        if not hmac.compare_digest(said[len(_BEARER) :].strip().encode("latin-1"), self._token):
            raise HTTPException(403, "The token is not that of this server.")

    async def _run(self, request: Request, run_id: int) -> bytes:
        command = (*self._commands.analyze, str(run_id))
        work = run_child(command, self._commands.environ, limit_s=LIMIT_S, most_bytes=MOST_BYTES)
        ended = await _while_waited_for(request, work)
        if ended.code is None:
            raise HTTPException(504, f"Run {run_id} was not analysed: {last_sentence(ended.said)}")
        if ended.out is None:
            raise HTTPException(502, f"Run {run_id} was not analysed: its report is larger than {MOST_BYTES:,} bytes.")
        # A run whose logs are gone has a report of what is known without them, and ends with 1.
        if _is_report(ended.out):
            return ended.out
        raise HTTPException(502, f"Run {run_id} was not analysed: {last_sentence(ended.said)}"[:1_000])


async def _while_waited_for(request: Request, work: Coroutine[Any, Any, Ended]) -> Ended:
    """How ``work`` ended. It is ended, and HTTPException raised, where the client went away meanwhile."""
    doing, leaving = asyncio.create_task(work), asyncio.create_task(_gone(request))
    try:
        await asyncio.wait((doing, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise HTTPException(503, "Nobody waits for the analysis any more.")
        return doing.result()
    finally:
        for task in (doing, leaving):
            task.cancel()
        await asyncio.gather(doing, leaving, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _is_report(out: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(out), dict)
    except msgspec.DecodeError:
        return False
