"""Flaky jobs: the same commit with different results, told apart from breakage, outages and bad runners."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.history_frames import START, a_failure, a_history, a_job, a_run
from trackside.ci.flake_evidence import Kind
from trackside.ci.flakiness import Direction, Flaky, Recovery, find_flaky
from trackside.ci.same_commit import Proof
from trackside.history.frames import History

MINUTE = dt.timedelta(minutes=1)
Row = dict[str, Any]


class Days:
    """Runs, jobs and failures that are added one by one; times are minutes after the start."""

    def __init__(self) -> None:
        self.runs: list[Row] = []
        self.jobs: list[Row] = []
        self.failures: list[Row] = []
        self.test_files: list[Row] = []

    def run(self, minute: float, jobs: Mapping[str, str], *, of: Row | None = None, **told: Any) -> Row:
        """A run, or with ``of`` another attempt of that run; ``jobs`` are names and conclusions."""
        at = START + minute * MINUTE
        number = of["run_number"] if of else len(self.runs) + 1
        attempt = of["run_attempt"] + 1 if of else 1
        same = (
            {name: of[name] for name in ("branch", "line", "sha", "workflow", "event", "is_default_line")} if of else {}
        )
        created = of["created_at"] if of else at
        end = "failure" if "failure" in jobs.values() else "success"
        run = a_run(number, end, created_at=created, started_at=at, run_attempt=attempt, **{**same, **told})
        self.runs.append(run)
        self.jobs += [a_job(run, name, conclusion) for name, conclusion in jobs.items()]
        return run

    def again(self, of: Row, minute: float, jobs: Mapping[str, str], **told: Any) -> Row:
        """Another attempt of a run."""
        return self.run(minute, jobs, of=of, **told)

    def works(self, minutes: range, *jobs: str) -> None:
        """Good runs on main at these minutes."""
        for minute in minutes:
            self.run(minute, dict.fromkeys(jobs or ("unit",), "success"))

    def told(self, cause: str, **told: Any) -> None:
        """Why the newest job failed."""
        self.failures.append(a_failure(self.jobs[-1], cause, **told))

    def history(self) -> History:
        return a_history(self.runs, self.jobs, failures=self.failures, test_files=self.test_files)

    def found(self) -> Flaky:
        return find_flaky(self.history())

    def kinds(self) -> list[tuple[str, str]]:
        flaky = self.found()
        events = [("flake", event.job) for job in flaky.jobs for event in job.examples]
        return sorted([*events, *((event.kind.value, event.job) for event in flaky.set_aside)])


def working_days() -> Days:
    """Forty good runs on main, one every half hour."""
    days = Days()
    days.works(range(0, 1200, 30))
    return days


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
