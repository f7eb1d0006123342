"""The frames of agent operations, out of a store that a sync has filled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.agent_data import a_document
from tests.build_github import at, attempt, job, marker, pull, step
from tests.fake_github import FakeGitHub
from tests.fake_github.scenarios import small
from tests.syncing import REPO, a_week, sync_once
from trackside.agents.frames import AGENT_RUN_COLUMNS, STEP_COLUMNS, AgentHistory
from trackside.evidence.agent_history import load_agent_history
from trackside.evidence.selection import Selection
from trackside.records.agent_rules import AgentRules
from trackside.records.ci_rules import CiRules
from trackside.store.store import Store, open_store

NOON = at(0)


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as fake:
        fake.world.add_repository(REPO)
        yield fake


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def load(store: Store, rules: AgentRules | None = None, **selection: Any) -> AgentHistory:
    return load_agent_history(store, Selection(repo=REPO, **selection), CiRules(), rules or AgentRules())


def test_an_empty_store_is_an_agent_history_without_rows(store: Store) -> None:
    found = load(store)
    assert (found.runs.schema, found.steps.schema) == (AGENT_RUN_COLUMNS, STEP_COLUMNS)
    assert (found.runs.height, found.steps.height, found.labels, found.attributions) == (0, 0, {}, {})


def test_the_rows_are_those_of_the_history_with_what_is_known_beside_them(github: FakeGitHub, store: Store) -> None:
    a_week(github)
    sync_once(github, store)
    found = load(store)
    assert (found.runs.schema, found.steps.schema) == (AGENT_RUN_COLUMNS, STEP_COLUMNS)
    keys = ["run_id", "run_attempt"]
    assert found.runs.select(keys).equals(found.history.runs.select(keys))
    assert set(found.attributions) == set(found.runs.select(keys).iter_rows())
    jobs = {job.id: job for _, _, job in github.world.jobs.values()}
    in_history = found.history.jobs["job_id"].to_list()
    assert found.steps.select("job_id", "number").rows() == [
        (number, one.number) for number in in_history for one in jobs[number].steps
    ]
    assert found.labels == {number: tuple(jobs[number].labels) for number in in_history if jobs[number].labels}


def test_an_attempt_that_was_worked_out_from_its_jobs_says_so(github: FakeGitHub, store: Store) -> None:
    small(github.world, name=REPO)
    sync_once(github, store)
    told = load(store).runs
    assert set(told["source"]) == {"rest", "jobs"}
    inferred = told.filter(source="jobs").select("run_attempt", "triggering_actor").rows()
    assert {number for number, _ in inferred} == {1}
    document = a_document(load(store))
    assert {(run["id"], run["run_attempt"]): run["source"] for run in document["runs"]} == {
        (run_id, number): source for run_id, number, source in told.select("run_id", "run_attempt", "source").rows()
    }


def test_every_attempt_is_a_row_with_its_own_times(store: Store) -> None:
    runs = [
        attempt(1, 1, conclusion="failure", run_started_at=NOON, updated_at=at(10), duration_s=600.0),
        attempt(1, 2, conclusion="failure", run_started_at=at(60), updated_at=at(65), duration_s=300.0),
        attempt(1, 3, conclusion="success", run_started_at=at(90), updated_at=at(92), duration_s=120.0),
    ]
    store.add_runs(runs, NOON)
    jobs = [
        job(11, started_at=at(1), completed_at=at(3), duration_s=120.0, run_attempt=1),
        job(12, started_at=at(2), completed_at=at(9), duration_s=420.0, run_attempt=1, name="lint"),
        job(21, started_at=at(60.5), completed_at=at(64), duration_s=210.0, run_attempt=2),
        job(31, started_at=at(90), completed_at=at(92), duration_s=120.0, run_attempt=3),
    ]
    store.add_jobs(jobs, [marker(1, number) for number in (1, 2, 3)], NOON)
    told = load(store).runs.select("run_attempt", "conclusion", "duration_s", "queue_s", "active_s", "jobs")
    assert told.rows() == [
        (1, "failure", 600.0, 60.0, 540.0, 2),
        (2, "failure", 300.0, 30.0, 210.0, 1),
        (3, "success", 120.0, 0.0, 120.0, 1),
    ]


def test_what_is_not_known_is_null_and_not_nothing(store: Store) -> None:
    running = attempt(1, status="in_progress", conclusion=None, updated_at=at(5))
    waits = attempt(2, status="completed", conclusion="action_required")
    rerun = attempt(3, 2, run_started_at=None)
    store.add_runs([running, waits, rerun], NOON)
    begun = job(10, 1, status="in_progress", conclusion=None, started_at=at(2))
    again = job(30, 3, run_attempt=2, started_at=at(9), duration_s=5.0)
    markers = [marker(1, status="in_progress"), marker(3, 2)]
    store.add_jobs([begun, again], markers, NOON)
    told = load(store).runs.sort("run_id").select("duration_s", "queue_s", "active_s", "jobs")
    assert told.rows() == [(None, 120.0, None, 1), (None, None, None, None), (None, None, 5.0, 1)]


def test_a_run_without_a_job_took_no_time_of_a_runner(store: Store) -> None:
    store.add_runs([attempt(1, conclusion="startup_failure", duration_s=0.0)], NOON)
    store.add_jobs([], [marker(1, jobs=0, jobs_listed=0)], NOON)
    told = load(store).runs.select("duration_s", "queue_s", "active_s", "jobs")
    assert told.rows() == [(0.0, None, 0.0, 0)]


def test_skipped_steps_have_no_duration_and_a_job_without_steps_has_no_row(store: Store) -> None:
    store.add_runs([attempt(1)], NOON)
    ran = step(1, completed_at=at(1), duration_s=60.0)
    skipped = step(2, name="Upload", conclusion="skipped", started_at=None)
    store.add_jobs([job(10, steps=(ran, skipped)), job(11, name="gate", steps=())], [marker(1)], NOON)
    steps = load(store).steps
    assert steps.select("job_id", "job", "number", "step", "conclusion", "duration_s").rows() == [
        (10, "test", 1, "Run tests", "success", 60.0),
        (10, "test", 2, "Upload", "skipped", None),
    ]


def test_a_scheduled_run_has_no_pull_request_but_the_one_merged_last(store: Store) -> None:
    merged = pull(8, merged_at=NOON, merge_commit_sha="c0ffee", head_sha="beef", author="Copilot", author_id=198982749)
    store.add_pulls([merged], [], NOON)
    told: dict[str, Any] = {
        "head_sha": "c0ffee",
        "head_branch": "main",
        "head_repository": REPO,
        "head_commit_message": "Speed (#8)",
    }
    store.add_runs([attempt(1, event="schedule", **told), attempt(2, event="push", **told)], NOON)
    runs = load(store).runs.sort("run_id").select("pull_numbers", "last_merged_pull", "issue_numbers", "agent")
    assert runs.rows() == [([], 8, [], None), ([8], 8, [], "copilot")]


def test_several_pull_requests_of_a_run_are_told_the_best_first(store: Store) -> None:
    pulls = [
        pull(7, head_sha="beef", head_branch="other", head_repository=REPO),
        pull(8, head_sha="beef", head_branch="faster", head_repository=REPO),
        pull(9, head_sha="beef", head_branch="third", head_repository=REPO),
    ]
    store.add_pulls(pulls, [], NOON)
    told: dict[str, Any] = {
        "head_sha": "beef",
        "head_branch": "faster",
        "head_repository": REPO,
        "event": "pull_request",
    }
    store.add_runs([attempt(1, **told), attempt(2, pull_numbers=(9,), **told)], NOON)
    runs = load(store).runs.sort("run_id")
    assert runs["pull_numbers"].to_list() == [[8, 7, 9], [9, 8, 7]]
    assert runs["pull_number"].to_list() == [8, 9]


def test_a_day_of_waiting_for_approval_is_queue_and_not_duration(store: Store) -> None:
    day = dt.timedelta(days=1)
    run = attempt(1, created_at=NOON, run_started_at=NOON + day, updated_at=NOON + day + dt.timedelta(minutes=3))
    store.add_runs([run], NOON)
    store.add_jobs([job(10, started_at=NOON + day, duration_s=170.0)], [marker(1)], NOON)
    assert load(store).runs["queue_s"].to_list() == [86_400.0]


def test_a_job_that_was_skipped_waited_for_nothing(store: Store) -> None:
    store.add_runs([attempt(1), attempt(2)], NOON)
    gate = job(10, name="gate", conclusion="skipped", started_at=NOON, completed_at=NOON, duration_s=None)
    nothing = job(20, 2, conclusion="skipped", started_at=NOON, completed_at=NOON, duration_s=None)
    store.add_jobs([gate, job(11, started_at=at(3), duration_s=60.0), nothing], [marker(1), marker(2)], NOON)
    assert load(store).runs.sort("run_id").select("queue_s", "jobs").rows() == [(180.0, 2), (None, 1)]


def test_everything_that_github_tells_of_a_run_is_there(github: FakeGitHub, store: Store) -> None:
    at = github.clock.now().replace(microsecond=0) - dt.timedelta(hours=2)
    branch = "copilot/grün & <b>#1?"
    made = github.world.add_run(
        1, conclusion="failure", workflow="PR Test", event="push", branch=branch, at=at, actor="Copilot", title="Faster"
    )
    sync_once(github, store)
    [row] = load(store).runs.to_dicts()
    latest = made.latest
    assert {name: row[name] for name in ("run_id", "run_number", "run_attempt", "workflow", "workflow_file")} == {
        "run_id": made.id,
        "run_number": made.number,
        "run_attempt": 1,
        "workflow": "PR Test",
        "workflow_file": made.workflow.path,
    }
    assert (row["status"], row["conclusion"], row["event"]) == ("completed", "failure", "push")
    assert (row["branch"], row["sha"], row["title"]) == (branch, made.head_sha, "Faster")
    assert (row["created_at"], row["started_at"], row["updated_at"]) == (at, latest.started_at, latest.updated_at)
    assert (row["triggering_actor"], row["triggering_actor_id"]) == ("Copilot", 198982749)
    assert (row["pull_numbers"], row["agent"]) == ([], "copilot")


def test_what_github_leaves_out_of_a_run_is_null(github: FakeGitHub, store: Store) -> None:
    made = github.world.add_run(1, at=github.clock.now() - dt.timedelta(hours=2))
    gone = ("triggering_actor", "actor", "head_commit", "head_repository", "display_title", "pull_requests", "name")
    made.overrides = dict.fromkeys((*gone, "path", "head_branch", "event"))
    sync_once(github, store)
    [row] = load(store).runs.to_dicts()
    names = ("triggering_actor", "actor", "commit_message", "commit_email", "title", "workflow_file", "branch", "event")
    assert [row[name] for name in names] == [None] * len(names)
    assert (row["workflow"], row["agent"], row["issue_numbers"], row["pull_numbers"]) == ("?", None, [], [])


def test_each_attempt_keeps_who_triggered_it(store: Store) -> None:
    first = attempt(1, 1, conclusion="failure", triggering_actor="Copilot", triggering_actor_id=198982749)
    second = attempt(1, 2, run_started_at=at(60), triggering_actor="alice", triggering_actor_id=1)
    store.add_runs([first, second], NOON)
    assert load(store).runs.select("run_attempt", "conclusion", "agent").rows() == [
        (1, "failure", "copilot"),
        (2, "success", None),
    ]


def test_a_repository_in_two_spellings_has_each_step_once(store: Store) -> None:
    for repo in (REPO, REPO.upper()):
        store.add_runs([attempt(1, repo=repo)], NOON)
        store.add_jobs([job(10, repo=repo, labels=("gpu",))], [marker(1, repo=repo)], NOON)
    found = load(store)
    assert (found.runs.height, found.steps.height, found.labels) == (1, 1, {10: ("gpu",)})


def test_the_subject_of_a_merge_tells_its_pull_request_where_no_other_does(store: Store) -> None:
    told: dict[str, Any] = {"head_branch": "main", "head_repository": REPO, "head_commit_message": "Speed up (#8)"}
    branch: dict[str, Any] = told | {"head_branch": "other", "event": "push"}
    events = [attempt(1, event="push", **told), attempt(2, event="schedule", **told), attempt(3, **branch)]
    store.add_runs(events, NOON)
    found = load_agent_history(store, Selection(repo=REPO), CiRules(default_branch="main"), AgentRules()).runs
    assert found.sort("run_id").select("pull_numbers", "last_merged_pull", "issue_numbers").rows() == [
        ([8], 8, []),
        ([], 8, []),
        ([], None, []),
    ]


def test_a_choice_of_jobs_changes_no_agent(store: Store) -> None:
    claude = step(1, name="Run anthropics/claude-code-action@v1", duration_s=9.0)
    store.add_runs([attempt(1)], NOON)
    jobs = [job(10, name="review", steps=(claude,)), job(11, name="unit", started_at=at(1), duration_s=60.0)]
    store.add_jobs(jobs, [marker(1, jobs=2, jobs_listed=2)], NOON)
    whole, some = load(store), load(store, jobs=("unit",))
    assert some.steps["job_id"].to_list() == [11]
    assert some.runs.equals(whole.runs)
    assert some.runs["agent"].to_list() == ["claude"]
