"""The frames of runs and jobs, out of a store that a sync has filled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.fake_github import FakeGitHub, job, matrix
from tests.fake_github.plans import sha_of
from tests.fake_github.things import Step
from tests.syncing import REPO, sync_once
from trackside.evidence.diagnoses import read_logs
from trackside.evidence.history import load_history
from trackside.evidence.selection import Selection
from trackside.history.frames import FAILURE_COLUMNS, JOB_COLUMNS, RUN_COLUMNS, TEST_FILE_COLUMNS, History
from trackside.records.ci_rules import Alias, CategoryRule, CiRules
from trackside.store.store import Store, open_store

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as fake:
        fake.world.add_repository(REPO)
        yield fake


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def history(github: FakeGitHub, store: Store, rules: CiRules | None = None, **selection: Any) -> History:
    """The history after a sync."""
    sync_once(github, store)
    return load_history(store, Selection(repo=REPO, **selection), rules or CiRules())


def test_an_empty_store_is_a_history_without_rows(store: Store) -> None:
    found = load_history(store, Selection(repo=REPO), CiRules())
    assert (found.runs.schema, found.jobs.schema) == (RUN_COLUMNS, JOB_COLUMNS)
    assert (found.failures.schema, found.test_files.schema) == (FAILURE_COLUMNS, TEST_FILE_COLUMNS)
    assert [frame.height for frame in (found.runs, found.jobs, found.failures, found.test_files)] == [0] * 4
    assert (found.default_branch, found.unread) == (None, 0)


def test_the_columns_are_the_promised_ones(github: FakeGitHub, store: Store) -> None:
    github.world.add_run(matrix("unit", 2, ["failure"]), conclusion="failure")
    found = history(github, store)
    assert (found.runs.schema, found.jobs.schema) == (RUN_COLUMNS, JOB_COLUMNS)
    assert found.failures.schema == FAILURE_COLUMNS


def test_only_branches_of_the_repository_itself_are_its_lines(github: FakeGitHub, store: Store) -> None:
    world = github.world
    fork = world.add_repository("eve/engine", fork=True)
    world.add_run(branch="main", event="schedule")
    world.add_run(branch="main", event="pull_request", head_repository=fork)
    world.add_run(branch="faster", event="push")
    lines = history(github, store).runs.sort("run_id").select("line", "is_default_line").rows()
    assert lines == [("main", True), ("eve:main", False), ("faster", False)]


def test_the_default_branch_is_what_github_says_or_what_is_set(github: FakeGitHub, store: Store) -> None:
    world = github.world
    repo = world.repository(REPO)
    assert repo is not None
    repo.default_branch = "trunk"
    world.add_pull("One")
    world.add_run(branch="trunk")
    assert history(github, store).default_branch == "trunk"
    told = load_history(store, Selection(repo=REPO), CiRules(default_branch="release"))
    assert told.default_branch == "release"
    assert not told.runs["is_default_line"].any()


def test_a_pull_request_is_told_only_where_it_is_true(github: FakeGitHub, store: Store) -> None:
    world, now = github.world, github.clock.now()
    fork = world.add_repository("eve/engine", fork=True)
    opened, merged = sha_of("opened"), sha_of("merged")
    world.add_pull("Opened", number=7, branch="faster", sha=opened, at=now - HOUR, head_repository=fork)
    world.add_pull("Merged", number=8, branch="done", sha=sha_of("done"), merged_as=merged, at=now - HOUR)
    world.add_run(branch="faster", sha=opened, event="pull_request", head_repository=fork)
    world.add_run(branch="main", sha=merged, event="push")
    world.add_run(branch="main", sha=merged, event="schedule").wrong_pulls = (1,)
    world.add_run(branch="main", sha=sha_of("straight to main"), event="push")
    found = history(github, store).runs.sort("run_id")
    assert found["pull_number"].to_list() == [7, 8, None, None]
    assert found["pull_url"].is_not_null().to_list() == [True, True, False, False]


def test_the_pull_request_with_the_commit_of_a_run_outranks_what_the_run_names(
    github: FakeGitHub, store: Store
) -> None:
    world, at = github.world, github.clock.now() - HOUR
    fork = world.add_repository("eve/engine", fork=True)
    first, second = sha_of("first"), sha_of("second")
    world.add_pull("Strange", number=1, branch="strange", sha=sha_of("strange"), at=at)
    world.add_pull("Of the fork", number=7, branch="faster", sha=first, at=at, head_repository=fork)
    world.add_pull("Given up", number=8, branch="again", sha=second, at=at)
    world.add_pull("Opened again", number=9, branch="again", sha=second, at=at)
    for head, sha, named in ((fork, first, 1), (None, second, 9), (None, sha_of("pushed over"), 9)):
        run = world.add_run(branch="again", sha=sha, event="pull_request", head_repository=head)
        run.overrides = {"pull_requests": [{"number": named, "base": {"repo": {"full_name": REPO}}}]}
    found = history(github, store).runs.sort("run_id")
    assert found["pull_number"].to_list() == [7, 9, 9]


def test_every_attempt_counts_and_the_newest_of_each_job_is_marked(github: FakeGitHub, store: Store) -> None:
    world = github.world
    run = world.add_run(matrix("unit", 2, ["failure"]), conclusion="failure", at=github.clock.now() - HOUR)
    world.rerun(run, carry=True)
    found = history(github, store)
    rows = found.jobs.select("name", "run_attempt", "outcome", "is_latest").rows()
    assert rows == [
        ("unit (0)", 1, "failed", False),
        ("unit (1)", 1, "passed", True),
        ("unit (0)", 2, "passed", True),
    ]
    assert found.runs.select("run_attempt", "is_latest").rows() == [(1, False), (2, True)]


@pytest.mark.parametrize(
    ("conclusion", "outcome"),
    [
        ("success", "passed"),
        ("failure", "failed"),
        ("timed_out", "failed"),
        ("startup_failure", "failed"),
        ("action_required", "failed"),
        ("cancelled", "cancelled"),
        ("skipped", "skipped"),
        ("neutral", "skipped"),
        ("exploded", "other"),
        (None, "unfinished"),
    ],
)
def test_what_a_conclusion_means(github: FakeGitHub, store: Store, conclusion: str | None, outcome: str) -> None:
    github.world.add_run([job("unit", conclusion)], conclusion=conclusion)
    assert history(github, store).jobs["outcome"].to_list() == [outcome]


def test_a_run_that_failed_without_a_job_is_kept_apart(github: FakeGitHub, store: Store) -> None:
    run = github.world.add_run([], conclusion="startup_failure")
    github.world.add_run([job("unit", "failure")], conclusion="failure")
    assert history(github, store).jobless_failures["run_id"].to_list() == [run.id]


def test_the_first_step_that_failed_is_told_else_the_one_that_was_cut_off(github: FakeGitHub, store: Store) -> None:
    broken = (Step(1, "Set up", "success", 0, 1), Step(2, "Build", "failure", 1, 5), Step(4, "Test", "failure", 6, 9))
    lost = (Step(1, "Set up", "success", 0, 1), Step(2, "Test", None, 1, None), Step(9, "Clean up", None, None, None))
    jobs = [
        job("broken", "failure", steps=broken),
        job("lost", "failure", steps=lost),
        job("none", "failure", steps=()),
    ]
    github.world.add_run(jobs, conclusion="failure")
    rows = history(github, store).jobs.select("name", "failed_step", "failed_step_number", "failed_steps").rows()
    assert rows == [
        ("broken", "Build", 2, ["Build", "Test"]),
        ("lost", "Test", 2, ["Test"]),
        ("none", None, None, []),
    ]


def test_rules_name_the_jobs_their_categories_and_those_to_leave_out(github: FakeGitHub, store: Store) -> None:
    jobs = [job("old-unit (3)", labels=("gpu", "b200")), job("gate"), job("else", labels=())]
    github.world.add_run(jobs)
    rules = CiRules(
        ignored_jobs=("gate",),
        categories=(CategoryRule("units", ("unit*",)),),
        aliases=(Alias("old-unit", "unit"),),
    )
    found = history(github, store, rules)
    columns = ("name", "job", "family", "shard", "category", "pool")
    assert found.jobs.select(columns).row(0) == ("old-unit (3)", "unit (3)", "unit", "3", "units", "b200+gpu")
    assert found.jobs["is_ignored"].to_list() == [False, True, False]
    assert found.counted_jobs["name"].to_list() == ["old-unit (3)", "else"]


def test_a_selection_keeps_the_newest_runs_of_its_workflows_and_jobs(github: FakeGitHub, store: Store) -> None:
    world, now = github.world, github.clock.now()
    for hours in range(1, 6):
        world.add_run(matrix("unit", 2), workflow="PR Test", at=now - hours * HOUR)
        world.add_run(workflow="Lint", at=now - hours * HOUR)
    found = history(github, store, workflows=("pr-test.yml",), jobs=("unit (1)",), limit=2)
    assert found.runs["workflow"].unique().to_list() == ["PR Test"]
    newest = sorted((run.id for _, run in world.runs.values() if run.workflow.name == "PR Test"), reverse=True)[:2]
    assert sorted(found.runs["run_id"], reverse=True) == newest
    assert found.jobs["name"].to_list() == ["unit (1)"] * 2
    recent = load_history(store, Selection(repo=REPO, since=now - 1.5 * HOUR, until=now), CiRules())
    assert recent.runs.height == 2


def test_attempts_whose_jobs_are_not_there_are_counted(github: FakeGitHub, store: Store) -> None:
    github.world.add_run(at=github.clock.now() - HOUR)
    sync_once(github, store, jobs=False)
    found = load_history(store, Selection(repo=REPO), CiRules())
    assert (found.runs.height, found.jobs.height, found.unread) == (1, 0, 1)


def test_a_run_whose_jobs_were_not_read_is_not_said_to_have_none(github: FakeGitHub, store: Store) -> None:
    github.world.add_run([job("unit", "failure")], conclusion="failure")
    sync_once(github, store, jobs=False)
    found = load_history(store, Selection(repo=REPO), CiRules())
    assert (found.jobless_failures.height, found.unread) == (0, 1)


def test_a_failure_without_a_log_is_a_guess_and_said_to_be_one(github: FakeGitHub, store: Store) -> None:
    github.world.add_run([job("unit", "timed_out"), job("fine"), job("stopped", "cancelled")], conclusion="failure")
    found = history(github, store)
    told = found.failures.select("cause", "source", "fingerprint", "truncated").rows()
    assert told == [("timeout", "steps", None, False)]
    assert found.logs == {"not asked": 1}
    assert found.jobs.filter(pl.col("name") == "unit")["job_id"].to_list() == found.failures["job_id"].to_list()


def test_the_error_at_the_end_of_a_log_over_the_cap_is_found(github: FakeGitHub, store: Store) -> None:
    log = b"still at it\n" * 5_000 + b"E   AssertionError: 1 != 2\n##[error]Process completed with exit code 1.\n"
    github.world.add_run([job("unit", "failure", log=log), job("other", "failure")], conclusion="failure")
    sync_once(github, store, logs="failed", log_cap_bytes=2_000)
    read_logs(store, REPO, CiRules(), github.clock.now(), lambda _done, _total: None)
    found = load_history(store, Selection(repo=REPO), CiRules())
    told = found.failures.filter(pl.col("line_text").str.contains("1 != 2"))
    assert told.select("source", "truncated").rows() == [("log", True)]
    assert found.failures["truncated"].sort().to_list() == [False, True]


def test_chosen_jobs_do_not_make_the_other_jobs_of_a_run_missing(github: FakeGitHub, store: Store) -> None:
    github.world.add_run([job("unit", "failure"), job("lint")], conclusion="failure")
    broken = github.world.add_run([], conclusion="startup_failure")
    found = history(github, store, jobs=("lint",))
    assert found.jobs["name"].to_list() == ["lint"]
    assert sorted(found.whole.jobs["name"]) == ["lint", "unit"]
    assert found.jobless_failures["run_id"].to_list() == [broken.id]
    assert found.asked_for == frozenset({("CI", "lint")})
    assert history(github, store).asked_for is None


@pytest.mark.parametrize("limit", [1, 3, 5, 8])
def test_a_limit_wants_the_runs_that_a_sync_with_it_reads(github: FakeGitHub, store: Store, limit: int) -> None:
    for hours in (1, 5, 2, 9, 3, 7, 4, 8, 6):
        github.world.add_run(at=github.clock.now() - hours * HOUR)
    sync_once(github, store, limit=limit)
    found = load_history(store, Selection(repo=REPO, limit=limit), CiRules())
    assert (found.runs.height, found.unread) == (limit, 0)
