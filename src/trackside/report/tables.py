"""The tables of ``parse`` for a terminal: workers by type, several runs, one row a worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich import box
from rich.table import Table
from rich.text import Text

from trackside.bench.topology import topology_of
from trackside.records.engine_run import Role, Worker
from trackside.report.safe_text import safe_text
from trackside.report.workers import RunTables, engine_workers, format_span

_TITLES: Final = {
    Role.PREFILL: ("Prefill", "blue"),
    Role.DECODE: ("Decode", "green"),
    Role.AGG: ("Aggregated", "magenta"),
}


def worker_table(run: RunTables) -> Table:
    """Workers by type, counted, with the time they logged; the last row is the total."""
    table = Table(title=Text(safe_text(run.name)), box=box.ROUNDED)
    table.add_column("Worker Type")
    table.add_column("Count", justify="right")
    table.add_column("Time Range")
    for role, (title, colour) in _TITLES.items():
        if members := engine_workers(run.workers, role):
            table.add_row(Text(title, style=colour), str(len(members)), format_span(members, run.tz))
    table.add_section()
    everyone = engine_workers(run.workers)
    table.add_row("Total", str(len(everyone)), format_span(everyone, run.tz), style="bold")
    return table


def cache_line(run: RunTables) -> str | None:
    """``Cached to: <path>`` after a fresh parse, ``Loaded from cache`` else; None where there is no cache."""
    if run.from_cache:
        return "Loaded from cache"
    return None if run.cache_path is None else f"Cached to: {safe_text(run.cache_path)}"


def runs_table(runs: Sequence[RunTables]) -> Table:
    """One row a run: topology, workers, batch lines, time, batch-like lines that were not recognised."""
    table = Table(box=box.ROUNDED)
    table.add_column("Job")
    table.add_column("Topology")
    for title in ("Workers", "Batch Lines"):
        table.add_column(title, justify="right")
    table.add_column("Time Range")
    table.add_column("Unrecognised", justify="right")
    for run in runs:
        engines = engine_workers(run.workers)
        table.add_row(
            Text(safe_text(run.name)),
            topology_of(run.workers) or "-",
            str(len(engines)),
            f"{sum(worker.batch_rows for worker in engines):,}",
            format_span(engines, run.tz),
            f"{sum(file.unrecognised for file in run.ledger):,}",
        )
    return table


def plain_table(title: str, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """A table of values: numbers to the right, text made safe, ``-`` for unknown."""
    table = Table(title=Text(safe_text(title)), box=box.ROUNDED, title_justify="left")
    for place, heading in enumerate(headings):
        numeric = any(isinstance(row[place], int | float) for row in rows)
        table.add_column(heading, justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(Text(format_value(value)) for value in row))
    return table


def format_value(value: object) -> str:
    """A value as it reads in a table: ``-`` for unknown, at most three significant decimals, safe text."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return safe_text(str(value))


def ranks_of(worker: Worker) -> str:
    """The ranks that logged batches, such as ``DP0-7`` or ``TP0``; ``-`` where lines carry no tag."""
    parts = []
    for letter in ("dp", "pp", "tp"):
        seen = sorted({rank for total in worker.rank_totals if (rank := getattr(total.ranks, letter)) is not None})
        if seen:
            parts.append(f"{letter.upper()}{_as_range(seen)}")
    return " ".join(parts) or "-"


def _as_range(numbers: Sequence[int]) -> str:
    whole = len(numbers) > 1 and numbers[-1] - numbers[0] == len(numbers) - 1
    return f"{numbers[0]}-{numbers[-1]}" if whole else ",".join(map(str, numbers))
