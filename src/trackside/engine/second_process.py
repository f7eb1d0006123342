"""A process beside this one for work that takes long, where the machine has a processor for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import ParamSpec, TypeVar

from trackside.engine.local import available_cores

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def second_process() -> Iterator[Executor | None]:
    """Takes functions and what they are called with, one after the other; None on a machine with one processor.

    It starts with the first of them, and ends with this process however that ends. Where the block fails it is ended
    in the midst of its work.
    """
    if available_cores() == 1:
        yield None
        return
    import multiprocessing

    # Not forked: the threads of the libraries would be missing there.
    context = multiprocessing.get_context("spawn")
    told, teller = context.Pipe(duplex=False)
    with told, teller, ProcessPoolExecutor(1, context, _end_when_told, (told,)) as pool:
        try:
            yield pool
        except BaseException:
            # Waited for: what a pool still does while the interpreter ends is a traceback beside what failed.
            teller.close()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def begin(elsewhere: Executor | None, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Callable[[], T]:
    """Begins ``work`` in the other process, and returns what gives its result; without one it is done when asked.

    Where the other process was ended, for want of memory perhaps, it is done here.
    """

    def done_here() -> T:
        return work(*args, **kwargs)

    if elsewhere is None:
        return done_here
    try:
        future = elsewhere.submit(work, *args, **kwargs)
    except BrokenProcessPool:
        return done_here

    def result() -> T:
        try:
            return future.result()
        except BrokenProcessPool:
            return done_here()

    return result


def _end_when_told(told: Connection) -> None:
    """Watches for the end of the other end of ``told``, which is also that of the process that this one works for."""
    import threading

    def watch() -> None:
        told.poll(None)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
