"""Where the time of requests goes: a table for the terminal and one offline HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bokeh.embed import json_item

from trackside.bench.request_times import (
    SEGMENTS,
    break_down,
    mean_by_duration,
    pick_for_drawing,
    summarise,
)
from trackside.report.html_page import (
    json_block,
    page_scripts,
    render_page,
    style_block,
    write_page,
)
from trackside.report.request_charts import (
    figure_by_duration,
    figure_distributions,
    figure_requests,
    present_segments,
)
from trackside.report.request_tables import HEADINGS, reading_notes, summary_rows
from trackside.report.safe_text import safe_text
from trackside.stats.summaries import QUANTILE_METHOD

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl
    from markupsafe import Markup

    from trackside.engine.request_metrics import RequestMetrics

MAX_DRAWN: Final = 1000


def write_request_report(title: str, metrics: RequestMetrics, out: Path) -> Path:
    """Writes one HTML file that needs no network and returns its absolute path.

    At most MAX_DRAWN requests are drawn as bars; tables and all other charts are over every request.
    Raises OutputError where the file cannot be written.
    """
    segments = break_down(metrics.requests)
    groups = mean_by_duration(segments)
    drawn = pick_for_drawing(segments, MAX_DRAWN)
    notes = reading_notes(metrics, segments)
    names = present_segments(groups)
    values = {
        "title": safe_text(title),
        "style": style_block("bench_report.css"),
        "lead": f"{segments.height:,} requests in {len(metrics.files):,} file(s)",
        "count": f"{segments.height:,}",
        "complete": not metrics.unread and not metrics.cut_files,
        "reading": [f"{safe_text(note)}." for note in notes],
        "headings": HEADINGS,
        "rows": summary_rows(summarise(segments)),
        "drawn_note": _drawn_note(drawn.height, segments),
        "group_headings": ["Group", "Requests", "End to end", *(SEGMENTS[name] for name in names)],
        "groups": _group_rows(groups, names),
        "samples": [safe_text(sample) for sample in metrics.samples],
        "quantiles": QUANTILE_METHOD,
        "documents": _documents(segments, drawn, groups),
        "axis": json_block({"unitMs": 1, "zeroMs": 0}),
    }
    page = render_page("request_times.html.j2", page_scripts("bench_report.js"), values)
    return write_page(page, out)


def _documents(segments: pl.DataFrame, drawn: pl.DataFrame, groups: pl.DataFrame) -> dict[str, Markup]:
    if not drawn.height:
        return {}
    figures = {
        "requests": figure_requests(drawn),
        "by-duration": figure_by_duration(groups),
        "distributions": figure_distributions(segments),
    }
    return {key: json_block(json_item(plot)) for key, plot in figures.items()}


def _drawn_note(drawn: int, segments: pl.DataFrame) -> str:
    timed = segments["e2e_ms"].count()
    untimed = segments.height - timed
    note = f"All {timed:,} requests with an end-to-end time are drawn, slowest first."
    if drawn < timed:
        note = (
            f"{drawn:,} of {timed:,} requests are drawn: the {max(1, MAX_DRAWN // 10):,} slowest, the rest "
            "evenly by rank (after the dashed line). Tables and the other charts are over all requests."
        )
    return note if not untimed else f"{note} {untimed:,} requests have no end-to-end time."


def _group_rows(groups: pl.DataFrame, names: list[str]) -> list[list[str]]:
    rows = []
    for group in groups.iter_rows(named=True):
        span = f"{group['shortest_ms']:,.1f} to {group['longest_ms']:,.1f}"
        means = ["–" if group[name] is None else f"{group[name]:,.1f}" for name in names]
        rows.append([str(group["group"]), f"{group['n']:,}", span, *means])
    return rows
