"""How well the collection goes: calls, limits, failures, what is missing, how long it took, how large files are."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.agent_data import problems, write_history
from tests.agent_frames import an_agent_history, an_agent_run
from tests.build_github import NOON, attempt, job, ledger
from tests.history_frames import a_failure, a_job
from trackside.agents.frames import AgentHistory
from trackside.agents.missing_data import missing_data
from trackside.evidence.alert_facts import load_alert_facts
from trackside.evidence.sync_health import load_last_syncs, load_sync_health, status_class
from trackside.records.alerts import Alert, AlertKind, AlertState
from trackside.records.knowledge import LogChoice, Occurrence
from trackside.records.sync_health import SyncHealth
from trackside.records.syncs import EndpointCalls, FailedCall, Missing, RateLimit
from trackside.report.agents_files import sync_path
from trackside.report.agents_sync_document import SyncFacts, status_of, write_sync_file
from trackside.store.store import Store, open_store

API = "https://api.github.com/repos/octo/engine/actions"
EMPTY = an_agent_history([])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def health_of(store: Store, history: AgentHistory = EMPTY, **told: Any) -> SyncHealth:
    store.add_sync(ledger("newest", NOON, **told))
    return load_sync_health(store, history)


def test_a_repository_that_was_never_synced_has_no_figures(store: Store) -> None:
    health = load_sync_health(store, EMPTY)
    assert (health.newest, health.last, health.parsers, health.jobs_fetch.rate) == (None, (), (), None)
    assert status_of(health) == "none"


def test_the_newest_sync_is_told_in_detail_and_the_last_ones_in_figures(store: Store) -> None:
    for hours in range(1, 30):
        store.add_sync(ledger(f"s{hours:02}", NOON - dt.timedelta(hours=hours), calls=hours))
    endpoints = (EndpointCalls(endpoint="jobs", calls=11, billed=10, failed=2), EndpointCalls(endpoint="runs", calls=2))
    core = RateLimit(resource="core", limit=1000, remaining_start=900, remaining_end=880, reset_at=NOON)
    graphql = RateLimit(resource="graphql", limit=1000, remaining_start=1000, remaining_end=979, reset_at=NOON)
    health = health_of(
        store, calls=13, billed=10, endpoints=endpoints, limits=(core, graphql), phases_s={"jobs": 4.5, "runs": 1.0}
    )
    assert [one.sync_id for one in health.last] == ["newest", *(f"s{hours:02}" for hours in range(1, 20))]
    assert health.newest == health.last[0]
    assert (health.newest.calls, health.newest.billed, health.newest.failed_calls) == (13, 10, 2)
    assert (health.newest.duration_s, health.phases_s) == (5.5, {"jobs": 4.5, "runs": 1.0})
    assert health.endpoints == endpoints
    assert health.not_modified == 0
    assert health.limits == (core, graphql)


def test_the_last_syncs_come_back_as_they_were_written(store: Store) -> None:
    told = ledger(
        "told",
        NOON,
        calls=3,
        endpoints=(EndpointCalls(endpoint="jobs", calls=3, billed=3, failed=1),),
        limits=(RateLimit(resource="core", limit=1000, remaining_start=9, remaining_end=6, reset_at=NOON),),
        phases_s={"jobs": 4.5},
        failed_calls=(FailedCall(endpoint="jobs", url=API, status=None, reason="no answer"),),
    )
    plain = ledger("plain", NOON - dt.timedelta(hours=1))
    for one in (plain, told):
        store.add_sync(one)
    assert load_last_syncs(store, "Octo/Engine") == (told, plain)
    assert load_last_syncs(store, "octo/other") == ()


@pytest.mark.parametrize(("status", "name"), [(404, "4xx"), (403, "4xx"), (502, "5xx"), (304, "3xx"), (None, "none")])
def test_failed_calls_are_told_by_the_class_of_their_status(status: int | None, name: str) -> None:
    assert status_class(status) == name


def test_failed_calls_name_endpoint_workflow_run_and_job(store: Store) -> None:
    store.add_runs([attempt(5, workflow_file=".github/workflows/a.yml"), attempt(6, workflow_file="dynamic/x/y")], NOON)
    store.add_jobs([job(61, 6)], [], NOON)
    failed = (
        FailedCall(endpoint="jobs", url=f"{API}/runs/5/jobs?per_page=100", status=502, reason="bad gateway"),
        FailedCall(endpoint="log", url=f"{API}/jobs/61/logs", status=410, reason="gone"),
        FailedCall(endpoint="runs of workflow", url=f"{API}/workflows/b.yml/runs", status=404, reason="not there"),
        FailedCall(endpoint="jobs", url=f"{API}/runs/777/jobs", status=None, reason="no answer"),
        FailedCall(endpoint="pulls", url="/repos/octo/engine/pulls", status=403, reason="no right"),
    )
    health = health_of(store, failed_calls=failed)
    assert health.failures_by_class == {"4xx": 3, "5xx": 1, "none": 1}
    assert [(one.status_class, one.workflow, one.run_id, one.job_id) for one in health.failures] == [
        ("5xx", ".github/workflows/a.yml", 5, None),
        ("4xx", "dynamic/x/y", 6, 61),
        ("4xx", "b.yml", None, None),
        ("none", None, 777, None),
        ("4xx", None, None, None),
    ]


def test_jobs_that_were_asked_for_and_did_not_come_lower_the_rate_and_those_never_asked_for_do_not(
    store: Store,
) -> None:
    missing = (
        Missing(what="attempts", reason="GitHub does not answer (502)", count=2),
        Missing(what="attempts", reason="not asked for: Calls to GitHub have stopped", count=30),
        Missing(what="logs", reason="gone", count=9),
    )
    fetch = health_of(store, attempts_fetched=8, missing=missing).jobs_fetch
    assert (fetch.attempted, fetch.ok, fetch.not_asked, fetch.rate) == (10, 8, 30, 0.8)


def test_the_rate_of_jobs_is_unknown_where_none_was_asked_for(store: Store) -> None:
    assert health_of(store).jobs_fetch.rate is None


def test_what_a_parser_could_not_read_is_told_by_parser(store: Store) -> None:
    run = an_agent_run(1, "failure")
    jobs = [a_job(run, name, "failure") for name in ("a", "b", "c")]
    failures = [a_failure(jobs[0]), a_failure(jobs[1], "unknown", rule=None), a_failure(jobs[2], source="steps")]
    answers, logs = health_of(
        store,
        an_agent_history([run], jobs, failures=failures),
        runs_listed=10,
        jobs_new=20,
        steps_new=70,
        parse_errors=5,
        parse_error_samples=("run 7: created_at: no time",),
    ).parsers
    assert (answers.parser, answers.items, answers.errors, answers.rate) == ("answers", 100, 5, 0.05)
    assert answers.samples == ("run 7: created_at: no time",)
    assert (logs.parser, logs.items, logs.errors, logs.rate, logs.samples) == (
        "logs", 2, 1, 0.5, (str(jobs[1]["job_id"]),),
    )  # fmt: skip
    assert [one.rate for one in health_of(store).parsers] == [None, None]


def test_runs_with_missing_data_are_counted_and_listed_with_the_reason() -> None:
    runs = [
        an_agent_run(1),
        an_agent_run(2, is_read=False),
        an_agent_run(3, None, is_read=False),
        an_agent_run(4, triggering_actor=None, sha=None),
        an_agent_run(5, None, status="completed"),
    ]
    found = missing_data(an_agent_history(runs))
    assert (found.count, found.of) == (3, 5)
    assert found.by_reason == {
        "conclusion was not told": 1,
        "its jobs are not in the store": 1,
        "sha was not told": 1,
        "triggering_actor was not told": 1,
    }
    assert [(one.run_id, one.reason) for one in found.gaps] == [
        (1005, "conclusion was not told"),
        (1004, "sha was not told; triggering_actor was not told"),
        (1002, "its jobs are not in the store"),
    ]
    assert missing_data(EMPTY).count == 0


def test_the_list_of_runs_with_missing_data_has_the_newest_fifty() -> None:
    found = missing_data(an_agent_history([an_agent_run(n, is_read=False) for n in range(80)]))
    assert (found.count, len(found.gaps), found.gaps[0].run_id) == (80, 50, 1079)


def test_logs_that_wait_for_a_later_sync_are_listed(store: Store) -> None:
    def occurrence(job_id: int, choice: LogChoice) -> Occurrence:
        return Occurrence(
            repo="octo/engine", job_id=job_id, run_id=1, run_attempt=1, version="1", signature="00112233445566aa",
            workflow="a.yml", job="unit", step=None, conclusion="failure", failed_at=NOON, choice=choice,
        )  # fmt: skip

    store.add_occurrences([occurrence(n, LogChoice.DEFERRED) for n in range(60)], NOON)
    store.add_occurrences([occurrence(100, LogChoice.READ)], NOON)
    health = load_sync_health(store, EMPTY)
    assert (health.waiting_logs_total, [one.job_id for one in health.waiting_logs]) == (60, list(range(50)))


def test_the_state_tells_sizes_alerts_and_when_data_was_good_last(store: Store, tmp_path: Path) -> None:
    store.add_sync(ledger("good", NOON - dt.timedelta(hours=3)))
    health = health_of(store, status="failed")
    path = tmp_path / "data" / "agentops-runs.json"
    data = write_history(path, an_agent_history([an_agent_run(n) for n in range(40)]))
    alert = Alert(repo="octo/engine", kind=AlertKind.STALE_DATA, state=AlertState.ON, text="No sync ended for 5 h.")
    facts = SyncFacts(
        repository="octo/engine",
        checked_at=NOON,
        interval_hours=2.0,
        health=health,
        good_at=load_alert_facts(store, "octo/engine").data_at,
        alerts=(alert,),
    )
    write_sync_file(sync_path(path), data, facts)
    state = json.loads(sync_path(path).read_bytes())
    assert problems("agentops-sync", state) == []
    assert (state["status"], state["synced_at"], state["good_at"]) == (
        "failed", "2026-11-01T12:00:00Z", "2026-11-01T09:00:00Z",
    )  # fmt: skip
    assert state["alerts"][0]["kind"] == "stale_data"
    main = state["files"][0]
    content = path.read_bytes()
    assert (main["file"], main["bytes"], main["runs"]) == ("agentops-runs.json", len(content), 40)
    assert main["gzip_bytes"] == len(gzip.compress(content, 6, mtime=0))


def test_good_data_is_as_old_as_the_newest_sync_that_brought_some_however_many_failed_since(
    store: Store, tmp_path: Path
) -> None:
    store.add_sync(ledger("good", NOON - dt.timedelta(hours=60)))
    for hours in range(25):
        store.add_sync(ledger(f"failed-{hours}", NOON - dt.timedelta(hours=hours + 2), status="failed"))
    health = health_of(store, status="partial", listed=(), runs_listed=0)
    facts = SyncFacts(
        repository="octo/engine",
        checked_at=NOON,
        interval_hours=2.0,
        health=health,
        good_at=load_alert_facts(store, "octo/engine").data_at,
    )
    path = tmp_path / "agentops-runs.json"
    state = write_sync_file(sync_path(path), write_history(path, EMPTY), facts)
    assert (state.status, state.good_at) == ("partial", NOON - dt.timedelta(hours=60))


def test_the_state_is_small_whatever_failed(store: Store, tmp_path: Path) -> None:
    long = "x" * 20_000
    failed = tuple(FailedCall(endpoint="jobs", url=f"{API}/{long}", status=500, reason=long) for _ in range(300))
    missing = tuple(Missing(what=f"{n}{long}", reason=long, count=1) for n in range(300))
    history = an_agent_history([an_agent_run(n, workflow=long, url=long, is_read=False) for n in range(100)])
    health = health_of(store, history, failed_calls=failed, missing=missing)
    path = tmp_path / "agentops-runs.json"
    facts = SyncFacts(repository="octo/engine", checked_at=NOON, interval_hours=2.0, health=health)
    write_sync_file(sync_path(path), write_history(path, EMPTY), facts)
    assert sync_path(path).stat().st_size < 2_000_000
