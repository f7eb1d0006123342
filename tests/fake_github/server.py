"""The sockets: HTTP/1.1 with keep-alive for the API and for the blob host, and what goes wrong on the wire."""

from __future__ import annotations

import abc
import gzip
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from email.utils import format_datetime
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fake_github.blobs import Blob, Blobs
from tests.fake_github.exchange import Reply, Request
from tests.fake_github.faults import Fault, Faults, Kind
from tests.fake_github.journal import Call, Journal
from tests.fake_github.paging import whole_number
from tests.fake_github.service import HTML_PAGE, Service

_WIRE = (Kind.RESET_IN_BODY, Kind.CUT, Kind.CUT_CHUNKED, Kind.DRIP)
_SMALLEST_ZIPPED = 200


class Listener(ThreadingHTTPServer):
    """A server that knows the fake it speaks for."""

    daemon_threads = True
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], handler: type[Speaker], faults: Faults, journal: Journal) -> None:
        super().__init__(address, handler)
        self.faults, self.journal = faults, journal
        self.ending = threading.Event()
        self.open: set[socket.socket] = set()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may go away at any moment: no word about it. Anything else is a mistake of the fake."""
        if not isinstance(sys.exc_info()[1], OSError):
            self.journal.mistakes.append(traceback.format_exc())

    def close_all(self) -> None:
        """End everything that is still open."""
        self.ending.set()
        for each in list(self.open):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class Speaker(BaseHTTPRequestHandler, abc.ABC):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 0
    server: Listener
    host = "api"

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        try:
            super().finish()
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: calls are in the journal."""

    def do_GET(self) -> None:
        self._speak()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET  # noqa: N815

    def _speak(self) -> None:
        body = self.rfile.read(whole_number(self.headers.get("Content-Length")) or 0)
        path, _, query = self.path.partition("?")
        shown = {name.lower(): value for name, value in self.headers.items()}
        token = shown.pop("authorization", None)
        call = Call(self.host, self.command, path, query, self.endpoint(path), shown, token is not None, self.now_s())
        self.server.journal.enter(call)
        try:
            self._answer(call, token, body)
        finally:
            self.server.journal.leave(call)

    @abc.abstractmethod
    def endpoint(self, path: str) -> str:
        """The name of what is asked for."""

    @abc.abstractmethod
    def now_s(self) -> float:
        """The clock of the fake."""

    @abc.abstractmethod
    def respond(self, call: Call, token: str | None, body: bytes, faults: Sequence[Fault]) -> None:
        """Write the answer."""

    def _answer(self, call: Call, token: str | None, body: bytes) -> None:
        faults = self.server.faults.striking(self.host, call.endpoint, f"{call.path}?{call.raw_query}")
        call.faults = tuple(fault.kind.value for fault in faults)
        for fault in faults:
            if fault.kind is Kind.CALL and fault.call is not None:
                fault.call()
        self._wait(sum(fault.delay_s for fault in faults if fault.kind in (Kind.SLOW, Kind.HANG)))
        if any(fault.kind is Kind.HANG for fault in faults):
            self.close_connection = True
        elif any(fault.kind is Kind.RESET for fault in faults):
            self._reset()
        else:
            self.respond(call, token, body, faults)

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self.server.ending.wait(seconds)

    def _reset(self) -> None:
        """Close so that the other side sees a reset, not an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def write(
        self, call: Call, status: int, headers: list[tuple[str, str]], body: bytes, wire: Sequence[Fault]
    ) -> None:
        """Send it, whole or as the faults of the wire have it."""
        call.status, call.sent_bytes = status, len(body)
        fault = next((each for each in wire if each.kind in _WIRE), None)
        length = [] if status == 304 else [("Content-Length", str(len(body)))]
        if fault is not None and fault.kind is Kind.CUT_CHUNKED:
            length = [("Transfer-Encoding", "chunked")]
        head = self._head(status, [*headers, *length])
        if self.command == "HEAD":
            body = b""
        if fault is None:
            self.connection.sendall(head + body)
            return
        if fault.kind is Kind.DRIP:
            self._drip(head, body, fault.delay_s)
            return
        half = body[: len(body) // 2]
        if fault.kind is Kind.CUT_CHUNKED:
            half = b"%x\r\n%s\r\n" % (len(half), half) if half else b""
        call.sent_bytes = len(half)
        self.connection.sendall(head + half)
        self.close_connection = True
        if fault.kind is Kind.RESET_IN_BODY:
            self._reset()

    def _drip(self, head: bytes, body: bytes, delay_s: float) -> None:
        self.connection.sendall(head)
        size = max(1, -(-len(body) // 10))
        for start in range(0, len(body), size):
            self._wait(delay_s / 10)
            self.connection.sendall(body[start : start + size])

    def _head(self, status: int, headers: Sequence[tuple[str, str]]) -> bytes:
        lines = [f"HTTP/1.1 {status} {responses.get(status, '')}", *(f"{name}: {value}" for name, value in headers)]
        if self.close_connection:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def api_speaker(service: Service, base: str, graphql: str) -> type[Speaker]:
    """The handler of the API; ``base`` is the path all addresses begin with (``/api/v3`` on a server of one's own)."""

    class ApiSpeaker(Speaker):
        def endpoint(self, path: str) -> str:
            return service.routes.endpoint(self.command, self._inner(path))

        def now_s(self) -> float:
            return service.world.clock.epoch_s()

        def _inner(self, path: str) -> str:
            if path == graphql:
                return "/graphql"
            inside = path.startswith(f"{base}/") and not (base == "" and path == "/graphql")
            return path.removeprefix(base) if inside else "/outside"

        def respond(self, call: Call, token: str | None, body: bytes, faults: Sequence[Fault]) -> None:
            caller = service.caller(call.endpoint, token)
            shown = (
                {**call.headers, "authorization": token}
                if token and service.routes.of_app(call.endpoint)
                else call.headers
            )
            known = caller or service.tokens.nobody
            request = Request(call.method, self._inner(call.path), call.raw_query, shown, body, known, call.endpoint)
            with service.world.lock:
                left = service.rates.bucket(known, "graphql" if call.endpoint == "graphql" else "core").remaining
                url = f"{service.routes.answers.bodies.api}{request.path}?{call.raw_query}"
                service.journal.check(call, url, known.key, id(self), left)
                reply = service.reply(request, faults, id(self)) if caller else service.bad_credentials(request)
            spoil_body(reply, faults)
            headers = self._headers(reply, call)
            self.write(call, reply.status, headers, reply.body, faults)

        def _headers(self, reply: Reply, call: Call) -> list[tuple[str, str]]:
            moment = format_datetime(service.world.clock.now().replace(microsecond=0), usegmt=True)
            headers = [("Date", moment), *reply.headers]
            if reply.status != 304:
                headers.append(("Content-Type", reply.content_type))
            zips = service.settings.gzip and "gzip" in call.headers.get("accept-encoding", "")
            if zips and len(reply.body) > _SMALLEST_ZIPPED:
                reply.body = gzip.compress(reply.body, 1)
                headers.append(("Content-Encoding", "gzip"))
            return headers

    return ApiSpeaker


def spoil_body(reply: Reply, faults: Sequence[Fault]) -> None:
    """Turn a good answer into one that cannot be read."""
    kinds = {fault.kind for fault in faults}
    if reply.status == 200 and Kind.BAD_JSON in kinds:
        reply.body = reply.body[: -max(1, len(reply.body) // 3)]
    elif reply.status == 200 and Kind.HTML in kinds:
        reply.body, reply.content_type = HTML_PAGE, "text/html; charset=utf-8"


def blob_speaker(blobs: Blobs, journal: Journal) -> type[Speaker]:
    """The handler of the blob host."""

    class BlobSpeaker(Speaker):
        host = "blob"

        def endpoint(self, path: str) -> str:
            return f"{path.split('/')[1]} blob"

        def now_s(self) -> float:
            return blobs.world.clock.epoch_s()

        def respond(self, call: Call, token: str | None, body: bytes, faults: Sequence[Fault]) -> None:
            error = next((fault for fault in faults if fault.kind is Kind.ERROR), None)
            if error is not None:
                blob = Blob(error.answer_status, "text/html", [HTML_PAGE])
            else:
                blob = blobs.answer(call.path, call.raw_query, authorised=token is not None)
            if blob.violation:
                journal.violate(blob.violation, f"{call.method} {call.path}")
            headers = [("Content-Type", blob.content_type), ("x-ms-request-id", f"{time.monotonic_ns():x}")]
            if isinstance(blob.pieces, list):
                self.write(call, blob.status, headers, b"".join(blob.pieces), faults)
            else:
                self._stream(call, blob, headers, cut=any(fault.kind in _WIRE for fault in faults))

        def _stream(self, call: Call, blob: Blob, headers: list[tuple[str, str]], *, cut: bool) -> None:
            call.status = blob.status
            self.connection.sendall(self._head(blob.status, [*headers, ("Transfer-Encoding", "chunked")]))
            for piece in blob.pieces:
                if piece:
                    self.connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                    call.sent_bytes += len(piece)
                if cut:
                    self.close_connection = True
                    return
            self.connection.sendall(b"0\r\n\r\n")

    return BlobSpeaker
