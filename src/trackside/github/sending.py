"""Sends single requests and accounts for them. What follows from an answer is for ``calls``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import Final

from trackside.github.budget import read_count
from trackside.github.clock import Clock
from trackside.github.exchange import Reply, Request, Stream, Wire, WireError
from trackside.github.gate import Gate, Ticket
from trackside.github.links import ApiAddress
from trackside.github.meter import Meter
from trackside.github.refusals import expiry_warning
from trackside.github.retries import LIMITS, Kind, Verdict, classify

MOST_BODY_BYTES: Final = 128 * 1024 * 1024
MOST_ANSWER_S: Final = 300
_API_HEADERS: Final = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
    "User-Agent": f"trackside/{version('trackside')}",
}
# Another host learns nothing of us: no token, no version of the API or of this program.
_FOREIGN_HEADERS: Final = {"Accept": "*/*", "User-Agent": "trackside"}


class Sending:
    """Sends single requests. Every method may be called by any thread."""

    def __init__(
        self,
        *,
        api: ApiAddress,
        wire: Wire,
        gate: Gate,
        meter: Meter,
        clock: Clock,
        say: Callable[[str], None],
        trace: Callable[[str], None] | None,
    ) -> None:
        self._api = api
        self._wire = wire
        self._gate = gate
        self._meter = meter
        self._clock = clock
        self._say = say
        self._trace = trace
        self._warned = False

    @contextmanager
    def to_api(
        self, endpoint: str, method: str, url: str, *, bearer: str | None, body: bytes | None = None
    ) -> Iterator[Stream]:
        """One request to the API; it is accounted for when the block ends."""
        headers = dict(_API_HEADERS)
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = Request(method=method, url=url, headers=headers, body=body)
        with self._accounted(endpoint, request, api=True) as stream:
            yield stream

    @contextmanager
    def to_host(self, endpoint: str, url: str) -> Iterator[Stream]:
        """One request to another host, where it is not told who asks; not a call of the API."""
        request = Request(method="GET", url=url, headers=_FOREIGN_HEADERS)
        with self._accounted(endpoint, request, api=False) as stream:
            yield stream

    def understand(self, ticket: Ticket, reply: Reply, *, graphql: bool = False) -> Verdict:
        """What the API's reply means; the gate learns what it tells of limits."""
        verdict = classify(reply.status, reply.headers, reply.body, graphql=graphql)
        refused = verdict.kind in (Kind.PRIMARY, Kind.SECONDARY)
        told = reply.headers
        if reply.status == 401:
            # A token that is refused is nobody's: the limit told is that of anonymous calls.
            told = {name: value for name, value in told.items() if not name.startswith("x-ratelimit-")}
        self._gate.answered(ticket, told, probed=not refused and verdict.kind is not Kind.AGAIN)
        if refused:
            self._gate.limited(ticket, verdict.kind, reply.headers, verdict.reason)
        self._warn_of_expiry(reply.headers)
        return verdict

    def understand_stream(self, ticket: Ticket, stream: Stream) -> None:
        """The same for a good answer whose body is not read here."""
        self._gate.answered(ticket, stream.headers, probed=True)

    @contextmanager
    def _accounted(self, endpoint: str, request: Request, *, api: bool) -> Iterator[Stream]:
        began = self._clock.monotonic()
        stream: Stream | None = None
        outcome, billed = "no answer", api
        try:
            with self._wire.open(request) as stream:
                outcome = str(stream.status)
                billed = api and stream.status != 304 and not self._is_free(request.url)
                yield stream
        except WireError as error:
            outcome = error.reason if stream is None else f"{outcome}, {error.reason}"
            billed = billed and error.sent
            raise
        finally:
            size = 0 if stream is None else stream.size_bytes
            self._meter.count(endpoint, api=api, billed=billed, size_bytes=size)
            url = self._api.shown(request.url, signed=not api)
            headers = None if stream is None else stream.headers
            self._tell(f"{request.method} {url}", outcome, headers, self._clock.monotonic() - began)

    def _is_free(self, url: str) -> bool:
        return url.partition("?")[0] == self._api.full("/rate_limit")

    def _tell(self, what: str, outcome: str, headers: Mapping[str, str] | None, took_s: float) -> None:
        if self._trace is None:
            return
        left = read_count((headers or {}).get("x-ratelimit-remaining"))
        known = "" if left is None else f", {left} left"
        self._trace(f"{what} → {outcome} in {took_s * 1000:.0f} ms{known}")

    def _warn_of_expiry(self, headers: Mapping[str, str]) -> None:
        if self._warned:
            return
        warning = expiry_warning(headers, dt.datetime.fromtimestamp(self._gate.server_now_s(), dt.UTC))
        if warning is not None:
            self._warned = True
            self._say(warning)


def read_reply(stream: Stream, url: str, clock: Clock, began: float) -> Reply:
    """The whole answer. Raises WireError where the body breaks off, does not end, or is larger than any of the API."""
    pieces: list[bytes] = []
    size = 0
    for piece in stream.iter_bytes():
        size += len(piece)
        if size > MOST_BODY_BYTES:
            msg = f"the answer is larger than {MOST_BODY_BYTES // 2**20} MB"
            raise WireError(msg)
        if clock.monotonic() > began + MOST_ANSWER_S:
            msg = f"the answer had not ended after {MOST_ANSWER_S} s"
            raise WireError(msg)
        pieces.append(piece)
        if stream.status in LIMITS and _is_all(stream):
            # Left before its end is seen, the connection is closed: a call that was let through a moment ago
            # must not go over the one that has just been told to wait.
            break
    return Reply(status=stream.status, headers=stream.headers, body=b"".join(pieces), url=url)


def _is_all(stream: Stream) -> bool:
    plain = "content-encoding" not in stream.headers
    return plain and read_count(stream.headers.get("content-length")) == stream.size_bytes
