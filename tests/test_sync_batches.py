"""When jobs are read in batches through GraphQL, and what a batch does not lose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fake_github import FakeGitHub, Kind
from tests.syncing import TOKEN, a_week, assert_whole, jobs_of_store, jobs_of_world, rows, sync_once
from trackside.store.store import Store, open_store


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as one:
        yield one


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def assert_jobs(store: Store, github: FakeGitHub) -> None:
    """Every job with what both ways tell: its run, attempt, name, end, times and steps."""
    told = [
        {number: (*row[:5], *row[6:8], row[-1]) for number, row in found.items()}
        for found in (jobs_of_store(store), jobs_of_world(github.world))
    ]
    assert told[0] == told[1]


def test_fifty_runs_come_in_one_query(github: FakeGitHub, store: Store) -> None:
    for _ in range(50):
        github.world.add_run(4)
    record = sync_once(github, store, api="graphql", pulls="none")
    assert github.journal.by_endpoint() == {"runs": 1, "graphql": 1}
    assert record.completeness == 1.0
    assert_jobs(store, github)
    assert {row["source"] for row in rows(store, "jobs")} == {"graphql"}


@pytest.mark.parametrize(("runs", "endpoint"), [(10, "jobs"), (11, "graphql")])
def test_auto_takes_batches_where_more_than_ten_are_new(
    github: FakeGitHub, store: Store, runs: int, endpoint: str
) -> None:
    for _ in range(runs):
        github.world.add_run(2)
    sync_once(github, store, api="auto", pulls="none")
    assert github.journal.by_endpoint().keys() == {"runs", endpoint}


@pytest.mark.parametrize("kind", [Kind.ERROR, Kind.HTML, Kind.RESET, Kind.BAD_JSON])
def test_where_graphql_never_answers_rest_makes_the_store_whole(github: FakeGitHub, store: Store, kind: Kind) -> None:
    runs = a_week(github)
    github.faults.add(kind, endpoint="graphql")
    record = sync_once(github, store, api="auto", pulls="none")
    assert record.status == "ok"
    assert_whole(store, github)
    assert github.journal.count("graphql") <= 20
    assert github.journal.count("jobs") <= len(runs) + 2


def test_where_points_are_short_rest_goes_on(github: FakeGitHub, store: Store) -> None:
    for _ in range(120):
        github.world.add_run(2)
    github.leave_calls(115, token=TOKEN, resource="graphql", reset_in_s=3000)
    record = sync_once(github, store, api="auto", pulls="none")
    assert record.status == "ok"
    assert record.waited_s <= 60
    assert_jobs(store, github)
    assert github.journal.count("graphql") >= 1
    assert github.journal.count("jobs") >= 1


def test_deleted_runs_do_not_spoil_their_batch(github: FakeGitHub, store: Store) -> None:
    runs = [github.world.add_run(2) for _ in range(20)]
    sync_once(github, store, jobs=False, pulls="none")
    for run in runs[:3]:
        github.world.remove_run(run)
    github.journal.clear()
    record = sync_once(github, store, api="graphql", pulls="none")
    assert (record.status, record.completeness) == ("ok", 1.0)
    assert github.journal.by_endpoint() == {"runs": 1, "graphql": 1, "jobs": 3, "run": 3}
    assert_jobs(store, github)
