"""The figures of ``-v``: one row a worker, and the run in a few lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rich.table import Table

from trackside.bench.summary import RunSummary
from trackside.records.engine_run import Worker
from trackside.report.tables import format_value, plain_table, ranks_of

_COLUMNS: Final = {
    "batch_rows": "Batches",
    "median_running": "Running",
    "median_queue": "Queue",
    "median_token_usage": "KV usage",
    "input_tokens": "Input",
    "cached_tokens": "Cached",
    "output_tokens": "Output",
    "input_tps": "Input/s",
    "output_tps": "Output/s",
    "gpus": "GPUs",
    "input_tps_per_gpu": "Input/s/GPU",
    "output_tps_per_gpu": "Output/s/GPU",
}
_BORDER: Final = 3


def worker_figures_tables(rows: Sequence[Mapping[str, Any]], workers: Sequence[Worker], width: int) -> Iterator[Table]:
    """A row a worker: ranks, batch lines, medians, tokens, tokens/s; columns without a value are left out.

    Where a screen of ``width`` characters is too narrow, the columns go on in a further table.
    """
    by_name = {worker.name: worker for worker in workers}
    shown = [name for name in _COLUMNS if any(row[name] is not None for row in rows)]
    table_rows = [
        (row["name"], ranks_of(by_name[row["name"]]), *(_rounded(row[name]) for name in shown)) for row in rows
    ]
    headings = ("Worker", "Ranks", *(_COLUMNS[name] for name in shown))
    title = "Workers (medians of logged values, tokens, tokens/s)"
    for places in _columns_that_fit(headings, table_rows, width):
        taken = [[row[place] for place in places] for row in table_rows]
        yield plain_table(title, [headings[place] for place in places], taken)
        title = "Workers, continued"


def _columns_that_fit(headings: Sequence[str], rows: Sequence[Sequence[object]], width: int) -> Iterator[list[int]]:
    """Places of columns, table by table; each begins with the first column."""
    widths = [
        max(len(text) for text in (heading, *(format_value(row[place]) for row in rows))) + _BORDER
        for place, heading in enumerate(headings)
    ]
    taken = [0]
    for place in range(1, len(headings)):
        if len(taken) > 1 and sum(widths[each] for each in (*taken, place)) >= width:
            yield taken
            taken = [0]
        taken.append(place)
    yield taken


def run_figure_lines(summary: RunSummary) -> list[str]:
    """The run in a few lines: topology, tokens, tokens/s over the whole time, per GPU where known."""
    tokens = (
        f"Tokens: {summary.input_tokens:,} input computed, {summary.cached_tokens:,} input cached, "
        f"{summary.output_tokens:,} output"
    )
    lines = [f"Topology: {summary.topology or '-'}", tokens]
    if summary.duration_s:
        rates = ", ".join(
            f"{_rate(getattr(summary, f'{kind}_tps'), getattr(summary, f'{kind}_tps_per_gpu'))} {kind}"
            for kind in ("input", "output", "total")
        )
        lines.append(f"Tokens/s over {summary.duration_s:,.0f} s: {rates}")
    if summary.duplicate_rows:
        lines.append(f"Batch lines of other ranks of the same batch, left out of sums: {summary.duplicate_rows:,}")
    return lines


def _rate(tps: float | None, per_gpu: float | None) -> str:
    beside = "" if per_gpu is None else f" ({format_value(per_gpu)} per GPU)"
    return f"{format_value(tps)}{beside}"


def _rounded(value: object) -> object:
    return round(value, 3) if isinstance(value, float) else value
