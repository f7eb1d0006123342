"""Charts as PNG: real pictures of the right size, with what they should show, whatever is drawn."""

from __future__ import annotations

import datetime as dt
import io
import random
import warnings
from typing import Any

import numpy as np
import polars as pl
import pytest
from matplotlib.image import imread

from tests.history_frames import START, a_history, a_job, a_run
from tests.perf_frames import JOB, METRIC, a_measurements, a_value, points_of
from trackside.history.frames import History
from trackside.perf.changes import find_changes
from trackside.perf.points import points_frame
from trackside.records.perf_rules import PerfRules
from trackside.report.perf_chart_data import pools_of
from trackside.report.perf_pngs import quiet_matplotlib, series_png
from trackside.report.perf_pools import looks_of
from trackside.report.perf_series import series_views

RED, ORANGE, INK = (192, 41, 59), (224, 134, 26), (27, 33, 41)
Picture = Any


def draw(points: pl.DataFrame, history: History | None = None) -> bytes | None:
    """The PNG of the only series."""
    [view] = series_views(points, None if history is None else find_changes(history, points))
    with quiet_matplotlib():
        return series_png(view, pools_of([view]))


def picture(png: bytes | None) -> Picture:
    """The pixels, as rows of (red, green, blue) from 0 to 255."""
    assert png is not None
    return (imread(io.BytesIO(png), format="png")[:, :, :3] * 255).round().astype(int)


def count_of(pixels: Picture, colour: tuple[int, int, int]) -> int:
    return int((np.abs(pixels - np.array(colour)).max(axis=2) <= 2).sum())


def a_step(**told: Any) -> tuple[History, pl.DataFrame]:
    """Forty runs on main with a drop of 5 % in the middle; columns of the jobs are as told."""
    rng = random.Random(3)
    runs = [a_run(number) for number in range(40)]
    jobs = [a_job(run, JOB, **told) for run in runs]
    values = [a_value(job, (100.0 if number < 20 else 95.0) + rng.gauss(0, 0.3)) for number, job in enumerate(jobs)]
    history = a_history(runs, jobs)
    return history, points_frame(history, a_measurements(values), PerfRules())


def test_a_chart_is_a_picture_of_a_size_that_fits_a_screen() -> None:
    pixels = picture(draw(points_of([153.0, 151.0, 152.0])))
    assert pixels.shape == (720, 1440, 3)
    assert 0.8 < (pixels == 255).all(axis=2).mean() < 0.999


def test_from_two_points_on_there_is_a_chart() -> None:
    assert draw(points_of([1.0])) is None
    assert draw(points_of([1.0, 2.0])) is not None


def test_what_is_not_a_number_and_earlier_tries_are_no_points_of_it() -> None:
    assert draw(points_of([1.0, float("nan"), float("inf")])) is None
    points = points_of([1.0, 2.0, 3.0]).with_columns(is_final=pl.Series([True, False, False]))
    assert draw(points) is None


def test_the_same_series_is_the_same_picture() -> None:
    points = points_of([1.0, 2.0, 3.0])
    assert draw(points) == draw(points)


def test_a_change_is_drawn_with_the_level() -> None:
    history, points = a_step()
    plain, told = picture(draw(points)), picture(draw(points, history))
    assert count_of(plain, RED) == 0
    assert count_of(told, RED) > 10
    assert count_of(told, INK) > count_of(plain, INK) + 1000


def test_failed_tests_and_failed_jobs_are_crossed_out() -> None:
    def pixels(job: str, test: str) -> Picture:
        runs = [a_run(number) for number in range(3)]
        jobs = [a_job(run, JOB, job) for run in runs]
        values = [a_value(one, 1.0, test_outcome=test) for one in jobs]
        return picture(draw(points_frame(a_history(runs, jobs), a_measurements(values), PerfRules())))

    passed, of_test, of_job = pixels("success", "passed"), pixels("failure", "failed"), pixels("failure", "passed")
    assert [count_of(one, RED) > 0 for one in (passed, of_test, of_job)] == [False, True, False]
    assert [count_of(one, ORANGE) > 0 for one in (passed, of_test, of_job)] == [False, False, True]


def test_pull_requests_are_drawn_apart() -> None:
    main = points_of([1.0, 2.0, 3.0])
    pulls = main.with_columns(is_default_line=False)
    blue = (59, 130, 196)
    assert count_of(picture(draw(main)), blue) > count_of(picture(draw(pulls)), blue)


@pytest.mark.parametrize(
    "values",
    [
        [0.0, 0.0, 0.0], [1e-300, 2e-300], [1e60, -1e60], [5.0, 5.0], [-1.0, -2.0],
        [100.0] * 30 + [1e6], [0.0, 1e-12], [1e15, 1e15 + 1], [5e-324, 0.0],
    ],
)  # fmt: skip
def test_whatever_the_values_are_there_is_a_chart(values: list[float]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert picture(draw(points_of(values))).shape[:2] == (720, 1440)


@pytest.mark.parametrize("name", ["$x$", "$\\frac{", "_hidden", "漢字", "\x1b[31m", "a\nb", "x" * 3000, "%s {0}"])
def test_whatever_names_are_there_is_a_chart(name: str, recwarn: pytest.WarningsRecorder) -> None:
    _, points = a_step(pool=name, runner_name=name)
    points = points.with_columns(test=pl.lit(name), unit=pl.lit(name), metric=pl.lit(name), workflow=pl.lit(name))
    assert picture(draw(points)).shape[:2] == (720, 1440)
    assert [str(one.message) for one in recwarn] == []


def test_runs_of_one_moment_and_runs_of_years_have_a_chart() -> None:
    points = points_of([1.0, 2.0, 3.0])
    assert draw(points.with_columns(ordered_at=pl.lit(START, points.schema["ordered_at"]))) is not None
    years = pl.Series([START, START + dt.timedelta(days=900), START + dt.timedelta(days=9000)])
    assert draw(points.with_columns(ordered_at=years.cast(points.schema["ordered_at"]))) is not None


def test_the_settings_of_a_user_change_nothing() -> None:
    import matplotlib

    points = points_of([1.0, 2.0])
    usual = draw(points)
    with matplotlib.rc_context({"figure.dpi": 20, "axes.facecolor": "black", "text.usetex": True}):
        assert draw(points) == usual


def test_few_machines_have_a_marker_each_and_many_share_one() -> None:
    few = points_of([1.0, 2.0, 3.0], runners=["a", "b", "a"])
    assert [(look.label, look.marker) for look in looks_of(few, ["1-gpu-runner"])] == [("a", "o"), ("b", "s")]
    many = points_of([1.0] * 9, runners=[f"machine-{number}" for number in range(9)])
    assert [look.label for look in looks_of(many, ["1-gpu-runner"])] == ["1-gpu-runner"]


def test_every_point_has_one_look_and_a_pool_has_one_colour_in_all_charts() -> None:
    pools = [f"pool-{number:02}" for number in range(12)]
    points = points_of([1.0] * 14).with_columns(pool=pl.Series([*pools, None, None]))
    looks = looks_of(points, [*pools, ""])
    assert sum(look.points(points).height for look in looks) == points.height
    assert [look.label for look in looks][-1] == "5 more pools"
    [alone] = looks_of(points.filter(pool="pool-03"), [*pools, ""])
    assert alone.colour == next(look.colour for look in looks if look.label == "pool-03")


def test_the_metric_and_the_test_stand_in_the_file() -> None:
    png = draw(points_of([1.0, 2.0]))
    assert png is not None
    assert f"test_bs1_default {METRIC}".encode() in png
