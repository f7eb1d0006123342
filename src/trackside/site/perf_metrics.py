"""The metrics of a test as a table: where each is, how it stands, and how much it scatters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from markupsafe import Markup

from trackside.report.perf_series import SeriesView
from trackside.report.perf_text import level_text
from trackside.report.perf_words import PerfWords
from trackside.site.marks import BAD, GOOD, QUIET, WARN
from trackside.site.pages import svg
from trackside.site.perf_order import Place, SpeedTest, place_of
from trackside.site.perf_tiles import place_words, series_sign
from trackside.site.perf_values import MOST_METRICS
from trackside.site.tables import Cell, Column, Kind, Table, markup_cell, number_cell, text_cell

_TONES: Final = {
    Place.WORSE: BAD,
    Place.NEW: WARN,
    Place.BETTER: GOOD,
    Place.STOPPED: WARN,
}
_COLUMNS: Final = (
    Column(key="metric", label="Metric"),
    Column(key="picture", label="Default branch", kind=Kind.MARKUP),
    Column(key="level", label="Level", kind=Kind.NUMBER, about="The newest level, in the unit of the metric."),
    Column(key="unit", label="Unit"),
    Column(key="stands", label="Stands", choices=True),
    Column(key="change", label="Change"),
    Column(key="noise", label="Noise", kind=Kind.NUMBER, unit="±%", about="What the series scatters, of its level."),
    Column(key="better", label="Better"),
    Column(key="values", label="Values", kind=Kind.NUMBER),
    Column(key="searched", label="Of the default branch", kind=Kind.NUMBER),
)


def metrics_table(test: SpeedTest, words: PerfWords, pictures: Mapping[str, Markup]) -> Table:
    """Every metric of the test, what changed first; those with a chart lead to it. ``pictures`` are by key."""
    charted = {view.key for view in test.views[:MOST_METRICS]}
    return Table(
        key="metrics",
        caption="Metrics, what changed first",
        columns=_COLUMNS,
        rows=tuple(
            _row(view, words, pictures[view.key], f"#{view.key}" if view.key in charted else None)
            for view in test.views
        ),
        page_size=50,
    )


def _row(view: SeriesView, words: PerfWords, picture: Markup, address: str | None) -> tuple[Cell, ...]:
    place = place_of(view)
    sign = series_sign(view, words)
    return (
        text_cell(view.metric, address),
        markup_cell(svg(f'<span class="{view.standing.value}">{picture}</span>')),
        number_cell(view.level, level_text(view.level)),
        text_cell(view.unit),
        text_cell(place_words(place, words)[0], tone=_TONES.get(place, QUIET)),
        text_cell(f"{sign.mark} {sign.text}", tone=_TONES.get(place, QUIET)),
        _noise(view),
        text_cell({"higher": "higher", "lower": "lower"}.get(view.better, "neither")),
        number_cell(view.points.height),
        number_cell(view.searched_count),
    )


def _noise(view: SeriesView) -> Cell:
    searched = view.searched
    if searched is None or searched.noise is None or not searched.level:
        return Cell()
    share = 100 * searched.noise / abs(searched.level)
    return number_cell(share, f"{share:.2g}")
