"""An HTTP server on a real socket that says exactly what a test wrote down, byte for byte: for faults of the wire."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Received:
    """One request as it came, header names in lower case; ``connection`` tells connections apart."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int = 0

    @property
    def path(self) -> str:
        return urlsplit(self.target).path


class Reset:
    """In place of an answer: the connection is reset."""


class Silence:
    """In place of an answer: nothing comes, until the server stops."""


@dataclass(frozen=True)
class Cut:
    """An answer that ends too early: the connection is closed after it."""

    raw: bytes


Reply = bytes | Reset | Silence | Cut
Script = Sequence[Reply] | Callable[[Received], Reply]
NO_BODY: Final = b""


def answer(status: int = 200, body: bytes | object = NO_BODY, **headers: str) -> bytes:
    """A whole answer: ``x_ratelimit_remaining="9"`` is the header ``x-ratelimit-remaining``; a body that is not bytes
    is sent as JSON.
    """
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if not isinstance(body, bytes):
        fields.setdefault("content-type", "application/json; charset=utf-8")
    fields.setdefault("content-length", str(len(content)))
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + content


class ScriptedServer:
    """Serves on 127.0.0.1. ``script`` is a list of replies, one for each request as they arrive, or a function.

    ``received`` are the requests, ``under_way`` are those being answered now, ``most_at_once`` is the most there were.
    """

    def __init__(self, script: Script, context: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.received: list[Received] = []
        self.most_at_once = 0
        self.under_way = 0
        self._lock = threading.Lock()
        self._context = context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._stopped = threading.Event()
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Close the port and every connection."""
        self._stopped.set()
        _shut(self._socket)
        self._socket.close()
        with self._lock:
            for connection in self._open:
                _shut(connection)

    @property
    def targets(self) -> list[str]:
        """Method and target of each request, in the order of arrival."""
        return [f"{one.method} {one.target}" for one in self.received]

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            connection = plain if self._context is None else self._context.wrap_socket(plain, server_side=True)
        except (ssl.SSLError, OSError):
            plain.close()
            return
        with self._lock:
            self._open.add(connection)
        try:
            with connection, connection.makefile("rb") as reader:
                number = connection.fileno() << 32 | connection.getpeername()[1]
                while (request := _read(reader.readline, reader.read, number)) is not None and self._reply(
                    connection, request
                ):
                    pass
        except OSError:
            return
        finally:
            with self._lock:
                self._open.discard(connection)

    def _reply(self, connection: socket.socket, request: Received) -> bool:
        """Say what the script has for this request; whether the connection stays open."""
        with self._lock:
            number = len(self.received)
            self.received.append(request)
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            reply = self.script(request) if callable(self.script) else self._written(number)
        finally:
            with self._lock:
                self.under_way -= 1
        if isinstance(reply, Reset):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if isinstance(reply, Silence):
            self._stopped.wait()
            return False
        connection.sendall(reply.raw if isinstance(reply, Cut) else reply)
        return not isinstance(reply, Cut)

    def _written(self, number: int) -> Reply:
        assert not callable(self.script)
        if number < len(self.script):
            return self.script[number]
        return answer(418, {"message": f"request {number + 1} is not in the script"})


def _read(readline: Callable[[], bytes], read: Callable[[int], bytes], connection: int) -> Received | None:
    first = readline().decode("latin-1").split()
    if len(first) != 3:
        return None
    headers: dict[str, str] = {}
    while line := readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return Received(first[0], first[1], headers, read(int(headers.get("content-length", 0))), connection)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
