"""The chart in which a page lays the curves of chosen runs over one another."""

from __future__ import annotations

from typing import Final

from bokeh.models import ColumnDataSource, HoverTool, Range1d, Scatter
from bokeh.models import Line as LineGlyph
from bokeh.plotting import figure

from trackside.report.chart_style import colour_of, number_format, style

MOST_CURVES: Final = 8
"""As many can be told apart by their colour."""
HEIGHT_PX: Final = 380
_TOOLS: Final = "xpan,xbox_zoom,xwheel_zoom,xzoom_in,xzoom_out,reset,save"


def figure_overlay() -> figure:
    """A chart of eight empty lines, each in its colour, then their dots, which show where a line has a point or two.

    The page's script gives them values and names, and the axes their ends, units and format.
    """
    plot = figure(
        height=HEIGHT_PX,
        sizing_mode="stretch_width",
        tools=_TOOLS,
        active_drag="xbox_zoom",
        x_range=Range1d(start=0.0, end=1.0),
        y_range=Range1d(start=0.0, end=1.0),
        min_border_left=66,
        min_border_right=14,
        name="overlay",
    )
    plot.xaxis.formatter = number_format("elapsed")
    plot.yaxis.formatter = number_format("tokens")
    plot.xaxis.axis_label = plot.yaxis.axis_label = ""
    sources = [ColumnDataSource({"x": [], "y": []}) for _ in range(MOST_CURVES)]
    for place, source in enumerate(sources):
        plot.add_glyph(source, LineGlyph(x="x", y="y", line_color=colour_of(place), line_width=1.7), visible=False)
    for place, source in enumerate(sources):
        dots = Scatter(x="x", y="y", size=6, fill_color=colour_of(place), line_color=None)
        plot.add_glyph(source, dots, visible=False)
    tips = [("run", "$name"), ("value", "@y{0,0.[000]}"), ("elapsed", "@x{0,0.00}")]
    plot.add_tools(HoverTool(tooltips=tips, line_policy="nearest", mode="mouse"))
    return style(plot)
