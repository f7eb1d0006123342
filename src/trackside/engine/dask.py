"""Maps the parse over the files of a run on a Dask cluster: the same function, one task a file."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import msgspec

from trackside.engine.local import Progress, available_cores
from trackside.engine.parse_file import FileTask, Scanned, parse_file, write_piece
from trackside.errors import MissingExtraError, UnreadableInputError


def mapper(scheduler: str | None) -> Callable[[list[FileTask], list[int], Progress | None], list[Scanned]]:
    """A function that parses files on the cluster at ``scheduler``, or on one started here for the purpose.

    The workers must see the logs under the same paths; rows come back as bytes, so they need not write there.
    Raises MissingExtraError without Dask, UnreadableInputError where the scheduler does not answer.
    """
    try:
        import distributed
    except ImportError as error:
        msg = "The Dask engine is not installed: pip install 'trackside[dask]'"
        raise MissingExtraError(msg) from error

    lost = (distributed.KilledWorker, CancelledError, OSError, ImportError)

    def map_files(tasks: Sequence[FileTask], sizes: Sequence[int], on_progress: Progress | None) -> list[Scanned]:
        if not tasks:
            return []
        with _client(distributed, scheduler, len(tasks)) as client:
            try:
                return _gather(distributed, client, tasks, sizes, on_progress)
            except lost as error:
                reason = str(error).split(". ")[0] or type(error).__name__
                msg = f"The Dask cluster did not finish: {reason} (its workers need trackside and the same paths)"
                raise UnreadableInputError(msg) from error

    return map_files


def _gather(
    distributed: Any, client: Any, tasks: Sequence[FileTask], sizes: Sequence[int], on_progress: Progress | None
) -> list[Scanned]:
    futures = client.map(
        parse_file, [msgspec.structs.replace(task, spool=None, hold=False) for task in tasks], pure=False
    )
    index = {future.key: i for i, future in enumerate(futures)}
    done, total = 0, sum(sizes)
    results: dict[int, Scanned] = {}
    for future in distributed.as_completed(futures):
        at = index[future.key]
        results[at] = _kept(cast(Scanned, future.result()), tasks[at])
        done += sizes[at]
        if on_progress:
            on_progress(done, total)
        future.release()
    return [results[i] for i in range(len(tasks))]


def _kept(scanned: Scanned, task: FileTask) -> Scanned:
    """Rows that came as bytes, written to their place one file at a time."""
    if task.spool is None:
        return scanned
    spool = Path(task.spool)
    return msgspec.structs.replace(scanned, pieces=[write_piece(p, spool) if p.data else p for p in scanned.pieces])


def _client(distributed: Any, scheduler: str | None, tasks: int) -> Any:
    if scheduler is None:
        workers = max(1, min(tasks, available_cores()))
        cluster = distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=None, silence_logs=50
        )
        with _no_collection():
            return _Owned(distributed.Client(cluster), cluster)
    try:
        with _no_collection():
            return distributed.Client(scheduler, timeout="20s")
    except (OSError, TimeoutError, ValueError) as error:
        msg = f"No Dask scheduler answers at {scheduler}: {error}"
        raise UnreadableInputError(msg) from error


@contextmanager
def _no_collection() -> Iterator[None]:
    """Collects garbage now and not within the block.

    A client that failed to connect is closed when it is collected, under the lock that a new one takes to start: if
    that happens while one starts, both wait for ever. Needed until distributed closes
    such a client without that lock.
    """
    gc.collect()
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Owned:
    """A client and the cluster that ends with it."""

    def __init__(self, client: Any, cluster: Any) -> None:
        self.client = client
        self.cluster = cluster

    def __enter__(self) -> Any:
        return self.client

    def __exit__(self, *args: object) -> None:
        self.client.close()
        self.cluster.close()
