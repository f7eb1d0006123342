"""What the engine-log commands share: a run is opened with the settings in force, and its ledger is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trackside.cli.options import Reading, Selection
from trackside.cli.terminal import Terminal
from trackside.errors import PartialError
from trackside.report.ledger import counted, has_broken_state, ledger_details, ledger_line, ledger_table
from trackside.report.workers import RunTables
from trackside.settings import BenchSettings, load_settings

if TYPE_CHECKING:
    from trackside.engine.run import Run


def read_run(path: Path, selection: Selection, reading: Reading, terminal: Terminal) -> Run:
    """The run at ``path``; what the command line does not say, the settings say."""
    from trackside.engine.run import open_run

    settings = bench_settings()
    with terminal.progress(f"Reading {path}") as on_progress:
        return open_run(
            path.resolve(),
            role=selection.role,
            tz=selection.tz or settings.tz,
            start=selection.from_,
            stop=selection.to,
            cache=settings.cache if reading.cache is None else reading.cache,
            engine=reading.engine or ("dask" if reading.scheduler else settings.engine),
            scheduler=reading.scheduler or settings.scheduler,
            on_progress=on_progress,
        )


def bench_settings() -> BenchSettings:
    """The engine-log settings in force in the working directory."""
    return load_settings(Path.cwd()).bench


def tables_of(run: Run, selection: Selection) -> RunTables:
    """What the tables need of ``run``."""
    from trackside.engine.files import shown_path

    return RunTables(
        name=run.name,
        path=shown_path(run.path),
        workers=run.workers,
        ledger=run.ledger,
        notes=run.notes,
        cache_path=None if run.cache_path is None else shown_path(run.cache_path),
        from_cache=run.from_cache,
        tz=selection.tz or bench_settings().tz,
    )


def tell_ledger(run: RunTables, terminal: Terminal) -> None:
    """Says on stderr what was read of a run, and what was not."""
    terminal.note(ledger_line(run.ledger))
    if (table := ledger_table(run.ledger)) is not None:
        terminal.warn(table)
    for detail in ledger_details(run.ledger):
        terminal.warn(detail)
    for note in run.notes:
        terminal.note(note)


def require_everything_read(runs: list[RunTables]) -> None:
    """Raises PartialError where a batch-like line was not recognised or a file could not be read whole."""
    files = [file for run in runs for file in run.ledger]
    missed = sum(file.unrecognised for file in files)
    broken = sum(has_broken_state(file) for file in files)
    if missed or broken:
        lines, whole = counted(missed, "batch-like line"), counted(broken, "file")
        msg = f"Not recognised: {lines}; not read whole: {whole} (--strict)."
        raise PartialError(msg)
