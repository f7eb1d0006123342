"""The fake GitHub held against the outside: the official contract, recorded exchanges, an independent client."""

from __future__ import annotations

import ast
import datetime as dt
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import github as pygithub
import httpx2
import pytest

from tests.fake_github import Annotation, FakeGitHub, LogState, job, matrix
from tests.fake_github.paging import link_header, page_of
from tests.openapi import Contract

DATA = Path(os.environ.get("TRACKSIDE_REAL_DATA", "../shared/data")).resolve() / "github"
DOCUMENT = DATA / "openapi-actions.json"
RECORDED = DATA / "recorded"
TOKEN = {"Authorization": "Bearer ghp_secret", "X-GitHub-Api-Version": "2022-11-28"}
REPO, PARAMETERS = "/repos/octo/engine", "/repos/{owner}/{repo}"

needs_contract = pytest.mark.skipif(not DOCUMENT.is_file(), reason=f"no {DOCUMENT} (set TRACKSIDE_REAL_DATA)")
needs_recorded = pytest.mark.skipif(not RECORDED.is_dir(), reason=f"no {RECORDED} (set TRACKSIDE_REAL_DATA)")


@dataclass
class Exchange:
    """A request to the real GitHub and its answer, as it was recorded."""

    method: str
    target: str
    status: int
    headers: dict[str, str]
    body: str

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query)


