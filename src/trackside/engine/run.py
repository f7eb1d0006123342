"""Opens a run of engine logs: finds the files, parses what is new, and gives workers, ledger and frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from trackside.bench.times import find_zone, read_bound
from trackside.engine.accounts import ledger_of, worker_on_clock
from trackside.engine.cache import Cache
from trackside.engine.files import Layout, find_logs
from trackside.engine.state import Mapper, Progress, RunState
from trackside.errors import NoDataError, UsageError
from trackside.records.engine_run import FileLedger, Role, Worker

if TYPE_CHECKING:
    import polars as pl

    from trackside.engine.assemble import FileRows


class Run:
    """One run: its workers, the ledger of what was read, and its rows as Polars frames.

    ``first_us`` and ``last_us`` of workers are logged times as if UTC, or true UTC where a zone was given.
    """

    def __init__(self, layout: Layout, state: RunState, options: _Options) -> None:
        self.name = layout.name
        self.path = layout.path
        self.logs_dir = layout.logs_dir
        self.from_cache = state.from_cache
        self.cache_path = state.cache.table if state.cache.keeps or state.from_cache else None
        self._state = state
        self._options = options
        self.ledger: tuple[FileLedger, ...] = tuple(
            ledger_of(state.entries[s.name].scanned) for s in layout.sources if s.name in state.entries
        ) + tuple(FileLedger(name, state="skipped", note=note) for name, note in layout.skipped)
        self.notes = state.notes
        self.workers: tuple[Worker, ...] = state.model.workers
        self._window: tuple[int | None, int | None] = (None, None)
        if options.start or options.stop:
            self._cut_window()
        elif options.tz and state.names_zones:
            self.workers = self._workers_of_rows()
        elif options.tz:
            zone = find_zone(options.tz)
            self.workers = tuple(worker_on_clock(w, zone) for w in self.workers)

    def rows(self, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """All rows by worker, then time, stable in file order. ``columns`` selects some of ``engine_rows.COLUMNS``."""
        from trackside.engine.frames import rows_by_worker

        return rows_by_worker(self._files(), self._window, self._options.tz, columns)

    def row_batches(self) -> Iterator[pl.DataFrame]:
        """The same rows in file order, one bounded frame at a time."""
        from trackside.engine.frames import on_clock, within

        for file in self._files():
            for frame in file.batches():
                yield on_clock(within(frame, self._window), self._options.tz)

    def refresh_table(self) -> Path | None:
        """Brings ``node_metrics.parquet`` up to what was read last; where it is, or None without a cache."""
        self._state.consolidate()
        return self.cache_path

    def _files(self) -> list[FileRows]:
        return self._state.files()

    def _workers_of_rows(self) -> tuple[Worker, ...]:
        from trackside.engine.frames import workers_within

        return workers_within(self.workers, self._files(), self._window, self._options.tz)

    def _cut_window(self) -> None:
        first = min((w.first_us for w in self.workers if w.first_us is not None), default=0)
        last = max((w.last_us for w in self.workers if w.last_us is not None), default=0)
        start, stop = self._options.start, self._options.stop
        low = read_bound(start, first, last, end=False) if start else None
        high = read_bound(stop, first, last, end=True) if stop else None
        if low is not None and high is not None and high < low:
            msg = f"The window ends before it begins: {start} to {stop}"
            raise UsageError(msg)
        self._window = (low, high)
        self.workers = self._workers_of_rows()
        if not self.workers:
            msg = f"No lines between {start or 'the start'} and {stop or 'the end'}"
            raise NoDataError(msg)


class _Options(msgspec.Struct, frozen=True):
    tz: str | None
    start: str | None
    stop: str | None


def open_run(
    path: Path | str,
    *,
    role: Role | None = None,
    tz: str | None = None,
    start: str | None = None,
    stop: str | None = None,
    cache: bool = True,
    engine: str = "local",
    scheduler: str | None = None,
    on_progress: Progress | None = None,
) -> Run:
    """The run at ``path``: a job directory, its ``logs`` directory, or one log file.

    ``role`` overrules what names and content say; ``tz`` is the zone of stamps without one; ``start`` and ``stop``
    cut a window in logged time. Raises PathNotFoundError, NoDataError where no worker logged a line, UsageError.
    """
    if tz:
        find_zone(tz)
    for bound in filter(None, (start, stop)):
        read_bound(bound, 0, 0, end=False)  # a wrong one is told before gigabytes are read
    layout = find_logs(Path(path))
    if not layout.sources:
        msg = f"No worker nodes found in logs: {layout.logs_dir} holds no worker log (.out, .err or .log)"
        if layout.skipped:
            msg += ", only {}: {}".format(*layout.skipped[0])
        raise NoDataError(msg)
    state = RunState(layout, _cache_of(layout, keep=cache), role)
    state.read(_mapper(engine, scheduler), on_progress)
    run = Run(layout, state, _Options(tz, start, stop))
    if not run.workers:
        raise NoDataError(_nothing_found(run))
    return run


def _cache_of(layout: Layout, *, keep: bool) -> Cache:
    """One log that was named has a cache of its own: it does not replace that of its directory."""
    one = None if layout.path.is_dir() else layout.path.name
    return Cache(layout.logs_dir, keep=keep, of=one)


def _nothing_found(run: Run) -> str:
    reasons = [f"{file.file}: {file.note}" for file in run.ledger if file.state in ("lfs_pointer", "unreadable")]
    lines = sum(file.lines for file in run.ledger)
    held = "1 line holds" if lines == 1 else f"{lines:,} lines hold"
    missed = sum(file.unrecognised for file in run.ledger)
    found = reasons[0] if reasons else f"{held} no batch line that is known"
    if missed and not reasons:
        found += f"; {missed:,} look like one, for example: {next(s for f in run.ledger for s in f.samples)[:200]}"
    if not lines and not reasons:
        found = "every log is empty"
    return f"No worker nodes found in logs: {run.path if run.path.is_file() else run.logs_dir} ({found})"


def _mapper(engine: str, scheduler: str | None) -> Mapper:
    if engine == "local":
        from trackside.engine.local import map_files

        return map_files
    from trackside.engine.dask import mapper

    return mapper(scheduler)
