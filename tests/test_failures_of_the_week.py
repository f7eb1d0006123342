"""The failure report of the fake GitHub's week, beside what there really was in its world."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.fake_github import FakeGitHub
from tests.fake_github.scenarios import week
from tests.fake_github.things import Attempt, Job, Run
from tests.syncing import REPO, sync_once
from trackside.ci.categories import category_of
from trackside.ci.failure_records import FailureReport
from trackside.ci.failure_report import failure_report
from trackside.evidence.history import load_history
from trackside.evidence.selection import Selection
from trackside.history.frames import History
from trackside.records.ci_rules import CiRules
from trackside.store.store import open_store

FAILED = ("failure", "timed_out", "startup_failure", "action_required")
RULES = CiRules(ignored_jobs=("check-changes", "*-finish", "lint"))
IGNORED = ("check-changes", "pr-test-finish", "lint")


@pytest.fixture(scope="module")
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as fake:
        week(fake.world, name=REPO)
        yield fake


@pytest.fixture(scope="module")
def history(github: FakeGitHub, tmp_path_factory: pytest.TempPathFactory) -> History:
    store = open_store(tmp_path_factory.mktemp("week"))
    assert sync_once(github, store).missing == ()
    return load_history(store, Selection(repo=REPO), RULES)


@pytest.fixture(scope="module")
def report(history: History) -> FailureReport:
    return failure_report(history)


def runs_of(github: FakeGitHub) -> list[Run]:
    return [run for _, run in github.world.runs.values()]


def attempts_of(github: FakeGitHub) -> list[tuple[Run, Attempt, Job]]:
    """Every attempt of a job that really ran in its attempt: one that is only listed again is the same thing."""
    seen: set[tuple[object, ...]] = set()
    found = []
    for run in runs_of(github):
        for attempt in run.attempts:
            for job in attempt.jobs:
                key = (run.id, job.name, job.started_at, job.completed_at, job.runner_name)
                if key not in seen or job.started_at is None:
                    found.append((run, attempt, job))
                seen.add(key)
    return found


def failures_of(github: FakeGitHub) -> list[tuple[Run, Attempt, Job]]:
    return [one for one in attempts_of(github) if one[2].conclusion in FAILED and one[2].name not in IGNORED]


def test_every_run_is_counted_once_by_its_latest_attempt(github: FakeGitHub, report: FailureReport) -> None:
    ends = Counter(run.conclusion for run in runs_of(github))
    assert report.total_runs == len(github.world.runs)
    assert report.successful_runs == ends["success"]
    assert report.failed_runs == sum(ends[end] for end in FAILED)
    assert report.cancelled_runs == ends["cancelled"]
    assert report.skipped_runs == ends["skipped"]
    assert report.unfinished_runs == ends[None]
    assert report.other_runs == 0


def test_every_failed_attempt_of_every_job_is_counted(github: FakeGitHub, report: FailureReport) -> None:
    truth = Counter(job.name for _, _, job in failures_of(github))
    assert len(truth) > 20
    assert report.job_failures == dict(truth)
    assert report.completeness.failed_job_attempts == truth.total() == len(report.failures)


def test_failures_in_cancelled_runs_are_told_apart(github: FakeGitHub, report: FailureReport) -> None:
    truth = Counter(job.name for _, attempt, job in failures_of(github) if attempt.conclusion == "cancelled")
    assert truth.total() > 0
    assert report.job_failures_in_cancelled_runs == dict(truth)


def test_categories_and_workflows_are_counted(github: FakeGitHub, report: FailureReport) -> None:
    assert report.category_failures == dict(Counter(str(category_of(job.name)) for _, _, job in failures_of(github)))
    truth = Counter(run.name for run in runs_of(github) if run.conclusion in FAILED)
    assert report.workflow_failures == dict(truth)


def test_the_last_success_of_each_job_is_the_newest_there_was(github: FakeGitHub, report: FailureReport) -> None:
    newest: dict[str, dt.datetime] = {}
    for run, _, job in attempts_of(github):
        if job.conclusion == "success" and job.name not in IGNORED:
            newest[job.name] = max(newest.get(job.name, run.created_at), run.created_at)
    told = {name: link.created_at for name, link in report.job_last_success.items()}
    assert told == newest


def test_the_links_are_those_of_the_newest_runs_with_a_failure(github: FakeGitHub, report: FailureReport) -> None:
    runs: dict[str, set[tuple[dt.datetime, int]]] = {}
    for run, _, job in failures_of(github):
        runs.setdefault(job.name, set()).add((run.created_at, run.id))
    for name, links in report.job_failure_links.items():
        newest = sorted(runs[name], reverse=True)[:3]
        assert [int(link.url.rsplit("/", 1)[1]) for link in links] == [number for _, number in newest]


def test_no_run_of_main_has_a_pull_request_that_is_not_its_own(github: FakeGitHub, report: FailureReport) -> None:
    wrong = {run.id for run in runs_of(github) if run.wrong_pulls}
    assert wrong
    told = {one.run_id: one.pr_info.pr_number for one in report.failures}
    assert all(told.get(number) != 1 for number in wrong)
    merged = {pull.merge_commit_sha: pull.number for pull in github.world.home.pulls if pull.merge_commit_sha}
    for one in report.failures:
        if one.event == "push" and one.pr_info.head_sha in merged:
            assert one.pr_info.pr_number == merged[one.pr_info.head_sha]


def test_runs_that_failed_without_a_job_are_told(github: FakeGitHub, report: FailureReport) -> None:
    truth = [run.id for run in runs_of(github) if run.conclusion in FAILED and not run.latest.jobs]
    assert len(truth) == 8
    assert sorted(int(one.url.rsplit("/", 1)[1]) for one in report.jobless_failures) == sorted(truth)


def test_ignored_jobs_are_counted_by_themselves(github: FakeGitHub, report: FailureReport) -> None:
    truth = Counter(job.name for _, _, job in attempts_of(github) if job.conclusion in FAILED and job.name in IGNORED)
    assert report.ignored_jobs == dict(truth)


def test_strictly_the_established_arithmetic_comes_out(github: FakeGitHub, history: History) -> None:
    strict = failure_report(history, strict_compat=True)
    truth = Counter(
        job.name
        for run in runs_of(github)
        for job in newest_jobs(run)
        if job.conclusion == run.conclusion == "failure" and job.name not in ("check-changes", "pr-test-finish", "lint")
    )
    assert strict.job_failures == dict(truth)
    oldest: dict[str, dt.datetime] = {}
    for run in runs_of(github):
        for job in newest_jobs(run):
            if job.conclusion == "success":
                oldest[job.name] = min(oldest.get(job.name, run.created_at), run.created_at)
    told = {name: link.created_at for name, link in strict.job_last_success.items()}
    assert told == {name: at for name, at in oldest.items() if name not in ("check-changes", "pr-test-finish", "lint")}


def newest_jobs(run: Run) -> list[Job]:
    """What the list of a run's latest jobs shows: of each name the newest."""
    return list({job.name: job for attempt in run.attempts for job in attempt.jobs}.values())
