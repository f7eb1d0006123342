"""The table of request times, and what to say of how they were read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich import box
from rich.table import Table
from rich.text import Text

from trackside.report.safe_text import safe_text

if TYPE_CHECKING:
    import polars as pl

    from trackside.engine.request_metrics import RequestMetrics

HEADINGS: Final = ("Segment", "Median", "Mean", "P95", "Max", "Share of e2e", "n", "Missing")


def request_table(title: str, summary: pl.DataFrame) -> Table:
    """Median, mean, P95 and maximum of each segment in ms; the last row is the whole request."""
    table = Table(title=Text(f"{safe_text(title)} (ms)"), box=box.ROUNDED)
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == "Segment" else "right")
    *segments, whole = summary_rows(summary)
    for row in segments:
        table.add_row(*row)
    table.add_section()
    table.add_row(*whole, style="bold")
    return table


def summary_rows(summary: pl.DataFrame) -> list[tuple[str, ...]]:
    """The cells of each segment under HEADINGS; ``-`` where no request has it. From ``summarise``."""
    return [
        (
            row["segment"],
            *(_ms(row[name]) for name in ("median_ms", "mean_ms", "p95_ms", "max_ms")),
            "-" if row["share_of_e2e"] is None else f"{100 * row['share_of_e2e']:.1f} %",
            f"{row['n']:,}",
            f"{row['missing']:,}",
        )
        for row in summary.iter_rows(named=True)
    ]


def reading_notes(metrics: RequestMetrics, segments: pl.DataFrame) -> list[str]:
    """What was read and what was not, in sentences without full stops."""
    count = f"{metrics.requests.height:,}"
    read = f"Read {count} requests from {metrics.lines:,} lines of {len(metrics.files):,} file(s)"
    if metrics.limit_reached:
        read += f"; stopped after the first {count} requests in file order (--limit)"
    notes = [read]
    counts = {
        "{:,} lines are no JSON objects": metrics.unreadable,
        "{:,} lines hold no request times": metrics.without_times,
        "{:,} lines are too long": metrics.overlong,
        "{:,} values are no numbers and count as missing": metrics.not_a_number,
        "{:,} requests have an impossible time, which counts as missing": int(segments["implausible"].sum()),
    }
    notes += [text.format(count) for text, count in counts.items() if count]
    notes += [f"Not read to its end: {name}" for name in metrics.cut_files]
    return notes


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"
