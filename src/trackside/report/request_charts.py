"""Charts of request times: every drawn request as a stacked bar, groups by duration, distributions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from bokeh.models import ColumnDataSource, DataRange1d, HoverTool, NumeralTickFormatter, Range1d
from bokeh.plotting import figure

from trackside.bench.request_times import SEGMENTS
from trackside.report.chart_style import MUTED, PALETTE, style

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

HEIGHT_PX: Final = 320
COLOURS: Final = {
    "queue_ms": PALETTE[3],
    "prefill_delay_ms": PALETTE[6],
    "prefill_ms": PALETTE[0],
    "prefill_span_ms": PALETTE[5],
    "decode_ms": PALETTE[2],
    "other_ms": PALETTE[4],
    "unattributed_ms": MUTED,
}
LEAST_SHOWN_MS: Final = 0.1
_QUANTILES: Final = np.linspace(0.0, 1.0, 201)


def present_segments(segments: pl.DataFrame) -> list[str]:
    """The segments that at least one request has, in order."""
    return [name for name in SEGMENTS if segments[name].count()]


def figure_requests(drawn: pl.DataFrame) -> figure:
    """One stacked bar a request, slowest first; ``drawn`` comes from ``pick_for_drawing``.

    Where requests are left out, a gap parts the slowest, all drawn, from the rest, drawn evenly by rank.
    """
    names = present_segments(drawn)
    places, gap_at = _places(drawn["rank"].to_numpy())
    data: dict[str, Any] = {name: _heights(drawn[name]) for name in names}
    data |= {f"{name}_text": [_text(value) for value in drawn[name]] for name in names}
    data |= {
        "place": places,
        "rank": drawn["rank"].to_list(),
        "rid": [rid or "–" for rid in drawn["rid"]],
        "e2e": [_text(value) for value in drawn["e2e_ms"]],
        "tokens": [_tokens(*pair) for pair in drawn.select("prompt_tokens", "completion_tokens").iter_rows()],
    }
    plot = _stacked(data, names, width=0.94 if drawn.height < 200 else 1.0)
    plot.xaxis.axis_label = "drawn requests, slowest first"
    if gap_at is not None:
        plot.vspan(x=[gap_at], line_color=MUTED, line_dash="dashed")
    plot.add_tools(_request_hover(names))
    return plot


def figure_by_duration(groups: pl.DataFrame) -> figure:
    """Mean segments of equally large groups of requests, fastest first; from ``mean_by_duration``."""
    names = present_segments(groups)
    data: dict[str, Any] = {name: _heights(groups[name]) for name in names}
    data |= {f"{name}_text": [_text(value) for value in groups[name]] for name in names}
    spans = groups.select("shortest_ms", "longest_ms").iter_rows()
    data |= {
        "place": groups["group"].to_numpy().astype(np.float64),
        "n": groups["n"].to_list(),
        "span": [f"{_text(shortest)} to {_text(longest)}" for shortest, longest in spans],
    }
    plot = _stacked(data, names, width=0.8)
    plot.xaxis.axis_label = "groups by duration, fastest first"
    plot.xaxis.ticker = groups["group"].to_list()
    tooltips = [("requests", "@n"), ("end to end", "@span"), *_segment_tips(names, "mean ")]
    plot.add_tools(HoverTool(tooltips=tooltips))
    return plot


def figure_distributions(segments: pl.DataFrame) -> figure:
    """Share of requests whose segment took at most so long, one line a segment, all requests."""
    plot = figure(
        height=HEIGHT_PX,
        sizing_mode="stretch_width",
        tools="xpan,xwheel_zoom,xbox_zoom,reset,save",
        x_axis_type="log",
        y_range=Range1d(start=0, end=101),
        min_border_left=66,
        name="distributions",
    )
    labels = [*[(name, SEGMENTS[name], COLOURS[name]) for name in present_segments(segments)]]
    if segments["e2e_ms"].count():
        labels.append(("e2e_ms", "End to end", PALETTE[9]))
    for name, label, colour in labels:
        times = np.quantile(segments[name].drop_nulls().to_numpy(), _QUANTILES)
        source = ColumnDataSource({"ms": np.maximum(times, LEAST_SHOWN_MS), "share": _QUANTILES * 100})
        plot.line("ms", "share", source=source, color=colour, line_width=1.8, legend_label=label, name=label)
    plot.xaxis.axis_label = f"ms (at most; below {LEAST_SHOWN_MS} ms drawn at {LEAST_SHOWN_MS} ms)"
    plot.yaxis.axis_label = "% of requests"
    plot.xaxis.formatter = NumeralTickFormatter(format="0,0.[0]")
    plot.add_tools(HoverTool(tooltips=[("", "$name"), ("at most", "@ms{0,0.0} ms"), ("requests", "@share{0.0} %")]))
    return _with_legend(style(plot))


def _stacked(data: dict[str, Any], names: Sequence[str], width: float) -> figure:
    plot = figure(
        height=HEIGHT_PX,
        sizing_mode="stretch_width",
        tools="xpan,xwheel_zoom,xbox_zoom,reset,save",
        min_border_left=66,
        name="segments",
    )
    if names:
        plot.vbar_stack(
            list(names),
            x="place",
            width=width,
            source=ColumnDataSource(data),
            color=[COLOURS[name] for name in names],
            line_color=[COLOURS[name] for name in names],
            line_width=0.5,
            legend_label=[SEGMENTS[name] for name in names],
        )
    plot.yaxis.axis_label = "ms"
    plot.yaxis.formatter = NumeralTickFormatter(format="0,0.[0]")
    plot.y_range = DataRange1d(start=0)
    return _with_legend(style(plot)) if names else style(plot)


def _places(ranks: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], float | None]:
    """Where each bar stands, and where the gap is (None: every request up to the last is drawn)."""
    places = np.arange(len(ranks), dtype=np.float64)
    left_out = np.flatnonzero(ranks != places + 1)
    if not left_out.size:
        return places, None
    width = max(2.0, len(ranks) * 0.03)
    return np.where(places < left_out[0], places, places + width), float(left_out[0] + (width - 1) / 2)


def _with_legend(plot: figure) -> figure:
    for legend in plot.legend:
        legend.click_policy = "hide"
        legend.label_text_color = MUTED
        legend.background_fill_alpha = 0
        legend.border_line_color = None
        legend.label_text_font_size = "11px"
        legend.orientation = "horizontal"
        legend.ncols = 3
        legend.location = "left"
        legend.glyph_width = legend.glyph_height = 14
        plot.add_layout(legend, "above")
    return plot


def _request_hover(names: Sequence[str]) -> HoverTool:
    head = [("request", "@rid"), ("rank", "@rank"), ("tokens", "@tokens"), ("end to end", "@e2e")]
    return HoverTool(tooltips=[*head, *_segment_tips(names)])


def _segment_tips(names: Sequence[str], prefix: str = "") -> list[tuple[str, str]]:
    return [(f"{prefix}{SEGMENTS[name].lower()}", f"@{name}_text") for name in names]


def _heights(values: pl.Series) -> np.ndarray[Any, np.dtype[np.float32]]:
    # An unknown segment has no height in a stack; its text says that it is unknown.
    return values.fill_null(0.0).to_numpy().astype(np.float32)


def _text(value: float | None) -> str:
    return "not known" if value is None else f"{value:,.1f} ms"


def _tokens(prompt: int | None, completion: int | None) -> str:
    known = [f"{value:,} {word}" for value, word in ((prompt, "in"), (completion, "out")) if value is not None]
    return ", ".join(known) or "not known"
