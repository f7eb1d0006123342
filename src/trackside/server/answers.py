"""Answers of the server: JSON, and refusals as one sentence in JSON."""

from __future__ import annotations

import asyncio
import gzip
from functools import partial
from http import HTTPStatus
from typing import Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from trackside.server.shapes import Problem

JSON: Final = "application/json"
_WORTH_PACKING: Final = 1_000
_LONG: Final = 50_000
_LEVEL: Final = 4
_SENTENCES: Final = {
    404: "There is nothing at this address.",
    405: "This address is not asked in this way.",
}
"""What is said where the framework alone refuses: its own words are a phrase."""


def refused_answer(refusal: HTTPException) -> Response:
    """A request that is not answered as it was meant: its sentence as JSON."""
    headers = {"Cache-Control": "no-store", **(refusal.headers or {})}
    is_phrase = refusal.detail == HTTPStatus(refusal.status_code).phrase
    sentence = _SENTENCES.get(refusal.status_code, refusal.detail) if is_phrase else refusal.detail
    return Response(msgspec.json.encode(Problem(sentence)), refusal.status_code, headers, media_type=JSON)


async def json_answer(request: Request, value: object, status: int = 200) -> Response:
    """``value`` as JSON, packed where the client takes that and it is worth it; not kept by anybody."""
    body = value if isinstance(value, bytes) else msgspec.json.encode(value)
    headers = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if len(body) >= _WORTH_PACKING and takes_gzip(request):
        # What is long is packed in a thread: others are answered meanwhile.
        pack = partial(gzip.compress, body, _LEVEL, mtime=0)
        body = await asyncio.to_thread(pack) if len(body) >= _LONG else pack()
        headers["Content-Encoding"] = "gzip"
    return Response(body, status, headers, media_type=JSON)


def takes_gzip(request: Request) -> bool:
    """Whether the client says that it takes gzip; of several words on it the one that names it counts."""
    taken: dict[str, bool] = {}
    for part in ",".join(request.headers.getlist("accept-encoding")).split(","):
        name, _, weight = part.partition(";")
        value = weight.strip().lower().removeprefix("q=").strip()
        taken[name.strip().lower()] = not (value and value.strip("0.") == "")
    return taken.get("gzip", taken.get("*", False))
