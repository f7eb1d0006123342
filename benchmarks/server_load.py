"""Load on ``trackside serve`` over loopback: answers a second and how long they take, quiet and while it is written.

Begins a server on a copy of a store (``--store``, such as ``python -m benchmarks.demo_site --store DIR`` makes),
waits for its site, and asks for pages and the API over ``--connections`` connections that stay open, ``--seconds``
each: first alone, then while a writer adds runs to the store, as a sync does, and the server builds the site again.
At the end deliveries of webhooks come as fast as the same connections carry them.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count, repeat
from pathlib import Path
from typing import Final, NamedTuple

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from trackside.records.runs import RunAttempt, Source
from trackside.store.store import Store, open_store

REPO: Final = "octo/engine"
SECRET: Final = "load"
PROGRAM: Final = (sys.executable, "-c", "from trackside.cli.app import main; main()")
READ: Final = ("/", "/ci.html", "/agentops.html", "/data/site.json", "/api/v1/runs?limit=50", "/api/v1/ci/streaks")
FIRST_ID: Final = 90_000_000_000
WRITE_EVERY_S: Final = 0.2


class Load(NamedTuple):
    """What came of a load: answers by status, seconds of each answer, seconds in all, bytes of the last body."""

    statuses: dict[int, int]
    took_s: list[float]
    seconds: float
    size: int

    def line(self, what: str) -> str:
        """A row of the table."""
        ordered = sorted(self.took_s)
        p50, p99 = (ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 for share in (0.5, 0.99))
        wrong = sum(number for status, number in self.statuses.items() if status != 200)
        rate = len(ordered) / self.seconds
        return f"| {what} | {self.size:,} | {rate:,.0f} | {p50:.1f} | {p99:.1f} | {wrong:,} |"


def request(method: str, path: str, port: int, body: bytes = b"", headers: str = "") -> bytes:
    """The bytes of a request over a connection that stays open."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept-Encoding: gzip\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def load(port: int, connections: int, seconds: float, next_request: Callable[[], bytes]) -> Load:
    """Asks over ``connections`` at once, each the next as soon as it has its answer."""
    statuses: dict[int, int] = {}
    took_s: list[float] = []
    sizes = [0]
    began_s = time.perf_counter()

    async def ask() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() - began_s < seconds:
            asked_s = time.perf_counter()
            writer.write(next_request())
            status, size = await _answer(reader)
            took_s.append(time.perf_counter() - asked_s)
            statuses[status] = statuses.get(status, 0) + 1
            sizes[0] = size
        writer.close()

    await asyncio.gather(*(ask() for _ in range(connections)))
    return Load(statuses, took_s, time.perf_counter() - began_s, sizes[0])


async def _answer(reader: asyncio.StreamReader) -> tuple[int, int]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    size = int(next(line for line in head.split("\r\n") if line.startswith("content-length:")).partition(":")[2])
    await reader.readexactly(size)
    return int(head.split(" ", 2)[1]), size


@contextmanager
def served(store: Path) -> Iterator[int]:
    """A server over ``store`` whose site is there, and its port."""
    command = [*PROGRAM, "serve", "--repo", REPO, "--store", str(store), "--port", "0", "--quiet"]
    environ = {**os.environ, "TRACKSIDE_WEBHOOK_SECRET": SECRET}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ, cwd=store.parent)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline().rstrip("/\n").rpartition(":")[2])
        while _status(f"http://127.0.0.1:{port}/healthz") != 200:
            time.sleep(0.5)
        yield port
    finally:
        process.terminate()
        process.wait()


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@contextmanager
def written(store: Store) -> Iterator[list[int]]:
    """Adds ten runs to the store five times a second, until the end; the list is how many commits that were."""
    stop, commits = threading.Event(), [0]

    def write() -> None:
        while not stop.wait(WRITE_EVERY_S):
            now = dt.datetime.now(dt.UTC).replace(microsecond=0)
            store.add_runs([_run(FIRST_ID + commits[0] * 10 + one, now) for one in range(10)], now)
            commits[0] += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield commits
    finally:
        stop.set()
        thread.join()


def _run(run_id: int, now: dt.datetime) -> RunAttempt:
    return RunAttempt(
        repo=REPO,
        run_id=run_id,
        run_attempt=1,
        source=Source.REST,
        workflow_name="Load",
        workflow_file=".github/workflows/load.yml",
        status="completed",
        conclusion="success",
        created_at=now,
        run_started_at=now,
        updated_at=now,
        head_branch="main",
    )


def deliveries(port: int) -> Callable[[], bytes]:
    """Requests that each deliver another run, signed."""
    numbers = count(FIRST_ID + 10_000_000)

    def following() -> bytes:
        moment = f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
        run = {"id": next(numbers), "run_attempt": 1, "run_number": 1, "workflow_id": 1, "name": "Load"}
        run |= {"status": "completed", "conclusion": "success", "created_at": moment, "updated_at": moment}
        told = {"action": "completed", "workflow_run": run, "repository": {"full_name": REPO}}
        body = json.dumps(told).encode()
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = f"X-GitHub-Event: workflow_run\r\nX-Hub-Signature-256: sha256={signature}\r\n"
        return request("POST", "/webhooks/github", port, body, headers)

    return following


def measure(port: int, store: Store, connections: int, seconds: float) -> Iterator[str]:
    """The rows of the table."""

    def reading(words: str) -> Iterator[str]:
        for path in READ:
            again = repeat(request("GET", path, port))
            yield asyncio.run(load(port, connections, seconds, again.__next__)).line(f"`{path}`{words}")

    yield from reading("")
    with written(store) as commits:
        yield from reading(", written")
    print(f"{commits[0]:,} commits of ten runs meanwhile", file=sys.stderr)
    yield asyncio.run(load(port, connections, seconds, deliveries(port))).line("deliveries of webhooks")


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.server_load", description=__doc__)
    parser.add_argument("--store", type=Path, required=True, help="a store; a copy of it is served and written to")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trackside-load-") as room:
        store = Path(room) / "store"
        shutil.copytree(told.store, store, ignore=shutil.ignore_patterns("served-site-*"))
        with served(store) as port:
            print(
                "| asked for | bytes of an answer | answers/s | p50 ms | p99 ms | not 200 |\n|---|--:|--:|--:|--:|--:|"
            )
            for line in measure(port, open_store(store), told.connections, told.seconds):
                print(line, flush=True)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", file=sys.stderr)


if __name__ == "__main__":
    main()
