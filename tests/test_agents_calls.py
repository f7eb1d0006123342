"""What keeping agent operations up to date costs, with the arrival times of a real repository of agents.

The runs are not part of this repository: they are looked for in ``$TRACKSIDE_REAL_DATA``, else beside the checkout.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from benchmarks.agents_calls import BEGIN, RUNS, Replayed, asked_again, replay
from tests.fake_github import Clock, FakeGitHub, World, job
from tests.fake_github.scenario_agents import agents
from tests.fake_github.scenarios import recorded_runs
from tests.syncing import (
    REPO,
    attempts_of_store,
    attempts_of_world,
    environment,
    jobs_of_store,
    jobs_of_world,
    sync_once,
)
from trackside.agents.signatures import failed_step_of, signature_of
from trackside.cli.app import run as run_app
from trackside.cli.app import trackside_app
from trackside.evidence.diagnoses import read_logs
from trackside.evidence.occurrences import update_occurrences
from trackside.records.ci_rules import CiRules
from trackside.records.jobs import Step
from trackside.store.store import Store, open_store

NEEDS_RUNS = pytest.mark.skipif(not RUNS.is_file(), reason=f"no real runs at {RUNS} (set TRACKSIDE_REAL_DATA)")
HOUR = dt.timedelta(hours=1)
LATE = 19_999_999_991
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
NO_AGENTS = pl.DataFrame(schema={"run_id": pl.Int64, "run_attempt": pl.Int64, "agent": pl.String})


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub(clock=Clock(BEGIN)) as one:
        yield one


def late_and_again(world: World) -> None:
    """A run that goes on for two days, and an old one that is run again, which is not on the lists of new runs."""
    start = BEGIN + 130 * HOUR

    def begin() -> None:
        run = world.add_run([job("long", None)], conclusion=None, workflow="Agent Missions", at=start, number=LATE)
        world.schedule(start + 50 * HOUR, lambda: world.finish_run(run, "failure", at=start + 50 * HOUR))

    def again() -> None:
        _, run = world.runs[min(world.runs)]
        world.rerun(run, failed_only=False, conclusion="failure", at=start + 20 * HOUR)

    world.schedule(start, begin)
    world.schedule(start + 20 * HOUR, again)


def kinds_of_world(world: World) -> set[str]:
    """The signatures of all jobs that failed."""
    found = set()
    for _, run, one in world.jobs.values():
        if one.conclusion == "failure":
            steps = [Step(number=each.number, name=each.name, conclusion=each.conclusion) for each in one.steps]
            found.add(signature_of(run.path, one.name, failed_step_of(steps), "failure"))
    return found


def kinds_of_store(github: FakeGitHub, store: Store, repo: str) -> set[str]:
    read_logs(store, repo, CiRules(), github.clock.now(), lambda _done, _all: None)
    update_occurrences(store, repo, NO_AGENTS, github.clock.now())
    return {one.signature for one in store.known_failures(repo, LONG_AGO)}


def sync_again(told: Replayed, **request: Any) -> dict[str, int]:
    """One more sync when nothing happened: its calls by endpoint."""
    told.github.journal.clear()
    record = sync_once(told.github, told.store, repo=told.repo, **request)
    assert record.missing == ()
    return dict(told.github.journal.by_endpoint())


@NEEDS_RUNS
def test_without_logs_a_day_costs_its_lists_and_a_call_for_each_new_attempt(github: FakeGitHub, tmp_path: Path) -> None:
    told = replay(github, tmp_path / "store", pulls="none")
    assert all((record.missing, record.parse_errors) == ((), 0) for record in told.records)
    assert set(told.endpoints) == {"runs", "jobs"}, "no log, no pull request, nothing else"
    seen_twice = sum(record.runs_changed for record in told.records)
    assert told.endpoints["jobs"] == len(github.world.runs) + seen_twice
    assert told.a_day() <= 81
    assert told.a_day("runs") < 13
    assert github.journal.broken_rules() == {}
    assert sync_again(told, pulls="none") == {"runs": 1}


@NEEDS_RUNS
def test_runs_that_end_late_and_runs_that_are_run_again_are_found_and_a_lost_store_only_costs_calls(
    github: FakeGitHub, tmp_path: Path
) -> None:
    told = replay(github, tmp_path / "store", arrange=late_and_again, pulls="none")
    assert len(github.world.runs) == len(RUNS.read_text().splitlines()) + 1
    assert (told.endpoints["job log"], told.endpoints["run log"]) == (0, 0)
    attempts = attempts_of_store(told.store)
    assert attempts == attempts_of_world(github.world)
    assert {(LATE, 1), (min(github.world.runs), 2)} <= {(one[0], one[1]) for one in attempts}
    assert jobs_of_store(told.store) == jobs_of_world(github.world)
    github.journal.clear()
    fresh = open_store(tmp_path / "fresh")
    sync_once(github, fresh, repo=told.repo, days=9, pulls="none")
    assert github.journal.count() <= 4 + len(github.world.runs)
    assert attempts_of_store(fresh) == attempts
    assert jobs_of_store(fresh) == jobs_of_store(told.store)
    assert kinds_of_store(github, fresh, told.repo) == kinds_of_store(github, told.store, told.repo)


@NEEDS_RUNS
def test_by_graphql_with_pull_requests_and_logs_of_new_failures_a_day_costs_no_more_than_38_calls(
    github: FakeGitHub, tmp_path: Path
) -> None:
    request: dict[str, Any] = {"api": "graphql", "pulls": "list", "logs": "new"}
    told = replay(github, tmp_path / "store", **request)
    assert all((record.missing, record.notes) == ((), ()) for record in told.records)
    assert set(told.endpoints) == {"runs", "graphql", "pulls", "job log"}
    downloads, failed = told.endpoints["job log"], sum(run.conclusion == "failure" for run in recorded_runs(RUNS))
    assert kinds_of_store(github, told.store, told.repo) == kinds_of_world(github.world)
    assert downloads == len(kinds_of_world(github.world)), "one for each new kind of failure"
    assert downloads <= failed
    _, logs = asked_again(recorded_runs(RUNS))
    assert told.a_day() <= 38
    assert told.a_day("runs", "graphql") <= 24
    assert told.a_day("job log") <= logs / 50, "who asks again for what failed asks as often as this"
    assert sync_again(told, **request) == {"runs": 1, "pulls": 1}


def test_a_sync_without_news_is_one_list_and_one_of_pull_requests(tmp_path: Path) -> None:
    with FakeGitHub() as github:
        store = open_store(tmp_path)
        for hours in range(1, 9):
            github.world.add_run([job("unit", "failure")], conclusion="failure", at=github.clock.now() - hours * HOUR)
        sync_once(github, store, pulls="list", logs="new")
        for pulls, calls in (("none", {"runs": 1}), ("list", {"runs": 1, "pulls": 1})):
            github.clock.advance(7200)
            github.journal.clear()
            sync_once(github, store, pulls=pulls, logs="new")
            assert dict(github.journal.by_endpoint()) == calls


def test_of_twelve_failures_of_one_kind_the_first_and_the_seventh_cost_a_log(tmp_path: Path) -> None:
    with FakeGitHub() as github:
        store = open_store(tmp_path)
        for _ in range(12):
            github.world.add_run([job("unit", "failure")], conclusion="failure")
            github.clock.advance(7200)
            sync_once(github, store, pulls="none", logs="new")
        assert github.journal.count("job log") == 2
        assert github.journal.count("jobs") == 12


def test_the_report_asks_for_no_log_unless_told_and_a_lost_store_does_not_change_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC).replace(microsecond=0))) as github:
        agents(github.world)
        for name, value in environment(github).items():
            monkeypatch.setenv(name, value)

        def report(store: str, *more: str) -> tuple[Counter[str], dict[str, Any]]:
            github.journal.clear()
            words = ["agents", "report", "--repo", REPO, "--store", store, "-o", f"{store}/runs.json", *more]
            assert run_app(trackside_app(), words) == 0
            told = json.loads((tmp_path / store / "runs.json").read_bytes())
            return github.journal.by_endpoint(), {name: told[name] for name in told if name != "last_updated"}

        calls, first = report("one")
        assert (calls["job log"], calls["run log"]) == (0, 0)
        assert report("two") == (calls, first)
        before = (tmp_path / "one" / "runs.json").read_bytes()
        assert report("one")[0] == {"pulls": 1, "runs": 1}
        assert (tmp_path / "one" / "runs.json").read_bytes() == before
        calls, told = report("one", "--logs", "new")
        assert calls == {"pulls": 1, "runs": 1, "job log": calls["job log"]}
        assert 0 < calls["job log"] < sum(one.conclusion == "failure" for _, _, one in github.world.jobs.values())
        assert report("three", "--logs", "new")[1] == told
