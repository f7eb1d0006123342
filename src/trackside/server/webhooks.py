"""``POST /webhooks/github``: deliveries of GitHub, checked by their signature before anything is read of them."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import hashlib
import hmac
import os
import re
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from trackside.records.deliveries import Incoming, Outcome, Taken
from trackside.server.answers import json_answer
from trackside.server.inbox import Inbox
from trackside.server.metrics import Metrics
from trackside.server.shapes import Receipt

MOST_BODY: Final = 25 * 1024 * 1024
"""Bytes of a body: GitHub sends no more."""
MOST_READ: Final = 128 * 1024 * 1024
"""Bytes of all bodies that are being read: nothing is known of their senders yet."""
READ_LIMIT_S: Final = 30.0
DISCARD_LIMIT_S: Final = 1.0
EVENTS: Final = ("workflow_run", "workflow_job")
_SIGNATURE: Final = re.compile(r"sha256=([0-9a-f]{64})", re.IGNORECASE)
_ID: Final = re.compile(r"[\w.:-]{1,100}", re.ASCII)
_FULL: Final = "Too many deliveries are being read: deliver it again later."
_FORM: Final = "application/x-www-form-urlencoded"
_STATUSES: Final = {Taken.STORED: 200, Taken.DUPLICATE: 200, Taken.IGNORED: 202, Taken.UNREADABLE: 400}


class Webhooks:
    """The receiver. Without a secret it takes nothing."""

    def __init__(self, secret: str | None, inbox: Inbox, metrics: Metrics) -> None:
        self._secret = os.fsencode(secret) if secret else None
        self._inbox, self._metrics = inbox, metrics
        self._reading = 0

    async def receive(self, request: Request) -> Response:
        """Answers a delivery once it is in the store."""
        try:
            receipt, status = await self._received(request)
        except HTTPException as refusal:
            self._count({401: "forged", 413: "too_large", 503: "not_stored"}.get(refusal.status_code, "unreadable"))
            raise
        self._count(receipt.status)
        return await json_answer(request, receipt, status)

    async def _received(self, request: Request) -> tuple[Receipt, int]:
        if self._secret is None:
            raise HTTPException(503, "No webhook is taken here: TRACKSIDE_WEBHOOK_SECRET is not set.")
        await _check_length(request)
        signature = _signature(request)
        body = await self._read(request)
        if not hmac.compare_digest(hmac.new(self._secret, body, hashlib.sha256).digest(), signature):
            raise HTTPException(401, "The signature is not that of this body and the secret of this server.")
        event = request.headers.get("x-github-event", "")
        if event == "ping":
            return Receipt(status="pong"), 200
        if event not in EVENTS:
            return Receipt(status="ignored", why=f"only {' and '.join(EVENTS)} are taken"), 202
        return _receipt(await self._inbox.put(_incoming(request, event, body)))

    async def _read(self, request: Request) -> bytes:
        """The body; no more of it is kept than it may be long, and it is waited for no longer than it may take."""
        body = bytearray()
        parts = request.stream()
        try:
            async with asyncio.timeout(READ_LIMIT_S):
                async for part in parts:
                    if len(body) + len(part) > MOST_BODY:
                        raise await _too_large(parts)
                    if self._reading + len(part) > MOST_READ:
                        raise HTTPException(503, _FULL, {"Connection": "close", "Retry-After": "10"})
                    body += part
                    self._reading += len(part)
        except TimeoutError:
            raise HTTPException(408, "The body did not come in time.", {"Connection": "close"}) from None
        except ClientDisconnect:
            raise HTTPException(400, "The body ended too early.", {"Connection": "close"}) from None
        finally:
            self._reading -= len(body)
        return bytes(body)

    def _count(self, result: str) -> None:
        self._metrics.deliveries.labels(result).inc()


def _receipt(outcome: Outcome) -> tuple[Receipt, int]:
    if outcome.taken is Taken.UNREADABLE:
        raise HTTPException(400, f"The delivery cannot be read: {outcome.why}"[:500])
    why = outcome.why[:500] or None
    receipt = Receipt(status=outcome.taken.value, runs=outcome.runs, jobs=outcome.jobs, why=why)
    return receipt, _STATUSES[outcome.taken]


async def _check_length(request: Request) -> None:
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told) > MOST_BODY:
        raise await _too_large(request.stream())


def _signature(request: Request) -> bytes:
    found = _SIGNATURE.fullmatch(request.headers.get("x-hub-signature-256", "").strip())
    if found is None:
        raise HTTPException(401, "A delivery needs the header X-Hub-Signature-256 with the signature of its body.")
    return bytes.fromhex(found[1])


async def _too_large(parts: AsyncIterator[bytes]) -> HTTPException:
    """The refusal of a body that is too long, a part of which is read and thrown away.

    Who still sends when the connection ends may never see the answer: up to as much again gets a moment to come.
    """
    left = MOST_BODY
    with contextlib.suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(DISCARD_LIMIT_S):
            async for part in parts:
                left -= len(part)
                if left < 0:
                    break
    return HTTPException(413, f"A delivery has at most {MOST_BODY:,} bytes.", {"Connection": "close"})


def _incoming(request: Request, event: str, body: bytes) -> Incoming:
    digest = hashlib.sha256(body).hexdigest()
    told = request.headers.get("x-github-delivery", "").strip()
    return Incoming(
        delivery_id=told if _ID.fullmatch(told) else digest,
        body_sha256=digest,
        event=event,
        received_at=dt.datetime.now(dt.UTC),
        body=_payload(request, body),
    )


def _payload(request: Request, body: bytes) -> bytes:
    """The JSON of the body, also where the webhook was set up to send it as a form."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        return body
    try:
        found = parse_qs(body.decode("ascii"), max_num_fields=10).get("payload")
    except ValueError:
        found = None
    if not found:
        raise HTTPException(400, "The delivery cannot be read: it is a form without a payload.")
    return found[0].encode("utf-8", "surrogatepass")
