"""Heat maps of ranks and bars of memory as Bokeh figures."""

from __future__ import annotations

from collections.abc import Sequence

from bokeh.core.property.vectorization import Field
from bokeh.models import (
    BasicTickFormatter,
    ColumnDataSource,
    DataRange1d,
    FactorRange,
    HoverTool,
    LinearColorMapper,
    Rect,
)
from bokeh.models.annotations import ColorBar
from bokeh.palettes import Cividis256
from bokeh.plotting import figure

from trackside.bench.capacity import Capacity
from trackside.bench.grouping import natural_key
from trackside.bench.heat import RankLoad
from trackside.report.chart_style import FONT, MEMORY_COLOURS, MUTED, PALETTE, number_format, style
from trackside.report.safe_text import safe_text

MAX_NAME = 26
CELL_TEXT_LIMIT = 20


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Names for an axis: cut in the middle where long, still one for each."""
    short: dict[str, str] = {}
    for name in names:
        shown = safe_text(name)
        cut = shown if len(shown) <= MAX_NAME else f"{shown[:12]}…{shown[-(MAX_NAME - 13) :]}"
        short[name] = cut if cut not in short.values() else f"{cut} #{len(short) + 1}"
    return short


def figure_heat(loads: Sequence[RankLoad], field: str, unit: str, scale: float = 1.0) -> figure:
    """Worker by rank, coloured by one field of the ranks' loads; ranks without a value have no cell."""
    known = [load for load in loads if getattr(load, field) is not None]
    names = short_names(list(dict.fromkeys(load.worker for load in known)))
    slots = sorted({load.slot for load in known}, key=natural_key)
    values = [getattr(load, field) * scale for load in known]
    top = max(values) if max(values) > 0 else 1.0
    mapper = LinearColorMapper(palette=Cividis256, low=0, high=top)
    data = {
        "slot": [load.slot for load in known],
        "worker": [names[load.worker] for load in known],
        "value": values,
        "text": [_cell_text(value) for value in values],
        "ink": ["#111111" if value > 0.55 * top else "#ffffff" for value in values],
    }
    plot = figure(
        height=96 + 30 * len(names),
        sizing_mode="stretch_width",
        x_range=FactorRange(factors=slots),
        y_range=FactorRange(factors=list(reversed(names.values()))),
        tools="save",
        x_axis_location="above",
        name="ranks",
    )
    source = ColumnDataSource(data)
    cells = plot.add_glyph(source, _cell(mapper))
    if len(slots) <= CELL_TEXT_LIMIT:
        plot.text(
            "slot",
            "worker",
            text="text",
            source=source,
            text_color="ink",
            text_align="center",
            text_baseline="middle",
            text_font_size="11px",
            text_font={"value": FONT},
        )
    plot.add_tools(
        HoverTool(renderers=[cells], tooltips=[("worker", "@worker"), ("rank", "@slot"), (unit, "@value{0,0.[00]}")])
    )
    plot.add_layout(_colour_bar(mapper), "below")
    plot.grid.visible = False
    plot.xaxis.major_label_orientation = "horizontal" if len(slots) <= CELL_TEXT_LIMIT else 1.0
    return style(plot)


def _cell(mapper: LinearColorMapper) -> Rect:
    fill = Field("value", transform=mapper)
    return Rect(x="slot", y="worker", width=0.96, height=0.92, fill_color=fill, line_color=None)


def _cell_text(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _colour_bar(mapper: LinearColorMapper) -> ColorBar:
    return ColorBar(
        color_mapper=mapper,
        height=8,
        padding=4,
        background_fill_color=None,
        major_label_text_color=MUTED,
        major_label_text_font=FONT,
        major_tick_line_color=MUTED,
        formatter=BasicTickFormatter(use_scientific=False),
    )


def figure_memory(capacities: Sequence[Capacity]) -> figure:
    """Memory of one device of each worker as a stacked bar: weights, KV cache, graphs, free."""
    names = short_names([capacity.worker for capacity in capacities])
    parts = {
        "weights": [max(capacity.weights_gb or 0.0, 0.0) for capacity in capacities],
        "KV cache": [capacity.kv_gb or 0.0 for capacity in capacities],
        "graphs": [max(capacity.graphs_gb or 0.0, 0.0) for capacity in capacities],
        "free": [capacity.free_gb or 0.0 for capacity in capacities],
    }
    shown = [part for part, values in parts.items() if any(values)]
    plot = _bars(names, "GB of one device")
    source = ColumnDataSource({"worker": list(names.values())} | {part: parts[part] for part in shown})
    plot.hbar_stack(
        shown,
        y="worker",
        height=0.66,
        source=source,
        color=[MEMORY_COLOURS[part] for part in shown],
        name=shown,
    )
    plot.add_tools(HoverTool(tooltips=[("worker", "@worker"), ("part", "$name"), ("GB", "@$name{0,0.[00]}")]))
    return style(plot)


def figure_kv_capacity(capacities: Sequence[Capacity]) -> figure:
    """KV capacity of each worker's scheduler in tokens."""
    known = [capacity for capacity in capacities if capacity.kv_tokens is not None]
    names = short_names([capacity.worker for capacity in known])
    plot = _bars(names, "tokens")
    plot.xaxis.formatter = number_format("tokens")
    data = {"worker": list(names.values()), "tokens": [capacity.kv_tokens for capacity in known]}
    plot.hbar(y="worker", right="tokens", height=0.66, source=ColumnDataSource(data), color=PALETTE[1])
    plot.add_tools(HoverTool(tooltips=[("worker", "@worker"), ("tokens", "@tokens{0,0}")]))
    return style(plot)


def _bars(names: dict[str, str], unit: str) -> figure:
    plot = figure(
        height=76 + 26 * len(names),
        sizing_mode="stretch_width",
        x_range=DataRange1d(start=0),
        y_range=FactorRange(factors=list(reversed(names.values()))),
        tools="save",
        name="bars",
    )
    plot.xaxis.axis_label = unit
    plot.ygrid.visible = False
    return plot
