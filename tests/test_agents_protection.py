"""A sync that looks into new failures, under limits, with faults and many workers: nothing is lost, nothing hidden."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fake_github import FakeGitHub, Kind, Step, job
from tests.syncing import TOKEN, a_week, attempts_of_world, everything, jobs_of_store, jobs_of_world, sync_once
from trackside.errors import TracksideError
from trackside.records.agent_rules import LogBudget
from trackside.records.knowledge import Occurrence
from trackside.records.syncs import SyncRecord
from trackside.store.store import Store, open_store

REPO = "octo/engine"
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
HOUR_S = 3600


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as one:
        yield one


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def failures(github: FakeGitHub, count: int) -> None:
    """As many runs, each of which fails in a step of its own."""
    for index in range(count):
        steps = (Step(1, "Set up job", "success", 0, 2), Step(2, f"part {index}", "failure", 2, 50))
        plan = job("unit", "failure", steps=steps, log=f"##[error]error {index}\n")
        at = github.clock.now() - dt.timedelta(minutes=10 * (count - index))
        github.world.add_run([plan], conclusion="failure", at=at)


def look(github: FakeGitHub, store: Store, **options: Any) -> SyncRecord:
    request: dict[str, Any] = {"logs": "new", "pulls": "none", "log_budget": LogBudget()}
    return sync_once(github, store, **(request | options))


def occurrences(store: Store) -> list[Occurrence]:
    return list(store.known_failures(REPO, LONG_AGO))


def choices(store: Store) -> Counter[str]:
    return Counter(one.choice.value for one in occurrences(store))


def test_neither_the_number_of_workers_nor_the_order_of_answers_changes_what_comes(tmp_path: Path) -> None:
    found = []
    for workers in (1, 5, 10):
        with FakeGitHub() as github:
            a_week(github, 12)
            failures(github, 12)
            github.faults.add(Kind.SLOW, chance=0.3, seed=workers, delay_s=0.02)
            store = open_store(tmp_path / str(workers))
            record = look(github, store, pulls="all", client={"workers": workers})
            assert record.status == "ok"
            assert github.journal.broken_rules() == {}
            kept = [(one.job_id, one.signature, one.choice, one.log_bytes) for one in occurrences(store)]
            found.append((everything(store, ["html_url"]), kept))  # it holds the port of this fake
    assert found[1] == found[0]
    assert found[2] == found[0]


@pytest.mark.parametrize("endpoint", ["jobs", "job log"])
def test_one_answer_that_fails_loses_no_other_and_comes_with_the_next_sync(
    github: FakeGitHub, store: Store, endpoint: str
) -> None:
    failures(github, 10)
    github.faults.add(Kind.ERROR, endpoint=endpoint, nth=3, status=404)
    github.faults.add(Kind.CUT, endpoint=endpoint, nth=6)
    record = look(github, store)
    assert sum(item.count for item in record.missing) == (1 if endpoint == "jobs" else 0)
    assert choices(store)["read"] == 9
    github.faults.clear()
    github.clock.advance(60)
    assert look(github, store).status == "ok"
    assert jobs_of_store(store) == jobs_of_world(github.world)
    assert choices(store) == {"read": 10}


def test_the_breaker_ends_downloads_and_the_next_sync_goes_on_with_them(github: FakeGitHub, store: Store) -> None:
    failures(github, 20)
    look(github, store, logs="none")
    github.leave_calls(57, token=TOKEN, reset_in_s=1800)
    github.journal.breaker_remaining = 50
    github.journal.clear()
    record = look(github, store, client={"pause_below": 0, "stop_below": 50})
    assert record.status == "partial"
    assert [item.what for item in record.missing] == ["logs"]
    assert 0 < github.journal.count("job log") < 10
    assert github.journal.broken_rules() == {}
    assert choices(store).keys() == {"read", "deferred"}
    read = choices(store)["read"]
    github.clock.advance(1801)
    github.journal.clear()
    assert look(github, store).status == "ok"
    assert (choices(store), github.journal.count("job log")) == ({"read": 20}, 20 - read)


def test_a_pause_that_fits_is_waited_and_nothing_is_missing(github: FakeGitHub, store: Store) -> None:
    failures(github, 12)
    look(github, store, logs="none")
    github.leave_calls(105, token=TOKEN, reset_in_s=40)
    record = look(github, store)
    assert record.status == "ok"
    assert 40 <= record.waited_s <= 60
    assert choices(store) == {"read": 12}


@pytest.mark.parametrize("status", [403, 429])
def test_a_limit_that_refuses_a_log_is_waited_out(github: FakeGitHub, store: Store, status: int) -> None:
    failures(github, 4)
    github.faults.add(Kind.SECONDARY, endpoint="job log", nth=2, status=status, retry_after_s=20)
    record = look(github, store)
    assert (record.status, choices(store)) == ("ok", {"read": 4})
    assert record.waited_s >= 20


def test_the_ledger_counts_the_calls_that_github_counts(github: FakeGitHub, store: Store) -> None:
    a_week(github, 8)
    failures(github, 6)
    github.faults.add(Kind.ERROR, endpoint="jobs", nth=2, status=502)
    github.faults.add(Kind.ERROR, endpoint="job log", nth=1, status=500)
    record = look(github, store, pulls="all")
    told = {one.endpoint: one.calls for one in record.endpoints}
    assert told.pop("job log download") == github.journal.count(host="blob") > 0
    assert told == dict(github.journal.by_endpoint())
    assert record.billed == github.journal.count()
    assert {one.endpoint: one.retried for one in record.endpoints if one.retried} == {"jobs": 1, "job log": 1}
    [core] = [limit for limit in record.limits if limit.resource == "core"]
    assert core.limit == 5000
    # The fake takes nothing off for the two answers that were errors.
    assert (core.remaining_start, core.remaining_end) == (4999, 5000 - record.billed + 2)


def test_a_call_that_is_given_up_is_told_with_its_status_and_run(github: FakeGitHub, store: Store) -> None:
    failures(github, 3)
    [run_id, *_] = sorted(github.world.runs)
    github.faults.add(Kind.ERROR, path=f"runs/{run_id}/", status=422)
    record = look(github, store)
    [failed] = record.failed_calls
    assert (failed.status, failed.endpoint, f"/runs/{run_id}/" in failed.url) == (422, "jobs", True)
    assert record.status == "partial"


def test_a_sync_that_finds_nothing_keeps_what_was_there(github: FakeGitHub, store: Store) -> None:
    failures(github, 5)
    look(github, store)
    before, kept = everything(store), occurrences(store)
    attempts = attempts_of_world(github.world)
    for _, run in list(github.world.runs.values()):
        github.world.remove_run(run)
    github.clock.advance(HOUR_S)
    assert look(github, store).runs_listed == 0
    assert (everything(store), occurrences(store)) == (before, kept)
    assert len(before["runs"]) == len(attempts) == 5


def test_a_sync_that_fails_as_a_whole_keeps_what_was_there_and_leaves_its_ledger(
    github: FakeGitHub, store: Store
) -> None:
    failures(github, 5)
    look(github, store)
    before, kept = everything(store), occurrences(store)
    github.clock.advance(HOUR_S)
    github.faults.add(Kind.ERROR, status=401)
    with pytest.raises(TracksideError):
        look(github, store)
    assert (everything(store), occurrences(store)) == (before, kept)
    ledgers = store.newest("syncs").sort("ended_at").collect()
    assert ledgers["status"].to_list() == ["ok", "failed"]


def test_without_jobs_no_log_is_asked_for(github: FakeGitHub, store: Store) -> None:
    failures(github, 5)
    look(github, store, jobs=False)
    assert set(github.journal.by_endpoint()) == {"runs"}
    look(github, store, logs="none")
    github.journal.clear()
    github.clock.advance(HOUR_S)
    look(github, store, jobs=False, log_budget=LogBudget(per_sync=0))
    assert set(github.journal.by_endpoint()) == {"runs"}
    assert len(jobs_of_store(store)) == 5
