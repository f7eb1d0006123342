"""Runner minutes and what was lost of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.history_frames import a_history, a_job, a_run
from trackside.ci.minutes import runner_minutes

RUN = a_run(0)
OTHER = a_run(1, workflow="Nightly")


def test_minutes_are_told_by_outcome_and_what_was_lost() -> None:
    jobs = [
        a_job(RUN, "unit (0)", duration_s=600.0),
        a_job(RUN, "unit (1)", "failure", duration_s=300.0),
        a_job(RUN, "unit (2)", "cancelled", duration_s=120.0),
        a_job(RUN, "lint", "timed_out", duration_s=60.0, job_id=7),
        a_job(OTHER, "unit (0)", "new conclusion", duration_s=120.0),
    ]

    minutes = runner_minutes(a_history([RUN, OTHER], jobs), flaky={7, 8})

    total = minutes.total
    assert (total.total_min, total.passed_min, total.failed_min, total.cancelled_min) == (20.0, 10.0, 5.0, 2.0)
    assert (total.flaky_min, total.other_min, total.lost_min, total.lost_share) == (1.0, 2.0, 8.0, 0.4)
    assert [(one.workflow, one.minutes.total_min) for one in minutes.workflows] == [("PR Test", 18.0), ("Nightly", 2.0)]
    assert [(one.workflow, one.job, one.minutes.total_min) for one in minutes.jobs] == [
        ("PR Test", "unit", 17.0),
        ("Nightly", "unit", 2.0),
        ("PR Test", "lint", 1.0),
    ]


def test_without_a_look_for_flakes_they_are_failures() -> None:
    minutes = runner_minutes(a_history([RUN], [a_job(RUN, "unit", "failure", duration_s=300.0)]))

    assert (minutes.flakes_known, minutes.total.failed_min, minutes.total.flaky_min) == (False, 5.0, 0.0)


def test_a_flake_that_passed_costs_nothing_that_was_lost() -> None:
    job = a_job(RUN, "unit")

    assert runner_minutes(a_history([RUN], [job]), flaky={job["job_id"]}).total.lost_min == 0.0


def test_what_has_no_duration_is_counted_and_is_not_zero_minutes() -> None:
    jobs = [
        a_job(RUN, "a", duration_s=None),
        a_job(RUN, "b", None),
        a_job(RUN, "c", "skipped", duration_s=None, started_at=None),
        a_job(RUN, "d", "cancelled", duration_s=None, started_at=None),
    ]

    total = runner_minutes(a_history([RUN], jobs)).total

    assert (total.job_attempts, total.unknown, total.running) == (0, 1, 1)
    assert (total.total_min, total.lost_share) == (0.0, None)


def test_nothing_is_nothing() -> None:
    minutes = runner_minutes(a_history([]), flaky=())

    assert (minutes.workflows, minutes.jobs, minutes.total.total_min, minutes.total.lost_share) == ((), (), 0.0, None)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["success", "failure", "cancelled", "odd"]), st.floats(0, 1e6)), max_size=20))
def test_the_parts_add_up(told: list[tuple[str, float]]) -> None:
    jobs = [a_job(RUN, f"j{n}", how, duration_s=s, job_id=n) for n, (how, s) in enumerate(told)]

    total = runner_minutes(a_history([RUN], jobs), flaky=range(0, 20, 3)).total

    parts = total.passed_min + total.failed_min + total.cancelled_min + total.flaky_min + total.other_min
    assert parts == pytest.approx(total.total_min)
    assert total.other_min >= 0
