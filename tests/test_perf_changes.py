"""Changes of level: dated to the commit, with what can have done it, and only in what the default branch measured."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.fake_github.plans import sha_of
from tests.history_frames import HOUR, START, a_history, a_job, a_run
from tests.perf_frames import JOB, a_measurements, a_value
from trackside.history.frames import History
from trackside.perf.change_records import LEVEL_COLUMNS, Change, Changes, Machines, Search, Verdict
from trackside.perf.changes import LEAST_POINTS, find_changes
from trackside.perf.level_changes import CONFIRMED_BY, CONFIRMED_Q
from trackside.perf.points import points_frame
from trackside.records.perf_rules import ChangeState, PerfRules

NOISE = np.random.default_rng(7).normal(0.0, 1.0, 200).round(3)


def steady(count: int, level: float = 150.0, first: int = 0, noise: float = 1.0) -> list[float]:
    """So many values about a level, with the same noise each time."""
    return [level + noise * value for value in NOISE[first : first + count].tolist()]


def found(*parts: Sequence[float], runners: Sequence[str] | None = None, **told: Any) -> Changes:
    """The changes in one series of runs on main; ``told`` are columns of its values."""
    values = [value for part in parts for value in part]
    history, measured = a_line(values, runners, **told)
    return find_changes(history, points_frame(history, measured, PerfRules()))


def a_line(values: Sequence[float], runners: Sequence[str] | None = None, **told: Any) -> tuple[History, pl.DataFrame]:
    runs = [a_run(number) for number in range(len(values))]
    names = runners or ["gpu-1"] * len(values)
    jobs = [a_job(run, JOB, runner_name=name) for run, name in zip(runs, names, strict=True)]
    rows = [a_value(job, value, **told) for job, value in zip(jobs, values, strict=True)]
    return a_history(runs, jobs), a_measurements(rows)


def only(changes: Changes) -> Change:
    [change] = changes.changes
    return change


def test_a_drop_of_three_percent_is_dated_to_its_commit_and_told_in_every_unit() -> None:
    change = only(found(steady(40), steady(20, 145.5, 40)))
    assert (change.at.sha, change.last_good.run_number, change.first_bad.run_number) == (sha_of("commit 40"), 39, 40)
    assert (change.verdict, change.direction.value) == (Verdict.REGRESSION, "down")
    assert change.percent == pytest.approx(-3.0, abs=0.5)
    assert change.noise == pytest.approx(1.0, abs=0.3)
    assert change.noises == pytest.approx((change.after - change.before) / change.noise)
    assert change.q < 0.001
    assert (change.points_before, change.points_after, change.later) == (40, 20, 19)
    assert change.state is ChangeState.CONFIRMED


def test_the_same_drop_of_a_latency_is_an_improvement() -> None:
    change = only(found(steady(40), steady(20, 145.5, 40), better="lower"))
    assert (change.verdict, change.state) == (Verdict.IMPROVEMENT, ChangeState.CONFIRMED)


def test_a_flat_series_has_no_change_and_its_level_is_told() -> None:
    changes = found(steady(60))
    assert changes.changes == ()
    [series] = changes.series
    assert (series.search, series.points, series.is_drifting) == (Search.SEARCHED, 60, False)
    assert series.level == pytest.approx(150.0, abs=0.5)
    assert changes.levels.schema == LEVEL_COLUMNS
    assert changes.levels["level"].n_unique() == 1


def test_a_change_is_new_until_five_later_runs_bear_it_out() -> None:
    states = {count: only(found(steady(40), steady(count, 140.0, 40))).state for count in (4, 5, 6, 7)}
    assert states == {
        4: ChangeState.NEW,
        5: ChangeState.NEW,
        6: ChangeState.CONFIRMED,
        7: ChangeState.CONFIRMED,
    }


def test_a_drop_that_a_later_change_makes_good_is_fixed() -> None:
    changes = found(steady(30), steady(15, 140.0, 30), steady(15, 150.2, 45))
    drop, rise = changes.changes
    assert (drop.state, drop.later) == (ChangeState.FIXED, 14)
    assert drop.fixed_by is not None
    assert drop.fixed_by.run_number == 45
    assert (rise.verdict, rise.state) == (Verdict.IMPROVEMENT, ChangeState.CONFIRMED)


def test_a_drop_that_is_made_good_in_part_is_not_fixed() -> None:
    drop, rise = found(steady(30), steady(20, 135.0, 30), steady(20, 142.0, 50)).changes
    assert (drop.state, drop.fixed_by) == (ChangeState.CONFIRMED, None)
    assert rise.verdict is Verdict.IMPROVEMENT


def test_an_improvement_that_is_lost_again_is_a_regression() -> None:
    drop, rise = found(steady(30), steady(20, 160.0, 30), steady(20, 150.0, 50)).changes
    assert (drop.verdict, drop.at.run_number, drop.state) == (Verdict.REGRESSION, 50, ChangeState.CONFIRMED)
    assert (rise.verdict, rise.state) == (Verdict.IMPROVEMENT, ChangeState.CONFIRMED)


def test_values_of_failed_tests_are_in_the_series() -> None:
    runs = [a_run(number, "failure" if number >= 30 else "success") for number in range(40)]
    jobs = [a_job(run, JOB, run["conclusion"]) for run in runs]
    values = [*steady(30), *steady(10, 140.0, 30)]
    ends = ["failed" if number >= 30 else "passed" for number in range(40)]
    rows = [a_value(job, value, test_outcome=end) for job, value, end in zip(jobs, values, ends, strict=True)]
    history = a_history(runs, jobs)
    change = only(find_changes(history, points_frame(history, a_measurements(rows), PerfRules())))
    assert change.at.run_number == 30


def test_points_of_pull_requests_never_count() -> None:
    runs = [a_run(number, branch="main" if number < 40 else "alice/change") for number in range(60)]
    jobs = [a_job(run, JOB) for run in runs]
    values = [*steady(40), *steady(20, 120.0, 40)]
    history = a_history(runs, jobs)
    rows = a_measurements([a_value(job, value) for job, value in zip(jobs, values, strict=True)])
    changes = find_changes(history, points_frame(history, rows, PerfRules()))
    assert changes.changes == ()
    assert [(one.points, one.all_points) for one in changes.series] == [(40, 60)]


def test_a_late_run_of_an_old_commit_stands_where_the_commit_does() -> None:
    runs = [a_run(number) for number in range(40)] + [a_run(40, commit="commit 10")]
    jobs = [a_job(run, JOB) for run in runs]
    values = [*steady(20), *steady(20, 140.0, 20), 150.0]
    history = a_history(runs, jobs)
    rows = a_measurements([a_value(job, value) for job, value in zip(jobs, values, strict=True)])
    change = only(find_changes(history, points_frame(history, rows, PerfRules())))
    assert (change.at.run_number, change.points_before, change.points_after) == (20, 21, 20)


def test_commits_between_come_from_the_runs_of_every_workflow_with_their_pull_requests() -> None:
    values = [*steady(40), *steady(20, 140.0, 40)]
    history, measured = a_line(values)
    at = START + 40 * HOUR
    url = "https://github.com/octo/engine/pull/77"
    lint = a_run(100, commit="in between", workflow="Lint", created_at=at - HOUR / 2, pull_number=77, pull_url=url)
    nightly = a_run(
        101, workflow="Nightly", commit="commit 40", created_at=at + HOUR / 3, event="schedule", title="Nightly"
    )
    history = a_history([*history.runs.to_dicts(), lint, nightly], history.jobs.to_dicts())
    change = only(find_changes(history, points_frame(history, measured, PerfRules())))
    suspects = change.suspects
    assert [(one.sha, one.pull_number, one.title) for one in suspects.commits] == [
        (sha_of("in between"), 77, "Change 100"),
        (sha_of("commit 40"), None, "Change 40"),
    ]
    assert suspects.likely == tuple(one.sha for one in suspects.commits)
    good, bad = sha_of("commit 39"), sha_of("commit 40")
    assert suspects.compare_url == f"https://github.com/octo/engine/compare/{good}...{bad}"


def test_a_change_between_runs_of_one_commit_is_no_commits_doing() -> None:
    runs = [a_run(number, commit="the same" if number >= 20 else f"commit {number}") for number in range(60)]
    jobs = [a_job(run, JOB) for run in runs]
    values = [*steady(40), *steady(20, 120.0, 40)]
    history = a_history(runs, jobs)
    rows = a_measurements([a_value(job, value) for job, value in zip(jobs, values, strict=True)])
    change = only(find_changes(history, points_frame(history, rows, PerfRules())))
    assert change.suspects.same_commit
    assert (change.suspects.compare_url, change.suspects.commits) == (None, ())


def test_every_runner_that_shows_the_change_is_told() -> None:
    change = only(found(steady(40), steady(20, 140.0, 40), runners=["gpu-1", "gpu-2"] * 30))
    assert change.runners.machines is Machines.ALL
    assert [(one.name, one.values_before, one.values_after, one.moved) for one in change.runners.runners] == [
        ("gpu-1", 20, 10, True),
        ("gpu-2", 20, 10, True),
    ]


def test_one_runner_alone_is_told_as_that() -> None:
    assert only(found(steady(40), steady(20, 140.0, 40))).runners.machines is Machines.ONE


def test_a_machine_that_is_slower_is_no_change() -> None:
    names = ["gpu-1", "gpu-2"] * 30
    values = [value - (3.0 if name == "gpu-2" else 0.0) for value, name in zip(steady(60), names, strict=True)]
    assert found(values, runners=names).changes == ()


def test_a_level_that_moves_as_a_new_machine_comes_cannot_be_told_from_the_machine() -> None:
    changes = found(steady(40), steady(20, 140.0, 40), runners=["gpu-1"] * 40 + ["gpu-2"] * 20)
    assert changes.changes == ()
    [moved] = changes.confounded
    assert (moved.at.run_number, moved.runners.machines) == (40, Machines.NEW)
    assert changes.alarming == ()


def test_jobs_that_have_a_runner_each_are_judged_by_their_pool() -> None:
    change = only(found(steady(40), steady(20, 140.0, 40), runners=[f"arc-{number}" for number in range(60)]))
    assert (change.runners.by, change.runners.machines) == ("pool", Machines.ONE)


def test_runners_that_are_not_told_are_unknown() -> None:
    values = [*steady(40), *steady(20, 140.0, 40)]
    runs = [a_run(number) for number in range(60)]
    jobs = [a_job(run, JOB, runner_name=None, pool=None) for run in runs]
    history = a_history(runs, jobs)
    rows = a_measurements([a_value(job, value) for job, value in zip(jobs, values, strict=True)])
    change = only(find_changes(history, points_frame(history, rows, PerfRules())))
    assert change.runners.machines is Machines.UNKNOWN


def several(*plans: tuple[str, int, float]) -> Changes:
    """Series of 60 runs, each (test, the run from which on it is lower, by how much)."""
    runs = [a_run(number) for number in range(60)]
    jobs = [a_job(run, JOB) for run in runs]
    rows = []
    for shift, (test, at, by) in enumerate(plans):
        values = [*steady(at, 150.0, 17 * shift), *steady(60 - at, 150.0 - by, 17 * shift + at)]
        rows += [a_value(job, value, test=test) for job, value in zip(jobs, values, strict=True)]
    history = a_history(runs, jobs)
    return find_changes(history, points_frame(history, a_measurements(rows), PerfRules()))


def test_series_that_moved_at_the_same_commit_are_told_together_and_others_are_not() -> None:
    changes = several(("test_a", 30, 8.0), ("test_b", 30, 12.0), ("test_c", 45, 10.0))
    together = {one.test: {other.test for other in changes.changes if other.change_id in one.moved_with}
                for one in changes.changes}  # fmt: skip
    assert together == {"test_a": {"test_b"}, "test_b": {"test_a"}, "test_c": set()}


def test_a_change_that_is_not_sure_yet_beside_many_others_is_new_however_many_runs_follow() -> None:
    flat = [(f"test_{name}", 59, 0.0) for name in "bcdef"]
    weak = only(several(("test_a", 40, 1.6), *flat))
    assert weak.later > CONFIRMED_BY
    assert weak.q > CONFIRMED_Q
    assert weak.state is ChangeState.NEW
    strong = only(several(("test_a", 40, 4.0), *flat))
    assert strong.q < CONFIRMED_Q
    assert strong.state is ChangeState.CONFIRMED


def test_the_gravest_come_first() -> None:
    changes = several(("test_a", 30, 8.0), ("test_b", 30, -20.0), ("test_c", 45, 12.0), ("test_d", 57, 30.0))
    assert [one.test for one in changes.changes] == ["test_c", "test_a", "test_d", "test_b"]


def test_a_series_with_too_few_points_says_so() -> None:
    changes = found(steady(LEAST_POINTS - 1))
    assert [(one.search, one.points) for one in changes.series] == [(Search.FEW_POINTS, LEAST_POINTS - 1)]
    assert changes.least_points == LEAST_POINTS


def test_a_number_that_is_neither_good_nor_bad_is_a_series_and_is_not_searched() -> None:
    changes = found(steady(30), steady(30, 100.0, 30), better="neither")
    assert changes.changes == ()
    assert [(one.search, one.level) for one in changes.series] == [(Search.NO_DIRECTION, None)]


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), float("-inf")])
def test_values_that_are_no_number_are_left_out(odd: float) -> None:
    change = only(found(steady(40), [odd], steady(20, 140.0, 40), [odd]))
    assert (change.at.run_number, change.points_after) == (41, 20)


def test_huge_equal_and_tiny_values_do_no_harm() -> None:
    assert found([1e59] * 20, [1e-300] * 20).series[0].points == 40
    assert found([0.0] * 40).changes == ()
    zero = found([0.0, 0.1, -0.1] * 10, [5.0, 5.1, 4.9] * 10)
    assert [one.at.run_number for one in zero.changes] == [30]


def test_no_point_is_no_change() -> None:
    changes = found([])
    assert (changes.changes, changes.series, changes.levels.height) == ((), (), 0)


def test_the_order_of_rows_does_not_matter() -> None:
    history, measured = a_line([*steady(40), *steady(20, 140.0, 40)])
    shuffled = measured.sample(fraction=1.0, shuffle=True, seed=3)
    first, second = (find_changes(history, points_frame(history, one, PerfRules())) for one in (measured, shuffled))
    assert first.changes == second.changes


def test_a_change_of_the_first_seen_days_has_times_in_utc() -> None:
    change = only(found(steady(40), steady(20, 140.0, 40)))
    assert change.at.ordered_at == START + 40 * HOUR
    assert change.at.ordered_at.tzinfo is not None
    assert change.at.ordered_at.utcoffset() == dt.timedelta(0)
