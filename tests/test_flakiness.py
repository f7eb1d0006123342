"""Flaky jobs and tests: the same commit with different results, how often, and whether it stopped."""

from __future__ import annotations

from tests.flaky_days import Days, working_days
from tests.history_frames import a_history
from trackside.ci.flakiness import Direction, Recovery, find_flaky
from trackside.ci.same_commit import Proof


def test_a_job_that_passes_when_it_is_run_again_is_flaky() -> None:
    days = working_days()
    bad = days.run(605, {"unit": "failure"})
    days.again(bad, 625, {"unit": "success"})

    job = days.found().jobs[0]

    assert (job.job, job.flaky_runs, job.decided_runs, job.rate) == ("unit", 1, 41, 0.0244)
    assert (round(job.low, 3), round(job.high, 3)) == (0.004, 0.126)
    assert (job.reruns, job.siblings, job.retries) == (1, 0, 0)
    assert job.examples[0].proof is Proof.RERUN
    assert job.examples[0].failed.url != job.examples[0].passed.url
    assert job.minutes == 20.0


def test_another_run_of_the_same_commit_that_passes_shows_it_too() -> None:
    days = working_days()
    days.run(605, {"unit": "failure"}, commit="one")
    days.run(640, {"unit": "success"}, commit="one")

    job = days.found().jobs[0]

    assert (job.reruns, job.siblings, job.minutes) == (0, 1, 10.0)


def test_two_failures_and_a_success_are_one_flaky_run() -> None:
    days = working_days()
    bad = days.run(605, {"unit": "failure"})
    worse = days.again(bad, 625, {"unit": "failure"})
    days.again(worse, 645, {"unit": "success"})

    job = days.found().jobs[0]

    assert (job.flaky_runs, job.flaky_attempts, job.minutes) == (1, 2, 30.0)
    assert (job.run_ids, job.flakes) == ((job.examples[0].run_id,), 2)


def test_a_job_that_fails_each_time_on_its_commit_is_not_flaky() -> None:
    days = working_days()
    bad = days.run(605, {"unit": "failure"})
    days.again(bad, 625, {"unit": "failure"})

    assert days.kinds() == []


def test_another_workflow_or_another_commit_that_passes_shows_nothing() -> None:
    days = working_days()
    days.run(605, {"unit": "failure"}, commit="one")
    days.run(610, {"unit": "success"}, commit="one", workflow="Nightly")
    days.run(615, {"unit": "success"}, commit="two")

    assert days.kinds() == []


def test_a_cancelled_job_that_is_run_again_is_not_flaky() -> None:
    days = working_days()
    stopped = days.run(605, {"unit": "cancelled"})
    days.again(stopped, 625, {"unit": "success"})

    assert days.kinds() == []


def test_a_job_that_ran_out_of_time_and_passes_when_run_again_is_flaky() -> None:
    days = working_days()
    stopped = days.run(605, {"unit": "cancelled"})
    days.told("timeout")
    days.again(stopped, 625, {"unit": "success"})

    assert days.kinds() == [("flake", "unit")]


def test_a_test_file_that_passed_when_its_green_job_tried_again_is_flaky() -> None:
    days = working_days()
    job = days.jobs[10]
    row = {"job_id": job["job_id"], "file": "test/test_moe.py", "suite": 0, "outcome": "passed", "attempts": 2}
    days.test_files.append({**row, "elapsed_s": 120.0, "estimated_s": None, "reason": None})

    flaky = days.found()

    assert [(one.job, one.retries, one.minutes) for one in flaky.jobs] == [("unit", 1, 2.0)]
    assert [(one.test, one.retried_runs, one.decided_runs) for one in flaky.tests] == [("test/test_moe.py", 1, 40)]
    assert flaky.job_ids == ()


def test_a_retry_in_a_job_that_failed_for_something_else_is_of_the_test_alone() -> None:
    days = working_days()
    days.run(605, {"unit": "failure"})
    row = {
        "job_id": days.jobs[-1]["job_id"],
        "file": "test/test_moe.py",
        "suite": 0,
        "outcome": "passed",
        "attempts": 3,
    }
    days.test_files.append({**row, "elapsed_s": None, "estimated_s": None, "reason": None})

    flaky = days.found()

    assert flaky.jobs == ()
    assert [one.test for one in flaky.tests] == ["test/test_moe.py"]


def test_the_tests_of_a_flaky_failure_are_flaky_and_those_of_a_broken_one_are_not() -> None:
    days = working_days()
    bad = days.run(605, {"unit": "failure"})
    days.told("test", test="test_a.py", tests=["test_a.py", "test_b.py"])
    days.again(bad, 625, {"unit": "success"})
    days.run(700, {"unit": "failure"}, branch="feature")
    days.told("test", test="test_c.py", tests=["test_c.py"])

    assert sorted(test.test for test in days.found().tests) == ["test_a.py", "test_b.py"]


def flakes_at(minutes: set[int], last: int) -> Days:
    days = Days()
    for minute in range(0, last, 30):
        run = days.run(minute, {"unit": "failure" if minute in minutes else "success"})
        if minute in minutes:
            days.again(run, minute + 12, {"unit": "success"})
    return days


def test_more_flakes_in_the_second_half_are_a_trend() -> None:
    job = flakes_at({1530, 1680, 1890, 2100, 2310, 2520, 2730}, 3000).found().jobs[0]

    assert job.trend.direction is Direction.RISING
    assert (job.trend.first_half.flaky_runs, job.trend.second_half.flaky_runs) == (0, 7)


def test_a_flake_stands_as_active_then_recovering_then_recovered() -> None:
    minutes = {60, 210, 360, 510, 660}

    stands = [flakes_at(minutes, last).found().jobs[0] for last in (720, 900, 1500)]

    assert [one.recovery for one in stands] == [Recovery.ACTIVE, Recovery.RECOVERING, Recovery.RECOVERED]
    assert [one.clean_commits for one in stands] == [1, 7, 27]


def test_nothing_is_nothing() -> None:
    flaky = find_flaky(a_history([]))

    assert (flaky.jobs, flaky.tests, flaky.set_aside, flaky.outages, flaky.decided_runs) == ((), (), (), (), 0)


def test_missing_times_runners_and_commits_are_no_trouble() -> None:
    days = working_days()
    bad = days.run(605, {"unit": "failure"})
    days.again(bad, 625, {"unit": "success"})
    for job in days.jobs:
        job |= dict.fromkeys(
            ("started_at", "created_at", "completed_at", "run_created_at", "runner_name", "pool", "url")
        )

    assert days.kinds() == [("unknown", "unit")]
    for job in days.jobs:
        job["sha"] = None
    assert days.kinds() == []
