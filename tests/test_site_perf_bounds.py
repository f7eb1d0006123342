"""The pages of performance where there is very much to show, or little is known."""

from __future__ import annotations

import math
import re

import polars as pl
import pytest

from tests.html_pages import Page
from tests.perf_frames import points_of
from tests.perf_sites import a_site, many_tests, perf_files, rows_of
from trackside.site.pages import render
from trackside.site.perf_order import MOST_TESTS
from trackside.site.perf_pages import perf_pages

MEGABYTE = 1_000_000


def test_tests_without_a_page_are_counted_and_their_series_lead_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trackside.site.perf_order.MOST_TESTS", 4)
    made = perf_files(a_site(many_tests(7, 2, points_of([100.0, 101.0, 99.0]))))
    page = made["performance.html"].decode()

    assert sum(name.startswith("performance/") for name in made) == 4
    assert "4 tests have a page, what changed first; 3 others have none: trackside perf report" in Page(page).text
    assert page.count('<li class="tile') == 14
    assert page.count('<a class="test"') == 8


def test_an_overview_of_very_many_series_stays_small_and_says_what_is_left_out() -> None:
    site = a_site(many_tests(MOST_TESTS + 3, 6, points_of([100.0, 101.0, 99.0])))
    page = render(next(iter(perf_pages(site))), site)

    assert "418 more pictures of series that did not change are not here" in Page(page).text
    assert page.count('<li class="tile') == 2_000
    assert len(page) < 5 * MEGABYTE


def test_a_test_of_very_many_values_and_metrics_stays_small_and_says_what_is_left_out() -> None:
    measured = many_tests(1, 80, points_of([100.0 + 0.137 * (at * 7 % 11) for at in range(1_100)]))
    (_, page) = (item for item in perf_files(a_site(measured)).items() if item[0].endswith(".html"))
    html = page[1].decode()
    text = Page(html).text

    assert len(html) < 5 * MEGABYTE
    assert html.count('<section class="series ') == 60
    assert "20 more metrics without a chart: " in text
    assert "Values of the 6 metrics that matter most, the newest first; 74 other metrics in the charts" in text
    assert all(len(row) == 3 + 6 + 7 for row in rows_of(html, "values"))
    assert "6,000 values are not drawn: first those of other branches are thinned" in text
    assert len(rows_of(html, "values")) < 1_000
    assert re.search(r"[\d,]+ more are not here: trackside perf report writes tables with all of them", text)


def test_where_no_value_can_be_drawn_the_page_says_so_and_counts_them() -> None:
    points = points_of([math.nan, math.inf, -math.inf])
    undated = points_of([1.0, 2.0]).with_columns(ordered_at=pl.lit(None, points.schema["ordered_at"]))
    for measured, count in ((many_tests(2, 2, points), "12 values have"), (many_tests(1, 1, undated), "2 values have")):
        made = perf_files(a_site(measured))
        text = Page(made["performance.html"].decode()).text

        assert [name for name in made if name.endswith(".html")] == ["performance.html"]
        assert "No value of this window can be drawn" in text
        assert f"{count} no place in a chart: no finite numbers, or of a run whose time is not known." in text


def test_values_that_cannot_be_drawn_are_counted_beside_those_that_can() -> None:
    page = perf_files(a_site(many_tests(1, 1, points_of([1.0, math.nan, 2.0]))))["performance.html"].decode()

    assert page.count('<li class="tile') == 1
    assert "1 value has no place in a chart: no finite number, or of a run" in Page(page).text


def test_metrics_that_did_not_change_are_folded_where_they_are_many() -> None:
    html = perf_files(a_site(many_tests(1, 12, points_of([100.0, 101.0, 99.0]))))
    few = perf_files(a_site(many_tests(1, 4, points_of([100.0, 101.0, 99.0]))))
    unknown = perf_files(a_site(many_tests(1, 12, points_of([100.0, 101.0, 99.0], is_established=False))))
    folds = [
        [content.decode().count('<details class="fold">') for name, content in made.items() if "performance/" in name]
        for made in (html, few, unknown)
    ]

    assert folds == [[0], [0], [1]]
    (page,) = [content.decode() for name, content in unknown.items() if "performance/" in name]
    assert page.index('<section class="series ') < page.index("11 more metrics without a change")
    assert page.count('<section class="series ') == 12


def test_values_without_commit_runner_or_outcome_are_unknown_not_zero() -> None:
    unknown = ("sha", "run_number", "pool", "runner_name", "run_url", "job_url", "job_outcome", "unit", "better")
    points = points_of([1e59, -1e59, 5.0, 0.0, 1e-300, 4.0])
    nothing = [pl.lit(None, points.schema[name]).alias(name) for name in (*unknown, "title", "author", "branch")]
    measured = many_tests(1, 1, points.with_columns(nothing, test_outcome=pl.lit("unknown"), created_at=None))

    (page,) = [content.decode() for name, content in perf_files(a_site(measured)).items() if "performance/" in name]

    rows = rows_of(page, "values")
    assert sorted(row[3] for row in rows) == sorted([1e59, -1e59, 5.0, 0.0, 1e-300, 4.0])
    assert all(row[1] is None and row[2] == "unknown" and row[4:] == [None] * 4 + ["yes", None, None] for row in rows)
    assert "Runners" not in Page(page).text.split("Values")[0]
