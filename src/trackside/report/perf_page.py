"""The offline page of the performance monitor: every series as a chart, what changed first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from trackside.perf.change_records import Changes
from trackside.perf.silence import Silence
from trackside.report.html_page import figure_block, json_block, page_scripts, render_page, style_block
from trackside.report.perf_causes import groups_of
from trackside.report.perf_chart_data import chart_data, drawn_points, pools_of
from trackside.report.perf_chart_shape import limits_of
from trackside.report.perf_charts import HEIGHT_PX, figure_series
from trackside.report.perf_facts import PerfFacts
from trackside.report.perf_pools import colours_of
from trackside.report.perf_series import SeriesView, series_views
from trackside.report.perf_sparklines import sparkline
from trackside.report.perf_words import PerfWords
from trackside.report.safe_text import safe_text

_ROWS: Final = 1_800
_ROWS_OF_ONE: Final = (4, 12)
_ROOM_BYTES: Final = 3_400_000
"""What is left of a page of 5 MB beside the scripts."""
_MOST_SERIES: Final = 1_200
"""So many have a card: those that changed first."""
_BYTES: Final = {"series": 1_500, "row": 430, "point": 19}
_LEAST_POINTS: Final = 20_000


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
    every = series_views(points, changes, silence)
    groups = groups_of(every[:_MOST_SERIES], changes)
    views = [view for group in groups for view in group.views]
    limits = {view.key: limits_of(view) for view in views}
    rows = _rows(views)
    drawn = drawn_points(views, _room_for_points(rows))
    pools = pools_of(views)
    colours = colours_of(pools)
    home = f"{facts.site.rstrip('/')}/{facts.repo}"
    values = {
        "title": safe_text(facts.repo),
        "style": style_block("perf_series.css", "perf_report.css"),
        "facts": facts,
        "words": PerfWords(
            facts=facts, changes=changes, home=home, shown={view.series: f"#{view.key}" for view in views}
        ),
        "groups": groups,
        "total": len(views),
        "series_left_out": len(every) - len(views),
        "points": points.height,
        "established": sum(view.is_established for view in views),
        "sparklines": {view.key: sparkline(view, limits[view.key]) for view in views},
        "limits": limits,
        "drawn": drawn,
        "pools": list(zip(pools, colours, strict=True)),
        "rows": rows,
        "left_out": sum(one.left_out for one in drawn.values()) + sum(one.points.height for one in every[len(views) :]),
        "height": HEIGHT_PX,
        "data": json_block(chart_data(views, drawn, limits, home, pools) | _looks(facts, colours)),
        "figure": figure_block(figure_series(), "p"),
    }
    scripts = page_scripts("perf_points.js", "perf_charts.js", "perf_report.js")
    return render_page("perf_report.html.j2", scripts, values)


def _rows(views: Sequence[SeriesView]) -> dict[str, int]:
    """How many of its newest values each series lists; of very many series the last ones list none."""
    fewest, most = _ROWS_OF_ONE
    each = min(most, max(fewest, _ROWS // max(1, len(views))))
    return {view.key: each if (place + 1) * each <= _ROWS else 0 for place, view in enumerate(views)}


def _room_for_points(rows: Mapping[str, int]) -> int:
    taken = len(rows) * _BYTES["series"] + sum(rows.values()) * _BYTES["row"]
    return max(_LEAST_POINTS, (_ROOM_BYTES - taken) // _BYTES["point"])


def _looks(facts: PerfFacts, colours: Sequence[str]) -> dict[str, Any]:
    return {"colours": list(colours), "branch": safe_text(facts.default_branch or "the default branch")}