def exchanges(name: str = "*") -> list[Exchange]:
    found = []
    for file in sorted(RECORDED.glob(f"{name}.txt")):
        lines = file.read_text(encoding="utf-8").split("\n")
        starts = [index for index in range(len(lines) - 9) if lines[index] in ("https", "http")]
        for start in starts:
            method, target, status = lines[start + 1], lines[start + 4], int(lines[start + 7])
            headers = {key.lower(): value for key, value in ast.literal_eval(lines[start + 8])}
            found.append(Exchange(method, target, status, headers, lines[start + 9]))
    return found


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract(json.loads(DOCUMENT.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def github() -> Iterator[FakeGitHub]:
    """One of everything."""
    with FakeGitHub() as fake:
        world = fake.world
        world.add_repository("octo/engine")
        fork = world.add_repository("bob/engine", fork=True)
        note = Annotation("test_a.py", "assert 1 == 2", line=3)
        run = world.add_run([*matrix("unit", 4, ["failure"], annotations=(note,))], conclusion="failure", number=11)
        run.referenced_workflows = ("octo/engine/.github/workflows/unit.yml@main",)
        world.rerun(run)
        plans = [job("a", None), job("b", "skipped"), job("c", None, wait_s=-1), job("d", "timed_out")]
        world.add_run(plans, conclusion=None, number=12, branch="topic")
        world.add_run(0, conclusion="startup_failure", number=13, actor="github-actions[bot]", head_repository=fork)
        world.add_run([job(log_state=LogState.EXPIRED), job("cancelled", "cancelled")], number=14)
        world.add_pull(branch="topic", number=5)
        world.add_pull(number=6, merged_as="a" * 40, head_repository=fork, author="Copilot")
        world.add_artifact(run, "results")
        yield fake


def get(github: FakeGitHub, path: str) -> httpx2.Response:
    return httpx2.get(path if path.startswith("http") else github.api_url + path, headers=TOKEN, timeout=10)


def answers(github: FakeGitHub) -> list[tuple[str, str]]:
    """The path of the contract, and the one of ours, for every endpoint that answers JSON."""
    world = github.world
    run = world.runs[11][1]
    pairs = [
        ("", ""),
        ("/actions/runs", "/actions/runs"),
        ("/actions/workflows", "/actions/workflows"),
        ("/actions/workflows/{workflow_id}", "/actions/workflows/ci.yml"),
        ("/actions/workflows/{workflow_id}/runs", "/actions/workflows/ci.yml/runs"),
        ("/actions/runs/{run_id}", "/actions/runs/11"),
        ("/actions/runs/{run_id}", "/actions/runs/13"),
        ("/actions/runs/{run_id}/attempts/{attempt_number}", "/actions/runs/11/attempts/1"),
        ("/actions/runs/{run_id}/attempts/{attempt_number}", "/actions/runs/11/attempts/2"),
        ("/actions/runs/{run_id}/attempts/{attempt_number}/jobs", "/actions/runs/11/attempts/1/jobs"),
        ("/actions/runs/{run_id}/jobs", "/actions/runs/11/jobs?filter=all"),
        ("/actions/runs/{run_id}/jobs", "/actions/runs/12/jobs"),
        ("/actions/jobs/{job_id}", f"/actions/jobs/{run.latest.jobs[0].id}"),
        ("/actions/artifacts", "/actions/artifacts"),
        ("/actions/runs/{run_id}/artifacts", "/actions/runs/11/artifacts"),
        ("/actions/artifacts/{artifact_id}", f"/actions/artifacts/{world.home.artifacts[0].id}"),
        ("/commits/{commit_sha}/pulls", f"/commits/{'a' * 40}/pulls"),
        ("/check-runs/{check_run_id}/annotations", f"/check-runs/{run.attempts[0].jobs[0].id}/annotations"),
    ]
    return [(PARAMETERS + official, REPO + ours) for official, ours in pairs] + [("/rate_limit", "/rate_limit")]


@needs_contract
def test_every_body_is_as_the_official_contract_says(github: FakeGitHub, contract: Contract) -> None:
    for official, ours in answers(github):
        answer = get(github, ours)
        assert answer.status_code == 200, ours
        assert contract.problems(answer.json(), contract.schema(official)) == [], ours
    listed = get(github, f"{REPO}/pulls?state=all").json()
    assert len(listed) == 2
    schema = {"type": "array", "items": {"$ref": "#/components/schemas/pull-request-simple"}}
    assert contract.problems(listed, schema) == []


@needs_contract
def test_error_bodies_are_as_the_official_contract_says(github: FakeGitHub, contract: Contract) -> None:
    schema = {"$ref": "#/components/schemas/basic-error", "required": ["message", "documentation_url"]}
    (expired, _) = github.world.runs[14][1].latest.jobs
    github.world.home.busy_commits.add("b" * 40)
    for status, path in [
        (404, f"{REPO}/actions/runs/1"),
        (404, "/repos/octo/none"),
        (409, f"{REPO}/commits/{'b' * 40}/pulls"),
        (410, f"{REPO}/actions/jobs/{expired.id}/logs"),
        (422, f"{REPO}/actions/runs?created=now"),
    ]:
        answer = get(github, path)
        assert answer.status_code == status
        assert contract.problems(answer.json(), schema) == []


@needs_contract
def test_the_contract_finds_what_is_wrong(github: FakeGitHub, contract: Contract) -> None:
    jobs = f"{PARAMETERS}/actions/runs/{{run_id}}/jobs"
    schema = contract.schema(jobs)

    def problems(**changed: object) -> list[str]:
        body = get(github, f"{REPO}/actions/runs/11/jobs").json()
        for key, value in changed.items():
            if value is KeyError:
                del body["jobs"][0][key]
            else:
                body["jobs"][0][key] = value
        return contract.problems(body, schema)

    assert problems() == problems(completed_at=None) == problems(conclusion=None) == problems(runner_id=None) == []
    assert problems(id="11")
    assert problems(status="done")
    assert problems(conclusion="fine")
    assert problems(created_at="yesterday")
    assert problems(created_at=None)
    assert problems(head_sha=KeyError)
    assert problems(steps=[{"name": "x"}])
    run = get(github, f"{REPO}/actions/runs/11").json()
    run["head_commit"] = None
    whole = contract.schema(f"{PARAMETERS}/actions/runs/{{run_id}}")
    assert contract.problems(run, whole) == []
    run["actor"]["id"] = None
    assert contract.problems(run, whole)


# What the real answers carry and ours do not: it depends on the transport, on OAuth apps or on the age of a recording.
LEFT_OUT = {
    "accept-ranges",
    "access-control-allow-credentials",
    "connection",
    "content-encoding",
    "content-length",
    "expect-ct",
    "github-authentication-token-expiration",
    "last-modified",
    "status",
    "transfer-encoding",
    "x-accepted-github-permissions",
    "x-accepted-oauth-scopes",
    "x-oauth-client-id",
    "x-oauth-scopes",
}


@needs_recorded
def test_answers_carry_the_headers_of_recorded_ones(github: FakeGitHub) -> None:
    ours = get(github, f"{REPO}/actions/runs?per_page=2").headers
    recorded = [one for one in exchanges() if one.status == 200 and "x-github-api-version-selected" in one.headers]
    assert len(recorded) > 10
    for one in recorded:
        missing = set(one.headers) - set(ours) - LEFT_OUT
        assert missing <= ({"etag"} if "rate_limit" in one.path else set()), one.target
    same = ("content-type", "x-github-media-type", "x-github-api-version-selected", "x-ratelimit-resource")
    newest = recorded[-1]
    assert {name: ours[name] for name in same} == {name: newest.headers[name] for name in same}
    assert ours["etag"].startswith('W/"')
    assert len(ours["etag"]) == len(newest.headers["etag"])
    expiring = [one for one in exchanges() if "UTC" in one.headers.get("github-authentication-token-expiration", "")]
    github.tokens.add("ghp_dies", expires_at=github.clock.now() + dt.timedelta(days=30))
    told = httpx2.get(f"{github.api_url}/rate_limit", headers={"Authorization": "Bearer ghp_dies"}).headers
    for one in expiring:
        shape = "%Y-%m-%d %H:%M:%S UTC"
        for headers in (one.headers, told):
            dt.datetime.strptime(headers["github-authentication-token-expiration"], shape)  # noqa: DTZ007
    assert expiring


@needs_recorded
def test_link_headers_are_letter_by_letter_those_recorded() -> None:
    seen = 0
    for one in exchanges():
        if "link" not in one.headers or "/search/" in one.path:
            continue
        base = one.headers["link"].partition("?")[0].lstrip("<")
        body = json.loads(one.body)
        total = body["total_count"] if isinstance(body, dict) else 2
        assert link_header(base, one.query, page_of(one.query, total)) == one.headers["link"], one.target
        assert base.startswith("https://api.github.com/repositories/")
        seen += 1
    assert seen > 10


@needs_recorded
@pytest.mark.parametrize(
    ("recording", "path", "ours", "inside"),
    [
        ("WorkflowRun.testGetAttempt", "/attempts/2", f"{REPO}/actions/runs/11/attempts/2", None),
        ("WorkflowRun.testGetAttempt", "/26365060973", f"{REPO}/actions/runs/11", None),
        ("Repository.testGetWorkflowJob", "/jobs/54251022208", f"{REPO}/actions/runs/11/jobs", "jobs"),
        ("Repository.testGetWorkflows", "/workflows", f"{REPO}/actions/workflows", "workflows"),
        ("Artifact.*", "/artifacts", f"{REPO}/actions/artifacts", "artifacts"),
        ("CheckRun.*", "/annotations", "annotations", None),
        ("Commit.testGetPulls", "/pulls", f"{REPO}/commits/{'a' * 40}/pulls", None),
        ("RateLimiting.testGetRateLimit", "/rate_limit", "/rate_limit", None),
    ],
)
def test_bodies_have_the_names_of_recorded_ones(
    github: FakeGitHub, recording: str, path: str, ours: str, inside: str | None
) -> None:
    if ours == "annotations":
        ours = f"{REPO}/check-runs/{github.world.runs[11][1].attempts[0].jobs[0].id}/annotations"
    real = json.loads(next(one.body for one in exchanges(recording) if one.path.endswith(path)))
    made = get(github, ours).json()
    if isinstance(made, dict) and inside in made:
        made, real = made[inside], real.get(inside, [real])
    for mine, theirs in zip(made, real, strict=False) if isinstance(real, list) else [(made, real)]:
        assert set(theirs) <= set(mine)
        for name, value in theirs.items():
            if isinstance(value, dict) and name not in ("resources", "base", "head"):
                assert isinstance(mine[name], dict | None), name
                assert mine[name] is None or set(value) <= set(mine[name]), name


@needs_recorded
def test_a_redirect_to_a_log_is_as_recorded(github: FakeGitHub) -> None:
    (real,) = [one for one in exchanges("WorkflowJob.testAttributes") if one.status == 302]
    done = github.world.runs[11][1].latest.jobs[0]
    ours = get(github, f"{REPO}/actions/jobs/{done.id}/logs")
    assert ours.status_code == 302
    assert set(real.headers) - set(ours.headers) - LEFT_OUT == set()
    assert ours.headers["content-type"] == real.headers["content-type"]
    assert ours.headers["content-length"] == real.headers["content-length"] == "0"
    assert urlsplit(real.headers["location"]).hostname != "api.github.com"
    assert real.body == ours.text == ""


@needs_recorded
def test_an_answer_that_has_not_changed_is_as_recorded(github: FakeGitHub) -> None:
    (real,) = [one for one in exchanges("ConditionalRequestUpdate.testDidNotUpdate") if one.status == 304]
    tag = get(github, f"{REPO}/actions/runs/14").headers["etag"]
    ours = httpx2.get(f"{github.api_url}{REPO}/actions/runs/14", headers={**TOKEN, "If-None-Match": tag})
    assert (ours.status_code, ours.text) == (real.status, real.body) == (304, "")
    assert set(real.headers) - set(ours.headers) - LEFT_OUT == set()
    assert "content-type" not in ours.headers


@needs_recorded
def test_limits_are_told_as_recorded() -> None:
    (abuse,) = [one for one in exchanges("SpecificExceptions.testAuth*") if one.status == 403]
    (primary,) = [one for one in exchanges("SpecificExceptions.testRate*") if one.status == 403]
    with FakeGitHub() as github:
        github.world.add_repository("octo/engine")
        github.faults.add("secondary", nth=1, rate_headers=False)
        ours = get(github, REPO)
        assert ours.status_code == abuse.status
        assert ours.headers["retry-after"] == abuse.headers["retry-after"] == "60"
        assert not [name for name in (*ours.headers, *abuse.headers) if name.startswith("x-ratelimit")]
        assert set(json.loads(abuse.body)) <= set(ours.json())
        github.leave_calls(0)
        over = httpx2.get(github.api_url + REPO)
        assert over.status_code == primary.status
        for name in ("x-ratelimit-limit", "x-ratelimit-remaining"):
            assert over.headers[name] == primary.headers[name]
        words = "rate limit exceeded for "
        assert words in over.json()["message"].lower()
        assert words in json.loads(primary.body)["message"].lower()


def test_pygithub_pages_through_everything() -> None:
    with FakeGitHub() as github:
        world = github.world
        repo = world.add_repository("octo/engine")
        made = [world.add_run(3, workflow=f"Workflow {index % 7}") for index in range(75)]
        big = world.add_run([*matrix("unit", 130), job("last", "failure")], conclusion="failure")
        world.rerun(big)
        for number in range(1, 65):
            world.add_pull(f"Pull {number}", sha=f"{number:040x}")
        auth = pygithub.Auth.Token("ghp_secret")
        client = pygithub.Github(base_url=github.api_url, auth=auth, retry=None, seconds_between_requests=0)
        there: Any = client.get_repo("octo/engine")
        assert (there.id, there.default_branch) == (repo.id, "main")
        assert [run.id for run in there.get_workflow_runs()] == [run.id for run in [big, *reversed(made)]]
        run = there.get_workflow_run(big.id)
        assert len(list(run.jobs("all"))) == 132
        assert [(one.name, one.run_attempt) for one in run.jobs()][-1] == ("last", 2)
        assert [one.name for one in there.get_workflows()] == [*(f"Workflow {index}" for index in range(7)), "CI"]
        assert len(list(there.get_workflow("workflow-3.yml").get_runs())) == 11
        assert [pull.number for pull in there.get_pulls(state="all", sort="created", direction="asc")] == [
            *range(1, 65)
        ]
        assert client.get_rate_limit().rate.limit == 5000
        with pytest.raises(pygithub.UnknownObjectException):
            client.get_repo("octo/none")
        assert github.journal.broken_rules().keys() <= {"X-GitHub-Api-Version missing"}
