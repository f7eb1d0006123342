"""What a sync is told of a repository before it asks GitHub for anything."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from tests.build_github import NOON, REPO, at, attempt, commit_pulls, job, job_log, ledger, marker, pull
from trackside.records.job_logs import LogState
from trackside.records.runs import Source
from trackside.records.sync_state import SyncState
from trackside.store import known
from trackside.store.store import Store, open_store

OLD = NOON - dt.timedelta(days=100)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def test_of_a_repository_without_rows_nothing_is_known(store: Store) -> None:
    store.add_runs([attempt(repo="other/thing")], NOON)
    assert store.sync_state(REPO, OLD) == SyncState(repo=None)


def test_an_attempt_is_told_with_its_marker(store: Store) -> None:
    store.add_runs([attempt(head_sha="abc", event="push", workflow_file="ci.yml", run_number=5)], NOON)
    store.add_jobs([job()], [marker(jobs=3, jobs_listed=4)], NOON)
    [one] = store.sync_state(REPO, NOON).attempts
    assert (one.run_id, one.run_attempt, one.source, one.status) == (1, 1, Source.REST, "completed")
    assert (one.head_sha, one.event, one.workflow_file, one.run_number) == ("abc", "push", "ci.yml", 5)
    assert (one.fetched, one.fetched_status, one.fetched_updated_at) == (True, "completed", NOON)
    assert (one.fetched_jobs, one.fetched_jobs_listed) == (3, 4)


def test_jobs_without_their_marker_do_not_count_as_fetched(store: Store) -> None:
    store.add_runs([attempt()], NOON)
    store.add_jobs([job()], [], NOON)
    state = store.sync_state(REPO, NOON)
    assert [one.fetched for one in state.attempts] == [False]
    assert [one.run_id for one in state.waiting] == [1]


def test_old_attempts_are_told_only_where_something_of_them_is_open(store: Store) -> None:
    old: Any = {"created_at": OLD, "updated_at": OLD}
    store.add_runs(
        [
            attempt(1, **old),
            attempt(2, **old),
            attempt(3, **old | {"status": "in_progress"}),
            attempt(4, created_at=OLD, updated_at=NOON),
            attempt(5, created_at=NOON, updated_at=None),
            attempt(6, created_at=None, updated_at=None),
        ],
        NOON,
    )
    store.add_jobs([], [marker(number) for number in (1, 3, 4, 5, 6)], NOON)
    assert [one.run_id for one in store.sync_state(REPO, NOON).attempts] == [2, 3, 4, 5]


def test_attempts_wait_whose_jobs_were_never_read_or_before_they_were_over(store: Store) -> None:
    told = attempt(3, display_title="A title", pull_numbers=(8,), status="in_progress", conclusion=None)
    store.add_runs([attempt(1), attempt(2), told, attempt(4, created_at=OLD, updated_at=OLD)], NOON)
    store.add_jobs([], [marker(1), marker(2, status="in_progress")], NOON)
    assert store.sync_state(REPO, NOON).waiting == (attempt(2), told)


def test_pull_requests_are_told_that_changed_and_the_newest_change_of_all(store: Store) -> None:
    store.add_pulls([pull(1, updated_at=OLD), pull(2, title="x"), pull(3, updated_at=at(5))], [], NOON)
    state = store.sync_state(REPO, NOON)
    assert state.pulls == (pull(2, title="x"), pull(3, updated_at=at(5)))
    assert store.sync_state(REPO, at(60)).pulls == ()
    assert store.sync_state(REPO, at(60)).pulls_updated_at == at(5)


def test_commits_that_were_asked_count_also_where_they_have_no_pull_request(store: Store) -> None:
    store.add_pulls([], [commit_pulls("a", 7), commit_pulls("b")], NOON)
    assert store.sync_state(REPO, NOON).commits_asked == {"a", "b"}


def test_the_state_of_each_log_is_told_by_job(store: Store) -> None:
    store.add_logs([job_log(1), job_log(2, LogState.NOT_YET)], NOON)
    assert store.sync_state(REPO, NOON).logs == {1: LogState.READY, 2: LogState.NOT_YET}


def test_lists_of_the_last_400_days_are_told_oldest_first(store: Store) -> None:
    for name, days in (("now", 0), ("before", 399), ("long ago", 401)):
        store.add_sync(ledger(name, NOON - dt.timedelta(days=days), scope=name, swept=name == "now"))
    state = known.sync_state(store.location, REPO, NOON, NOON)
    assert [(one.scope, one.swept) for one in state.listed] == [("before", False), ("now", True)]
    assert state.listed[1].at == NOON
    assert state.listed[1].intervals == ledger().listed


def test_the_name_of_a_repository_is_found_in_any_case_and_told_as_it_was_stored_last(store: Store) -> None:
    store.add_runs([attempt(repo="Octo/Engine"), attempt(2, repo="Octo/Engine")], at(0))
    store.add_jobs([], [marker(2, repo="Octo/Engine")], at(0))
    assert store.sync_state("octo/ENGINE", OLD).repo == "Octo/Engine"
    store.add_runs([attempt(repo="octo/engine", conclusion="failure")], at(1))
    state = store.sync_state("OCTO/engine", OLD)
    assert state.repo == "octo/engine"
    assert [(one.run_id, one.conclusion, one.fetched) for one in state.attempts] == [
        (1, "failure", False),
        (2, "success", True),
    ]


def test_jobs_are_not_read(store: Store, tmp_path: Path) -> None:
    store.add_runs([attempt()], NOON)
    store.add_jobs([job()], [marker()], NOON)
    for file in (tmp_path / "store" / "jobs").glob("*.parquet"):
        file.unlink()
    assert store.sync_state(REPO, NOON).attempts[0].fetched
