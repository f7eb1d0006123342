"""What is drawn of a series: the reach of its axis, its gaps, its small picture, and its figures."""

from __future__ import annotations

import re
from typing import Any

import polars as pl
import pytest

from tests.html_pages import Page
from tests.perf_frames import points_of
from tests.perf_pages import FACTS, a_busy_repository
from trackside.report.perf_chart_shape import gaps_of, limits_of
from trackside.report.perf_page import perf_page
from trackside.report.perf_series import SeriesView, series_key, series_views
from trackside.report.perf_sparklines import sparkline
from trackside.report.perf_text import level_text, percent_text


def view_of(values: list[float], **told: Any) -> SeriesView:
    (view,) = series_views(points_of(values, **told))
    return view


def test_steady_values_are_not_magnified() -> None:
    limits = limits_of(view_of([100.0, 100.1, 99.9] * 5))

    assert limits.high - limits.low == pytest.approx(6.0, rel=0.01)
    assert limits.outside == 0


def test_the_axis_begins_at_zero_only_where_values_reach_down() -> None:
    assert limits_of(view_of([20.0, 60.0, 100.0] * 5)).low == 0.0
    assert limits_of(view_of([90.0, 95.0, 100.0] * 5)).low > 80.0
    assert limits_of(view_of([0.0] * 5)).low == 0.0
    assert limits_of(view_of([-3.0, -1.0, -2.0] * 3)).low < -3.0


def test_a_far_spike_does_not_hide_the_rest_and_is_counted() -> None:
    limits = limits_of(view_of([100.0, 101.0, 99.0] * 10 + [900.0]))

    assert limits.high < 110
    assert limits.outside == 1


def test_every_value_is_in_sight_where_there_is_no_spike() -> None:
    for values in ([1.0], [5.0, 5.0], [1e-9, 2e-9, 3e-9], [1e15, 2e15]):
        limits = limits_of(view_of(values))
        assert limits.low <= min(values) < max(values) + 1e-12 <= limits.high + 1e-12
        assert limits.outside == 0


def test_a_long_silence_is_a_gap_and_a_night_is_none() -> None:
    points = points_of([100.0] * 12)
    late = pl.col("ordered_at") + pl.when(pl.col("run_number") >= 6).then(pl.duration(days=5)).otherwise(pl.duration())
    (view,) = series_views(points.with_columns(ordered_at=late))

    assert gaps_of(view) == [6]
    assert gaps_of(series_views(points)[0]) == []


def test_a_series_keeps_its_address() -> None:
    assert series_key("PR Test: job / test / metric") == series_key("PR Test: job / test / metric")
    assert series_key("a") != series_key("b")
    assert re.fullmatch("s[0-9a-f]{10}", series_key("\ud800"))


def test_a_small_picture_breaks_its_line_at_a_gap_and_marks_the_change() -> None:
    busy = a_busy_repository(jobs=1, runs=90, metrics=1, tests=1)
    view = series_views(busy.points, busy.changes)[0]

    drawn = sparkline(view, limits_of(view))

    assert drawn.count('class="change"') == 1
    values = re.search(r'class="values" d="([^"]+)"', drawn)
    assert values is not None
    assert values[1].count("M") == 2


def test_a_small_picture_without_the_default_branch_is_dots() -> None:
    points = points_of([100.0, 101.0, 102.0]).with_columns(is_default_line=pl.lit(value=False))
    (view,) = series_views(points)
    page = Page(perf_page(points, FACTS)).text

    assert sparkline(view, limits_of(view)).count("h0") == 3
    assert "3 values, none on main" in page


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0.0, "0"),
        (153.0821, "153.1"),
        (10_240.4, "10,240"),
        (6.3149, "6.315"),
        (0.91234, "0.9123"),
        (0.000012, "1.2e-05"),
        (-2.5, "-2.500"),
        (9.99999, "10.000"),
        (float("nan"), "–"),
        (3e15, "3e+15"),
    ],
)
def test_levels_are_shown_with_four_figures(value: float | None, shown: str) -> None:
    assert level_text(value) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [(None, "–"), (-0.0312, "−3.1 %"), (0.005, "+0.50 %"), (1.5, "+150 %"), (0.0, "+0.00 %")],
)
def test_changes_are_shown_with_their_sign(share: float | None, shown: str) -> None:
    assert percent_text(share) == shown
