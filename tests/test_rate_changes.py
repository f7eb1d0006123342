"""Changed failure rates: two parts of a window beside each other, over many jobs at once."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.history_frames import a_history, a_job, a_run
from trackside.ci.rate_changes import Change, RateChange, RateChanges, find_rate_changes
from trackside.history.frames import History


def history_of(fails: Callable[[int], bool], runs: int = 80, *others: Callable[[int], bool]) -> History:
    """A run an hour; ``unit`` and further jobs fail in the runs that are told."""
    made, jobs = [], []
    for number in range(runs):
        run = a_run(number)
        made.append(run)
        jobs += [
            a_job(run, name, "failure" if bad(number) else "success")
            for name, bad in zip(
                ("unit", *(f"other {place}" for place in range(len(others)))), (fails, *others), strict=True
            )
        ]
    return a_history(made, jobs)


def of_job(found: RateChanges, name: str = "unit") -> RateChange:
    return next(job for job in found.jobs if job.job == name)


def test_a_job_that_fails_more_often_in_the_last_quarter_rises() -> None:
    job = of_job(find_rate_changes(history_of(lambda number: number in (3, 30) or (number >= 60 and number % 2 == 0))))

    assert job.change is Change.RISE
    assert (job.earlier.failed, job.earlier.results, job.later.failed, job.later.results) == (2, 60, 10, 20)
    assert job.difference == 0.4667
    assert job.q_rise == job.p_rise < 0.001


def test_a_job_that_fails_less_often_falls() -> None:
    job = of_job(find_rate_changes(history_of(lambda number: number < 60 and number % 2 == 0)))

    assert (job.change, job.p_rise) == (Change.FALL, 1.0)


def test_a_job_that_fails_as_often_as_before_has_no_change() -> None:
    assert of_job(find_rate_changes(history_of(lambda number: number % 4 == 0))).change is Change.NONE


def test_many_jobs_at_once_raise_the_bar() -> None:
    def bad(number: int) -> bool:
        return number in (10, 30, 64, 68, 72, 76)

    alone = of_job(find_rate_changes(history_of(bad)))
    among = of_job(find_rate_changes(history_of(bad, 80, *[lambda number: number % 10 == 0] * 60)))

    assert (alone.change, among.change) == (Change.RISE, Change.NONE)
    assert alone.p_rise == among.p_rise < 0.05 < among.q_rise


def test_a_change_that_is_certain_but_small_is_not_told() -> None:
    found = find_rate_changes(history_of(lambda number: number >= 3000 and number % 30 == 0, 4000))

    assert of_job(found).q_rise < 0.05
    assert of_job(found).change is Change.NONE


def test_jobs_with_few_results_are_not_tested_and_counted() -> None:
    found = find_rate_changes(history_of(lambda number: number > 20, 24))

    assert (found.tested, found.untested, found.jobs) == (0, 1, ())


def test_the_later_part_can_be_named() -> None:
    found = find_rate_changes(history_of(lambda number: number >= 70), dt.timedelta(hours=10))

    assert (of_job(found).earlier.results, of_job(found).later.results) == (70, 10)


def test_the_first_decided_attempt_counts_and_not_the_re_run() -> None:
    runs, jobs = [], []
    for number in range(40):
        first, second = a_run(number), a_run(number, run_attempt=2)
        runs += [first, second]
        jobs += [a_job(first, "unit", "failure" if number >= 30 else "cancelled"), a_job(second, "unit", "success")]

    job = of_job(find_rate_changes(a_history(runs, jobs)))

    assert (job.earlier.failed, job.earlier.results, job.later.failed, job.later.results) == (0, 30, 10, 10)


def test_the_pushes_of_one_pull_request_count_once_a_part() -> None:
    runs = [a_run(number, branch="main" if number < 60 else "feature") for number in range(80)]
    jobs = [a_job(run, "unit", "failure" if run["run_number"] >= 60 else "success") for run in runs]

    found = find_rate_changes(a_history(runs, jobs))

    assert (found.tested, found.untested) == (0, 1)


def test_what_is_undecided_is_no_result() -> None:
    runs = [a_run(number) for number in range(80)]
    jobs = [a_job(run, "unit", "skipped" if run["run_number"] % 2 else "success") for run in runs]

    assert of_job(find_rate_changes(a_history(runs, jobs))).earlier.results == 30


def test_nothing_is_nothing() -> None:
    found = find_rate_changes(a_history([]))

    assert (found.jobs, found.tested, found.untested, found.split_at) == ((), 0, 0, None)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.booleans(), min_size=40, max_size=60), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(fails: list[bool], shuffler: random.Random) -> None:
    runs = [a_run(number) for number in range(len(fails))]
    jobs = [a_job(run, "unit", "failure" if bad else "success") for run, bad in zip(runs, fails, strict=True)]
    expected = find_rate_changes(a_history(runs, jobs))
    shuffler.shuffle(jobs)

    assert find_rate_changes(a_history(runs, jobs)) == expected


@pytest.mark.parametrize("seed", range(5))
def test_jobs_whose_rate_stays_are_left_alone(seed: int) -> None:
    rng = random.Random(f"rates {seed}")
    draws = {(place, number): rng.random() < 0.1 for place in range(40) for number in range(80)}
    jobs = [lambda number, place=place: draws[place, number] for place in range(40)]

    found = find_rate_changes(history_of(jobs[0], 80, *jobs[1:]))

    assert found.tested == 40
    assert len(found.of(Change.RISE)) <= 1
