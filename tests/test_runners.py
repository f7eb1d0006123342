"""Failures that concentrate on a runner or a pool, and those that only seem to."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import polars as pl
import pytest

from tests.history_frames import a_history, a_job, a_run
from trackside.ci.runners import RunnerReport, judge_runners

RUNNERS = ("gpu-1", "gpu-2", "gpu-3", "gpu-4")


def judged(executions: Iterable[dict[str, Any]]) -> RunnerReport:
    """Executions one after the other, each of a run and a commit of its own."""
    runs, jobs = [], []
    for number, row in enumerate(executions):
        told = dict(row)
        run = a_run(number)
        failed = told.pop("failed", False)
        name = told.pop("name", "unit")
        runs.append(run)
        jobs.append(a_job(run, name, "failure" if failed else "success", **{"pool": "gpu", **told, "job_id": number}))
    return judge_runners(a_history(runs, jobs))


def in_turn(count: int, bad: str = "", every: int = 1, **told: Any) -> list[dict[str, Any]]:
    """Executions on RUNNERS in turn; each ``every``-th of the ``bad`` one fails."""
    rows, seen = [], 0
    for number in range(count):
        runner = RUNNERS[number % 4]
        seen += runner == bad
        rows.append({"runner_name": runner, "failed": runner == bad and seen % every == 0, **told})
    return rows


def named(report: RunnerReport) -> list[str]:
    return [one.name for one in report.bad]


def test_a_runner_on_which_half_of_the_jobs_fail_is_named_with_its_figures() -> None:
    report = judged(in_turn(80, bad="gpu-3", every=2))

    (bad,) = report.bad
    assert (bad.name, bad.pools, bad.jobs, bad.failures, bad.commits) == ("gpu-3", ("gpu",), 20, 10, 10)
    assert (bad.compared, bad.compared_failures, bad.expected, bad.rate, bad.expected_rate) == (20, 10, 0.0, 0.5, 0.0)
    assert bad.p is not None
    assert bad.q is not None
    assert bad.p < 1e-6
    assert bad.q == pytest.approx(4 * bad.p)
    (job,) = bad.by_job
    assert (job.job, job.failures, job.jobs, job.other_failures, job.other_jobs) == ("unit", 10, 20, 0, 60)
    assert len(bad.examples) == 5


def test_the_chance_is_that_of_the_exact_test() -> None:
    report = judged([{"runner_name": "gpu-1", "failed": True}] * 3 + [{"runner_name": "gpu-2"}] * 3)

    p = {one.name: one.p for one in report.runners}
    assert p == pytest.approx({"gpu-1": 1 / 20, "gpu-2": 1.0})


def test_a_runner_that_only_runs_a_broken_job_is_not_blamed() -> None:
    broken = [{"runner_name": "gpu-1", "name": "broken", "failed": True}] * 60

    report = judged(broken + in_turn(60))

    assert named(report) == []
    one = next(one for one in report.runners if one.name == "gpu-1")
    assert (one.failures, one.compared, one.compared_failures) == (60, 15, 0)


def test_a_runner_that_runs_nothing_but_its_own_job_is_not_compared() -> None:
    report = judged([{"runner_name": "gpu-1", "name": "broken", "failed": True}] * 30)

    (one,) = report.runners
    assert (one.failures, one.compared, one.p, one.q, one.rate, one.is_bad) == (30, 0, None, None, None, False)


def test_a_job_that_is_broken_everywhere_blames_nobody() -> None:
    report = judged([{**row, "failed": True} for row in in_turn(200)])

    assert named(report) == []
    assert {one.p for one in report.runners} == {1.0}


def test_a_runner_that_came_when_the_job_broke_is_not_blamed() -> None:
    good = [row for row in in_turn(160) if row["runner_name"] != "gpu-4"]
    broken = [{**row, "failed": True} for row in in_turn(160)]

    assert named(judged(good + broken)) == []


def test_two_failures_name_nobody_however_sure() -> None:
    rows = in_turn(400)
    rows[3]["failed"] = rows[7]["failed"] = True

    assert named(judged(rows)) == []


def test_one_broken_commit_that_ran_thrice_on_a_runner_names_nobody() -> None:
    rows = in_turn(200, sha="0" * 40)
    for row in rows[3:43:4]:
        row["failed"] = True

    report = judged(rows)

    assert named(report) == []
    assert (report.runners[0].name, report.runners[0].commits) == ("gpu-4", 1)


def test_what_is_sure_but_small_names_nobody() -> None:
    chance = random.Random(5)
    rows = [
        {**row, "failed": chance.random() < (0.60 if row["runner_name"] == "gpu-1" else 0.5)} for row in in_turn(4000)
    ]

    report = judged(rows)

    assert report.runners[0].q is not None
    assert report.runners[0].q < 0.05
    assert named(report) == []


def test_runners_of_github_and_runners_used_once_are_not_judged_one_by_one() -> None:
    hosted = [{"runner_name": f"GitHub Actions {n}", "pool": "ubuntu-latest", "failed": n % 2 == 0} for n in range(20)]
    once = [{"runner_name": f"arc-{n:x}-runner", "pool": "arc", "failed": n % 2 == 0} for n in range(20)]

    report = judged(hosted + once + in_turn(8))

    assert {one.name for one in report.runners} == set(RUNNERS)
    assert [(one.pool, one.runners, one.ephemeral, one.jobs, one.failures) for one in report.kinds] == [
        ("arc", 20, True, 20, 10),
        ("ubuntu-latest", 20, True, 20, 10),
        ("gpu", 4, False, 8, 0),
    ]
    assert report.ephemeral_jobs == 40


def test_a_pool_is_compared_with_other_pools_that_run_the_same_job() -> None:
    rows = [{"runner_name": f"r{n}", "pool": "old" if n % 2 else "new", "failed": n % 2 == 1} for n in range(40)]

    report = judged(rows)

    assert [one.name for one in report.bad] == ["old"]


def test_pools_without_a_job_in_common_are_not_compared() -> None:
    old: dict[str, Any] = {"name": "a", "pool": "old", "failed": True, "runner_name": "x"}

    assert [one.p for one in judged([old, {"name": "b", "pool": "new"}] * 30).pools] == [None, None]


def test_what_is_not_told_is_counted() -> None:
    report = judged([{"runner_name": None, "pool": None}, {"runner_name": ""}, {"runner_name": "gpu-1"}])

    assert (report.jobs, report.unknown) == (1, 2)


def test_ignored_and_undecided_jobs_do_not_count() -> None:
    run = a_run(0)
    jobs = [a_job(run, "gate", "failure", is_ignored=True), a_job(run, "a", "cancelled"), a_job(run, "b", None)]

    report = judge_runners(a_history([run], jobs))

    assert (report.jobs, report.unknown, report.runners) == (0, 0, ())


def test_the_order_of_the_rows_does_not_matter() -> None:
    chance = random.Random(3)
    rows = [{**row, "failed": chance.random() < 0.2} for row in in_turn(120)]
    runs = [a_run(n) for n in range(120)]
    jobs = [a_job(run, "unit", "failure" if row["failed"] else "success", runner_name=row["runner_name"])
            for run, row in zip(runs, rows, strict=True)]  # fmt: skip

    straight, shuffled = a_history(runs, jobs), a_history(runs, chance.sample(jobs, len(jobs)))

    assert judge_runners(straight) == judge_runners(shuffled)


def test_nothing_is_nothing() -> None:
    report = judge_runners(a_history([]))

    assert (report.runners, report.pools, report.kinds, report.jobs) == ((), (), (), 0)
    assert isinstance(a_history([]).jobs, pl.DataFrame)
