"""Jobs through GraphQL: where it cannot answer, smaller queries or REST do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.connecting import talking
from tests.fake_github import FakeGitHub, Kind, job, matrix
from tests.scripted_server import answer
from tests.syncing import (
    attempts_of_store,
    attempts_of_world,
    everything,
    jobs_of_store,
    jobs_of_world,
    sync_once,
)
from trackside.github.graphql_batches import GraphQLReader
from trackside.records.runs import RunAttempt, Source
from trackside.store.store import Store, open_store

TOLD_BY_GRAPHQL = 5


def runs_of(github: FakeGitHub, count: int, jobs: int) -> None:
    for index in range(count):
        github.world.add_run(matrix("unit", jobs, ["failure"] if index % 3 == 0 else []), workflow="PR Test")


def assert_whole(store: Store, github: FakeGitHub) -> None:
    """The store holds every attempt and every job of the world, as far as GraphQL tells of them."""
    assert attempts_of_store(store) == attempts_of_world(github.world)
    stored = {number: row[:TOLD_BY_GRAPHQL] for number, row in jobs_of_store(store).items()}
    assert stored == {number: row[:TOLD_BY_GRAPHQL] for number, row in jobs_of_world(github.world).items()}


def test_job_ids_that_outgrew_the_schema_come_from_the_address_of_the_job(tmp_path: Path) -> None:
    with FakeGitHub() as github:
        github.settings.graphql_big_ids = False
        runs_of(github, 15, 3)
        store = open_store(tmp_path)
        assert sync_once(github, store, api="graphql", pulls="none").missing == ()
        assert github.journal.count("jobs") == 0
        assert_whole(store, github)


def test_queries_that_are_too_large_are_made_smaller_until_they_are_answered(tmp_path: Path) -> None:
    with FakeGitHub() as github:
        github.settings.graphql_max_check_runs = 60
        runs_of(github, 40, 10)
        store = open_store(tmp_path)
        record = sync_once(github, store, api="graphql", pulls="none")
        assert record.missing == ()
        assert github.journal.count("jobs") == 0, "no run was left to REST"
        assert github.journal.count("graphql") < 40
        assert_whole(store, github)


def test_a_run_with_more_jobs_than_one_page_comes_whole(tmp_path: Path) -> None:
    with FakeGitHub() as github:
        github.world.add_run([*matrix("unit", 240), job("lint")], workflow="PR Test")
        github.world.add_run([], conclusion="startup_failure", workflow="PR Test")
        store = open_store(tmp_path)
        record = sync_once(github, store, api="graphql", pulls="none")
        assert (record.missing, record.jobs_new, github.journal.count("jobs")) == ((), 241, 0)
        assert github.journal.count("graphql") == 4, "30 jobs, then pages of 100"
        assert_whole(store, github)


def test_a_job_with_more_steps_than_a_query_asks_for_is_left_to_rest(tmp_path: Path) -> None:
    with FakeGitHub() as github:
        github.world.add_run([job("long", n_steps=70)], workflow="PR Test")
        store = open_store(tmp_path)
        assert sync_once(github, store, api="graphql", pulls="none").steps_new == 70
        assert github.journal.count("jobs") == 1


def test_where_graphql_is_not_allowed_rest_is_used_and_it_is_said(tmp_path: Path) -> None:
    with FakeGitHub() as github:
        runs_of(github, 12, 2)
        github.faults.add("error", endpoint="graphql", status=403)
        store = open_store(tmp_path / "a")
        record = sync_once(github, store, api="auto", pulls="none")
        assert record.missing == ()
        assert any("GraphQL was given up" in note for note in record.notes)
        assert github.journal.count("graphql") == 1, "once refused, never asked again"
        plain = open_store(tmp_path / "b")
        sync_once(github, plain, api="rest", pulls="none")
        assert everything(store) == everything(plain)


def test_many_failures_of_graphql_do_not_stop_rest(tmp_path: Path) -> None:
    with FakeGitHub() as github:
        runs_of(github, 12, 2)
        github.faults.add("error", endpoint="graphql", status=502)
        store = open_store(tmp_path)
        record = sync_once(github, store, api="graphql", pulls="none")
        assert (record.missing, record.status) == ((), "ok")
        assert github.journal.count("graphql") <= 12
        assert_whole(store, github)


def test_runs_that_were_run_again_and_runs_without_a_token_are_read_by_rest(tmp_path: Path) -> None:
    with FakeGitHub() as github:
        run = github.world.add_run(matrix("unit", 3, ["failure"]), conclusion="failure", workflow="PR Test")
        github.world.rerun(run)
        sync_once(github, open_store(tmp_path / "a"), api="graphql", pulls="none")
        assert (github.journal.count("graphql"), github.journal.count("jobs")) == (0, 1)
        sync_once(github, open_store(tmp_path / "b"), api="graphql", pulls="none", token=None)
        assert github.journal.count("graphql") == 0


CHECK = {
    "name": "unit",
    "databaseId": 11,
    "status": "COMPLETED",
    "conclusion": "SUCCESS",
    "detailsUrl": "https://x.org",
}
STEP = {"number": 1, "name": "make", "status": "COMPLETED", "conclusion": "SUCCESS"}


@pytest.mark.parametrize(
    ("steps", "jobs", "left_to_rest"),
    [pytest.param([STEP], [11], False, id="with steps it is a job"), pytest.param([], [], True, id="no job at all")],
)
def test_a_check_run_with_an_address_of_its_own(steps: list[object], jobs: list[int], left_to_rest: bool) -> None:
    check_runs = {"totalCount": 1, "nodes": [{**CHECK, "steps": {"totalCount": len(steps), "nodes": steps}}]}
    reply = {"data": {"nodes": [{"checkSuite": {"checkRuns": check_runs}}]}}
    run = RunAttempt(repo="octo/engine", run_id=1, run_attempt=1, source=Source.REST, node_id="WFR_1")
    with talking([answer(200, reply)]) as talk:
        (batch,) = GraphQLReader(talk.github).read([run])
    assert [job.job_id for found in batch.read for job in found.jobs] == jobs
    assert (batch.left == (run,)) is left_to_rest


def test_a_server_that_takes_no_queries_is_asked_once(tmp_path: Path) -> None:
    with FakeGitHub() as github:
        runs_of(github, 30, 2)
        github.faults.add(Kind.ERROR, endpoint="graphql", status=501, html=True)
        store = open_store(tmp_path)
        assert sync_once(github, store, api="graphql", pulls="none").missing == ()
        assert github.journal.count("graphql") == 1
        assert_whole(store, github)


def test_jobs_that_graphql_told_of_are_read_again_once_where_their_runners_are_wanted(tmp_path: Path) -> None:
    with FakeGitHub() as github:
        runs_of(github, 12, 3)
        store = open_store(tmp_path)
        sync_once(github, store, api="graphql", pulls="none")
        assert {row["runner_name"] for row in store.newest("jobs").collect().to_dicts()} == {None}
        record = sync_once(github, store, api="rest", runners=True, pulls="none")
        assert (record.missing, github.journal.count("jobs")) == ((), 12)
        assert jobs_of_store(store) == jobs_of_world(github.world)
        sync_once(github, store, api="rest", runners=True, pulls="none")
        assert github.journal.count("jobs") == 12
