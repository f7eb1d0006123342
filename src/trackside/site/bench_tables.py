"""The table of benchmark runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from trackside.records.bench_runs import BenchRun
from trackside.report.ledger import counted
from trackside.report.report_text import number_text
from trackside.report.workers import format_duration
from trackside.site.bench_names import report_path, run_names
from trackside.site.facts import BenchReport
from trackside.site.tables import Cell, Column, Kind, Table, number_cell, state_cell, text_cell

ENDED: Final = Column(key="ended", label="Ended", about="As logged; UTC where the zone of the logs is known")
_COLUMNS: Final = (
    Column(key="run", label="Run"),
    Column(key="read", label="Read", kind=Kind.STATE, choices=True, about="How completely its logs were read"),
    Column(key="engine", label="Engine", choices=True),
    Column(key="topology", label="Topology", choices=True, about="Workers by role: prefill, decode, aggregated"),
    Column(key="gpus", label="GPUs", kind=Kind.NUMBER, about="Of all workers; unknown where one did not log them"),
    Column(key="duration_s", label="Duration", kind=Kind.NUMBER, about="First to last batch line; saved in seconds"),
    Column(key="input_tps", label="Input", kind=Kind.NUMBER, unit="tokens/s", about="New prompt tokens"),
    Column(key="output_tps", label="Output", kind=Kind.NUMBER, unit="tokens/s"),
    Column(key="total_tps", label="Total", kind=Kind.NUMBER, unit="tokens/s", about="Input and output"),
    Column(
        key="output_tps_per_gpu",
        label="Output per decode GPU",
        kind=Kind.NUMBER,
        unit="tokens/s",
        about="By GPUs that decode",
    ),
    Column(key="total_tps_per_gpu", label="Total per GPU", kind=Kind.NUMBER, unit="tokens/s", about="By all GPUs"),
    Column(key="cache_hits", label="Cache hits", kind=Kind.NUMBER, unit="%", about="Cached of all prompt tokens"),
    ENDED,
)
EMPTY: Final = (
    "No benchmark run is known. `srtlog parse DIR --register` keeps the figures of a run in the store; "
    "`trackside site build --benchmarks DIR` shows every run below a folder."
)


def runs_table(reports: Sequence[BenchReport]) -> Table:
    """One row a run, in the order in which they are given; the name leads to its full report."""
    names = run_names([report.run for report in reports])
    return Table(
        key="runs",
        caption="Benchmark runs, the newest first",
        columns=_COLUMNS,
        rows=tuple(_row(report, names[report.run.run_key]) for report in reports),
        empty=EMPTY,
    )


def _row(report: BenchReport, name: str) -> tuple[Cell, ...]:
    run = report.run
    hits = None if run.cache_hit_rate is None else 100 * run.cache_hit_rate
    return (
        text_cell(name, report_path(run) if report.body is not None else None, note=report.why_not),
        read_cell(run),
        text_cell(run.engine),
        text_cell(run.topology),
        number_cell(run.gpus),
        _duration_cell(run.duration_s),
        *(_figure(run, value) for value in (run.input_tps, run.output_tps, run.total_tps)),
        *(number_cell(value, number_text(value)) for value in (run.output_tps_per_gpu, run.total_tps_per_gpu)),
        number_cell(hits, number_text(hits)),
        text_cell(logged_time(run.last_at)),
    )


def read_cell(run: BenchRun) -> Cell:
    """How completely the run was read: complete, or partial with what is missing."""
    lines = counted(run.batch_lines, "batch line")
    missing = [
        (run.unrecognised, f"{run.unrecognised:,} not recognised"),
        (run.torn, f"{run.torn:,} torn"),
        (run.not_whole, f"{counted(run.not_whole, 'file')} not read whole"),
    ]
    told = [text for count, text in missing if count]
    return state_cell("complete" if run.complete else "partial", note=", ".join([lines, *told]))


def logged_time(moment: dt.datetime | None) -> str | None:
    """A time of a run to the minute, as its logs tell it."""
    return None if moment is None else f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M}"


def _figure(run: BenchRun, value: float | None) -> Cell:
    return number_cell(value, number_text(value)) if run.duration_s else Cell()


def _duration_cell(seconds: float | None) -> Cell:
    return Cell() if seconds is None else number_cell(round(seconds, 3), format_duration(int(seconds * 1_000_000)))
