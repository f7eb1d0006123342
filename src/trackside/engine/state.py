"""The files of a run as they stand: what the cache knows, what was parsed anew, and what it all means."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from trackside.bench.model import FileFacts, RunModel, build_model
from trackside.bench.rank_totals import GroupTotals
from trackside.engine.cache import VERSION, Cache, Entry, Manifest, TableIdentity
from trackside.engine.files import Layout, Source
from trackside.engine.fingerprints import Fingerprint, has_grown, take_fingerprint
from trackside.engine.parse_file import FileTask, Scanned
from trackside.errors import OutputError
from trackside.records.engine_run import Role

if TYPE_CHECKING:
    from trackside.engine.assemble import FileRows

Progress = Callable[[int, int], None]
Mapper = Callable[[list[FileTask], list[int], Progress | None], list[Scanned]]

_MAX_PIECES: Final = 256
_DAY_US: Final = 86_400_000_000


class RunState:
    """The files of a run as they stand after this pass: what was reused, what was parsed, what it means."""

    def __init__(self, layout: Layout, cache: Cache, role: Role | None) -> None:
        self.layout = layout
        self.cache = cache
        self.role = role
        self.from_cache = False
        self.table: TableIdentity | None = None
        self.unchecked: Manifest | None = None
        self.settled_for: str | None = None
        self.entries: dict[str, Entry] = {}
        self.fresh = False
        self.model = RunModel((), {}, frozenset(), ())
        self.notes: tuple[str, ...] = ()
        self.names_zones = False

    def read(self, mapper: Mapper, on_progress: Progress | None) -> None:
        """Reuses what the cache knows, parses the rest, and keeps the result."""
        manifest = self.cache.load() if self.cache.reads else None
        known = manifest.entries if manifest else {}
        if not self.cache.keeps and self.cache.reads and not (manifest and self._is_current(known)):
            self.cache.move_away()
            manifest, known = None, {}
        tasks, sizes = self._plan(known)
        self.table = manifest.table if manifest else None
        self.unchecked = manifest
        self.settled_for = manifest.settled_for if manifest else None
        self.from_cache = not tasks and manifest is not None and set(known) == set(self.entries)
        if not self.from_cache:
            for task, scanned in zip(tasks, self._parse(tasks, sizes, mapper, on_progress), strict=True):
                self.entries[task.name] = Entry(scanned, known[task.name].part if scanned.resumed else None)
        self._describe()
        if not self.from_cache and self.cache.keeps:
            pieces = sum(len(entry.scanned.pieces) for entry in self.entries.values())
            self.fresh = self._has_stale_rows(known) or pieces > _MAX_PIECES
            self._keep()

    def _parse(
        self, tasks: list[FileTask], sizes: list[int], mapper: Mapper, on_progress: Progress | None
    ) -> list[Scanned]:
        """What the mapper says of the tasks; a file whose earlier rows turn out to lie on other days is read anew."""
        try:
            done = mapper(tasks, sizes, on_progress)
            for i, (task, scanned) in enumerate(zip(tasks, done, strict=True)):
                if task.known and scanned.resumed and _shift_us(task.known) != _shift_us(scanned):
                    [done[i]] = mapper([msgspec.structs.replace(task, known=None)], [sizes[i]], None)
        except BaseException:
            self.cache.drop_spool()
            raise
        return done

    def _has_stale_rows(self, known: dict[str, Entry]) -> bool:
        """Whether the table is missing, or holds rows of what is not there any more."""
        kept = {name for name, entry in self.entries.items() if entry.part}
        return not kept or any(entry.part and name not in kept for name, entry in known.items())

    def _is_current(self, known: dict[str, Entry]) -> bool:
        """Whether ``known`` tells of just these files as they are now."""
        return set(known) == {source.name for source in self.layout.sources} and all(
            self.cache.has_pieces(known[source.name].scanned)
            and known[source.name].scanned.fingerprint == _fingerprint(source)
            and known[source.name].scanned.state != "unreadable"
            for source in self.layout.sources
        )

    def _plan(self, known: dict[str, Entry]) -> tuple[list[FileTask], list[int]]:
        tasks, sizes = [], []
        for number, source in enumerate(self.layout.sources):
            entry = known.get(source.name)
            now = _fingerprint(source)
            usable = entry is not None and self.cache.has_pieces(entry.scanned)
            if (
                usable
                and entry is not None
                and entry.scanned.state != "unreadable"
                and now == entry.scanned.fingerprint
            ):
                self.entries[source.name] = entry
                continue
            grown = entry is not None and usable and entry.scanned.state == "ok" and _grown(source, entry)
            before = entry.scanned if grown and entry else None
            tasks.append(FileTask(str(source.path), source.name, number, str(self.cache.spool()), before, not known))
            sizes.append(max(0, now.size_bytes - (before.consumed if before else 0)))
        return tasks, sizes

    def _describe(self) -> None:
        order = [s for s in self.layout.sources if s.name in self.entries]
        facts = [_facts(source, self.entries[source.name].scanned) for source in sorted(order, key=lambda s: s.order)]
        self.model = build_model(facts, self.role)
        zones = {bool(g.utc_rows) for f in facts for g in f.groups if g.first_us is not None}
        notes = list(self.model.notes)
        if zones == {True, False}:
            notes.append("Some stamps name their zone and some do not: give --tz, or series may lie apart")
        inferred = sorted({s for e in self.entries.values() if (s := _date_source(e.scanned))})
        notes += [f"Stamps without a full date were completed from {source}" for source in inferred]
        if self.cache.reason and not self.from_cache:
            notes.append(f"{self.layout.logs_dir} cannot be written ({self.cache.reason}): nothing was cached")
        self.notes = tuple(notes)
        self.names_zones = True in zones

    def files(self) -> list[FileRows]:
        """The rows of every file, in the order of the files. A cache that turns out to be damaged is made anew."""
        unchecked, self.unchecked = self.unchecked, None
        there = all(self.cache.has_pieces(entry.scanned) for entry in self.entries.values())
        if not there or (unchecked and not self.cache.is_whole(unchecked)):
            self._rebuild()
        from trackside.bench.frames import FileTexts
        from trackside.engine.assemble import FileRows

        out = []
        for source in sorted(self.layout.sources, key=_place):
            scanned = self.entries[source.name].scanned
            state = scanned.scan
            texts = FileTexts(
                source.name, state.streams, state.texts, state.clock.source, _shift_us(scanned), source.dp
            )
            settled = self.settled_for == self.model.digest()
            out.append(FileRows(self.entries[source.name], texts, self.cache, self.model, settled=settled))
        return out

    def _rebuild(self) -> None:
        from trackside.engine.local import map_files

        if not self.cache.keeps:
            self.cache.move_away()
        self.entries, self.table, self.settled_for = {}, None, None
        tasks, sizes = self._plan({})
        parsed = self._parse(tasks, sizes, map_files, None)
        self.entries = {scanned.file: Entry(scanned) for scanned in parsed}
        self._describe()
        self.fresh = True
        self._keep()

    def _keep(self) -> None:
        try:
            if self.fresh:
                self.consolidate()
            else:
                self._save()
        except OSError as error:
            self.cache.drop_spool()
            reason = error.strerror or str(error)
            msg = f"{self.cache.directory} could not be written: {reason} (make room there, or give --no-cache)"
            raise OutputError(msg) from error

    def consolidate(self) -> None:
        """Writes ``node_metrics.parquet`` from all rows and drops the pieces that it replaces."""
        settled = self.table and not any(entry.scanned.pieces for entry in self.entries.values())
        if not self.cache.keeps or (settled and not self.fresh):
            return
        from trackside.engine.assemble import write_table

        files = self.files()
        parts, table = write_table(files, self.cache)
        for file, part in zip(files, parts, strict=True):
            scanned = file.entry.scanned
            tail = sum(p.rows for p in scanned.pieces if p.provisional)
            kept = [p for p in scanned.pieces if p.provisional]
            whole = msgspec.structs.replace(part, rows=part.rows - tail)
            self.entries[scanned.file] = Entry(msgspec.structs.replace(scanned, pieces=kept), whole)
        self.table, self.fresh = table, False
        self.settled_for = self.model.digest()
        self._save()

    def _save(self) -> None:
        self.cache.save(Manifest(VERSION, self.entries, self.table, self.settled_for))
        self.cache.drop_pieces({p.name for e in self.entries.values() for p in e.scanned.pieces})


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


def _facts(source: Source, scanned: Scanned) -> FileFacts:
    groups = scanned.all_groups
    if source.dp is not None:
        groups = [_with_dp(group, source.dp) for group in groups]
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


def _with_dp(group: GroupTotals, dp: int) -> GroupTotals:
    """A rank that the file's name says counts where the lines do not say one."""
    if group.ranks.dp is not None:
        return group
    return msgspec.structs.replace(group, ranks=msgspec.structs.replace(group.ranks, dp=dp))


def _place(source: Source) -> tuple[str, str, str, int, str]:
    return source.node, source.role or "", source.worker_id or "", source.order, source.name


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
