"""Statistics of agent operations: runs by outcome, workflow and agent, and groups that add up."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agent_frames import a_step, an_agent_history, an_agent_run
from tests.history_frames import HOUR, START, a_job
from trackside.agents.group_records import DayRow, GroupRow, JobRow, Outcomes, Statistics, StepRow
from trackside.agents.outcome_counts import KINDS
from trackside.agents.statistics import statistics_of
from trackside.report.agents_words import OUTCOME_WORDS

CONCLUSIONS = ("success", "failure", "cancelled", "skipped", "timed_out", "action_required", "neutral", "stale",
               "startup_failure")  # fmt: skip
STATUSES = ("in_progress", "queued", "waiting", "requested", "pending")


def adds_up(outcomes: Outcomes) -> bool:
    return outcomes.total == sum(int(getattr(outcomes, kind)) for kind in KINDS)


def by_name(rows: tuple[GroupRow, ...]) -> dict[str | None, GroupRow]:
    return {row.name: row for row in rows}


@pytest.mark.parametrize("conclusion", CONCLUSIONS)
def test_each_conclusion_is_counted_as_itself(conclusion: str) -> None:
    told = statistics_of(an_agent_history([an_agent_run(0, conclusion)])).all_runs.outcomes

    assert (told.total, getattr(told, conclusion), adds_up(told)) == (1, 1, True)


@pytest.mark.parametrize("status", STATUSES)
def test_each_status_of_what_is_not_over_is_counted_as_itself(status: str) -> None:
    told = statistics_of(an_agent_history([an_agent_run(0, None, status=status)])).all_runs.outcomes

    assert (told.total, getattr(told, status), adds_up(told)) == (1, 1, True)


@pytest.mark.parametrize(("status", "conclusion"), [("completed", "brand new"), ("odd", None), ("completed", None)])
def test_what_is_new_to_us_is_counted_as_other(status: str, conclusion: str | None) -> None:
    told = statistics_of(an_agent_history([an_agent_run(0, conclusion, status=status)])).all_runs.outcomes

    assert (told.total, told.other) == (1, 1)


def test_every_kind_has_a_label_of_its_own() -> None:
    assert set(OUTCOME_WORDS) == set(KINDS)
    assert len(set(OUTCOME_WORDS.values())) == len(KINDS)
    assert {*CONCLUSIONS, *STATUSES, "other"} == set(KINDS)


def test_a_success_rate_leaves_out_what_tells_nothing_of_success() -> None:
    ends = ["success", "success", "success", "failure", "timed_out", "startup_failure", "cancelled", "skipped", None]
    runs = [an_agent_run(number, end) for number, end in enumerate(ends)]

    rate = statistics_of(an_agent_history(runs)).all_runs.success

    assert (rate.successes, rate.n, rate.rate) == (3, 6, 0.5)
    assert rate.denominator == "success + failure + timed_out + startup_failure"
    assert rate.low == pytest.approx(0.1876, abs=1e-4)
    assert rate.high == pytest.approx(0.8124, abs=1e-4)


def test_without_a_result_there_is_no_rate() -> None:
    rate = statistics_of(an_agent_history([an_agent_run(0, "skipped"), an_agent_run(1, None)])).all_runs.success

    assert (rate.n, rate.rate, rate.low, rate.high) == (0, None, None, None)


def test_the_success_of_a_third_attempt_does_not_erase_the_failure_of_the_first() -> None:
    ends = ["failure", "cancelled", "success"]
    runs = [an_agent_run(0, end, run_attempt=number) for number, end in enumerate(ends, 1)]

    told = statistics_of(an_agent_history(runs)).all_runs

    assert (told.outcomes.total, told.outcomes.failure, told.outcomes.cancelled, told.outcomes.success) == (3, 1, 1, 1)
    assert (told.success.successes, told.success.n) == (1, 2)


def test_times_are_those_of_attempts_that_are_over_and_ran() -> None:
    runs = [
        an_agent_run(0, "success", duration_s=60.0, queue_s=5.0, active_s=50.0),
        an_agent_run(1, "failure", duration_s=120.0, queue_s=15.0, active_s=90.0),
        an_agent_run(2, "cancelled", duration_s=30.0, queue_s=None, active_s=None),
        an_agent_run(3, "skipped", duration_s=1.0, queue_s=None, active_s=None),
        an_agent_run(4, "startup_failure", duration_s=0.0, queue_s=None, active_s=None),
        an_agent_run(5, "action_required", duration_s=0.0, queue_s=None, active_s=None),
        an_agent_run(6, None, duration_s=999.0, queue_s=25.0, active_s=999.0),
    ]

    told = statistics_of(an_agent_history(runs)).all_runs

    assert (told.run.n, told.run.p50_s, told.run.max_s, told.run.mean_s, told.run.total_s) == (3, 60, 120, 70, 210)
    assert told.run.p90_s == pytest.approx(108)
    assert (told.queue.n, told.queue.p50_s) == (3, 15)
    assert (told.active.n, told.active.total_s, told.active.is_few) == (2, 140, True)


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -1.0])
def test_what_is_no_length_of_time_is_not_known(odd: float) -> None:
    run = an_agent_run(0, duration_s=odd, queue_s=odd, active_s=odd)
    job = a_job(run, "unit", duration_s=odd, queue_s=odd)

    told = statistics_of(
        an_agent_history([run], [job], [a_step(job, 1, "Run tests", duration_s=odd, completed_at=None)])
    )

    every = (told.all_runs.run, told.all_runs.queue, told.all_runs.active, told.jobs[0].run, told.jobs[0].queue,
             told.steps[0].run)  # fmt: skip
    assert {(one.n, one.p50_s, one.total_s) for one in every} == {(0, None, 0.0)}


def test_a_run_in_progress_has_no_duration() -> None:
    run = an_agent_run(0, None)
    job = a_job(run, "unit", None)

    told = statistics_of(an_agent_history([run], [job], [a_step(job, 1, "Run tests", None)]))

    assert (told.all_runs.run.n, told.jobs[0].run.n, told.steps[0].run.n) == (0, 0, 0)
    assert (told.all_runs.outcomes.in_progress, told.jobs[0].outcomes.in_progress) == (1, 1)
    assert (told.steps[0].share, told.slowest, told.failed) == (None, (), ())


def test_a_run_that_could_not_start_has_no_job_and_is_counted() -> None:
    run = an_agent_run(0, "startup_failure", jobs=0, active_s=None, queue_s=None)

    told = statistics_of(an_agent_history([run]))

    assert (told.all_runs.outcomes.startup_failure, told.all_runs.success.rate) == (1, 0.0)
    assert (told.jobless_failures, told.jobs, told.failed) == (1, (), ())
    assert told.all_runs.runner_minutes == 0.0


def test_where_only_some_jobs_are_asked_for_a_run_with_others_is_not_said_to_have_none() -> None:
    run = an_agent_run(0, "failure")
    other = a_job(run, "lint", "failure")
    every = an_agent_history([run], [other]).history.jobs

    asked = statistics_of(an_agent_history([run], [], every_job=every))

    assert (asked.job_attempts, asked.jobless_failures) == (0, 0)


def test_workflows_are_told_apart_by_name_and_file_the_most_frequent_first() -> None:
    runs = [
        an_agent_run(0, workflow="CI", workflow_file=".github/workflows/a.yml"),
        an_agent_run(1, "failure", workflow="CI", workflow_file=".github/workflows/b.yml"),
        an_agent_run(2, workflow="CI", workflow_file=".github/workflows/b.yml"),
        an_agent_run(3, workflow="Copilot coding agent", workflow_file="dynamic/copilot-swe-agent/copilot"),
        an_agent_run(4, workflow="?", workflow_file=None),
    ]

    told = statistics_of(an_agent_history(runs)).workflows

    assert [(row.name, row.file, row.outcomes.total) for row in told] == [
        ("CI", ".github/workflows/b.yml", 2),
        ("?", None, 1),
        ("CI", ".github/workflows/a.yml", 1),
        ("Copilot coding agent", "dynamic/copilot-swe-agent/copilot", 1),
    ]


def test_a_run_that_github_makes_for_its_agent_is_one_of_the_agent() -> None:
    run = an_agent_run(
        0, workflow="Copilot coding agent", workflow_file="dynamic/copilot-swe-agent/copilot", event="dynamic",
        agent="copilot", agent_source="run_path", agent_confidence=1.0,
    )  # fmt: skip

    row = statistics_of(an_agent_history([run])).agents[0]

    assert (row.name, row.outcomes.total, row.sources, row.confidence_min) == ("copilot", 1, {"run_path": 1}, 1.0)


def test_an_agent_counts_where_it_worked_and_its_other_parts_are_told_beside() -> None:
    runs = [
        an_agent_run(0, agent="claude"),
        an_agent_run(1, "failure", agent="claude", agent_confidence=0.95, agent_source="workflow_uses"),
        an_agent_run(2, "failure", agent="claude", agent_role="triggered_by", agent_source="actor",
                     agent_confidence=0.85),
        an_agent_run(3, agent="copilot", agent_role="authored", agent_source="branch", agent_confidence=0.75),
        *(an_agent_run(number) for number in range(4, 9)),
    ]  # fmt: skip

    told = statistics_of(an_agent_history(runs))

    assert [row.name for row in told.agents] == ["claude", "copilot", None]
    claude, copilot, nobody = told.agents
    assert (claude.outcomes.total, claude.success.successes, claude.success.n) == (2, 1, 2)
    assert claude.roles == {"ran": 2, "triggered_by": 1}
    assert claude.sources == {"step_name": 1, "workflow_uses": 1, "actor": 1}
    assert (claude.confidence_min, claude.confidence_max) == (0.85, 0.95)
    assert (copilot.outcomes.total, copilot.roles, copilot.success.rate) == (0, {"authored": 1}, None)
    assert (copilot.run.n, copilot.run.p50_s, copilot.run.total_s, copilot.runner_minutes) == (0, None, 0.0, None)
    assert (nobody.outcomes.total, nobody.roles, nobody.sources, nobody.confidence_min) == (5, {}, {}, None)


def test_runner_minutes_are_those_of_the_jobs_as_they_ran() -> None:
    runs = [an_agent_run(0, agent="claude"), an_agent_run(1), an_agent_run(2, is_read=False)]
    jobs = [
        a_job(runs[0], "unit (0)", duration_s=90.0),
        a_job(runs[0], "unit (1)", duration_s=30.0),
        a_job(runs[1], "unit (0)", "cancelled", duration_s=60.0),
        a_job(runs[1], "lint", "skipped", duration_s=None),
    ]

    told = statistics_of(an_agent_history(runs, jobs))

    assert (told.all_runs.runner_minutes, told.all_runs.unread) == (3.0, 1)
    assert {row.name: row.runner_minutes for row in told.agents} == {"claude": 2.0, None: 1.0}


def test_minutes_of_runs_whose_jobs_were_not_read_are_not_known_and_not_zero() -> None:
    told = statistics_of(an_agent_history([an_agent_run(0, is_read=False), an_agent_run(1, None)])).all_runs

    assert (told.runner_minutes, told.unread) == (None, 1)


def test_the_window_is_from_the_first_start_to_the_last() -> None:
    told = statistics_of(an_agent_history([an_agent_run(3), an_agent_run(0, run_attempt=2), an_agent_run(5)]))

    assert (told.window_start, told.window_stop) == (START + HOUR / 2, START + 5 * HOUR)
    assert told.all_runs.last_run_at == START + 5 * HOUR


def test_nothing_is_nothing() -> None:
    told = statistics_of(an_agent_history([]))

    assert told == Statistics(all_runs=GroupRow(
        name=None, outcomes=Outcomes(), success=told.all_runs.success, run=told.all_runs.run,
        queue=told.all_runs.queue, active=told.all_runs.active,
    ))  # fmt: skip
    assert (told.all_runs.success.rate, told.all_runs.run.p50_s, told.all_runs.runner_minutes) == (None, None, None)


def test_runs_whose_times_are_not_told_are_counted_and_on_no_day() -> None:
    run = an_agent_run(0)
    timeless = {**an_agent_run(1), "created_at": None, "started_at": None, "duration_s": None}

    told = statistics_of(an_agent_history([run, timeless]))

    assert told.all_runs.outcomes.total == 2
    assert [(row.day, row.outcomes.total) for row in told.days] == [(START.date(), 1)]


def test_days_have_quantiles_of_workflows_and_steps_and_a_day_without_is_no_row() -> None:
    runs = [an_agent_run(number, created_at=START + dt.timedelta(days=day), duration_s=60.0 * (number + 1))
            for number, day in enumerate((0, 0, 0, 3))]  # fmt: skip
    jobs = [a_job(run, "unit (0)") for run in runs]
    steps = [a_step(job, 1, "Run tests", duration_s=10.0 * number) for number, job in enumerate(jobs, 1)]

    told = statistics_of(an_agent_history(runs, jobs, steps)).days

    days = [START.date(), START.date() + dt.timedelta(days=3)]
    assert [(row.day, row.job, row.step, row.run.n) for row in told] == [
        (days[0], None, None, 3),
        (days[1], None, None, 1),
        (days[0], "unit", "Run tests", 3),
        (days[1], "unit", "Run tests", 1),
    ]
    assert (told[0].run.p50_s, told[0].run.p90_s, told[0].run.is_few) == (120.0, 168.0, False)
    assert (told[2].run.p50_s, told[2].run.p90_s, told[3].run.is_few) == (20.0, 28.0, True)


ENDS = st.sampled_from([*CONCLUSIONS, "brand new", None])
RUNS = st.lists(
    st.tuples(
        ENDS,
        st.integers(1, 3),
        st.sampled_from(["CI", "Nightly"]),
        st.sampled_from([None, "claude", "copilot"]),
        st.sampled_from(["ran", "triggered_by", "authored", "assisted"]),
        st.lists(st.tuples(ENDS, st.sampled_from(["unit (0)", "unit (1)", "lint"])), max_size=2),
    ),
    max_size=12,
)


def made(told: list[tuple[Any, ...]]) -> tuple[list[Any], list[Any], list[Any]]:
    runs, jobs, steps = [], [], []
    for number, (end, attempt, workflow, agent, role, parts) in enumerate(told):
        extra = {"agent": agent, "agent_role": role} if agent else {}
        run = an_agent_run(number, end, run_attempt=attempt, workflow=workflow, **extra)
        runs.append(run)
        for place, (how, name) in enumerate(parts):
            job = a_job(run, name, how, job_id=number * 10 + place)
            jobs.append(job)
            steps += [a_step(job, step, f"step {step}", how) for step in (1, 2)]
    return runs, jobs, steps


@settings(max_examples=60, deadline=None)
@given(RUNS)
def test_the_parts_add_up_in_every_group(drawn: list[tuple[Any, ...]]) -> None:
    runs, jobs, steps = made(drawn)

    told = statistics_of(an_agent_history(runs, jobs, steps))

    every: list[GroupRow | JobRow | StepRow | DayRow]
    every = [told.all_runs, *told.workflows, *told.agents, *told.jobs, *told.steps, *told.days]
    assert all(adds_up(row.outcomes) for row in every)
    assert all(row.success.successes == row.outcomes.success <= row.success.n <= row.outcomes.total for row in every)
    assert told.all_runs.outcomes.total == len(runs) == sum(row.outcomes.total for row in told.workflows)
    beside = sum(count for row in told.agents for role, count in row.roles.items() if role != "ran")
    assert sum(row.outcomes.total for row in told.agents) + beside == len(runs)
    assert all(sum(row.roles.values()) == sum(row.sources.values()) for row in (told.all_runs, *told.agents))
    assert sum(row.outcomes.total for row in told.jobs) == told.job_attempts == len(jobs)
    assert sum(row.outcomes.total for row in told.steps) == told.step_attempts == len(steps)
    assert sum(row.outcomes.total for row in told.days if row.step is None) == len(runs)
    assert sum(row.outcomes.total for row in told.days if row.step is not None) == len(steps)
    minutes = [row.runner_minutes for row in told.workflows]
    assert sum(one or 0.0 for one in minutes) == pytest.approx(told.all_runs.runner_minutes or 0.0)
    assert sum(row.runner_minutes for row in told.jobs) == pytest.approx(told.all_runs.runner_minutes or 0.0)


@settings(max_examples=25, deadline=None)
@given(RUNS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(drawn: list[tuple[Any, ...]], shuffler: random.Random) -> None:
    runs, jobs, steps = made(drawn)
    expected = statistics_of(an_agent_history(runs, jobs, steps))
    for rows in (runs, jobs, steps):
        shuffler.shuffle(rows)

    assert statistics_of(an_agent_history(runs, jobs, steps)) == expected
