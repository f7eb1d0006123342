"""Whatever goes wrong: a sync ends complete or says what is missing, and later ones make the store whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.fake_github import FakeGitHub, Kind
from tests.syncing import (
    GRAPHQL_DOES_NOT_TELL,
    TOKEN,
    a_week,
    assert_whole,
    everything,
    outcome,
    run_command,
    sync_once,
    sync_until_complete,
)
from trackside.store.store import Store, open_store

APIS = ("rest", "graphql", "auto")
RULES: dict[str, dict[str, Any]] = {
    "502": {"kind": Kind.ERROR, "status": 502},
    "500 in HTML": {"kind": Kind.ERROR, "status": 500, "html": True},
    "reset": {"kind": Kind.RESET},
    "reset in body": {"kind": Kind.RESET_IN_BODY},
    "hang": {"kind": Kind.HANG, "delay_s": 0.02},
    "slow": {"kind": Kind.SLOW, "delay_s": 0.01},
    "drip": {"kind": Kind.DRIP, "delay_s": 0.02},
    "cut": {"kind": Kind.CUT},
    "cut chunked": {"kind": Kind.CUT_CHUNKED},
    "bad json": {"kind": Kind.BAD_JSON},
    "html": {"kind": Kind.HTML},
    "primary": {"kind": Kind.PRIMARY, "status": 403, "reset_s": 20},
    "primary 429": {"kind": Kind.PRIMARY, "status": 429, "reset_s": 20},
    "secondary": {"kind": Kind.SECONDARY, "status": 403, "retry_after_s": 5},
    "secondary 429": {"kind": Kind.SECONDARY, "status": 429, "retry_after_s": None, "rate_headers": False},
    "duplicates": {"kind": Kind.DUPLICATES, "count": 2},
    "total too high": {"kind": Kind.TOTAL, "count": 2},
    "total too low": {"kind": Kind.TOTAL, "count": -2},
    "empty page": {"kind": Kind.EMPTY_PAGE},
}


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as one:
        yield one


def trouble(github: FakeGitHub, names: list[str], seed: int, chance: float) -> None:
    """Faults on any endpoint, each by ``chance``."""
    for index, name in enumerate(names):
        github.faults.add(**RULES[name], chance=chance, seed=seed * 100 + index)


def is_like(store: Store, api: str, undisturbed: dict[str, Any]) -> None:
    """The same rows; for GraphQL, which REST may have stood in for, the columns that both know."""
    assert everything(store, () if api == "rest" else GRAPHQL_DOES_NOT_TELL) == undisturbed


def calm(github: FakeGitHub, folder: Path, api: str) -> dict[str, Any]:
    store = open_store(folder)
    assert sync_once(github, store, api=api).status == "ok"
    return everything(store, () if api == "rest" else GRAPHQL_DOES_NOT_TELL)


@pytest.mark.parametrize("name", RULES)
def test_a_fault_of_each_kind_loses_nothing(github: FakeGitHub, tmp_path: Path, name: str) -> None:
    a_week(github, 8)
    api = APIS[list(RULES).index(name) % 3]
    undisturbed = calm(github, tmp_path / "calm", api)
    store = open_store(tmp_path / "store")
    trouble(github, [name], 1, 0.35)
    assert outcome(lambda: sync_once(github, store, api=api, client={"max_wait_s": 3600})) in (0, 4)
    assert github.faults.fired()[RULES[name]["kind"]] > 0
    github.faults.clear()
    sync_until_complete(github, store, 3, api=api)
    is_like(store, api, undisturbed)


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 5])
def test_all_faults_at_once_lose_nothing(github: FakeGitHub, tmp_path: Path, seed: int) -> None:
    a_week(github, 16, most_jobs=9)
    api = APIS[seed % 3]
    undisturbed = calm(github, tmp_path / "calm", api)
    store = open_store(tmp_path / "store")
    trouble(github, list(RULES), seed, 0.03)
    for wait_s in (60, 3600, 3600):
        client = {"max_wait_s": wait_s}
        assert outcome(partial(sync_once, github, store, api=api, client=client)) in (0, 4)
        github.clock.advance(3601)
    assert sum(github.faults.fired().values()) > 3
    github.faults.clear()
    sync_until_complete(github, store, 3, api=api)
    is_like(store, api, undisturbed)


def test_jobs_that_are_not_there_yet_are_no_run_that_is_gone(github: FakeGitHub, tmp_path: Path) -> None:
    a_week(github, 4)
    store = open_store(tmp_path / "store")
    github.faults.add(Kind.ERROR, path="/jobs", status=404)
    record = sync_once(github, store)
    assert (record.status, record.completeness) == ("partial", 0.0)
    github.faults.clear()
    assert sync_once(github, store).status == "ok"
    assert_whole(store, github)


@pytest.mark.parametrize("most", range(13))
def test_a_budget_of_calls_is_kept_and_the_next_sync_goes_on(github: FakeGitHub, tmp_path: Path, most: int) -> None:
    a_week(github, 4, most_jobs=2)
    store = open_store(tmp_path / "store")
    undisturbed = calm(github, tmp_path / "calm", "rest")
    github.journal.clear()
    record = sync_once(github, store, client={"max_calls": most})
    assert record.calls == github.journal.count() == most
    assert record.status == "partial"
    github.journal.clear()
    assert sync_once(github, store).status == "ok"
    is_like(store, "rest", undisturbed)


def test_many_small_budgets_make_the_store_whole(github: FakeGitHub, tmp_path: Path) -> None:
    a_week(github, 6)
    undisturbed = calm(github, tmp_path / "calm", "rest")
    store = open_store(tmp_path / "store")
    records = sync_until_complete(github, store, 12, client={"max_calls": 5})
    assert len(records) > 3
    is_like(store, "rest", undisturbed)


def stop_primary(github: FakeGitHub) -> None:
    github.leave_calls(70, token=TOKEN, reset_in_s=1800)


def stop_breaker(github: FakeGitHub) -> None:
    github.leave_calls(49, token=TOKEN, reset_in_s=1800)


def stop_refused(github: FakeGitHub) -> None:
    github.faults.add(Kind.PRIMARY, nth=9, status=403, reset_s=1800)


def stop_secondary(github: FakeGitHub) -> None:
    github.faults.add(Kind.SECONDARY, nth=9, status=403, retry_after_s=900)


@pytest.mark.parametrize("stop", [stop_primary, stop_breaker, stop_refused, stop_secondary])
def test_at_a_limit_a_sync_stops_and_the_next_one_goes_on(
    github: FakeGitHub, tmp_path: Path, stop: Callable[[FakeGitHub], None]
) -> None:
    a_week(github)
    undisturbed = calm(github, tmp_path / "calm", "rest")
    github.journal.clear()
    store = open_store(tmp_path / "store")
    stop(github)
    github.journal.breaker_remaining = 40
    record = sync_once(github, store)
    assert record.status == "partial"
    assert record.completeness is None or record.completeness < 1
    assert record.waited_s <= 60
    assert "called below the breaker" not in github.journal.broken_rules()
    github.clock.advance(1801)
    assert sync_once(github, store).status == "ok"
    is_like(store, "rest", undisturbed)


def test_a_short_wait_for_a_limit_is_waited(github: FakeGitHub, tmp_path: Path) -> None:
    a_week(github)
    github.leave_calls(4000, token=TOKEN, reset_in_s=30)
    github.faults.add(Kind.PRIMARY, nth=9, status=429, reset_s=30)
    github.faults.add(Kind.SECONDARY, nth=20, status=403, retry_after_s=20)
    store = open_store(tmp_path / "store")
    record = sync_once(github, store)
    assert record.status == "ok"
    assert 50 <= record.waited_s <= 60
    assert_whole(store, github)


def test_a_cold_start_larger_than_an_hour_of_calls_takes_several_syncs(github: FakeGitHub, tmp_path: Path) -> None:
    now = github.clock.now()
    for index in range(1000):
        github.world.add_run(1, at=now - dt.timedelta(minutes=1000 - index))
    token = "ghs_" + "a1B" * 12
    store = open_store(tmp_path / "store")
    records = sync_until_complete(github, store, 4, token=token, pulls="none")
    assert [record.status for record in records] == ["partial", "ok"]
    assert 0 < (records[0].completeness or 0) < 1
    assert sum(record.attempts_fetched for record in records) == 1000  # none was read twice
    assert_whole(store, github)


def test_the_token_is_in_no_output_and_no_file(github: FakeGitHub, tmp_path: Path) -> None:
    a_week(github, 8)
    token = "ghp_" + "Z9x" * 12
    said = ""
    for arguments in (["--debug"], ["--debug", "--format", "json", "--max-calls", "9", "--api", "graphql"]):
        trouble(github, list(RULES), len(arguments), 0.05)
        done = run_command(github, tmp_path / "store", *arguments, "--since", "2026-05-20", token=token)
        assert done.returncode in (0, 4), done.stderr
        said += done.stdout + done.stderr
    github.faults.clear()
    github.tokens.revoke(token)
    done = run_command(github, tmp_path / "store", "--debug", token=token)
    assert (done.returncode, "token is not valid" in done.stderr) == (1, True)
    said += done.stdout + done.stderr
    assert "/repos/octo/engine/actions/runs" in said
    assert token not in said
    assert token[4:] not in said
    files = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if token[4:].encode() in path.read_bytes()] == []


def test_a_server_that_cannot_be_reached_is_told_in_one_sentence(github: FakeGitHub, tmp_path: Path) -> None:
    github.stop()
    done = run_command(github, tmp_path / "store")
    assert done.returncode == 4
    assert "no connection could be made" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
