"""The points of performance series: which series a value belongs to, and where it stands in the order of commits."""

from __future__ import annotations

import datetime as dt
import math

import pytest

from tests.history_frames import HOUR, a_history, a_job, a_run
from tests.perf_frames import JOB, a_measurements, a_value, points_of
from trackside.perf.points import POINT_COLUMNS, final_points, points_frame, searched_points
from trackside.records.perf_rules import PerfRules, SeriesAlias


def test_a_value_has_its_run_commit_runner_and_links() -> None:
    run = a_run(1, pull_number=12, pull_url="https://github.com/octo/engine/pull/12")
    job = a_job(run, JOB, "failure", runner_name="h100-7", pool="1-gpu-h100")
    points = points_frame(a_history([run], [job]), a_measurements([a_value(job, 153.08)]), PerfRules())
    assert points.schema == POINT_COLUMNS
    [point] = points.to_dicts()
    assert point["series"] == f"PR Test: {JOB} / test_bs1_default / output_throughput_token_s"
    assert (point["value"], point["runner_name"], point["pool"]) == (153.08, "h100-7", "1-gpu-h100")
    assert (point["pull_number"], point["pull_url"]) == (12, "https://github.com/octo/engine/pull/12")
    assert (point["job_outcome"], point["job_url"], point["sha"]) == ("failed", job["url"], run["sha"])


def test_a_late_run_of_an_old_commit_stands_where_the_commit_does() -> None:
    runs = [a_run(1, commit="a"), a_run(2, commit="b"), a_run(3, commit="a")]
    jobs = [a_job(run, JOB) for run in runs]
    values = [a_value(job, float(number)) for number, job in enumerate(jobs, 1)]
    points = points_frame(a_history(runs, jobs), a_measurements(values), PerfRules())
    assert points["value"].to_list() == [1.0, 3.0, 2.0]


def test_a_run_of_another_workflow_tells_when_a_commit_came() -> None:
    lint = a_run(0, commit="b", workflow="Lint", created_at=a_run(1)["created_at"] - dt.timedelta(minutes=1))
    runs = [a_run(1, commit="a"), a_run(2, commit="b")]
    jobs = [a_job(run, JOB) for run in runs]
    values = [a_value(job, float(number)) for number, job in enumerate(jobs, 1)]
    points = points_frame(a_history([lint, *runs], jobs), a_measurements(values), PerfRules())
    assert points["value"].to_list() == [2.0, 1.0]


def test_only_final_tries_on_the_default_branch_are_searched() -> None:
    runs = [a_run(1), a_run(2, branch="alice/change")]
    jobs = [a_job(run, JOB) for run in runs]
    values = [
        a_value(jobs[0], 1.0, is_final=False),
        a_value(jobs[0], 2.0, try_number=2),
        a_value(jobs[1], 3.0),
    ]
    points = points_frame(a_history(runs, jobs), a_measurements(values), PerfRules())
    assert final_points(points)["value"].to_list() == [2.0, 3.0]
    assert searched_points(points)["value"].to_list() == [2.0]


def test_shards_are_one_series_where_each_run_measures_in_one_of_them() -> None:
    runs = [a_run(1), a_run(2)]
    jobs = [a_job(runs[0], "base-b (0)"), a_job(runs[1], "base-b (3)")]
    points = points_frame(a_history(runs, jobs), a_measurements([a_value(job, 1.0) for job in jobs]), PerfRules())
    assert points["job"].to_list() == ["base-b", "base-b"]


def test_shards_that_measure_the_same_test_are_series_of_their_own() -> None:
    runs = [a_run(1), a_run(2)]
    jobs = [a_job(run, f"perf ({shard})") for run in runs for shard in (0, 1)]
    points = points_frame(a_history(runs, jobs), a_measurements([a_value(job, 1.0) for job in jobs]), PerfRules())
    assert points["job"].to_list() == ["perf (0)", "perf (0)", "perf (1)", "perf (1)"]


def test_renames_join_the_old_name_to_the_new() -> None:
    rules = PerfRules(aliases=(SeriesAlias(old="test_bs1_default", new="test_bs1"),))
    points = points_of([1.0, 2.0], rules=rules)
    assert points["test"].unique().to_list() == ["test_bs1"]


def test_points_are_an_hour_apart() -> None:
    points = points_of([1.0, 2.0, 3.0])
    assert points["ordered_at"].diff().drop_nulls().to_list() == [HOUR, HOUR]


def test_nothing_measured_is_a_frame_without_a_row() -> None:
    assert points_of([]).schema == POINT_COLUMNS


def test_a_value_beyond_what_sums_can_hold_is_no_number() -> None:
    values = points_of([1.0, 1e308, -1e308, math.inf, math.nan, -2.5, 1e59])["value"].to_list()
    assert [None if math.isnan(value) else value for value in values] == [1.0, None, None, None, None, -2.5, 1e59]


def test_a_name_that_was_renamed_twice_is_called_as_it_is_now() -> None:
    rules = PerfRules(aliases=(SeriesAlias("test_a", "test_b"), SeriesAlias("test_b", "test_c")))
    assert set(points_of([1.0], test="test_a", rules=rules)["test"]) == {"test_c"}
    assert set(points_of([1.0], test="test_b", rules=rules)["test"]) == {"test_c"}


@pytest.mark.parametrize(
    ("aliases", "message"),
    [
        ([("a", "b"), ("b", "a")], "in a circle"),
        ([("a", "b"), ("b", "c"), ("c", "b")], "in a circle"),
        ([("a", "b"), ("a", "c")], "rename the test 'a' to 'b' and to 'c'"),
        ([("a", "a")], "renamed to itself"),
        ([("", "a")], "empty"),
        ([("a", " ")], "empty"),
    ],
)
def test_aliases_that_lead_nowhere_are_refused(aliases: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PerfRules(aliases=tuple(SeriesAlias(old, new) for old, new in aliases))
