"""Steps and jobs: which take the time of a workflow, and at which step a job failed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agent_frames import a_step, an_agent_history, an_agent_run
from tests.history_frames import HOUR, a_failure, a_job
from trackside.agents.group_records import FailedJob, Statistics
from trackside.agents.statistics import statistics_of

PLAIN = {"Set up job": 2.0, "Run actions/checkout@v4": 5.0, "Install": 40.0, "Run tests": 100.0, "Upload": 8.0}


def of_days(number: int, times: dict[str, float]) -> Statistics:
    """The statistics of so many runs whose job ``unit (n)`` has these steps."""
    runs = [an_agent_run(place) for place in range(number)]
    jobs = [a_job(run, f"unit ({place % 3})") for place, run in enumerate(runs)]
    steps = [
        a_step(job, place, name, duration_s=seconds)
        for job in jobs
        for place, (name, seconds) in enumerate(times.items(), 1)
    ]
    return statistics_of(an_agent_history(runs, jobs, steps))


def only_failure(conclusion: str = "failure", *ends: tuple[str, str | None], **told: Any) -> FailedJob:
    """The failed job with steps that ended so, by name."""
    run = an_agent_run(0, "failure")
    job = a_job(run, "unit (0)", conclusion, **told)
    steps = [a_step(job, number, name, end) for number, (name, end) in enumerate(ends, 1)]
    failed = statistics_of(an_agent_history([run], [job], reversed(steps))).failed
    assert len(failed) == 1
    return failed[0]


def test_a_step_has_its_times_and_its_share_of_the_time_of_its_workflow() -> None:
    told = of_days(4, {"Install": 30.0, "Run tests": 90.0})

    assert [(row.workflow, row.job, row.step, row.share) for row in told.steps] == [
        ("PR Test", "unit", "Run tests", 0.75),
        ("PR Test", "unit", "Install", 0.25),
    ]
    times = told.steps[0].run
    assert (times.n, times.p50_s, times.p90_s, times.max_s, times.total_s, times.is_few) == (4, 90, 90, 90, 360, False)


@pytest.mark.parametrize("slow", PLAIN)
def test_a_planted_bottleneck_comes_first(slow: str) -> None:
    told = of_days(6, {**PLAIN, slow: 600.0})

    assert told.slowest[0].step == slow
    shares = [row.share or 0.0 for row in told.slowest]
    assert shares == sorted(shares, reverse=True)
    assert sum(row.share or 0.0 for row in told.steps) == pytest.approx(1.0)


def test_a_step_that_is_seldom_slow_is_seen_in_the_longest_and_not_in_the_median() -> None:
    runs = [an_agent_run(number) for number in range(10)]
    jobs = [a_job(run, "unit") for run in runs]
    steps = [a_step(job, 1, "Flaky wait", duration_s=500.0 if number == 7 else 5.0) for number, job in enumerate(jobs)]

    times = statistics_of(an_agent_history(runs, jobs, steps)).steps[0].run

    assert (times.p50_s, times.max_s) == (5.0, 500.0)
    assert times.p90_s == pytest.approx(54.5)


def test_steps_with_fewer_than_three_times_are_flagged_and_never_called_slowest() -> None:
    runs = [an_agent_run(number) for number in range(3)]
    jobs = [a_job(run, "unit") for run in runs]
    steps = [a_step(job, 1, "Run tests") for job in jobs]
    steps += [a_step(job, 2, "Publish", duration_s=9000.0) for job in jobs[:2]]

    told = statistics_of(an_agent_history(runs, jobs, steps))

    assert [(row.step, row.run.n, row.run.is_few) for row in told.steps] == [
        ("Publish", 2, True),
        ("Run tests", 3, False),
    ]
    assert [row.step for row in told.slowest] == ["Run tests"]


def test_each_workflow_has_at_most_five_slowest_steps_and_the_one_with_the_most_time_comes_first() -> None:
    runs = [an_agent_run(number, workflow=name) for name in ("CI", *["Nightly"] * 2) for number in range(3)]
    runs = [{**run, "run_id": number, "run_number": number} for number, run in enumerate(runs)]
    jobs = [a_job(run, "unit") for run in runs]
    steps = [a_step(job, place, f"step {place}", duration_s=10.0 * place) for job in jobs for place in range(1, 8)]

    slowest = statistics_of(an_agent_history(runs, jobs, steps)).slowest

    assert [(row.workflow, row.step) for row in slowest] == [
        (workflow, f"step {place}") for workflow in ("Nightly", "CI") for place in (7, 6, 5, 4, 3)
    ]


def test_a_step_that_is_there_twice_in_a_job_counts_twice() -> None:
    run = an_agent_run(0)
    job = a_job(run, "unit")

    row = statistics_of(an_agent_history([run], [job], [a_step(job, place, "Run x") for place in (1, 2)])).steps[0]

    assert (row.outcomes.total, row.run.total_s) == (2, 20.0)


def test_skipped_steps_and_steps_of_no_length_take_no_time() -> None:
    run = an_agent_run(0)
    job = a_job(run, "unit")
    steps = [a_step(job, 1, "Only on main", "skipped"), a_step(job, 2, "Quick", duration_s=0.0)]

    told = statistics_of(an_agent_history([run], [job], steps))

    assert {row.step: (row.run.n, row.share) for row in told.steps} == {"Only on main": (0, None), "Quick": (1, None)}
    assert told.slowest == ()


def test_matrix_indices_of_a_job_count_together_and_other_values_apart() -> None:
    run = an_agent_run(0)
    names = ["unit (linux, 0)", "unit (linux, 1)", "unit (mac, 0)", "build / compile (3)"]
    jobs = [a_job(run, name, job_id=number) for number, name in enumerate(names)]
    steps = [a_step(job, 1, "Run tests") for job in jobs]

    told = statistics_of(an_agent_history([run], jobs, steps))

    expected = {"unit (linux)": 2, "unit (mac)": 1, "build / compile": 1}
    assert {row.job: row.outcomes.total for row in told.jobs} == expected
    assert {row.job: row.outcomes.total for row in told.steps} == expected


def test_a_skipped_job_neither_ran_nor_waited() -> None:
    run = an_agent_run(0)
    jobs = [a_job(run, "unit"), a_job(run, "deploy", "skipped", duration_s=None, queue_s=0.0)]

    rows = {row.job: row for row in statistics_of(an_agent_history([run], jobs)).jobs}

    assert (rows["deploy"].outcomes.skipped, rows["deploy"].run.n, rows["deploy"].queue.n) == (1, 0, 0)
    assert (rows["deploy"].runner_minutes, rows["deploy"].success.rate) == (0.0, None)
    assert (rows["unit"].queue.p50_s, rows["unit"].runner_minutes) == (30.0, 10.0)


def test_a_cancelled_job_took_its_time_and_tells_nothing_of_success() -> None:
    run = an_agent_run(0, "cancelled")
    job = a_job(run, "unit", "cancelled")

    told = statistics_of(an_agent_history([run], [job], [a_step(job, 1, "Run tests", "cancelled")]))

    assert (told.jobs[0].outcomes.cancelled, told.jobs[0].success.n, told.jobs[0].runner_minutes) == (1, 0, 10.0)
    assert (told.steps[0].outcomes.cancelled, told.steps[0].run.n, told.failed) == (1, 1, ())


def test_a_step_whose_job_is_not_known_is_counted_under_the_job_that_it_names() -> None:
    run = an_agent_run(0)
    job = a_job(run, "unit")

    told = statistics_of(an_agent_history([run], [], [a_step(job, 1, "Run tests")]))

    assert [(row.job, row.outcomes.total) for row in told.steps] == [("unit", 1)]
    assert [row.step for row in told.days] == [None]


def test_a_step_without_a_name_is_told_as_such() -> None:
    run = an_agent_run(0)
    job = a_job(run, "unit")

    told = statistics_of(an_agent_history([run], [job], [{**a_step(job, 1, ""), "step": None}]))

    assert [row.step for row in told.steps] == ["?"]
    assert [row.step for row in told.days] == [None, "?"]


def test_the_first_failed_step_and_all_failed_steps_of_a_job_are_told() -> None:
    failed = only_failure("failure", ("Checkout", "success"), ("Run tests", "failure"), ("Lint", "timed_out"),
                          ("Tidy", "cancelled"), ("Upload", "skipped"))  # fmt: skip

    assert (failed.failed_step, failed.failed_step_number) == ("Run tests", 2)
    assert failed.failed_steps == ("Run tests", "Lint")
    assert (failed.job, failed.conclusion, failed.workflow) == ("unit (0)", "failure", "PR Test")


def test_a_step_that_timed_out_failed() -> None:
    assert only_failure("failure", ("Run tests", "timed_out")).failed_steps == ("Run tests",)


def test_where_only_a_cancelled_step_tells_where_the_time_ran_out_it_is_the_failed_one() -> None:
    failed = only_failure("timed_out", ("Checkout", "success"), ("Run tests", "cancelled"), ("Upload", "skipped"))

    assert (failed.conclusion, failed.failed_step, failed.failed_steps) == ("timed_out", "Run tests", ("Run tests",))


def test_a_job_whose_runner_was_lost_has_no_failed_step() -> None:
    failed = only_failure("failure", ("Checkout", "success"), ("Run tests", None))

    assert (failed.failed_step, failed.failed_step_number, failed.failed_steps) == (None, None, ())


def test_where_the_steps_of_a_job_are_not_known_its_row_tells_the_failed_step() -> None:
    told = only_failure("failure", failed_step="Run tests", failed_step_number=5, failed_steps=["Run tests", "Lint"])
    nothing = only_failure("failure", failed_step=None, failed_step_number=None, failed_steps=[])

    assert (told.failed_step, told.failed_step_number, told.failed_steps) == ("Run tests", 5, ("Run tests", "Lint"))
    assert (nothing.failed_step, nothing.failed_steps) == (None, ())


def test_failed_jobs_are_told_with_cause_and_agent_the_newest_first() -> None:
    runs = [an_agent_run(0, "failure", agent="claude", agent_role="assisted"), an_agent_run(1, "failure")]
    jobs = [a_job(run, "unit", "failure") for run in runs]
    jobs += [a_job(runs[1], "lint", "success"), a_job(runs[1], "deploy", "cancelled"), a_job(runs[1], "more", None)]

    failed = statistics_of(an_agent_history(runs, jobs, failures=[a_failure(jobs[0], "network")])).failed

    assert [(one.run_id, one.agent, one.agent_role, one.cause) for one in failed] == [
        (1001, None, None, None),
        (1000, "claude", "assisted", "network"),
    ]
    assert failed[0].failed_at == runs[1]["started_at"] + dt.timedelta(seconds=630)
    assert failed[0].url == jobs[1]["url"]


def test_each_failed_attempt_of_a_job_is_told() -> None:
    runs = [an_agent_run(0, end, run_attempt=number) for number, end in enumerate(("failure", "success"), 1)]
    jobs = [a_job(run, "unit", run["conclusion"]) for run in runs]

    told = statistics_of(an_agent_history(runs, jobs))

    assert [one.run_attempt for one in told.failed] == [1]
    assert (told.jobs[0].success.successes, told.jobs[0].success.n) == (1, 2)


def test_a_failed_job_whose_end_is_not_told_comes_last() -> None:
    runs = [an_agent_run(0, "failure"), an_agent_run(1, "failure", created_at=an_agent_run(0)["created_at"] + HOUR)]
    jobs = [a_job(runs[0], "unit", "failure"), a_job(runs[1], "unit", "failure", completed_at=None)]

    assert [one.run_id for one in statistics_of(an_agent_history(runs, jobs)).failed] == [1000, 1001]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(0, 5000), min_size=1, max_size=5), min_size=1, max_size=5))
def test_shares_add_up_to_the_whole_workflow(times: list[list[int]]) -> None:
    runs = [an_agent_run(number) for number in range(len(times))]
    jobs = [a_job(run, "unit") for run in runs]
    steps = [
        a_step(job, place, f"step {place}", duration_s=float(seconds))
        for job, row in zip(jobs, times, strict=True)
        for place, seconds in enumerate(row)
    ]

    told = statistics_of(an_agent_history(runs, jobs, steps)).steps

    assert sum(row.run.total_s for row in told) == sum(map(sum, times))
    assert sum(row.share or 0.0 for row in told) == pytest.approx(1.0 if any(map(any, times)) else 0.0)
    shares = [row.share for row in told if row.share is not None]
    assert shares == sorted(shares, reverse=True)
