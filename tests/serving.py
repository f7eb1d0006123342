"""A server on a real socket over a real store; what builds its site is a small program of the test's own."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import hmac
import http.client
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trackside.cli.serve_backend import StoreBackend
from trackside.server.app import make_app
from trackside.server.backend import Backend, Commands, Serving
from trackside.server.running import bind, server_of
from trackside.settings import Settings
from trackside.store.store import Store, open_store

REPO = "octo/engine"
SECRET = "a secret of both"
TOKEN = "a-token-of-ours"
MADE_AT = "2026-11-22T06:00:00Z"
SITE = {"live": False, "repository": REPO}
FILES: dict[str, str] = {
    "index.html": "<!doctype html><title>Home</title><p>" + "all is fine " * 200,
    "ci/jobs/unit-1a2b3c4d.html": "<!doctype html><title>unit</title>",
    "assets/site.css": "p { margin: 0 }" * 50,
    "data/ci-streaks.json": json.dumps(
        {"streaks": {"broken": [{"is_default_line": True}, {"is_default_line": False}]}}
    ),
    "data/perf-changes.json": json.dumps(
        {"changes": [{"state": "new", "verdict": "regression"}, {"state": "fixed", "verdict": "regression"}]}
    ),
    "data/agentops-runs.json": json.dumps({"runs": [{"id": 1, "run_attempt": 1, "agent_name": "copilot"}]}),
}
COPY = """
import pathlib, sys
source, folder = map(pathlib.Path, sys.argv[1:])
for file in sorted(source.rglob("*")):
    if file.is_file():
        target = folder / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
"""
WAIT_S = 20.0


@dataclass(frozen=True)
class Answer:
    """An answer, names of headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Served:
    """A server that runs: its port, its store, where its site is made and what it said."""

    port: int
    store: Store
    source: Path
    folder: Path
    wait_s: float = WAIT_S
    said: list[str] = field(default_factory=list)

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, told, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def raw(self, request: bytes) -> bytes:
        """What comes for these bytes until the server closes, or says no more for a moment."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def deliver(self, body: bytes, event: str = "workflow_run", **headers: str) -> Answer:
        """A delivery with the right signature, unless ``headers`` tell another one."""
        own = {
            "Content-Type": "application/json",
            "X-GitHub-Event": event,
            "X-Hub-Signature-256": signature(body),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.ask("POST", "/webhooks/github", body, {name: value for name, value in own.items() if value})

    def until(self, is_so: Callable[[], bool]) -> None:
        """Waits until it is so; fails where that takes too long."""
        end_s = time.monotonic() + self.wait_s
        while not is_so():
            assert time.monotonic() < end_s, self.said
            time.sleep(0.02)

    def until_ready(self) -> None:
        self.until(lambda: self.get("/data/site.json").status == 200)

    def metric(self, line: str) -> float:
        """The value of a line of /metrics that begins so."""
        for one in self.get("/metrics").body.decode().splitlines():
            if one.startswith(f"{line} "):
                return float(one.rpartition(" ")[2])
        raise AssertionError(f"no metric {line}")


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that nobody has waited for yet does not."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def signature(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def write_site(source: Path, files: Mapping[str, str], generated_at: str = MADE_AT) -> None:
    """What the next build makes."""
    for path, text in {**files, "data/site.json": json.dumps({**SITE, "generated_at": generated_at})}.items():
        target = source / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def python(code: str, *arguments: object) -> tuple[str, ...]:
    """A command that runs ``code``."""
    return (sys.executable, "-I", "-c", code, *(str(one) for one in arguments))


def serving_of(folder: Path, **more: Any) -> Serving:
    """What is served below ``folder``: the site comes from ``folder/source``, unless ``build`` is another command."""
    commands = Commands(
        build=more.pop("build", python(COPY, folder / "source", folder / "built")),
        sync=more.pop("sync", python("")),
        compact=more.pop("compact", python("")),
        analyze=more.pop("analyze", python("")),
        environ=more.pop("environ", {}),
    )
    own = {"repo": REPO, "secret": SECRET, "token": TOKEN, "poll_s": 0.05, "gather_s": 0.05, "pause_s": 0.3, **more}
    return Serving(version="0.0", folder=folder / "built", commands=commands, **own)


@contextmanager
def server_here(
    folder: Path, *, files: Mapping[str, str] | None = None, backend: Backend | None = None, **more: Any
) -> Iterator[Served]:
    """A server of ``folder``, over its store, for as long as the block lasts."""
    write_site(folder / "source", FILES if files is None else files)
    store = open_store(folder / "store")
    repo, wait_s = more.pop("repo", REPO), more.pop("wait_s", WAIT_S)
    bounds = {name: more.pop(name) for name in ("most_connections", "idle_s") if name in more}
    serving = serving_of(folder, repo=repo, **more)
    listener = bind("127.0.0.1", 0)
    served = Served(listener.getsockname()[1], store, folder / "source", folder / "built", wait_s)
    own = backend or StoreBackend(store, repo, Settings(), dt.timedelta(days=30))
    app = make_app(serving, own, served.said.append)
    ready = threading.Event()
    server = server_of(app, ready.set, served.said.append, **bounds)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    try:
        assert ready.wait(WAIT_S)
        yield served
    finally:
        server.should_exit = True
        thread.join(WAIT_S)
        assert not thread.is_alive()
