"""One simulated worker process group: its ranks share a log file, a machine and a launch."""

from __future__ import annotations

import random
from typing import NamedTuple

from benchmarks.line_forms import Dialect
from benchmarks.prefixes import Head, rank_tag
from benchmarks.worker_log import WorkerLog
from benchmarks.workload import Request


class Launch(NamedTuple):
    """How a worker was started. ``chunk`` and ``capacity`` are tokens per DP rank."""

    role: str
    node: str
    number: int
    tp: int
    dp: int
    tag_form: str
    chunk: int
    capacity: int
    max_running: int
    address: str

    @property
    def name(self) -> str:
        """``<node>_<role>_w<i>``, the stem of the log file."""
        return f"{self.node}_{self.role}_w{self.number}"

    def tag(self, dp: int, tp: int | None = None) -> str:
        """Tag of a DP rank's first tensor rank, or of the given tensor rank."""
        return rank_tag(self.tag_form, dp, dp * (self.tp // self.dp) if tp is None else tp)


class Worker:
    """A launch, its log, and how many requests run on all of its ranks together."""

    def __init__(self, launch: Launch, log: WorkerLog, head: Head, dialect: Dialect, rng: random.Random) -> None:
        self.launch = launch
        self.log = log
        self.head = head
        self.dialect = dialect
        self.rng = rng
        self.running = 0

    def step_s(self) -> float:
        """Duration of one decode step: the ranks go in lock step, so the mean load of the worker sets it."""
        return (0.0245 + 0.0006 * self.running / self.launch.dp) * self.rng.uniform(0.985, 1.015)

    def access(self, time_s: float, request: Request) -> None:
        """Log the end of one HTTP request, and now and then what else a server has to say."""
        port = 32768 + request.number * 7 % 28000
        client = 2 + request.number % 4
        line = f'INFO:     10.0.3.{client}:{port} - "POST /generate HTTP/1.1" 200 OK\n'
        self.log.add(time_s, self.head(time_s, "") + line, "access")
        chance = self.rng.random()
        if chance < 0.002:
            self.log.add(time_s, self.head(time_s, self.launch.tag(0)) + _REMARKS[request.number % 3], "other")
        elif chance < 0.0022:
            self.log.add(time_s, self.head(time_s, "") + _TRACEBACK, "other")

    def health(self, time_s: float) -> None:
        """Log one health check."""
        line = 'INFO:     10.0.3.2:40112 - "GET /health HTTP/1.1" 200 OK\n'
        self.log.add(time_s, self.head(time_s, "") + line, "access")


_REMARKS = (
    "Health check: tokenizer worker is alive, last heartbeat 0.4 s ago\n",
    "Cache flushed for 3 finished sessions; tree size is 18432 pages\n",
    "Watchdog: the last forward pass took longer than 250 ms\n",
)
_TRACEBACK = """ERROR:    Exception in ASGI application
Traceback (most recent call last):
  File "/opt/venv/lib/python3.12/site-packages/uvicorn/httptools_impl.py", line 409, in run_asgi
    result = await app(self.scope, self.receive, self.send)
  File "/opt/venv/lib/python3.12/site-packages/starlette/responses.py", line 271, in listen_for_disconnect
    message = await receive()
ConnectionResetError: client closed the connection before the stream ended
"""
