"""A server on its socket, from the first request to Control-C."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from trackside.errors import OutputError, UsageError
from trackside.server.children import GRACE_S
from trackside.server.connections import ACCEPTED_AT_ONCE, Connection, LoopErrors, room_for_connections

_BACKLOG: Final = 512
_GRACE_S: Final = 2
_CUT_S: Final = 2 * GRACE_S
IDLE_S: Final = 15
"""A connection that asks nothing for so long is closed."""
_ANY: Final = ("0.0.0.0", "::")  # noqa: S104 - only named


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens at ``host`` and ``port``, any free one for 0.

    Raises UsageError for a host that is not one of this machine, OutputError where the port cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError):
        raise UsageError(f"--host {host}: there is no such address on this machine.") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise _refused(host, port, error) from error
    listener.setblocking(False)
    return listener


def address_of(listener: socket.socket) -> str:
    """The address to open in a browser."""
    host, port = listener.getsockname()[:2]
    if host in _ANY:
        host = "localhost"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def run(app: ASGIApp, listener: socket.socket, on_ready: Callable[[], None], say: Callable[[str], None]) -> None:
    """Serves until the process is interrupted or terminated; open exchanges get a moment, a second time none."""
    asyncio.run(server_of(app, on_ready, say).serve(sockets=[listener]))


def server_of(
    app: ASGIApp,
    on_ready: Callable[[], None],
    say: Callable[[str], None],
    *,
    most_connections: int | None = None,
    idle_s: int = IDLE_S,
) -> uvicorn.Server:
    """A server that is not running yet; it ends where its ``should_exit`` is set.

    ``most_connections`` are as many as the process can hold if nothing is said, and ``say`` takes sentences on what
    the loop could not do.
    """
    config = uvicorn.Config(
        app,
        http=Connection,
        backlog=ACCEPTED_AT_ONCE,
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        timeout_keep_alive=idle_s,
        limit_concurrency=room_for_connections() if most_connections is None else most_connections,
    )
    return _Server(config, on_ready, LoopErrors(say))


class _Server(uvicorn.Server):
    """Ends on a signal without raising it again: Control-C is how a server is meant to end."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None], on_error: LoopErrors) -> None:
        super().__init__(config)
        self._on_ready, self._on_error = on_ready, on_error

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(self._on_error)
        await super().startup(sockets)
        for listener in sockets or ():
            # The loop listens with the number that it accepts at once; more may wait.
            listener.listen(_BACKLOG)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        # Requests that were cut short end what they ran, and say so.
        if cut := set(self.server_state.tasks):
            await asyncio.wait(cut, timeout=_CUT_S)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        is_main = threading.current_thread() is threading.main_thread()
        handled = (signal.SIGINT, signal.SIGTERM) if is_main else ()
        loop = asyncio.get_running_loop()
        for number in handled:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in handled:
                loop.remove_signal_handler(number)


def _refused(host: str, port: int, error: OSError) -> OutputError | UsageError:
    if error.errno == errno.EADDRINUSE:
        return OutputError(f"Port {port} of {host} is taken: name another one with --port, or end what listens there.")
    if error.errno in (errno.EACCES, errno.EPERM):
        return OutputError(f"Port {port} of {host} may not be used: name one from 1024 on with --port.")
    if error.errno == errno.EADDRNOTAVAIL:
        return UsageError(f"--host {host}: there is no such address on this machine.")
    return OutputError(f"Nothing can be served at {host}, port {port}: {error.strerror}.")
