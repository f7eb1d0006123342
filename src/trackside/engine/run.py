"""Opens a run of engine logs: finds the files, parses what is new, and gives workers, ledger and frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from trackside.bench.model import FileFacts, RunModel, build_model
from trackside.bench.times import find_zone
from trackside.engine.accounts import ledger_of, worker_on_clock
from trackside.engine.cache import VERSION, Cache, Entry, Manifest
from trackside.engine.files import Layout, Source, find_logs
from trackside.engine.fingerprints import Fingerprint, has_grown, take_fingerprint
from trackside.engine.parse_file import FileTask, Scanned
from trackside.errors import NoDataError, UsageError
from trackside.records.engine_run import FileLedger, Role, Worker

if TYPE_CHECKING:
    import polars as pl

    from trackside.engine.assemble import FileRows

Progress = Callable[[int, int], None]

_MAX_PIECES: Final = 256
_DAY_US: Final = 86_400_000_000


class Run:
    """One run: its workers, the ledger of what was read, and its rows as Polars frames.

    ``first_us`` and ``last_us`` of workers are logged times as if UTC, or true UTC where a zone was given.
    """

    def __init__(self, layout: Layout, state: _State, options: _Options) -> None:
        self.name = layout.name
        self.path = layout.path
        self.logs_dir = layout.logs_dir
        self.from_cache = state.from_cache
        self.cache_path = state.cache.table if state.cache.keeps else None
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
        if options.tz:
            zone = find_zone(options.tz)
            self.workers = tuple(worker_on_clock(w, zone, state.utc_workers) for w in self.workers)

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

    def _cut_window(self) -> None:
        from trackside.bench.times import read_bound
        from trackside.engine.frames import workers_within

        firsts = [w.first_us for w in self.workers if w.first_us is not None]
        first = min(firsts, default=0)
        start, stop = self._options.start, self._options.stop
        low = read_bound(start, first, end=False) if start else None
        high = read_bound(stop, first, end=True) if stop else None
        if low is not None and high is not None and high < low:
            msg = f"The window ends before it begins: {start} to {stop}"
            raise UsageError(msg)
        self._window = (low, high)
        self.workers = workers_within(self.workers, self._files(), self._window)
        if not self.workers:
            msg = f"No lines between {start or 'the start'} and {stop or 'the end'}"
            raise NoDataError(msg)


class _Options(msgspec.Struct, frozen=True):
    tz: str | None
    start: str | None
    stop: str | None


class _State:
    """The files of a run as they stand after this pass: what was reused, what was parsed, what it means."""

    def __init__(self, layout: Layout, cache: Cache, role: Role | None) -> None:
        self.layout = layout
        self.cache = cache
        self.role = role
        self.from_cache = False
        self.table: tuple[int, int] | None = None
        self.settled_for: str | None = None
        self.entries: dict[str, Entry] = {}
        self.fresh = False
        self.model = RunModel((), {}, frozenset(), ())
        self.notes: tuple[str, ...] = ()
        self.utc_workers: frozenset[str] = frozenset()

    def read(self, mapper: _Mapper, on_progress: Progress | None) -> None:
        """Reuses what the cache knows, parses the rest, and keeps the result."""
        manifest = self.cache.load() if self.cache.keeps else None
        known = manifest.entries if manifest else {}
        tasks, sizes = self._plan(known)
        self.table = manifest.table if manifest else None
        self.settled_for = manifest.settled_for if manifest else None
        self.from_cache = not tasks and manifest is not None and set(known) == set(self.entries)
        if not self.from_cache:
            done = mapper(tasks, sizes, on_progress)
            for task, scanned in zip(tasks, done, strict=True):
                kept = self.entries.get(task.name) or known.get(task.name)
                part = kept.part if kept and task.known is not None and _continues(kept.scanned, scanned) else None
                self.entries[task.name] = Entry(self._spooled(scanned), part)
        self._describe()
        if not self.from_cache and self.cache.keeps:
            reused = any(entry.part for entry in self.entries.values())
            pieces = sum(len(entry.scanned.pieces) for entry in self.entries.values())
            self.fresh = not reused or pieces > _MAX_PIECES
            self._keep()

    def _plan(self, known: dict[str, Entry]) -> tuple[list[FileTask], list[int]]:
        tasks, sizes = [], []
        spool = str(self.cache.spool())
        for number, source in enumerate(self.layout.sources):
            entry = known.get(source.name)
            now = _fingerprint(source)
            usable = entry is not None and self.cache.has_pieces(entry.scanned)
            if entry is not None and usable and now == entry.scanned.fingerprint and entry.scanned.state != "unreadable":
                self.entries[source.name] = entry
                continue
            grown = entry is not None and usable and entry.scanned.state == "ok" and _grown(source, entry)
            before = entry.scanned if grown and entry else None
            tasks.append(FileTask(str(source.path), source.name, number, spool, before))
            sizes.append(max(0, now.size_bytes - (before.consumed if before else 0)))
        return tasks, sizes

    def _spooled(self, scanned: Scanned) -> Scanned:
        """Pieces that came as bytes, written to their place."""
        if not any(piece.data for piece in scanned.pieces):
            return scanned
        folder = self.cache.spool()
        pieces = []
        for piece in scanned.pieces:
            if piece.data is not None:
                (folder / piece.name).write_bytes(piece.data)
            pieces.append(msgspec.structs.replace(piece, data=None))
        return msgspec.structs.replace(scanned, pieces=pieces)

    def _describe(self) -> None:
        order = [s for s in self.layout.sources if s.name in self.entries]
        facts = [_facts(source, self.entries[source.name].scanned) for source in sorted(order, key=lambda s: s.order)]
        self.model = build_model(facts, self.role)
        zones = {bool(g.utc_rows) for f in facts for g in f.groups if g.first_us is not None}
        notes = list(self.model.notes)
        if zones == {True, False}:
            notes.append("Some stamps name their zone and some do not: give --tz, or series may lie apart")
        inferred = sorted({s for e in self.entries.values() if (s := _date_source(e.scanned))})
        for source in inferred:
            notes.append(f"Stamps without a full date were completed from {source}")
        if self.cache.reason:
            notes.append(f"{self.layout.logs_dir} cannot be written ({self.cache.reason}): nothing was cached")
        self.notes = tuple(notes)
        self.utc_workers = frozenset(
            w.name for i, w in enumerate(self.model.workers) if self._logs_utc(i, facts)
        )

    def _logs_utc(self, index: int, facts: list[FileFacts]) -> bool:
        files = {key[0] for key, owner in self.model.owner.items() if owner == index}
        groups = [g for f in facts if f.file in files for g in f.groups]
        return bool(groups) and all(g.utc_rows == g.rows for g in groups)

    def files(self) -> list[FileRows]:
        """The rows of every file, in the order of the files."""
        from trackside.bench.frames import FileTexts
        from trackside.engine.assemble import FileRows

        out = []
        for source in sorted(self.layout.sources, key=lambda s: (s.node, s.role or "", s.worker_id or "", s.order, s.name)):
            scanned = self.entries[source.name].scanned
            state = scanned.scan
            texts = FileTexts(
                source.name, state.streams, state.texts, state.clock.source, _shift_us(scanned), source.dp
            )
            settled = self.settled_for == self.model.digest()
            out.append(FileRows(self.entries[source.name], texts, self.cache, self.model, settled=settled))
        return out

    def _keep(self) -> None:
        try:
            if self.fresh:
                self.consolidate()
            else:
                self._save()
        except OSError as error:
            reason = error.strerror or str(error)
            self.notes += (f"{self.cache.directory} could not be written ({reason}): the next command reads again",)

    def consolidate(self) -> None:
        """Writes ``node_metrics.parquet`` from all rows and drops the pieces that it replaces."""
        if not self.cache.keeps or not any(e.scanned.pieces for e in self.entries.values()) and self.table:
            return
        from trackside.engine.assemble import write_table

        files = self.files()
        parts = write_table(files, self.cache)
        for file, part in zip(files, parts, strict=True):
            scanned = file.entry.scanned
            tail = sum(p.rows for p in scanned.pieces if p.provisional)
            kept = [p for p in scanned.pieces if p.provisional]
            whole = msgspec.structs.replace(part, rows=part.rows - tail)
            self.entries[scanned.file] = Entry(msgspec.structs.replace(scanned, pieces=kept), whole)
        self.table = self.cache.table_identity()
        self.settled_for = self.model.digest()
        self._save()

    def _save(self) -> None:
        self.cache.save(Manifest(VERSION, self.entries, self.table, self.settled_for))
        self.cache.drop_pieces({p.name for e in self.entries.values() for p in e.scanned.pieces})


_Mapper = Callable[[list[FileTask], list[int], "Progress | None"], list[Scanned]]


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
    layout = find_logs(Path(path))
    if not layout.sources:
        msg = f"No worker nodes found in logs: {layout.logs_dir} holds no worker log (.out, .err or .log)"
        raise NoDataError(msg)
    state = _State(layout, Cache(layout.logs_dir, keep=cache), role)
    state.read(_mapper(engine, scheduler), on_progress)
    run = Run(layout, state, _Options(tz, start, stop))
    if not run.workers:
        raise NoDataError(_nothing_found(run))
    return run


def _nothing_found(run: Run) -> str:
    reasons = [f"{file.file}: {file.note}" for file in run.ledger if file.state in ("lfs_pointer", "unreadable")]
    lines = sum(file.lines for file in run.ledger)
    missed = sum(file.unrecognised for file in run.ledger)
    found = reasons[0] if reasons else f"{lines:,} lines hold no batch line that is known"
    if missed and not reasons:
        found += f"; {missed:,} look like one, for example: {next(s for f in run.ledger for s in f.samples)[:200]}"
    return f"No worker nodes found in logs: {run.logs_dir} ({found})"


def _mapper(engine: str, scheduler: str | None) -> _Mapper:
    if engine == "local":
        from trackside.engine.local import map_files

        return map_files
    from trackside.engine.dask import mapper

    return mapper(scheduler)


def _fingerprint(source: Source) -> Fingerprint:
    try:
        return take_fingerprint(source.path)
    except OSError:
        return Fingerprint()


def _grown(source: Source, entry: Entry) -> bool:
    try:
        return has_grown(source.path, entry.scanned.fingerprint)
    except OSError:
        return False


def _continues(before: Scanned, after: Scanned) -> bool:
    return after.consumed >= before.consumed and after.counts.lines >= before.counts.lines and after.state == "ok"


def _facts(source: Source, scanned: Scanned) -> FileFacts:
    groups = scanned.all_groups
    if source.dp is not None:
        groups = [
            g if g.ranks.dp is not None else msgspec.structs.replace(g, ranks=msgspec.structs.replace(g.ranks, dp=source.dp))
            for g in groups
        ]
    return FileFacts(
        source.name,
        source.node,
        source.role,
        source.worker_id,
        source.hint,
        scanned.scan.streams,
        groups,
        scanned.all_counts.launches,
        _shift_us(scanned),
    )


def _shift_us(scanned: Scanned) -> int:
    """Where the date came from the file's own, it is the date of its last line."""
    clock = scanned.scan.clock
    return -clock.day_shift * _DAY_US if clock.source == "file_date" else 0


def _date_source(scanned: Scanned) -> str | None:
    clock = scanned.scan.clock
    if not (clock.last_month or clock.last_tod_s >= 0):
        return None
    words = {
        "other_lines": "other lines of the file",
        "file_name": "the file's name",
        "file_date": "the file's own date of change",
    }
    return words[clock.source]
