"""The fake GitHub as a state: lists, pages, attempts, filters, logs and who may see what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.fake_github import FakeGitHub, Latest, Step, job
from tests.fake_github.clock import START

HOUR = dt.timedelta(hours=1)
TOKEN = {"Authorization": "Bearer ghp_secret", "X-GitHub-Api-Version": "2022-11-28"}
RUNS = "/repos/octo/engine/actions/runs"


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as fake:
        fake.world.add_repository("octo/engine")
        yield fake


@pytest.fixture
def http(github: FakeGitHub) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=github.api_url, headers=TOKEN, timeout=10) as client:
        yield client


def ids(answer: httpx2.Response, key: str = "workflow_runs") -> list[int]:
    return [item["id"] for item in answer.json()[key]]


def all_pages(http: httpx2.Client, url: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    next_url: str | None = url
    while next_url:
        answer = http.get(next_url)
        assert answer.status_code == 200
        body = answer.json()
        items += body if isinstance(body, list) else next(value for value in body.values() if isinstance(value, list))
        next_url = answer.links.get("next", {}).get("url")
    return items


def test_runs_are_listed_newest_first_and_thirty_at_a_time(github: FakeGitHub, http: httpx2.Client) -> None:
    for hours in (2, 1, 3):
        github.world.add_run(number=hours, at=START + hours * HOUR)
    for number in range(10, 40):
        github.world.add_run(number=number, at=START - HOUR)
    first = http.get(RUNS)
    assert ids(first)[:3] == [3, 2, 1]
    assert len(ids(first)) == 30
    assert first.json()["total_count"] == 33
    assert len(all_pages(http, RUNS)) == 33
    assert len(ids(http.get(f"{RUNS}?per_page=500"))) == 33


def test_links_go_by_the_number_of_the_repository_and_keep_the_query(github: FakeGitHub, http: httpx2.Client) -> None:
    for _ in range(5):
        github.world.add_run()
    base = f"{github.api_url}/repositories/{github.world.home.id}/actions/runs?event=push&per_page=2&page"
    first = http.get(f"{RUNS}?event=push&per_page=2")
    assert first.headers["link"] == f'<{base}=2>; rel="next", <{base}=3>; rel="last"'
    second = http.get(first.links["next"]["url"])
    rels = [f'<{base}=1>; rel="prev"', f'<{base}=3>; rel="next"', f'<{base}=3>; rel="last"', f'<{base}=1>; rel="first"']
    assert second.headers["link"] == ", ".join(rels)
    last = http.get(second.links["next"]["url"])
    assert last.headers["link"] == f'<{base}=2>; rel="prev", <{base}=1>; rel="first"'
    assert len(ids(last)) == 1
    assert github.journal.broken_rules() == {}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("created=2026-06-02", [2]),
        ("created=>=2026-06-02", [3, 2]),
        ("created=>2026-06-02", [3]),
        ("created=<=2026-06-02", [2, 1]),
        ("created=<2026-06-02", [1]),
        ("created=2026-06-01..2026-06-02", [2, 1]),
        ("created=2026-06-02..*", [3, 2]),
        ("created=*..2026-06-01", [1]),
        ("created=2026-06-02T12:00:00Z", [2]),
        ("created=2026-06-02T12:00:00%2B00:00..2026-06-03T12:00:00Z", [3, 2]),
        ("created=2026-06-02T12:00:01Z..2026-06-03T11:59:59Z", []),
        ("actor=bob", [3]),
        ("branch=topic", [2]),
        ("event=schedule", [3]),
        ("status=in_progress", [2]),
        ("status=failure", [3]),
        ("status=completed&branch=main", [3, 1]),
        ("head_sha=abc", [1]),
        ("check_suite_id=40000000002", [2]),
    ],
)
def test_filters_take_what_the_search_syntax_says(
    github: FakeGitHub, http: httpx2.Client, query: str, found: list[int]
) -> None:
    day = dt.timedelta(days=1)
    github.world.add_run(number=1, sha="abc", at=START)
    github.world.add_run(number=2, at=START + day, branch="topic", conclusion=None)
    github.world.add_run(number=3, at=START + 2 * day, actor="bob", event="schedule", conclusion="failure")
    assert ids(http.get(f"{RUNS}?{query}")) == found


def test_a_filter_that_cannot_be_read_is_422(github: FakeGitHub, http: httpx2.Client) -> None:
    assert http.get(f"{RUNS}?created=yesterday").status_code == 422


def test_a_filtered_list_ends_at_the_cap_and_an_unfiltered_one_does_not(
    github: FakeGitHub, http: httpx2.Client
) -> None:
    github.settings.cap = 250
    for _ in range(300):
        github.world.add_run(0)
    assert len(all_pages(http, f"{RUNS}?per_page=100")) == 300
    assert len(all_pages(http, f"{RUNS}?per_page=100&exclude_pull_requests=true")) == 300
    assert len(all_pages(http, f"{RUNS}?per_page=100&event=push")) == 250
    assert http.get(f"{RUNS}?event=push").json()["total_count"] == 300
    assert http.get(f"{RUNS}?event=push&per_page=100&page=4").json()["workflow_runs"] == []
    github.settings.total_at_cap = 250
    assert http.get(f"{RUNS}?event=push").json()["total_count"] == 250


def test_a_re_run_of_failed_jobs_is_an_attempt_of_its_own(github: FakeGitHub, http: httpx2.Client) -> None:
    run = github.world.add_run([job("good"), job("bad", "failure")], conclusion="failure")
    github.world.rerun(run, at=START + HOUR)
    shown = http.get(f"{RUNS}/{run.id}").json()
    assert (shown["run_attempt"], shown["conclusion"]) == (2, "success")
    assert shown["created_at"] == "2026-06-01T12:00:00Z"
    assert shown["run_started_at"] == "2026-06-01T13:00:00Z"
    second, first = (http.get(f"{RUNS}/{run.id}/attempts/{number}").json() for number in (2, 1))
    assert second["created_at"] == "2026-06-01T13:00:02Z"
    assert second["previous_attempt_url"] == first["url"] + "/attempts/1"
    assert (first["conclusion"], first["previous_attempt_url"]) == ("failure", None)
    assert http.get(f"{RUNS}/{run.id}/attempts/3").status_code == 404


def test_latest_means_what_it_is_set_to_mean(github: FakeGitHub, http: httpx2.Client) -> None:
    run = github.world.add_run([job("good"), job("bad", "failure")], conclusion="failure")
    github.world.rerun(run)

    def seen(path: str) -> list[tuple[str, int, str]]:
        jobs = http.get(f"{RUNS}/{run.id}/{path}").json()["jobs"]
        return [(one["name"], one["run_attempt"], one["conclusion"]) for one in jobs]

    good, bad, again = ("good", 1, "success"), ("bad", 1, "failure"), ("bad", 2, "success")
    assert seen("jobs") == seen("jobs?filter=latest") == [good, again]
    assert seen("jobs?filter=all") == [good, bad, again]
    assert seen("attempts/1/jobs") == [good, bad]
    assert seen("attempts/2/jobs") == [again]
    github.settings.latest = Latest.LAST_ATTEMPT
    assert seen("jobs") == [again]


def test_jobs_that_are_carried_over_keep_their_times_under_new_ids(github: FakeGitHub, http: httpx2.Client) -> None:
    run = github.world.add_run([job("good"), job("bad", "failure")], conclusion="failure")
    github.world.rerun(run, at=START + HOUR, carry=True)
    again, carried = http.get(f"{RUNS}/{run.id}/attempts/2/jobs").json()["jobs"]
    assert (again["name"], carried["name"], carried["run_attempt"]) == ("bad", "good", 2)
    assert carried["started_at"] < again["started_at"]
    assert carried["id"] not in [one["id"] for one in http.get(f"{RUNS}/{run.id}/attempts/1/jobs").json()["jobs"]]


def test_jobs_look_as_github_shows_them(github: FakeGitHub, http: httpx2.Client) -> None:
    steps = (Step(1, "Set up job"), Step(4, "Test", "failure", 3, 40), Step(9, "Running", None, 50, None))
    plans = [
        job("caller / leaf (1)", "failure", steps=steps, labels=("gpu", "h100"), runner="h100-7"),
        job("skipped", "skipped"),
        job("queued", None, wait_s=-1),
    ]
    run = github.world.add_run(plans, conclusion=None)
    done, skipped, queued = http.get(f"{RUNS}/{run.id}/jobs").json()["jobs"]
    assert [step["number"] for step in done["steps"]] == [1, 4, 9]
    assert done["steps"][1] == {
        "name": "Test",
        "status": "completed",
        "conclusion": "failure",
        "number": 4,
        "started_at": "2026-06-01T12:00:08Z",
        "completed_at": "2026-06-01T12:00:48Z",
    }
    assert (done["steps"][2]["status"], done["steps"][2]["completed_at"]) == ("in_progress", None)
    assert (done["labels"], done["runner_name"]) == (["gpu", "h100"], "h100-7")
    assert (skipped["steps"], skipped["runner_name"]) == ([], None)
    assert skipped["started_at"] == skipped["completed_at"]
    assert queued["started_at"] == queued["created_at"]
    assert (queued["status"], queued["completed_at"], queued["runner_id"]) == ("queued", None, None)


def test_what_is_changed_while_it_serves_is_seen_by_the_next_call(github: FakeGitHub, http: httpx2.Client) -> None:
    run = github.world.add_run(2, conclusion=None)
    assert http.get(f"{RUNS}/{run.id}").json()["status"] == "in_progress"
    github.clock.advance(600)
    github.world.finish_run(run, "failure")
    assert http.get(f"{RUNS}/{run.id}").json()["updated_at"] == "2026-06-01T12:10:00Z"
    assert {one["conclusion"] for one in http.get(f"{RUNS}/{run.id}/jobs").json()["jobs"]} == {"failure"}
    run.title, run.head_branch = "<svg/onload=alert(1)>", "other"
    run.latest.updated_at = github.clock.now() + HOUR
    (shown,) = http.get(RUNS).json()["workflow_runs"]
    assert (shown["display_title"], shown["updated_at"]) == ("<svg/onload=alert(1)>", "2026-06-01T13:10:00Z")
    assert {one["head_branch"] for one in http.get(f"{RUNS}/{run.id}/jobs").json()["jobs"]} == {"other"}
    github.world.schedule(github.clock.now() + HOUR, lambda: github.world.remove_run(run))
    assert http.get(f"{RUNS}/{run.id}").status_code == 200
    github.clock.advance(3600)
    assert http.get(f"{RUNS}/{run.id}").status_code == 404


def test_open_pull_requests_are_named_with_runs_of_their_branch_unless_it_is_a_fork(
    github: FakeGitHub, http: httpx2.Client
) -> None:
    fork = github.world.add_repository("bob/engine", fork=True)
    ours = github.world.add_pull(branch="topic")
    github.world.add_pull(branch="main", head_repository=fork, sha="f" * 40)
    own = github.world.add_run(branch="topic", sha=ours.head_sha)
    of_fork = github.world.add_run(branch="main", sha="f" * 40, head_repository=fork)
    strange = github.world.add_run(branch="main")
    strange.wrong_pulls = (260,)
    shown = {run["id"]: [pull["number"] for pull in run["pull_requests"]] for run in all_pages(http, RUNS)}
    assert shown == {own.id: [1], of_fork.id: [], strange.id: [260]}
    ours.state = "closed"
    assert http.get(f"{RUNS}/{own.id}").json()["pull_requests"] == []


def test_pull_requests_of_a_commit_include_those_into_other_repositories(
    github: FakeGitHub, http: httpx2.Client
) -> None:
    fork = github.world.add_repository("bob/engine", fork=True)
    github.world.add_pull(merged_as="a" * 40, number=7)
    github.world.add_pull(repo=fork, commits=["a" * 40], number=3)
    github.world.add_run(sha="b" * 40)
    listed = http.get(f"/repos/octo/engine/commits/{'a' * 40}/pulls").json()
    assert [(pull["number"], pull["base"]["repo"]["full_name"]) for pull in listed] == [
        (7, "octo/engine"),
        (3, "bob/engine"),
    ]
    assert http.get(f"/repos/octo/engine/commits/{'b' * 40}/pulls").json() == []
    github.world.home.busy_commits.add("a" * 40)
    assert http.get(f"/repos/octo/engine/commits/{'a' * 40}/pulls").status_code == 409


def test_pulls_are_sorted_by_what_is_asked(github: FakeGitHub, http: httpx2.Client) -> None:
    for number, hours in ((1, 5), (2, 9), (3, 7)):
        github.world.add_pull(number=number, updated_at=START + hours * HOUR, state="closed" if number == 3 else None)

    def numbers(query: str) -> list[int]:
        return [pull["number"] for pull in http.get(f"/repos/octo/engine/pulls{query}").json()]

    assert numbers("") == [2, 1]
    assert numbers("?state=all&sort=updated&direction=desc") == [2, 3, 1]
    assert numbers("?state=all&sort=updated") == [1, 3, 2]


def test_workflows_are_found_by_number_and_by_file(github: FakeGitHub, http: httpx2.Client) -> None:
    run = github.world.add_run(workflow="PR Test (AMD)")
    github.world.add_run(workflow="Lint")
    workflows = http.get("/repos/octo/engine/actions/workflows").json()["workflows"]
    assert [one["path"] for one in workflows] == [".github/workflows/pr-test-amd.yml", ".github/workflows/lint.yml"]
    for word in ("pr-test-amd.yml", str(workflows[0]["id"])):
        assert ids(http.get(f"/repos/octo/engine/actions/workflows/{word}/runs")) == [run.id]
        assert http.get(f"/repos/octo/engine/actions/workflows/{word}").json()["name"] == "PR Test (AMD)"
