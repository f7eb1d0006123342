"""Benchmark runs: those that were registered, and those that stand in folders."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from trackside.bench.batches import SUMMARY_COLUMNS, read_batches
from trackside.bench.completeness import read_lines
from trackside.bench.run_curves import run_curves
from trackside.bench.scan import PARSER_VERSION
from trackside.bench.series import clock_of
from trackside.bench.summary import summarise_run, tells_side
from trackside.engine.files import shown_path
from trackside.engine.run import Run, open_run
from trackside.errors import PathNotFoundError, TracksideError
from trackside.evidence.bench_folders import Unread, read_folder
from trackside.records.bench_runs import BenchRun
from trackside.records.engine_run import Role
from trackside.store.schema import BENCH_RUNS, STAMP_NAMES
from trackside.store.store import Store

OnProgress = Callable[[int, int], None]
"""Told how many runs were read, and how many there are as far as is known."""
MOST_NOTES: Final = 20
GONE: Final = "its logs are not here any more"
UNREAD: Final = "its logs could not be read"
_REPLACED: Final = "other logs stand where its own were"
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_KEY_BYTES: Final = 8


class Bench(msgspec.Struct, frozen=True):
    """A run that is known, and what opens its logs again; None where that cannot be, and then ``why_not`` says why.

    Logs are not kept open: those of many runs together may be larger than the memory.
    """

    run: BenchRun
    logs: Callable[[], Run] | None = None
    why_not: str | None = None


class Benches(msgspec.Struct, frozen=True):
    """The runs that are known, the newest first. ``notes`` tell what could not be read, a sentence each."""

    benches: tuple[Bench, ...] = ()
    notes: tuple[str, ...] = ()


def load_benches(
    store: Store,
    folders: Iterable[Path],
    *,
    tz: str | None = None,
    cache: bool = True,
    on_progress: OnProgress | None = None,
) -> Benches:
    """Registered runs of the store, and runs that stand in ``folders`` or up to three directories below them.

    Logs that are there are read anew (``tz`` is the zone of stamps without one where a run was not registered with
    another, ``cache`` keeps what was parsed beside them). Nothing that cannot be read raises: it is told in a note.
    """
    notes: list[str] = []
    found: dict[str, Bench] = {}
    known = registered_runs(store)
    for run in known:
        found[run.run_key] = _read_again(run, tz, cache, notes)
        _tell(on_progress, len(found), len(known))
    opened = {bench.run.path for bench in found.values() if bench.logs is not None}
    for folder in folders:
        for item in read_folder(folder, opened, partial(_read_here, known=found, tz=tz, cache=cache)):
            if isinstance(item, Unread):
                notes.append(item.note)
                continue
            found[item.run.run_key] = item
            opened.add(item.run.path)
            _tell(on_progress, len(found), len(found))
    return Benches(tuple(sorted(found.values(), key=_newest_first)), first_notes(notes))


def registered_runs(store: Store) -> tuple[BenchRun, ...]:
    """The runs that were registered in ``store``, in the order of their keys."""
    rows = store.newest(BENCH_RUNS.name).drop(STAMP_NAMES).collect().sort("run_key")
    return tuple(msgspec.convert(row, BenchRun) for row in rows.to_dicts())


def bench_run_of(
    run: Run, registered_at: dt.datetime | None, *, role: Role | None = None, tz: str | None = None
) -> BenchRun:
    """What is to be known of ``run``; ``role`` and ``tz`` are what it was opened with."""
    rows = run.rows(SUMMARY_COLUMNS)
    batches = read_batches(rows, run.workers)
    clock, summary = clock_of(rows, batches), summarise_run(rows, run.workers, batches)
    curves = () if clock is None else run_curves(batches, clock, summary)
    has_input, has_output = tells_side(batches, "input"), tells_side(batches, "output")
    reading = read_lines(run.ledger)
    serving = [worker for worker in run.workers if worker.role is not Role.FRONTEND]
    engines = sorted({worker.engine for worker in serving if worker.engine is not None})
    path = shown_path(run.logs_dir if run.path.is_dir() else run.path)
    return BenchRun(
        run_key=_key_of(path, run),
        name=run.name,
        path=path,
        registered_at=registered_at,
        role=None if role is None else role.value,
        tz=tz,
        engine=", ".join(engines) or None,
        topology=summary.topology or None,
        workers=len(serving),
        first_at=_moment(summary.first_us),
        last_at=_moment(summary.last_us),
        duration_s=summary.duration_s,
        gpus=summary.gpus,
        input_tps=summary.input_tps if has_input else None,
        output_tps=summary.output_tps if has_output else None,
        total_tps=summary.total_tps if has_input and has_output else None,
        input_tps_per_gpu=summary.input_tps_per_gpu if has_input else None,
        output_tps_per_gpu=summary.output_tps_per_gpu if has_output else None,
        total_tps_per_gpu=summary.total_tps_per_gpu if has_input and has_output else None,
        input_tokens=summary.input_tokens if has_input else None,
        cached_tokens=summary.cached_tokens if has_input else None,
        output_tokens=summary.output_tokens if has_output else None,
        cache_hit_rate=summary.cache_hit_rate,
        files=reading.files,
        read_lines=reading.lines,
        batch_lines=reading.batch_lines,
        unrecognised=reading.unrecognised,
        torn=reading.torn,
        not_whole=reading.not_whole,
        parser_version=PARSER_VERSION,
        curves=curves,
    )


def _read_here(path: Path, known: Mapping[str, Bench], tz: str | None, cache: bool) -> Bench:
    """A run that stands in a folder; where it was registered once, that is known of it too."""
    again = partial(open_run, path, tz=tz, cache=cache)
    told = bench_run_of(again(), None, tz=tz)
    if told.run_key in known:
        told = msgspec.structs.replace(told, registered_at=known[told.run_key].run.registered_at)
    return Bench(told, again)


def _read_again(run: BenchRun, tz: str | None, cache: bool, notes: list[str]) -> Bench:
    """A registered run as its logs are now; as it was registered where they are gone or cannot be read."""
    role, tz = Role(run.role) if run.role in tuple(Role) else None, run.tz or tz
    again = partial(open_run, Path(run.path), role=role, tz=tz, cache=cache)
    try:
        now = bench_run_of(again(), run.registered_at, role=role, tz=tz)
    except PathNotFoundError:
        return Bench(run, why_not=GONE)
    except (TracksideError, OSError) as error:
        notes.append(note_of(run, error))
        return Bench(run, why_not=UNREAD)
    return Bench(now, again) if now.run_key == run.run_key else Bench(run, why_not=_REPLACED)


def note_of(run: BenchRun, error: TracksideError | OSError) -> str:
    """Why the logs of ``run`` could not be read, in a sentence that does not say where they are on the machine."""
    if isinstance(error, OSError):
        return f"{run.name}: its logs could not be read: {error.strerror or type(error).__name__}."
    told = str(error)
    for path in [one for one in (Path(run.path), Path(run.path).parent) if one.name]:
        told = told.replace(shown_path(path), run.name)
    return f"{run.name}: {told}"


def first_notes(notes: Sequence[str]) -> tuple[str, ...]:
    """The first of them, and how many more there are."""
    more = len(notes) - MOST_NOTES
    return (*notes[:MOST_NOTES], *([f"{more:,} more could not be read."] if more > 0 else []))


def _key_of(path: str, run: Run) -> str:
    """The same for the same logs while they grow; another where other logs stand at the same path."""
    first = min((file.first_stamp for file in run.ledger if file.first_stamp is not None), default="")
    return hashlib.blake2b(f"{path}\0{first}".encode(), digest_size=_KEY_BYTES).hexdigest()


def _moment(time_us: int | None) -> dt.datetime | None:
    try:
        return None if time_us is None else _EPOCH + dt.timedelta(microseconds=time_us)
    except OverflowError:  # beyond the year 9999, as logs may say
        return None


def _newest_first(bench: Bench) -> tuple[float, str, str]:
    last = bench.run.last_at
    return (-last.timestamp() if last else float("inf"), bench.run.name, bench.run.run_key)


def _tell(on_progress: OnProgress | None, done: int, known: int) -> None:
    if on_progress is not None:
        on_progress(done, known)
