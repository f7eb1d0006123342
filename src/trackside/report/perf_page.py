"""The offline page of the performance monitor: every series as a chart, what changed first."""

from __future__ import annotations

from itertools import groupby
from typing import Final

import msgspec
import polars as pl
from bokeh.embed import json_item

from trackside.perf.change_records import Changes
from trackside.perf.silence import Silence
from trackside.report.chart_style import PALETTE, colour_of
from trackside.report.html_page import json_block, page_scripts, render_page, style_block
from trackside.report.perf_chart_data import chart_data, drawn_points, pools_of
from trackside.report.perf_chart_shape import limits_of
from trackside.report.perf_charts import HEIGHT_PX, figure_series
from trackside.report.perf_facts import PerfFacts
from trackside.report.perf_series import SeriesView, Standing, series_views
from trackside.report.perf_sparklines import sparkline
from trackside.report.perf_words import PerfWords
from trackside.report.safe_text import safe_text

_MOST_ROWS: Final = 2_400
_FEWEST: Final = 3
_USUAL: Final = 12


class Group(msgspec.Struct, frozen=True):
    """Series that stand alike."""

    standing: Standing
    views: tuple[SeriesView, ...]


def perf_page(
    points: pl.DataFrame,
    facts: PerfFacts,
    *,
    changes: Changes | None = None,
    silence: Silence | None = None,
) -> str:
    """One HTML page that needs no network; ``html_page.write_page`` writes it to a file.

    ``points`` have the columns ``perf.points.POINT_COLUMNS``. Without ``changes`` no level is drawn and nothing is
    judged; without ``silence`` no series is said to have stopped.
    """
    views = series_views(points, changes, silence)
    limits = {view.key: limits_of(view) for view in views}
    drawn = drawn_points(views)
    pools = pools_of(views)
    home = f"{facts.site.rstrip('/')}/{facts.repo}"
    values = {
        "title": safe_text(facts.repo),
        "style": style_block("perf_report.css"),
        "facts": facts,
        "words": PerfWords(facts=facts, changes=changes, home=home, shown={view.series: view.key for view in views}),
        "groups": [Group(standing, tuple(own)) for standing, own in groupby(views, key=lambda view: view.standing)],
        "total": len(views),
        "points": points.height,
        "established": sum(view.is_established for view in views),
        "sparklines": {view.key: sparkline(view, limits[view.key]) for view in views},
        "limits": limits,
        "drawn": drawn,
        "pools": [(name, colour_of(place)) for place, name in enumerate(pools)],
        "rows": min(_USUAL, max(_FEWEST, _MOST_ROWS // max(1, len(views)))),
        "height": HEIGHT_PX,
        "data": json_block({**chart_data(views, drawn, limits, home, pools), "colours": list(PALETTE)}),
        "figure": json_block(json_item(figure_series())),
    }
    return render_page("perf_report.html.j2", page_scripts("perf_report.js"), values)
