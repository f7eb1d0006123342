"""What a command costs: CPU of the process tree, wall time, and the memory of all its processes together."""

from __future__ import annotations

import os
import resource
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

SAMPLE_S: Final = 0.02
_PAGE: Final = resource.getpagesize()
_PSS_EVERY: Final = 5
"""Reading the proportional size walks the page tables; it is done once in so many samples."""


class Cost(NamedTuple):
    """One measured command. ``peak_bytes`` is the larger of the sampled peaks; see ``measure``."""

    cpu_s: float
    wall_s: float
    peak_bytes: int
    exit_code: int
    output: str


def _children(pid: int) -> list[int]:
    try:
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def process_tree(root: int) -> list[int]:
    """The process and all its living descendants."""
    found, front = [root], [root]
    while front:
        front = [child for pid in front for child in _children(pid)]
        found.extend(front)
    return found


def _unshared_bytes(pid: int) -> int:
    """Resident minus file-backed shared pages: cheap, and does not count one library once per process."""
    try:
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text().split()
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(shared)) * _PAGE


def _proportional_bytes(pid: int) -> int:
    """Proportional set size: shared pages are divided among the processes that map them."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        return 0
    return 0


class PeakMemory:
    """Samples the memory of a process tree while it runs; the peak is never below what the samples saw."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.peak_bytes = 0
        self._thread.start()

    def _sample(self) -> None:
        turn = 0
        while not self._stop.wait(SAMPLE_S):
            pids = process_tree(self._root)
            size_of = _proportional_bytes if turn % _PSS_EVERY == 0 else _unshared_bytes
            self.peak_bytes = max(self.peak_bytes, sum(size_of(pid) for pid in pids))
            turn += 1

    def stop(self) -> int:
        """End the sampling; the peak in bytes."""
        self._stop.set()
        self._thread.join()
        return self.peak_bytes


def measure(command: Sequence[str], cwd: Path | None = None, memory: bool = True) -> Cost:
    """Run a command to its end and return its cost.

    CPU is user + system time of the process and of every descendant that was waited for (``wait4``).
    Memory is the peak, over samples 20 ms apart, of the sum over all processes alive: every fifth sample of
    proportional set sizes, the others of resident minus shared pages (file pages left out, never overstated).
    """
    began = time.monotonic()
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
    with subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        sampler = PeakMemory(process.pid) if memory else None
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall_s = time.monotonic() - began
        peak = sampler.stop() if sampler else 0
    return Cost(usage.ru_utime + usage.ru_stime, wall_s, peak, process.returncode, output)
