"""Colours and axes that read on a light and on a dark page."""

from __future__ import annotations

from bokeh.models import DatetimeTickFormatter, NumeralTickFormatter
from bokeh.plotting import figure

RED = "#d1495b"
PALETTE = (
    "#3b82c4",
    "#d9822b",
    "#2a9d5c",
    RED,
    "#8e6fd1",
    "#1a9fa8",
    "#b8902b",
    "#d46fae",
    "#6f8f2c",
    "#7a8794",
)
DASHES = {"solid": "solid", "dashed": "8 4", "dotted": "2 3"}
MEMORY_COLOURS = {"weights": PALETTE[0], "KV cache": PALETTE[1], "graphs": PALETTE[4], "free": PALETTE[9]}
MUTED = "#7b8490"
FONT = "system-ui, sans-serif"


def clock_format() -> DatetimeTickFormatter:
    """Tick labels of a time of day, whatever the zoom."""
    second, minute = "%H:%M:%S", "%H:%M"
    return DatetimeTickFormatter(
        microseconds=second,
        milliseconds=second,
        seconds=second,
        minsec=second,
        minutes=minute,
        hourmin=minute,
        hours=minute,
        days="%m-%d",
    )


def colour_of(position: int) -> str:
    """The colour of the series at a position; colours come round again with another dash."""
    return PALETTE[position % len(PALETTE)]


def dash_of(position: int) -> str:
    """The name of the dash of the series at a position: solid for as many as there are colours."""
    return list(DASHES)[position // len(PALETTE) % len(DASHES)]


def number_format(unit: str) -> NumeralTickFormatter:
    """Tick labels of a value axis."""
    return NumeralTickFormatter(format="0,0.[00]a" if unit.startswith("tokens") else "0,0.[00]")


def style(plot: figure) -> figure:
    """The figure with a transparent ground, mid-tone axes and a quiet toolbar."""
    plot.background_fill_color = None
    plot.border_fill_color = None
    plot.outline_line_color = None
    plot.toolbar.logo = None
    plot.toolbar.autohide = True
    plot.grid.grid_line_color = MUTED
    plot.grid.grid_line_alpha = 0.22
    for axis in plot.axis:
        axis.axis_line_color = axis.major_tick_line_color = MUTED
        axis.minor_tick_line_color = None
        axis.major_label_text_color = axis.axis_label_text_color = MUTED
        axis.major_label_text_font = axis.axis_label_text_font = FONT
        axis.major_label_text_font_size = axis.axis_label_text_font_size = "11px"
        axis.axis_label_text_font_style = "normal"
    return plot
