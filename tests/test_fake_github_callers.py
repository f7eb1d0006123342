"""Who may see what on the fake GitHub, and what it says to strange calls and to many at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.fake_github import ABSENT, FakeGitHub

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


def test_a_renamed_repository_leads_on_by_its_number(github: FakeGitHub, http: httpx2.Client) -> None:
    run = github.world.add_run()
    github.world.rename(github.world.home, "octo/motor")
    moved = http.get(f"{RUNS}?per_page=5")
    where = f"{github.api_url}/repositories/{github.world.home.id}/actions/runs?per_page=5"
    assert (moved.status_code, moved.headers["location"]) == (301, where)
    assert moved.json()["message"] == "Moved Permanently"
    followed = http.get(RUNS, follow_redirects=True)
    assert followed.json()["workflow_runs"][0]["id"] == run.id
    assert followed.json()["workflow_runs"][0]["repository"]["full_name"] == "octo/motor"


def test_private_and_unknown_repositories_are_404_and_missing_permissions_403(
    github: FakeGitHub, http: httpx2.Client
) -> None:
    github.world.add_repository("octo/secret", readable=False)
    github.world.add_repository("octo/private", private=True)
    assert http.get("/repos/octo/secret").status_code == http.get("/repos/octo/nothing").status_code == 404
    assert http.get("/repos/octo/private").status_code == 200
    assert httpx2.get(f"{github.api_url}/repos/octo/private").status_code == 404
    github.tokens.add("github_pat_narrow", permissions={"metadata": "read"})
    refused = http.get(RUNS, headers={"Authorization": "token github_pat_narrow"})
    assert refused.status_code == 403
    assert refused.json()["message"] == "Resource not accessible by personal access token"
    assert refused.headers["x-accepted-github-permissions"] == "actions=read"
    assert refused.headers["x-ratelimit-remaining"] != "0"


def test_a_bad_token_is_401_whatever_it_asks(github: FakeGitHub, http: httpx2.Client) -> None:
    github.tokens.revoke("ghp_secret")
    answer = http.get(RUNS)
    assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")
    github.settings.strict_tokens = True
    assert http.get(RUNS, headers={"Authorization": "Bearer other"}).status_code == 401


def test_the_addresses_may_begin_with_the_path_of_an_enterprise_server() -> None:
    with FakeGitHub(base="/api/v3") as github:
        run = github.world.add_run()
        assert github.api_url.endswith("/api/v3")
        assert github.graphql_url.endswith("/api/graphql")
        shown = httpx2.get(f"{github.api_url}{RUNS}").json()["workflow_runs"][0]
        assert shown["url"] == f"{github.api_url}{RUNS}/{run.id}"
        assert httpx2.get(shown["url"]).status_code == 200
        assert httpx2.get(f"{github.html_url}{RUNS}").status_code == 404


def test_fields_may_be_strange_or_missing(github: FakeGitHub, http: httpx2.Client) -> None:
    run = github.world.add_run(2)
    run.overrides = {"display_title": ABSENT, "run_number": "seven", "pull_requests": None}
    run.latest.jobs[1].overrides = {"steps": None, "labels": ABSENT}
    shown = http.get(f"{RUNS}/{run.id}").json()
    assert "display_title" not in shown
    assert (shown["run_number"], shown["pull_requests"]) == ("seven", None)
    plain, strange = http.get(f"{RUNS}/{run.id}/jobs").json()["jobs"]
    assert (strange["steps"], "labels" in strange) == (None, False)
    assert plain["labels"] == ["ubuntu-latest"]


@pytest.mark.parametrize(
    "query", ["per_page=0", "per_page=-1&page=-3", "page=1e9", "per_page=%D9%A3", "&&=&", "status=", "a=b&a=c"]
)
def test_numbers_that_are_none_count_as_not_given(github: FakeGitHub, http: httpx2.Client, query: str) -> None:
    github.world.add_run()
    assert len(http.get(f"{RUNS}?{query}").json()["workflow_runs"]) == 1


@pytest.mark.parametrize("created", ["..", ">=", "2026-13-45", "9999-12-31", "2026-06-01T25:00:00Z", "2026-06-01 1"])
def test_dates_that_are_none_are_422(github: FakeGitHub, http: httpx2.Client, created: str) -> None:
    assert http.get(RUNS, params={"created": created}).status_code == 422


@pytest.mark.parametrize(
    "path",
    ["//", "/repos//", "/repos/a/b/c/d", f"{RUNS}/{'9' * 40}", f"{RUNS}/0/attempts/0/jobs", "/repositories/1", "/x"],
)
def test_addresses_that_lead_nowhere_are_404(github: FakeGitHub, http: httpx2.Client, path: str) -> None:
    answer = http.get(github.api_url + path)
    assert (answer.status_code, answer.json()["message"]) == (404, "Not Found")


def test_a_breakdown_of_the_fake_itself_fails_the_test() -> None:
    github = FakeGitHub().start()
    github.world.add_run().overrides = {"display_title": object()}
    with pytest.raises(httpx2.RemoteProtocolError):
        httpx2.get(github.api_url + RUNS)
    with pytest.raises(AssertionError, match="the fake itself broke down"):
        github.__exit__(None, None, None)


def test_a_changing_world_is_served_to_many_at_once(github: FakeGitHub, http: httpx2.Client) -> None:
    run = github.world.add_run(30)
    path = f"{RUNS}/{run.id}/jobs?filter=all&per_page=100"

    def change(times: int) -> int:
        for _ in range(times):
            github.world.finish_run(github.world.add_run(3, conclusion=None))
            github.world.rerun(run, failed_only=False)
        return times

    with ThreadPoolExecutor(6) as pool:
        changed = pool.submit(change, 20)
        seen = list(pool.map(lambda _: http.get(path).json()["total_count"], range(60)))
        assert changed.result() == 20
    assert all(total % 30 == 0 for total in seen)
    assert http.get(path).json()["total_count"] == 30 * 21


def test_bodies_are_compressed_for_those_who_accept_it_when_that_is_asked_for(
    github: FakeGitHub, http: httpx2.Client
) -> None:
    github.settings.gzip = True
    github.world.add_run()
    zipped = http.get(RUNS, headers={"Accept-Encoding": "gzip"})
    plain = http.get(RUNS, headers={"Accept-Encoding": "identity"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert zipped.json() == plain.json()
    assert github.journal.calls[0].sent_bytes < github.journal.calls[1].sent_bytes
