"""The chart of a series as a Bokeh figure without values: the page fills it when the series is opened."""

from __future__ import annotations

from typing import Final

from bokeh.core.properties import value
from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    DatetimeTickFormatter,
    HoverTool,
    LinearAxis,
    NumeralTickFormatter,
    PrintfTickFormatter,
    Range1d,
    Scatter,
    TapTool,
    VSpan,
)
from bokeh.models import Line as LineGlyph
from bokeh.models.annotations import LabelSet
from bokeh.plotting import figure

from trackside.report.chart_style import FONT, style

HEIGHT_PX: Final = 340
TOOLS: Final = "pan,box_zoom,xwheel_zoom,xzoom_in,xzoom_out,reset,save"
POINT_COLUMNS: Final = (
    "x", "y", "place", "marker", "size", "line", "line_alpha", "fill", "fill_alpha", "run", "change", "commit",
    "runner", "value", "outcome", "at",
)  # fmt: skip
"""What the page tells of each point."""
CHANGE_COLUMNS: Final = ("x", "y", "text", "colour", "align", "offset")
_LEVEL_COLOUR: Final = "#6c7785"


def figure_series() -> figure:
    """A chart with two axes along: of time, and of commits at even distances; the page shows one of them.

    Its sources are empty and have names: ``points`` (``POINT_COLUMNS``), ``levels`` (x, y) and ``changes``
    (``CHANGE_COLUMNS``).
    """
    plot = figure(
        height=HEIGHT_PX,
        sizing_mode="stretch_width",
        tools=TOOLS,
        active_drag="box_zoom",
        x_axis_type="datetime",
        x_range=Range1d(),
        y_range=Range1d(),
        min_border_left=70,
        min_border_right=18,
        min_border_top=26,
        name="series",
    )
    _dress_axes(plot)
    changes = ColumnDataSource({name: [] for name in CHANGE_COLUMNS}, name="changes")
    plot.add_glyph(changes, VSpan(x="x", line_color="colour", line_width=1.5, line_dash=[5, 3]))
    levels = ColumnDataSource({"x": [], "y": []}, name="levels")
    plot.add_glyph(levels, LineGlyph(x="x", y="y", line_color=_LEVEL_COLOUR, line_width=2.5))
    _add_points(plot)
    plot.add_layout(_labels(changes))
    return style(plot)


def _dress_axes(plot: figure) -> None:
    day, moment = "%m-%d", "%m-%d %H:%M"
    plot.xaxis.formatter = DatetimeTickFormatter(
        minsec=moment, minutes=moment, hourmin=moment, hours=moment, days=day, months="%Y-%m", years="%Y"
    )
    plot.xaxis.name = "by time"
    by_commit = LinearAxis(
        ticker=BasicTicker(min_interval=1, mantissas=[1, 2, 5]),
        name="by commit",
        visible=False,
    )
    by_commit.update(formatter=PrintfTickFormatter(format=" "))  # between the commits there is nothing to name
    plot.add_layout(by_commit, "below")
    plot.yaxis.formatter = NumeralTickFormatter(format="0,0.[00000000]")
    plot.yaxis.name = "value"


def _add_points(plot: figure) -> None:
    points = ColumnDataSource({name: [] for name in POINT_COLUMNS}, name="points")
    glyph, picked = _mark("line_alpha", 1.4), _mark(1.0, 5)
    renderer = plot.add_glyph(points, glyph, selection_glyph=picked, nonselection_glyph=glyph)
    hover = HoverTool(
        renderers=[renderer],
        tooltips=[
            ("value", "@value"),
            ("run", "@run"),
            ("change", "@change"),
            ("commit", "@commit"),
            ("runner", "@runner"),
            ("outcome", "@outcome"),
            ("UTC", "@at"),
        ],
    )
    plot.add_tools(hover, TapTool(renderers=[renderer]))


def _mark(alpha: str | float, width: float) -> Scatter:
    return Scatter(
        x="x",
        y="y",
        marker="marker",
        size="size",
        line_color="line",
        line_alpha=alpha,
        line_width=width,
        fill_color="fill",
        fill_alpha="fill_alpha",
    )


def _labels(changes: ColumnDataSource) -> LabelSet:
    """The texts of the changes, one above the other where several stand close."""
    return LabelSet(
        source=changes,
        x="x",
        y="y",
        y_units="screen",
        text="text",
        text_color="colour",
        text_font=value(FONT),
        text_font_size="12px",
        text_font_style="bold",
        text_align="align",
        x_offset="offset",
    )
