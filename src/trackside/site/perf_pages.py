"""The pages of Performance: every series at a glance, and a page for each test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from markupsafe import Markup

from trackside.report.html_page import figure_block, json_block
from trackside.report.perf_chart_data import chart_data, drawn_points, pools_of
from trackside.report.perf_chart_shape import limits_of
from trackside.report.perf_charts import HEIGHT_PX, figure_series
from trackside.report.perf_pools import MOST_POOLS, colours_of
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
"""Of the tables of values of all pages, about: very many tests list fewer values each."""
_FEW: Final = 4
_STYLES: Final = ("perf_series.css", "performance.css")


def perf_pages(facts: SiteFacts) -> Iterator[Page]:
    """The overview, then a page for each test, what changed first."""
    speed = facts.speed
    if speed is None:
        yield _overview_page({"words": None, "overview": None, "unplaced": 0})
        return
    watched = watched_series(speed)
    if not watched.views:
        yield _overview_page({"words": _words(facts, speed, {}), "overview": None, "unplaced": watched.unplaced})
        return
    yield _overview_page(_overview_values(facts, speed, watched))
    colours = _colours(watched)
    words = _words(facts, speed, watched.addresses(root="../"))
    for test in watched.tests:
        yield _test_page(test, words, colours, _cells_of(len(watched.tests)))


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
        "unplaced": watched.unplaced,
        "tests": len(watched.tests),
    }


def _colours(watched: Watched) -> dict[str, str]:
    """The colour of each pool, the same on all pages: in the order of names, which one more value does not change."""
    order = pools_of(watched.views)
    loud = sorted(order[:MOST_POOLS])
    pools = [*loud, *order[MOST_POOLS:]]
    return dict(zip(pools, colours_of(pools), strict=True))


def _cells_of(tests: int) -> int:
    """How many cells the values of each test may have; the same until there are twice as many tests."""
    return min(_MOST_CELLS, _ALL_CELLS // (1 << (tests - 1).bit_length()))


def _test_page(test: SpeedTest, words: PerfWords, every_colour: Mapping[str, str], cells: int) -> Page:
    views = test.views[:MOST_METRICS]
    limits = {view.key: limits_of(view) for view in test.views}
    pictures = {view.key: sparkline(view, limits[view.key]) for view in test.views}
    drawn = drawn_points(views, _MOST_POINTS)
    here = _pools_here(test)
    pools = [pool for pool in every_colour if pool in here]
    colours = [every_colour[pool] for pool in pools]
    first_at, newest_at = _span(test)
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
            "pools": list(zip(pools, colours, strict=True)),
            "first_at": first_at,
            "newest_at": newest_at,
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
        newest=newest_at,
    )


def _span(test: SpeedTest) -> tuple[dt.datetime | None, dt.datetime | None]:
    """When the runs of the first and the newest value were created."""
    told = [at for view in test.views for at in (view.points["created_at"].min(), view.points["created_at"].max())]
    known = [at for at in told if isinstance(at, dt.datetime)]
    return min(known, default=None), max(known, default=None)


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
