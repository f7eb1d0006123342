"""Charts over time as Bokeh figures."""

from __future__ import annotations

import numpy as np
from bokeh.models import ColumnDataSource, DatetimeAxis, HoverTool, Range1d, Scatter, VBar
from bokeh.models import Line as LineGlyph
from bokeh.models.renderers import DataRenderer
from bokeh.plotting import figure

from trackside.bench.chart_records import Band, Chart, Line
from trackside.report.chart_style import DASHES, clock_format, colour_of, dash_of, number_format, style
from trackside.report.safe_text import safe_text
from trackside.report.time_axis import TimeAxis

HEIGHT_PX = 270
TOOLS = "xpan,xbox_zoom,xwheel_zoom,xzoom_in,xzoom_out,reset,save"


def figure_lines(chart: Chart, axis: TimeAxis) -> figure:
    """Lines (or dots) over elapsed time, with the logged time as a second axis above."""
    plot = figure(
        height=HEIGHT_PX,
        sizing_mode="stretch_width",
        tools=TOOLS,
        active_drag="xbox_zoom",
        x_range=Range1d(start=axis.start, end=axis.end, bounds=(axis.least, axis.end)),
        min_border_left=66,
        min_border_right=14,
        name="timeline",
    )
    plot.xaxis.axis_label = f"{axis.unit_name} since the run's first line"
    plot.yaxis.axis_label = chart.unit
    plot.yaxis.formatter = number_format(chart.unit)
    plot.y_range = _value_range(chart)
    _add_clock(plot, axis)
    renderers = [_add_line(plot, chart, line, axis) for line in chart.lines]
    plot.add_tools(_hover(chart, axis, renderers))
    return style(plot)


def _value_range(chart: Chart) -> Range1d:
    tops = [line.summary.max for line in chart.lines]
    tops += [float(line.band.high.max()) for line in chart.lines if line.band is not None and line.band.high.size]
    lows = [line.summary.min for line in chart.lines]
    top = chart.y_top if chart.y_top is not None else max(tops) * 1.06
    low = min(0.0, *lows) * 1.06
    if chart.unit == "%" and top > 80:
        top = max(top, 102.0) if max(tops) > 100 else 102.0
    return Range1d(start=low, end=top if top > low else low + 1.0)


def _add_clock(plot: figure, axis: TimeAxis) -> None:
    plot.extra_x_ranges = {"clock": Range1d(start=axis.clock_ms(axis.start), end=axis.clock_ms(axis.end))}
    clock = DatetimeAxis(x_range_name="clock", formatter=clock_format(), axis_label=axis.clock_label)
    plot.add_layout(clock, "above")


def _add_line(plot: figure, chart: Chart, line: Line, axis: TimeAxis) -> DataRenderer:
    colour = colour_of(line.colour)
    if line.band is not None:
        _add_band(plot, line.band, colour, axis)
    data = {"x": axis.units(line.x_s).astype(np.float32), "y": line.y.astype(np.float32)}
    source = ColumnDataSource(data)
    glyph: Scatter | LineGlyph
    if chart.dots or np.isfinite(line.y).sum() == 1:
        glyph = Scatter(x="x", y="y", size=5, fill_color=colour, line_color=None, fill_alpha=0.65)
    else:
        glyph = LineGlyph(x="x", y="y", line_color=colour, line_width=1.6, line_dash=DASHES[dash_of(line.colour)])
    return plot.add_glyph(source, glyph, name=safe_text(line.label))


def _add_band(plot: figure, band: Band, colour: str, axis: TimeAxis) -> None:
    x = axis.units(band.x_s)
    width = float(np.diff(x).min()) if x.size > 1 else (axis.end - axis.start) / 50
    data = {
        "x": x.astype(np.float32),
        "low": band.low.astype(np.float32),
        "high": band.high.astype(np.float32),
    }
    glyph = VBar(x="x", bottom="low", top="high", width=width, fill_color=colour, fill_alpha=0.2, line_color=None)
    plot.add_glyph(ColumnDataSource(data), glyph, name="band")


def _hover(chart: Chart, axis: TimeAxis, renderers: list[DataRenderer]) -> HoverTool:
    return HoverTool(
        renderers=renderers,
        tooltips=[
            ("series", "$name"),
            (chart.unit, "@y{0,0.[000]}"),
            (f"elapsed {axis.unit_name}", "@x{0,0.00}"),
            (axis.clock_label, "@wall{%F %H:%M:%S}"),
        ],
        formatters={"@wall": "datetime"},
        line_policy="nearest",
        mode="mouse",
    )
