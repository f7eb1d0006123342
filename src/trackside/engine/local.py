"""Maps the parse over the files of a run on this machine, in processes where that is safe."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Final

import msgspec

from trackside.engine import worker
from trackside.engine.parse_file import FileTask, Scanned, parse_file
from trackside.errors import UnreadableInputError

Progress = Callable[[int, int], None]

# Below this, processes win a second at most and cost more than they win: rows go on from memory.
_MIN_FORKED_BYTES: Final = 384 << 20
_MIN_STARTED_BYTES: Final = 512 << 20
_PACKED: Final = (".gz", ".zst")


def map_files(tasks: Sequence[FileTask], sizes: Sequence[int], on_progress: Progress | None = None) -> list[Scanned]:
    """What ``parse_file`` says of each task, in the order of the tasks.

    Processes are forked only from a process that is safe to fork: one thread, and no Polars in it yet. From others
    (a notebook, the second run of a command) they are started afresh, which pays for larger runs alone.
    """
    total = sum(sizes)
    if total >= _MIN_FORKED_BYTES:
        tasks = [msgspec.structs.replace(task, hold=False) for task in tasks]
    workers = min(len(tasks), available_cores())
    if workers > 1 and total >= _MIN_FORKED_BYTES and _safe_to_fork():
        return _map_forked(tasks, sizes, workers, on_progress)
    if workers > 1 and total >= _MIN_STARTED_BYTES:
        return _map_started(tasks, sizes, workers, on_progress)
    return _map_here(tasks, sizes, total, on_progress)


def _map_forked(
    tasks: Sequence[FileTask], sizes: Sequence[int], workers: int, on_progress: Progress | None
) -> list[Scanned]:
    done, total = 0, sum(sizes)
    results: dict[int, Scanned] = {}
    try:
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork")) as pool:
            futures = {pool.submit(parse_file, tasks[i]): i for i in _largest_first(sizes)}
            for future in as_completed(futures):
                index = futures[future]
                results[index] = future.result()
                done += sizes[index]
                if on_progress:
                    on_progress(done, total)
    except BrokenProcessPool as error:  # Said by a result, or by a task that comes after the end.
        msg = "A process that parsed logs was killed: there may be too little memory"
        raise UnreadableInputError(msg) from error
    return [results[i] for i in range(len(tasks))]


def _map_started(
    tasks: Sequence[FileTask], sizes: Sequence[int], workers: int, on_progress: Progress | None
) -> list[Scanned]:
    shares: list[list[int]] = [[] for _ in range(workers)]
    loads = [0] * workers
    for index in _largest_first(sizes):
        lightest = loads.index(min(loads))
        shares[lightest].append(index)
        loads[lightest] += sizes[index]
    done, total = 0, sum(sizes)
    results: dict[int, Scanned] = {}
    with ThreadPoolExecutor(workers) as pool:
        futures = {pool.submit(_ask_worker, [tasks[i] for i in share]): share for share in shares if share}
        for future in as_completed(futures):
            share = futures[future]
            results.update(zip(share, future.result(), strict=True))
            done += sum(sizes[i] for i in share)
            if on_progress:
                on_progress(done, total)
    return [results[i] for i in range(len(tasks))]


def _ask_worker(tasks: list[FileTask]) -> list[Scanned]:
    """What a fresh process makes of the tasks; where it cannot work, they are parsed here."""
    try:
        message = msgspec.msgpack.encode(tasks)
    except UnicodeEncodeError:  # a path that is no UTF-8
        return [parse_file(task) for task in tasks]
    asked = subprocess.run(  # noqa: S603 - this interpreter and a module of our own
        [sys.executable, "-m", worker.__name__], input=message, capture_output=True, check=False
    )
    if asked.returncode:
        return [parse_file(task) for task in tasks]
    return msgspec.msgpack.decode(asked.stdout, type=list[Scanned])


def _largest_first(sizes: Sequence[int]) -> list[int]:
    return sorted(range(len(sizes)), key=lambda i: -sizes[i])


def _map_here(
    tasks: Sequence[FileTask], sizes: Sequence[int], total: int, on_progress: Progress | None
) -> list[Scanned]:
    results = []
    done = 0
    for task, size in zip(tasks, sizes, strict=True):
        seen = 0

        def count(more: int, before: int = done) -> None:
            nonlocal seen
            seen += more
            if on_progress:
                on_progress(min(total, before + seen), total)

        held = task.hold and not task.name.endswith(_PACKED)
        results.append(parse_file(msgspec.structs.replace(task, hold=held), count if on_progress else None))
        done += size
        if on_progress:
            on_progress(done, total)
    return results


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _safe_to_fork() -> bool:
    return (
        "fork" in multiprocessing.get_all_start_methods()
        and sys.platform == "linux"
        and threading.active_count() == 1
        and "polars" not in sys.modules
    )
