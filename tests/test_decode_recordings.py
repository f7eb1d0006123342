"""Real bodies of 2020 to 2026: what the API sent must arrive, field by field."""

from __future__ import annotations

import csv
import datetime as dt
import json
from typing import Any

import msgspec
import pytest

from tests.recorded import GITHUB_DATA, every_exchange, exchanges, needs_recordings
from trackside.github.decode import job_object, jobs_page, pulls_page, run_object, runs_page
from trackside.records.jobs import Job
from trackside.records.runs import RunAttempt

pytestmark = needs_recordings


def documents(key: str) -> list[tuple[str, bytes, dict[str, Any]]]:
    found = [exchange for exchange in every_exchange() if f'"{key}":' in exchange.body[:60].decode()]
    return [(exchange.path, exchange.body, exchange.document) for exchange in found]


def moment(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)


def assert_same_run(run: RunAttempt, sent: dict[str, Any]) -> None:
    same = ("run_number", "workflow_id", "display_title", "event", "status", "conclusion", "head_branch", "head_sha")
    for name in (*same, "node_id", "html_url", "check_suite_id"):
        assert getattr(run, name) == sent.get(name), name
    for name in ("created_at", "run_started_at", "updated_at"):
        assert getattr(run, name) == moment(sent.get(name)), name
    assert run.run_id == sent["id"]
    assert run.run_attempt == sent.get("run_attempt", 1)
    assert run.workflow_name == sent.get("name")
    assert run.workflow_file == sent.get("path")
    assert run.head_repository == sent["head_repository"]["full_name"]
    assert run.actor == sent.get("actor", {}).get("login")
    assert run.triggering_actor == sent.get("triggering_actor", {}).get("login")
    assert run.head_commit_message == sent["head_commit"]["message"]
    assert run.head_commit_email == sent["head_commit"]["author"]["email"]
    if sent.get("run_started_at"):
        assert run.duration_s == (run.updated_at - run.run_started_at).total_seconds()  # type: ignore[operator]


def assert_same_job(job: Job, sent: dict[str, Any]) -> None:
    for name in ("run_id", "name", "workflow_name", "status", "conclusion", "head_branch", "head_sha", "html_url"):
        assert getattr(job, name) == sent.get(name), name
    assert job.run_attempt == sent.get("run_attempt", 1)
    assert job.job_id == sent["id"]
    assert job.started_at == moment(sent["started_at"])
    assert job.completed_at == moment(sent["completed_at"])
    assert job.created_at == moment(sent.get("created_at"))
    assert list(job.labels) == sent["labels"]
    assert (job.runner_id, job.runner_name) == (sent["runner_id"], sent["runner_name"])
    assert job.runner_group == sent["runner_group_name"]
    for step, told in zip(job.steps, sent["steps"], strict=True):
        assert (step.number, step.name, step.conclusion) == (told["number"], told["name"], told["conclusion"])
        assert (step.started_at, step.completed_at) == (moment(told["started_at"]), moment(told["completed_at"]))


def test_every_recorded_run_arrives_whole() -> None:
    pages = documents("total_count")
    seen = 0
    for _, body, sent in pages:
        if "workflow_runs" not in sent:
            continue
        found = runs_page(body, "octo/here")
        assert (found.problems, found.lost, found.total_count) == ((), 0, sent["total_count"])
        assert found.repository == sent["workflow_runs"][0]["repository"]["full_name"]
        for run, raw in zip(found.runs, sent["workflow_runs"], strict=True):
            assert_same_run(run, raw)
            seen += 1
    assert seen == 43


def test_every_recorded_job_arrives_whole() -> None:
    seen = 0
    for _, body, sent in documents("total_count"):
        for job, raw in zip(*_jobs(body, sent), strict=True):
            assert_same_job(job, raw)
            seen += 1
    assert seen == 10


def _jobs(body: bytes, sent: dict[str, Any]) -> tuple[tuple[Job, ...], list[dict[str, Any]]]:
    if "jobs" not in sent:
        return (), []
    found = jobs_page(body, "octo/here")
    assert (found.problems, found.lost, found.total_count) == ((), 0, sent["total_count"])
    return found.jobs, sent["jobs"]


def test_the_queue_of_a_recorded_job_is_three_seconds() -> None:
    job, problems = job_object(exchanges("Repository.testGetWorkflowJob")[1].body, "PyGithub/PyGithub")
    assert problems == ()
    assert (job.queue_s, job.duration_s) == (3.0, 5.0)
    assert [step.number for step in job.steps] == [1, 2, 4, 5]


def test_a_recorded_second_attempt_keeps_the_times_it_was_told() -> None:
    _, latest, second = exchanges("WorkflowRun.testGetAttempt")
    for exchange in (latest, second):
        run = run_object(exchange.body, "EnricoMi/PyGithub")
        assert_same_run(run, exchange.document)
        assert (run.run_attempt, run.duration_s) == (2, 102.0)


def test_the_recorded_pull_request_of_a_commit_counts_for_its_base_alone() -> None:
    body = exchanges("Commit.testGetPulls")[3].body
    found = pulls_page(body, "PyGithub/PyGithub")
    assert [(pull.number, pull.author, pull.state) for pull in found.pulls] == [(1431, "ahhda", "closed")]
    assert found.default_branch == "master"
    assert pulls_page(body, "mawkee/PyGithub").pulls == ()


@pytest.mark.parametrize("name", ["workflow_job", "workflow_run"])
def test_every_example_payload_of_a_webhook_is_read(name: str) -> None:
    payloads = json.loads((GITHUB_DATA / "webhooks" / f"{name}.examples.json").read_bytes())
    for payload in payloads:
        raw = json.dumps(payload[name]).encode()
        if name == "workflow_job":
            job, problems = job_object(raw, payload["repository"]["full_name"])
            assert problems == ()
            assert [step.number for step in job.steps] == [step["number"] for step in payload[name]["steps"]]
        else:
            assert run_object(raw, payload["repository"]["full_name"]).run_id == payload[name]["id"]


def test_the_jobs_of_a_real_re_run_started_before_it_and_never_waited_less_than_nothing() -> None:
    table = (GITHUB_DATA / "sglang_rerun_26788582210_jobs.tsv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(table.splitlines(), delimiter="\t"))
    for row in rows:
        raw = {"id": int(row["job_id"]), "run_id": 26788582210, "run_attempt": 2, "name": row["name"]}
        times = {
            "started_at": row["started_at"],
            "completed_at": row["completed_at"],
            "created_at": "2026-06-02T00:22:57Z",
        }
        job, problems = job_object(msgspec.json.encode(raw | times | {"status": "completed"}), "sgl-project/sglang")
        assert problems == ()
        assert job.queue_s == 0.0
        assert job.duration_s is not None
        assert job.duration_s > 0
    assert len(rows) == 14
