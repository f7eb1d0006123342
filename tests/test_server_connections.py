"""Connections that ask nothing, or too many of them: the server goes on, and its log stays short."""

from __future__ import annotations

import contextlib
import errno
import http.client
import json
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.serving import server_here
from trackside.server.connections import FEWEST, MOST, RESERVED, LoopErrors, room_for_connections

FILES = 256
SMALL = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({FILES}, {FILES}))
sys.argv[0] = "trackside"
from trackside.cli.app import main
main()
"""


def silent(stack: ExitStack, port: int) -> socket.socket:
    return stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))


def test_connections_that_ask_nothing_are_closed(tmp_path: Path) -> None:
    with server_here(tmp_path, idle_s=1) as served, ExitStack() as stack:
        said_nothing, half = silent(stack, served.port), silent(stack, served.port)
        half.sendall(b"GET / HTTP/1.1\r\nHost: loc")
        assert said_nothing.recv(1) == half.recv(1) == b""


def test_a_head_that_comes_byte_by_byte_is_not_waited_for(tmp_path: Path) -> None:
    with server_here(tmp_path, idle_s=1) as served, ExitStack() as stack:
        slow = silent(stack, served.port)
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert slow.recv(65536).startswith(b"HTTP/1.1")
        began_s = time.monotonic()
        with contextlib.suppress(OSError):
            for byte in b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 300:
                slow.sendall(bytes([byte]))
                time.sleep(0.03)
        assert time.monotonic() - began_s < 9


def test_an_answer_that_takes_longer_is_waited_for(tmp_path: Path) -> None:
    analyze = (sys.executable, "-c", "import time; time.sleep(1.3); print('{}')")
    with server_here(tmp_path, idle_s=1, analyze=analyze) as served:
        token = {"Authorization": "Bearer a-token-of-ours"}
        assert served.ask("POST", "/api/v1/runs/1/analysis", headers=token).status == 200


def test_more_connections_than_there_is_room_for_are_refused_in_a_sentence(tmp_path: Path) -> None:
    with server_here(tmp_path, most_connections=3) as served, ExitStack() as stack:
        held = [silent(stack, served.port) for _ in range(3)]
        refused = silent(stack, served.port)
        response = http.client.HTTPResponse(refused)
        response.begin()
        assert (response.status, response.getheader("retry-after")) == (503, "2")
        assert json.loads(response.read()) == {"error": "Too many connections are open: ask again in a moment."}
        assert response.getheader("x-content-type-options") == "nosniff"
        for one in held:
            one.close()
        served.until_ready()


@pytest.mark.parametrize(
    "request_bytes", [b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"x\r\n\r\n"]
)
def test_what_is_no_request_is_refused_in_a_sentence(tmp_path: Path, request_bytes: bytes) -> None:
    with server_here(tmp_path) as served, ExitStack() as stack:
        asking = silent(stack, served.port)
        asking.sendall(request_bytes + b"\r\n\r\n")
        response = http.client.HTTPResponse(asking)
        response.begin()
        assert response.status == 400
        assert list(json.loads(response.read())) == ["error"]
        assert response.getheader("content-security-policy")
        assert served.said == []


def test_a_body_that_is_torn_while_it_is_read_ends_the_connection(tmp_path: Path) -> None:
    with server_here(tmp_path) as served:
        head = b"POST /webhooks/github HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        signed = b"X-Hub-Signature-256: sha256=" + b"0" * 64 + b"\r\n\r\n"
        assert served.raw(head + signed + b"zz\r\nno chunk\r\n").startswith(b"HTTP/1.1 400")
        assert served.get("/metrics").status == 200
        assert served.said == []


@contextlib.contextmanager
def small(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The command in a process that may have few files open."""
    process = subprocess.Popen(
        [sys.executable, "-c", SMALL, "serve", "--port=0", "--repo=octo/engine", f"--store={folder / 'store'}"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=(folder / "said").open("w"),
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, int(process.stdout.readline().rstrip("/\n").rpartition(":")[2])
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_silent_connections_use_up_neither_files_nor_the_log(tmp_path: Path) -> None:
    with small(tmp_path) as (process, port), ExitStack() as stack:
        held = [silent(stack, port) for _ in range(FILES + 100)]
        open_files = len(list((Path("/proc") / str(process.pid) / "fd").iterdir()))
        assert open_files < FILES
        for one in held[:50]:
            one.close()
        end_s, status = time.monotonic() + 30, 0
        while status != 200 and time.monotonic() < end_s:
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
                connection.request("GET", "/api/openapi.json")
                status = connection.getresponse().status
                connection.close()
            time.sleep(0.05)
        assert status == 200
    said = (tmp_path / "said").read_text()
    assert "Traceback" not in said
    assert len(said) < 2_000


def test_the_limit_of_open_files_is_raised_as_far_as_it_may_be() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    code = (
        "import resource\nfrom trackside.server.connections import room_for_connections\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, ({0}, {1}))\n"
        "print(room_for_connections(), *resource.getrlimit(resource.RLIMIT_NOFILE))"
    )

    def told(soft: int, hard: int) -> list[int]:
        command = [sys.executable, "-c", code.format(soft, hard)]
        return [int(one) for one in subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()]

    assert told(100, 500) == [500 - RESERVED, 500, 500]
    assert told(100, 100) == [FEWEST, 100, 100]
    if before[1] == resource.RLIM_INFINITY or before[1] >= 4_000:
        assert told(300, 4_000) == [MOST, MOST + RESERVED, 4_000]
    assert room_for_connections() >= FEWEST


def test_what_the_loop_cannot_do_is_said_once_a_minute() -> None:
    said: list[str] = []
    errors, full = LoopErrors(said.append), OSError(errno.EMFILE, "Too many open files")
    for _ in range(1_000):
        errors(None, {"message": "socket.accept() out of system resource", "exception": full})  # type: ignore[arg-type]
    assert said == ["Connections wait, as no more can be taken now: Too many open files."]
