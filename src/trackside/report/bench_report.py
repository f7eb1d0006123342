"""The offline HTML report of a benchmark run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
from bokeh.plotting import figure

from trackside.bench.batches import Batches, read_batches
from trackside.bench.capacity import Capacity, retractions, worker_capacities
from trackside.bench.chart_records import Section
from trackside.bench.completeness import read_lines
from trackside.bench.config_differences import compare_configs
from trackside.bench.gauges import GAP_RULE
from trackside.bench.grouping import GroupBy
from trackside.bench.series import build_sections, clock_of
from trackside.bench.summary import summarise_run, summarise_workers
from trackside.errors import NoDataError
from trackside.records.engine_run import FileLedger, Worker
from trackside.report.chart_style import MEMORY_COLOURS
from trackside.report.charts import figure_lines
from trackside.report.headline import headlines
from trackside.report.html_page import (
    figure_block,
    json_block,
    page_scripts,
    render_page,
    render_part,
    style_block,
    write_page,
)
from trackside.report.load_charts import figure_kv_capacity, figure_memory
from trackside.report.rank_maps import rank_groups
from trackside.report.report_text import ReportText
from trackside.report.safe_text import safe_text
from trackside.report.time_axis import TimeAxis
from trackside.stats.summaries import QUANTILE_METHOD

GROUP_TEXT = {
    GroupBy.NODE: "one series per worker",
    GroupBy.DP: "one series per role and rank, mean over workers",
    GroupBy.ALL: "one averaged line per role",
}


class BenchBody(msgspec.Struct, frozen=True):
    """The report of a run without the frame of a page: a line on the run, and all below it; both HTML.

    Its charts are drawn by ``bench_report.js`` with Bokeh, and it looks as ``bench_report.css`` says.
    """

    lead: str
    body: str


def write_bench_report(
    run_name: str,
    rows: pl.DataFrame,
    workers: Sequence[Worker],
    ledger: Sequence[FileLedger],
    notes: Sequence[str],
    out: Path,
    group_by: str = "node",
) -> Path:
    """Writes one HTML file that needs no network and returns its absolute path.

    ``rows`` needs ``trackside.bench.series.REPORT_COLUMNS``. Raises NoDataError where no batch line has a
    time, and OutputError where the file cannot be written.
    """
    values = _values(run_name, rows, workers, ledger, notes, GroupBy(group_by))
    frame = {"title": safe_text(run_name), "style": style_block("bench_report.css")}
    return write_page(render_page("bench_report.html.j2", page_scripts("bench_report.js"), frame | values), out)


def bench_body(
    run_name: str, rows: pl.DataFrame, workers: Sequence[Worker], ledger: Sequence[FileLedger], notes: Sequence[str]
) -> BenchBody:
    """The same report, one series a worker, for a page that has a frame and scripts already.

    Takes what ``write_bench_report`` takes. Raises NoDataError where no batch line has a time.
    """
    values = _values(run_name, rows, workers, ledger, notes, GroupBy.NODE)
    return BenchBody(*(render_part(f"bench_report_{part}.html.j2", values) for part in ("lead", "body")))


def _values(
    run_name: str,
    rows: pl.DataFrame,
    workers: Sequence[Worker],
    ledger: Sequence[FileLedger],
    notes: Sequence[str],
    group_by: GroupBy,
) -> dict[str, Any]:
    """What the templates of a report show."""
    batches = read_batches(rows, workers)
    clock = clock_of(rows, batches)
    if clock is None:
        msg = f"No data to visualize: {run_name} holds no batch line with a time."
        raise NoDataError(msg)
    axis = TimeAxis.of(clock, rows)
    sections = build_sections(batches, workers, clock, group_by)
    capacities = worker_capacities(rows)
    ranks = rank_groups(batches, clock)
    summary = summarise_run(rows, workers, batches)
    text = ReportText(axis)
    drawn = [
        *_time_charts(sections, axis),
        *_load_charts(capacities),
        *((item.key, item.plot) for group in ranks for item in group.maps),
    ]
    return {
        "summary": summary,
        "window": text.window(clock.first_us, clock.last_us),
        "text": text,
        "group_text": GROUP_TEXT[group_by],
        "headlines": headlines(summary, sections),
        "sections": sections,
        "ranks": ranks,
        "workers": summarise_workers(rows, workers, batches).to_dicts(),
        "capacities": capacities,
        "retractions": retractions(rows),
        "config": compare_configs(workers),
        "ledger": ledger,
        "reading": read_lines(ledger),
        "notes": [*map(safe_text, notes), *_own_notes(batches, summary.estimated_output_tokens)],
        "gap_rule": GAP_RULE,
        "quantiles": QUANTILE_METHOD,
        "documents": {key: figure_block(plot, key) for key, plot in drawn},
        "memory_colours": MEMORY_COLOURS,
        "axis": json_block({"unitMs": axis.unit_ms, "zeroMs": axis.zero_ms}),
    }


def _time_charts(sections: Sequence[Section], axis: TimeAxis) -> Iterator[tuple[str, figure]]:
    for section in sections:
        for chart in section.charts:
            yield chart.key, figure_lines(chart, axis)


def _load_charts(capacities: Sequence[Capacity]) -> Iterator[tuple[str, figure]]:
    if any(capacity.weights_gb or capacity.kv_gb or capacity.free_gb for capacity in capacities):
        yield "memory", figure_memory(capacities)
    if any(capacity.kv_tokens for capacity in capacities):
        yield "kv-capacity", figure_kv_capacity(capacities)


def _own_notes(batches: Batches, estimated: int) -> list[str]:
    notes: list[Any] = []
    if batches.left_out:
        notes.append(f"{batches.left_out:,} batch lines repeat another rank's line of the same batch and count once.")
    if batches.timeless:
        notes.append(f"{batches.timeless:,} batch lines carry no time and are not charted.")
    if estimated:
        notes.append(
            f"{estimated:,} of the output tokens are estimated: "
            "the first decode line of a rank, and lines without a rank tag, have no gap to measure."
        )
    return notes
