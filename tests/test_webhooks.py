from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api_bodies import HOME, REPO, job_body, page, pull_link, run_body
from tests.recorded import GITHUB_DATA, needs_recordings
from trackside.github.json_items import DecodeProblem
from trackside.github.webhooks import Delivery, read_payload
from trackside.records.runs import RunAttempt, Source

FLAT = {
    "id": 19250972881,
    "run_number": 1,
    "workflow_name": "Agent Evaluator",
    "workflow_file": "agent-evaluator.yml",
    "display_title": "Agent System: Evaluator",
    "status": "completed",
    "conclusion": "success",
    "created_at": "2026-03-02T10:00:00Z",
    "updated_at": "2026-03-02T10:00:13Z",
    "duration_seconds": 999.0,
    "html_url": f"https://github.com/{REPO}/actions/runs/19250972881",
    "run_started_at": "2026-03-02T10:00:03Z",
    "triggering_actor": "github-actions[bot]",
    "event": "schedule",
    "head_branch": "main",
    "head_sha": "4dad8733",
    "upstream_guess": {"agent_name": "users", "issue_number": 207, "pr_numbers": [207]},
}


def run_payload(**more: Any) -> dict[str, Any]:
    workflow = {"id": 5, "name": "CI", "path": ".github/workflows/ci.yml"}
    beside = {"repository": HOME | {"default_branch": "trunk"}, "workflow": workflow, "sender": {"login": "ada"}}
    return {"action": "completed", "workflow_run": run_body(**more), **beside}


def job_payload(**more: Any) -> dict[str, Any]:
    return {"action": "completed", "workflow_job": job_body(**more), "repository": HOME, "sender": {"login": "ada"}}


def read(document: Any, repo: str | None = None) -> Delivery:
    return read_payload(json.dumps(document).encode(), repo=repo)


def test_a_payload_of_a_run_becomes_an_attempt_from_a_webhook() -> None:
    found = read(run_payload(run_attempt=3))
    assert (found.jobs, found.problems, found.lost, found.ignored) == ((), (), 0, 0)
    [run] = found.runs
    assert (run.repo, run.run_id, run.run_attempt, run.source) == (REPO, 19001, 3, Source.WEBHOOK)
    assert (run.actor, run.triggering_actor, run.duration_s) == ("ada", "grace", 240.0)


def test_a_payload_of_a_job_becomes_a_job_with_its_steps() -> None:
    [job] = read(job_payload(started_at="2026-03-02T10:00:15.000Z")).jobs
    assert (job.repo, job.job_id, job.source, job.queue_s) == (REPO, 52001, Source.WEBHOOK, 10.0)
    assert [step.number for step in job.steps] == [1, 4]


def test_the_workflow_of_a_payload_fills_what_its_run_does_not_say() -> None:
    [run] = read(run_payload(name="", path=None)).runs
    assert (run.workflow_name, run.workflow_file) == ("CI", ".github/workflows/ci.yml")


def test_the_default_branch_of_a_payload_is_believed() -> None:
    links = [pull_link(31)]
    assert read(run_payload(head_branch="trunk", pull_requests=links)).runs[0].pull_numbers == ()
    assert read(run_payload(head_branch="main", pull_requests=links)).runs[0].pull_numbers == (31,)


@pytest.mark.parametrize("key", ["payload", "client_payload"])
def test_a_wrapped_payload_is_unwrapped(key: str) -> None:
    wrapped = {"id": "d-1", "event": "workflow_job", key: job_payload()}
    as_text = {"action": "go", key: json.dumps(job_payload())}
    assert read(wrapped).jobs == read(as_text).jobs == read(job_payload()).jobs


def test_payloads_of_other_events_are_counted_and_no_problem() -> None:
    ping, push = {"zen": "Keep it simple.", "hook_id": 1}, {"ref": "refs/heads/main", "sender": {"login": "ada"}}
    check = {"action": "created", "check_run": {"id": 1}, "repository": HOME}
    assert read([ping, push, check]) == Delivery(ignored=3)


def test_a_run_as_the_api_tells_it_is_from_a_file() -> None:
    [run] = read(run_body()).runs
    assert (run.repo, run.source, run.pull_numbers) == (REPO, Source.FILE, ())


def test_pages_and_lists_of_them_are_read() -> None:
    runs = json.loads(page("workflow_runs", run_body(id=1), run_body(id=2)))
    jobs = json.loads(page("jobs", job_body(id=3), job_body(id=4)))
    found = read([runs, jobs, {"runs": [FLAT]}])
    assert [run.run_id for run in found.runs] == [1, 2, FLAT["id"]]
    assert [(job.job_id, job.repo) for job in found.jobs] == [(3, REPO), (4, REPO)]


@pytest.mark.parametrize("jobs", [[job_body(id=3)], {"total_count": 1, "jobs": [job_body(id=3)]}])
def test_a_run_may_bring_its_jobs(jobs: Any) -> None:
    found = read(run_body(jobs=jobs, run_attempt=1))
    assert [(run.run_id, run.run_attempt) for run in found.runs] == [(19001, 1)]
    assert [(job.job_id, job.run_id, job.source) for job in found.jobs] == [(3, 19001, Source.FILE)]


def test_the_jobs_of_a_run_need_not_say_whose_they_are() -> None:
    bare = {name: value for name, value in job_body().items() if name not in ("run_id", "run_attempt", "html_url")}
    [job] = read(run_body(jobs=[bare], run_attempt=4)).jobs
    assert (job.repo, job.run_id, job.run_attempt) == (REPO, 19001, 4)


