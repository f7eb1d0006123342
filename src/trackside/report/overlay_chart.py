"""The chart in which a page lays the curves of chosen runs over one another."""

from __future__ import annotations

from typing import Final

from bokeh.models import ColumnDataSource, HoverTool, Range1d
from bokeh.models import Line as LineGlyph
from bokeh.plotting import figure

from trackside.report.chart_style import colour_of, number_format, style

MOST_CURVES: Final = 8
"""As many can be told apart by their colour."""
HEIGHT_PX: Final = 380
_TOOLS: Final = "xpan,xbox_zoom,xwheel_zoom,xzoom_in,xzoom_out,reset,save"


def figure_overlay() -> figure:
    """A chart of eight empty lines, each in its colour; the page's script gives them values, names and axes.

    The value axis has the format of tokens; ``x`` is in the unit that the script names.
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
    plot.yaxis.formatter = number_format("tokens")
    plot.xaxis.axis_label = plot.yaxis.axis_label = ""
    for place in range(MOST_CURVES):
        glyph = LineGlyph(x="x", y="y", line_color=colour_of(place), line_width=1.7)
        drawn = plot.add_glyph(ColumnDataSource({"x": [], "y": []}), glyph, name=f"curve {place + 1}")
        drawn.visible = False
    tips = [("run", "$name"), ("value", "@y{0,0.[000]}"), ("elapsed", "@x{0,0.00}")]
    plot.add_tools(HoverTool(tooltips=tips, line_policy="nearest", mode="mouse"))
    return style(plot)
