"""Maps the parse over the files of a run on this machine, in processes where that is safe."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Final

from trackside.engine.parse_file import FileTask, Scanned, parse_file

Progress = Callable[[int, int], None]

_MIN_PARALLEL_BYTES: Final = 24 << 20


def map_files(tasks: Sequence[FileTask], sizes: Sequence[int], on_progress: Progress | None = None) -> list[Scanned]:
    """What ``parse_file`` says of each task, in the order of the tasks.

    Processes are forked only from a process that is safe to fork: one thread, and no Polars in it yet.
    """
    total = sum(sizes)
    workers = min(len(tasks), available_cores())
    if workers < 2 or total < _MIN_PARALLEL_BYTES or not _safe_to_fork():
        return _map_here(tasks, sizes, total, on_progress)
    done = 0
    order = sorted(range(len(tasks)), key=lambda i: -sizes[i])
    results: dict[int, Scanned] = {}
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork")) as pool:
        futures = {pool.submit(parse_file, tasks[i]): i for i in order}
        for future in as_completed(futures):
            index = futures[future]
            results[index] = future.result()
            done += sizes[index]
            if on_progress:
                on_progress(done, total)
    return [results[i] for i in range(len(tasks))]


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

        results.append(parse_file(task, count if on_progress else None))
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