def test_a_flat_run_is_read_and_its_guesses_are_not() -> None:
    found = read(FLAT)
    assert found.problems == ()
    assert found.runs == (
        RunAttempt(
            repo=REPO,
            run_id=19250972881,
            run_attempt=1,
            source=Source.FILE,
            run_number=1,
            workflow_name="Agent Evaluator",
            workflow_file=".github/workflows/agent-evaluator.yml",
            display_title="Agent System: Evaluator",
            event="schedule",
            status="completed",
            conclusion="success",
            created_at=found.runs[0].created_at,
            run_started_at=found.runs[0].run_started_at,
            updated_at=found.runs[0].updated_at,
            duration_s=10.0,
            head_branch="main",
            head_sha="4dad8733",
            triggering_actor="github-actions[bot]",
            html_url=f"https://github.com/{REPO}/actions/runs/19250972881",
        ),
    )


@pytest.mark.parametrize(
    ("more", "repo"),
    [
        ({"repository": {"full_name": "a/b"}, "html_url": "https://github.com/c/d/actions/runs/1"}, "a/b"),
        ({"html_url": "https://github.com/c/d/actions/runs/1"}, "c/d"),
        ({"html_url": "https://github.com/c/d/runs/1"}, "c/d"),
        ({"url": "https://ghe.example.org/api/v3/repos/c/d.e/actions/runs/1"}, "c/d.e"),
        ({"html_url": "javascript:alert(1)", "url": 5}, "last/resort"),
        ({}, "last/resort"),
    ],
)
def test_the_repository_is_told_by_the_nearest_that_tells_it(more: dict[str, Any], repo: str) -> None:
    run = {"id": 1, "run_number": 2, **more}
    assert [run.repo for run in read(run, repo="last/resort").runs] == [repo]


def test_a_run_of_no_repository_is_a_problem() -> None:
    found = read([{"id": 1, "run_number": 2}, {"id": 1, "run_number": 2, "repository": {"full_name": "../../x"}}])
    assert (found.runs, found.lost) == ((), 2)
    assert found.problems == (
        "[0]: no repository is told: name it with --repo OWNER/NAME",
        "[1]: '../../x' is no repository",
    )


def test_what_cannot_be_read_costs_only_itself_and_is_named_by_its_path() -> None:
    found = read([job_payload(id="x"), 5, {"what": "ever"}, job_payload(completed_at="soon"), run_payload()])
    assert ([job.job_id for job in found.jobs], len(found.runs), found.lost) == ([52001], 1, 3)
    assert found.problems == (
        "[0].workflow_job.id: Expected `int`, got `str`",
        "[1]: Expected `object`, got `int`",
        "[2] is no run, no job and no payload of one",
        "[3].workflow_job.completed_at: 'soon' is no time with a zone",
    )


def test_nothing_of_a_payload_is_kept_but_the_fields_of_the_record() -> None:
    payload = run_payload(token="ghs_SECRET", logs_url="https://x/?sig=SECRET") | {"secrets": {"a": "SECRET"}}
    payload["repository"] = HOME | {"temp_clone_token": "SECRET"}
    payload["workflow_run"]["jobs"] = [job_body(environment={"TOKEN": "SECRET"})]
    found = read(payload)
    assert len(found.runs) == len(found.jobs) == 1
    assert "SECRET" not in repr(found)


@pytest.mark.parametrize("data", [b"", b"5", b"null", b'"text"', b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_document_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(DecodeProblem, match="the document"):
        read_payload(data)


def test_lists_in_lists_end_somewhere() -> None:
    found = read_payload(b"[" * 50 + b"]" * 50)
    assert (found.lost, found.problems) == (1, ("[0][0][0][0][0][0][0]: nothing is looked for so deep",))


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["payload", "workflow_run", "workflow_job", "jobs", "id", "run_id", "run_number", "repository"]
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@given(ANY, st.sampled_from([None, REPO]))
def test_any_json_is_read_or_named_as_a_problem(document: Any, repo: str | None) -> None:
    try:
        found = read(document, repo)
    except DecodeProblem:
        return
    assert bool(found.lost) <= bool(found.problems)


@needs_recordings
def test_the_example_payloads_of_webhooks_are_read() -> None:
    jobs = read_payload((GITHUB_DATA / "webhooks" / "workflow_job.examples.json").read_bytes())
    runs = read_payload((GITHUB_DATA / "webhooks" / "workflow_run.examples.json").read_bytes())
    assert (len(jobs.jobs), jobs.problems, len(runs.runs), runs.problems) == (8, (), 5, ())
    assert {job.repo for job in jobs.jobs} >= {"octo-org/example-workflow", "Codertocat/Hello-World"}
    assert [job.status for job in jobs.jobs if job.started_at is None] == ["queued", "waiting", "waiting"]
    assert {run.workflow_file for run in runs.runs} == {".github/workflows/syntax.yml", ".github/workflows/test.yml"}


@needs_recordings
def test_every_real_flat_run_is_read() -> None:
    lines = (GITHUB_DATA.parent / "agentops" / "runs_before_2025-11-19.jsonl").read_bytes().splitlines()
    for line in lines:
        told, found = json.loads(line), read_payload(line)
        assert (found.problems, found.lost) == ((), 0)
        [run] = found.runs
        same = ("run_number", "workflow_name", "display_title", "event", "status", "conclusion", "head_branch")
        assert {name: getattr(run, name) for name in same} == {name: told[name] for name in same}
        assert run.workflow_file == f".github/workflows/{told['workflow_file']}"
        assert run.repo == "enufacas/Chained"
        assert run.pull_numbers == ()
        if run.status == "completed":
            assert run.duration_s == told["duration_seconds"]
    assert len(lines) == 226
