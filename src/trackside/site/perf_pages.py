"""The pages of Performance: every series at a glance, and a page for each test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from markupsafe import Markup

from trackside.report.html_page import figure_block, json_block
from trackside.report.perf_chart_data import chart_data, drawn_points, pools_of
from trackside.report.perf_chart_shape import limits_of
from trackside.report.perf_charts import HEIGHT_PX, figure_series
from trackside.report.perf_pools import colours_of
from trackside.report.perf_series import SeriesView
from trackside.report.perf_sparklines import sparkline
from trackside.report.perf_words import PerfWords
from trackside.report.safe_text import safe_text
from trackside.site.facts import SiteFacts, SpeedFacts
from trackside.site.pages import NAMES, Page, Section
from trackside.site.perf_changes import changes_table
from trackside.site.perf_documents import perf_documents
from trackside.site.perf_figures import headline
from trackside.site.perf_metrics import metrics_table
from trackside.site.perf_order import QUIET, SpeedTest, Watched, place_of, watched_series
from trackside.site.perf_tiles import overview_of
from trackside.site.perf_values import MOST_METRICS, runners_table, values_table

_MOST_POINTS: Final = 60_000
"""Of all charts of a page: about 1.5 MB."""
_MOST_CELLS: Final = 12_000
_ALL_CELLS: Final = 400_000
"""Of the tables of values of all pages: very many tests list fewer values each."""
_FEW: Final = 4
_STYLES: Final = ("perf_series.css", "performance.css")


def perf_pages(facts: SiteFacts) -> Iterator[Page]:
    """The overview, then a page for each test, what changed first."""
    speed = facts.speed
    if speed is None or speed.points.is_empty():
        words = None if speed is None else _words(facts, speed, {})
        yield _overview_page({"words": words, "overview": None})
        return
    watched = watched_series(speed)
    yield _overview_page(_overview_values(facts, speed, watched))
    pools = pools_of(watched.views)
    words = _words(facts, speed, watched.addresses(root="../"))
    cells = min(_MOST_CELLS, _ALL_CELLS // len(watched.tests))
    for test in watched.tests:
        yield _test_page(test, words, pools, cells)


def perf_data(facts: SiteFacts) -> Iterator[tuple[str, bytes]]:
    """Files below ``data/`` as (path, content): the documents of the commands, where they are not too large."""
    for document in perf_documents(facts):
        if document.content is not None:
            yield document.name, document.content


def _overview_page(values: Mapping[str, Any]) -> Page:
    return Page(
        path=Section.PERFORMANCE.value,
        template="performance.html.j2",
        title="Performance",
        section=Section.PERFORMANCE,
        values=values,
        styles=_STYLES,
        scripts=("performance.js",),
    )


def _words(facts: SiteFacts, speed: SpeedFacts, addresses: Mapping[str, str]) -> PerfWords:
    return PerfWords(facts=speed.head, changes=speed.states.found, home=facts.home, shown=addresses)


def _overview_values(facts: SiteFacts, speed: SpeedFacts, watched: Watched) -> dict[str, Any]:
    addresses = watched.addresses()
    words = _words(facts, speed, addresses)
    return {
        "words": words,
        "overview": overview_of(watched, words, addresses),
        "cards": headline(speed, watched),
        "changes": changes_table(speed.states, words, addresses),
        "documents": list(perf_documents(facts)),
        "tests_left_out": watched.tests_left_out,
        "tests": len(watched.tests),
    }


def _test_page(test: SpeedTest, words: PerfWords, pools: list[str], cells: int) -> Page:
    views = test.views[:MOST_METRICS]
    limits = {view.key: limits_of(view) for view in test.views}
    pictures = {view.key: sparkline(view, limits[view.key]) for view in test.views}
    drawn = drawn_points(views, _MOST_POINTS)
    colours = colours_of(pools)
    branch = safe_text(words.facts.default_branch or "the default branch")
    data = chart_data(views, drawn, limits, words.home, pools) | {"colours": colours, "branch": branch}
    return Page(
        path=test.path,
        template="performance_test.html.j2",
        title=test.test,
        section=Section.PERFORMANCE,
        trail=((NAMES[Section.PERFORMANCE], Section.PERFORMANCE.value),),
        values={
            "words": words,
            "test": test,
            "views": views,
            "unfolded": _unfolded(views),
            "drawn": drawn,
            "limits": limits,
            "height": HEIGHT_PX,
            "pools": [pair for pair in zip(pools, colours, strict=True) if pair[0] in _pools_here(test)],
            "pictures": pictures,
            "metrics": metrics_table(test, words, pictures),
            "runners": runners_table(test),
            "values": values_table(test, words, cells),
            "left_out": sum(one.left_out for one in drawn.values()),
            "data": json_block(data),
            "figure": _figure(),
        },
        styles=_STYLES,
        scripts=("perf_points.js", "perf_charts.js", "performance_test.js"),
        charts=True,
    )


def _unfolded(views: Sequence[SeriesView]) -> int:
    """How many of the first metrics stand open: those that changed or are established, and all where they are few."""
    telling = sum(view.is_established or place_of(view) not in QUIET for view in views)
    return len(views) if len(views) - telling <= _FEW else max(telling, 1)


def _pools_here(test: SpeedTest) -> set[str]:
    return {name or "" for view in test.views for name in view.points["pool"].unique()}


@cache
def _figure() -> Markup:
    """The chart without values."""
    return figure_block(figure_series(), "p")
