"""Trends: what is longer, shorter, better or worse than it was, what may be chance, and what too few cannot tell."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agent_frames import a_step, an_agent_history, an_agent_run
from tests.history_frames import a_job
from trackside.agents.group_records import Statistics, Trend
from trackside.agents.statistics import statistics_of


def of_durations(*seconds: float | None) -> Trend:
    """The trend of runs, an hour apart, that took so long."""
    runs = [an_agent_run(number, duration_s=one) for number, one in enumerate(seconds)]
    return statistics_of(an_agent_history(runs)).workflows[0].duration_trend


def of_ends(*ends: str | None) -> Trend:
    """The trend of the success of runs, an hour apart, that ended so."""
    runs = [an_agent_run(number, end) for number, end in enumerate(ends)]
    return statistics_of(an_agent_history(runs)).workflows[0].success_trend


def of_steps(*steps: Sequence[float]) -> Statistics:
    """The statistics of runs whose job has a step for each of these series."""
    runs = [an_agent_run(number) for number in range(len(steps[0]))]
    jobs = [a_job(run, "unit") for run in runs]
    rows = [
        a_step(job, place, f"step {place}", duration_s=series[number])
        for number, job in enumerate(jobs)
        for place, series in enumerate(steps)
    ]
    return statistics_of(an_agent_history(runs, jobs, rows))


def test_what_takes_longer_in_the_later_half_of_the_window_goes_up() -> None:
    told = of_durations(60, 62, 64, 66, 90, 92, 94, 96)

    assert (told.direction, told.before, told.after, told.before_n, told.after_n) == ("up", 63.0, 93.0, 4, 4)
    assert told.p_value == pytest.approx(2 / 70)
    assert told.q_value == told.p_value


def test_what_takes_less_goes_down() -> None:
    assert of_durations(90, 92, 94, 96, 60, 62, 64, 66).direction == "down"


def test_what_may_be_chance_is_flat() -> None:
    told = of_durations(60, 90, 62, 94, 64, 92, 66, 96)

    assert told.direction == "flat"
    assert told.p_value == pytest.approx(34 / 70)


@pytest.mark.parametrize("seconds", [(60, 60, 90, 90), (60, 62, 64, 90, 92), (60,), (60, None, None, 90, 91, 92)])
def test_with_too_few_values_in_a_half_the_direction_is_unknown(seconds: tuple[float | None, ...]) -> None:
    told = of_durations(*seconds)

    assert (told.direction, told.p_value, told.q_value) == ("unknown", None, None)


def test_three_values_a_side_are_tested_and_never_enough_to_tell() -> None:
    assert of_durations(60, 60, 60, 900, 900, 900).direction == "flat"


def test_a_difference_that_is_certain_but_too_small_to_matter_is_flat() -> None:
    told = of_durations(*[600.0] * 30, *[620.0] * 30)

    assert told.p_value is not None
    assert told.p_value < 1e-9
    assert told.direction == "flat"


def test_a_difference_below_a_second_is_that_of_the_clock() -> None:
    assert of_durations(*[1.0] * 30, *[1.5] * 30).direction == "flat"
    assert of_durations(*[1.0] * 30, *[2.0] * 30).direction == "up"


def test_one_wild_value_is_no_trend() -> None:
    assert of_durations(60, 61, 62, 63, 64, 60, 61, 62, 63, 64_000).direction == "flat"


def test_the_halves_are_halves_of_the_window_and_not_of_the_runs_of_a_group() -> None:
    early = [an_agent_run(number, workflow="Gone") for number in range(8)]
    late = [an_agent_run(number) for number in range(40, 48)]

    told = {row.name: row.duration_trend for row in statistics_of(an_agent_history([*early, *late])).workflows}

    assert (told["Gone"].before_n, told["Gone"].after_n, told["Gone"].direction) == (8, 0, "unknown")
    assert (told["PR Test"].before, told["PR Test"].after_n) == (None, 8)


def test_runs_that_succeed_more_often_go_up_and_those_that_fail_more_often_go_down() -> None:
    worse = of_ends(*["success"] * 10, *["failure", "failure", "success"] * 3, "success")
    better = of_ends(*["failure", "failure", "success", "failure", "failure"] * 2, *["success"] * 10)

    assert (worse.direction, worse.before, worse.after, worse.before_n, worse.after_n) == ("down", 1.0, 0.4, 10, 10)
    assert worse.p_value == pytest.approx(0.0108, abs=1e-4)
    assert better.direction == "up"


def test_a_rate_that_may_be_chance_is_flat_and_what_tells_nothing_of_success_does_not_count() -> None:
    told = of_ends("success", "failure", "cancelled", "success", "skipped", "success", "failure", None, "success")

    assert (told.direction, told.before_n, told.after_n) == ("flat", 3, 3)


def test_a_rate_that_differs_by_less_than_five_points_is_flat() -> None:
    ends = [*["failure", *["success"] * 24] * 40, *["success"] * 1000]

    told = of_ends(*ends)

    assert told.p_value is not None
    assert told.p_value < 1e-9
    assert told.direction == "flat"


def test_slow_days_that_come_in_stretches_are_less_to_tell_from_than_as_many_slow_runs() -> None:
    slow = [20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 2, 3, 4, 5, 6]
    mixed = [20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 21, 39, 2, 5, 8, 11, 14]

    in_stretches = of_durations(*(90.0 if number in slow else 60.0 for number in range(40)))
    scattered = of_durations(*(90.0 if number in mixed else 60.0 for number in range(40)))

    assert (in_stretches.p_value or 0.0) > 2 * (scattered.p_value or 0.0) > 0.0


def test_failures_of_one_breakage_are_less_to_tell_from_than_as_many_others() -> None:
    broken = of_ends(*["success"] * 35, *["failure"] * 6, *["success"] * 19)
    scattered = of_ends(*["success"] * 32, *["failure", "success", "success", "success"] * 6, *["success"] * 4)

    assert (broken.before, broken.after) == (scattered.before, scattered.after) == (1.0, 0.8)
    assert scattered.p_value == pytest.approx(0.0237, abs=1e-4)
    assert (broken.p_value or 0.0) > 2 * (scattered.p_value or 0.0)


def test_many_steps_at_once_raise_the_bar() -> None:
    changed = [60.0, 62, 64, 66, 90, 92, 94, 96]
    same = [60.0, 90, 62, 94, 64, 92, 66, 96]

    alone = of_steps(changed).steps[0].duration_trend
    among = next(row for row in of_steps(changed, *[same] * 20).steps if row.step == "step 0").duration_trend

    assert alone.p_value == among.p_value
    assert (alone.direction, among.direction) == ("up", "flat")
    assert among.q_value is not None
    assert among.q_value > 0.05


def test_jobs_and_agents_have_trends_of_their_own() -> None:
    runs = [an_agent_run(number, agent="claude", duration_s=60.0 + 5 * number) for number in range(10)]
    jobs = [a_job(run, "unit", duration_s=100.0 + 10 * number) for number, run in enumerate(runs)]

    told = statistics_of(an_agent_history(runs, jobs))

    assert (told.agents[0].duration_trend.direction, told.jobs[0].duration_trend.direction) == ("up", "up")


def test_runs_whose_start_is_not_told_are_in_no_half() -> None:
    runs = [{**an_agent_run(number), "started_at": None, "created_at": None} for number in range(8)]

    assert statistics_of(an_agent_history(runs)).workflows[0].duration_trend == Trend()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 500), min_size=2, max_size=30), st.integers(1, 400), st.randoms(use_true_random=False))
def test_a_shift_of_all_values_and_the_order_of_rows_change_no_chance(
    seconds: list[int], shift: int, shuffler: random.Random
) -> None:
    told = of_durations(*map(float, seconds))
    runs = [an_agent_run(number, duration_s=float(one + shift)) for number, one in enumerate(seconds)]
    shuffler.shuffle(runs)

    assert statistics_of(an_agent_history(runs)).workflows[0].duration_trend.p_value == told.p_value
