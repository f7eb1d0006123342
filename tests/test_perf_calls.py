"""What collecting performance numbers costs in calls: a thousand runs at first, what is new later, and by the hour."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from tests.fake_github import FakeGitHub, Job, Run
from tests.fake_github.job_lives import plan_of
from tests.fake_github.scenarios import perf_large
from tests.fake_github.week_benchmarks import JOBS
from tests.syncing import REPO, assert_whole, pages, sync_once, sync_until_complete
from trackside.store.store import Store, open_store

DAYS = 31
OF_CI = "ghs_" + "R4n" * 12
"""A token of a workflow: 1,000 calls an hour."""


def runs_of(github: FakeGitHub) -> list[Run]:
    return [run for _, run in github.world.runs.values()]


def performance_jobs(github: FakeGitHub) -> list[Job]:
    """Those that ended: of each GitHub is asked for the log once, whether it has one or not."""
    return [job for run in runs_of(github) for attempt in run.attempts for job in attempt.jobs if job.name in JOBS]


def least_calls(github: FakeGitHub) -> int:
    """List pages, job pages, and one call for each performance job."""
    jobs = sum(pages(sum(len(attempt.jobs) for attempt in run.attempts)) for run in runs_of(github))
    return pages(len(runs_of(github))) + jobs + len(performance_jobs(github))


def read_logs_of(store: Store) -> set[int]:
    """The jobs whose log is in the store, or is known to be nowhere."""
    return set(store.newest("job_logs").select("job_id").collect()["job_id"])


def newer_runs(github: FakeGitHub, count: int) -> list[Run]:
    """Runs that were made since, with the performance jobs of an older one."""
    world, old = github.world, runs_of(github)[-1]
    plans = [plan_of(job, "success") for job in old.attempts[0].jobs]
    return [world.add_run(plans, workflow="PR Test", sha=f"{index:040x}") for index in range(count)]


def test_a_thousand_runs_cost_their_pages_and_a_call_for_each_performance_job(tmp_path: Path) -> None:
    with FakeGitHub() as github:
        perf_large(github.world, name=REPO)
        store = open_store(tmp_path)
        record = sync_once(github, store, logs="perf", days=DAYS)

        assert (len(runs_of(github)), len(performance_jobs(github))) == (1000, 3000)
        assert record.missing == ()
        assert record.calls == github.journal.count() <= 1.05 * least_calls(github)
        assert github.journal.count("job log") == 3000
        assert read_logs_of(store) == {job.id for job in performance_jobs(github)}
        assert_whole(store, github)
        assert github.journal.broken_rules() == {}

        github.clock.advance(2 * 3600)
        github.journal.clear()
        again = sync_once(github, store, logs="perf", days=DAYS)
        day = [run for run in runs_of(github) if run.created_at >= github.clock.now() - dt.timedelta(hours=24)]
        assert again.calls == github.journal.count() <= pages(len(day)) + 1
        assert (again.logs_new, again.missing) == (0, ())

        new = newer_runs(github, 4)
        github.journal.clear()
        later = sync_once(github, store, logs="perf", days=DAYS, pulls="none")
        assert dict(github.journal.by_endpoint()) == {"runs": pages(len(day) + 4), "jobs": 4, "job log": 12}
        assert later.logs_new == 3 * len(new)


def test_under_a_thousand_calls_an_hour_it_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with FakeGitHub() as github:
        perf_large(github.world, runs=400, name=REPO)
        store = open_store(tmp_path)
        records = sync_until_complete(github, store, 3, token=OF_CI, logs="perf", days=DAYS)

        assert len(records) == 2
        assert all(record.calls <= 1000 for record in records)
        assert sum(record.calls for record in records) <= 1.05 * least_calls(github)
        assert github.journal.count("job log") == len(performance_jobs(github))
        assert read_logs_of(store) == {job.id for job in performance_jobs(github)}
        assert github.journal.broken_rules() == {}
