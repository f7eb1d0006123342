"""What looks like a flake and is none: breakage, outages, bad runners, gates, other partitions."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.flaky_days import MINUTE, Days, working_days
from tests.history_frames import a_failure
from trackside.ci.flake_evidence import Kind


def broken_main() -> Days:
    """Main is broken from minute 300 to 900; pull requests of other lines come in between."""
    days = Days()
    for minute in range(0, 1200, 30):
        days.run(minute, {"unit": "failure" if 300 <= minute < 900 else "success"})
    return days


@pytest.mark.parametrize("minute", [305, 450, 600, 895])
def test_a_job_broken_on_main_for_a_day_is_not_flaky_on_a_pull_request_that_passes_after_the_fix(minute: int) -> None:
    days = broken_main()
    bad = days.run(minute, {"unit": "failure"}, branch="feature")
    days.again(bad, 960, {"unit": "success"})

    assert days.kinds() == [("broken", "unit")]


def test_failing_again_and_then_passing_after_the_fix_is_not_flaky() -> None:
    days = broken_main()
    bad = days.run(400, {"unit": "failure"}, branch="feature")
    worse = days.again(bad, 500, {"unit": "failure"})
    days.again(worse, 1000, {"unit": "success"})

    assert days.kinds() == [("broken", "unit"), ("broken", "unit")]


def test_main_broken_by_a_single_run_is_breakage_for_the_pull_requests_beside_it() -> None:
    days = working_days()
    days.run(602, {"unit": "failure"})
    bad = days.run(604, {"unit": "failure"}, branch="feature")
    days.again(bad, 640, {"unit": "success"})

    assert days.kinds() == [("broken", "unit")]


def test_breakage_of_everything_but_main_is_seen_on_other_pull_requests() -> None:
    days = Days()
    for index in range(8):
        days.run(600 + 10 * index, {"unit": "failure"}, branch=f"feature-{index}")
    days.again(days.runs[3], 1000, {"unit": "success"})
    for index in range(8, 12):
        days.run(1000 + 10 * index, {"unit": "success"}, branch=f"feature-{index}")

    assert days.kinds() == [("broken", "unit")]


def test_many_pushes_of_one_broken_pull_request_do_not_hide_the_flake_of_another() -> None:
    days = working_days()
    for index in range(5):
        days.run(590 + 5 * index, {"unit": "failure"}, branch="broken", commit=f"push {index}")
    bad = days.run(602, {"unit": "failure"}, branch="feature")
    days.again(bad, 630, {"unit": "success"})

    assert days.kinds() == [("flake", "unit")]


def test_a_push_before_on_the_same_pull_request_that_never_passed_is_breakage() -> None:
    days = working_days()
    days.run(560, {"unit": "failure"}, branch="feature", commit="before")
    bad = days.run(605, {"unit": "failure"}, branch="feature", commit="after")
    days.again(bad, 640, {"unit": "success"})

    assert days.kinds() == [("broken", "unit")]


def test_a_late_success_with_nothing_near_shows_nothing() -> None:
    days = Days()
    bad = days.run(0, {"nightly": "failure"}, workflow="Nightly")
    days.again(bad, 60 * 30, {"nightly": "success"})

    assert days.kinds() == [("unknown", "nightly")]


def test_a_soon_success_with_nothing_near_is_a_flake() -> None:
    days = Days()
    bad = days.run(0, {"nightly": "failure"}, workflow="Nightly")
    days.again(bad, 60, {"nightly": "success"})

    assert days.kinds() == [("flake", "nightly")]


JOBS = ("unit", "lint", "docs", "perf")


def outage(*, logs: bool) -> Days:
    """For an hour the installs of all jobs fail, on five commits; one of the runs is repeated later."""
    days = Days()
    days.works(range(0, 480, 30), *JOBS)
    runs = [days.run(485 + 10 * index, dict.fromkeys(JOBS, "failure"), branch=f"f{index}") for index in range(5)]
    for job in days.jobs[-20:]:
        job["failed_step"] = "Install dependencies"
        if logs:
            days.failures.append(a_failure(job, "dependency", test=None, tests=[]))
    days.works(range(560, 960, 30), *JOBS)
    days.again(runs[2], 700, dict.fromkeys(JOBS, "success"))
    return days


@pytest.mark.parametrize("logs", [True, False])
def test_an_outage_is_not_the_jobs_flakiness_and_is_told_apart(logs: bool) -> None:
    flaky = outage(logs=logs).found()

    assert flaky.jobs == ()
    assert flaky.not_flakes == {"outage": 4}
    assert len(flaky.outages) == 1
    found = flaky.outages[0]
    assert found.reason == ("dependency" if logs else "step Install dependencies")
    assert (found.failures, found.jobs, found.commits) == (20, 4, 5)


def many_fail_in_one_run(jobs: int) -> Days:
    """Six of ``jobs`` jobs fail in one run, in the same step, and pass when it is run again."""
    names = [f"job {index}" for index in range(jobs)]
    days = Days()
    for minute in range(0, 600, 30):
        days.run(minute, dict.fromkeys(names, "success"))
    bad = days.run(305, {name: "failure" if place < 6 else "success" for place, name in enumerate(names)})
    days.again(bad, 325, dict.fromkeys(names[:6], "success"))
    return days


def test_many_jobs_of_one_run_that_fail_together_are_an_outage_and_a_few_of_many_are_not() -> None:
    assert many_fail_in_one_run(12).found().not_flakes == {"outage": 6}
    assert many_fail_in_one_run(60).found().not_flakes == {}


def test_a_pull_request_that_breaks_everything_is_no_outage() -> None:
    days = working_days()
    for index in range(3):
        days.run(600 + index, dict.fromkeys(JOBS, "failure"), branch="feature", commit="one")

    assert days.found().outages == ()


def test_failures_that_gather_on_a_runner_are_the_runners() -> None:
    days = Days()
    for index in range(60):
        lost = index % 10 == 4
        run = days.run(30 * index, {"unit": "failure" if lost else "success"})
        days.jobs[-1]["runner_name"] = f"gpu-{index % 5}"
        if lost:
            days.again(run, 30 * index + 15, {"unit": "success"})
            days.jobs[-1]["runner_name"] = "gpu-0"

    flaky = days.found()

    assert flaky.bad_runners == ("gpu-4",)
    assert (flaky.jobs, flaky.not_flakes) == ((), {"runner": 6})


def test_a_lost_runner_is_not_the_jobs_flakiness() -> None:
    days = working_days()
    bad = days.run(605, {"unit": "failure"})
    days.told("runner_lost", test=None, tests=[])
    days.again(bad, 625, {"unit": "success"})

    assert days.kinds() == [("runner", "unit")]


def test_a_gate_that_fails_after_other_jobs_is_not_flaky() -> None:
    days = working_days()
    for minute in (605, 705, 805):
        bad = days.run(minute, {"unit": "failure", "lint": "success", "finish": "failure"})
        days.jobs[-1]["started_at"] = days.jobs[-3]["completed_at"]
        days.jobs[-1]["completed_at"] = days.jobs[-3]["completed_at"] + MINUTE
        days.again(bad, minute + 20, {"unit": "success", "finish": "success"})

    assert days.kinds() == [*[("flake", "unit")] * 3, *[("gate", "finish")] * 3]


def test_shards_of_another_partition_are_not_compared() -> None:
    days = working_days()
    days.run(605, {"gpu (0)": "success", "gpu (1)": "failure"}, commit="one")
    days.run(625, {"gpu (0)": "success", "gpu (1)": "success", "gpu (2)": "failure"}, commit="one")

    assert days.kinds() == []


def test_an_error_that_shows_up_in_another_shard_of_the_run_that_passed_is_not_flaky() -> None:
    days = working_days()
    days.run(605, {"gpu (0)": "success", "gpu (1)": "failure"}, commit="one")
    days.told("test", fingerprint="aa")
    days.run(625, {"gpu (1)": "success", "gpu (0)": "failure"}, commit="one")
    days.told("test", fingerprint="aa")

    assert days.kinds() == []


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(0, 39)), st.integers(4, 30), st.randoms(use_true_random=False))
def test_a_job_broken_in_a_row_is_never_called_flaky_whatever_is_run_again_later(
    again: set[int], length: int, shuffler: random.Random
) -> None:
    days = Days()
    stop = 5 + length
    for index in range(40):
        bad = 5 <= index < stop
        branch = "main" if index % 3 else f"feature-{index}"
        run = days.run(30 * index, {"unit": "failure" if bad else "success"}, branch=branch)
        if bad and index in again and branch != "main":
            days.again(run, 30 * max(stop, index) + 7, {"unit": "success"})
    shuffler.shuffle(days.jobs)

    flaky = days.found()

    assert flaky.jobs == ()
    assert {event.kind for event in flaky.set_aside} <= {Kind.BROKEN}
