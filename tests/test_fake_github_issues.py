"""The issues and comments of the fake GitHub, held against what is known of GitHub's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import github as pygithub
import httpx2
import pytest

from tests.fake_github import FakeGitHub, Repository

REPO = "/repos/octo/engine"
TOKEN = {"Authorization": "Bearer ghp_secret", "X-GitHub-Api-Version": "2022-11-28"}
ACTIONS = {"Authorization": "Bearer ghs_workflow", "X-GitHub-Api-Version": "2022-11-28"}


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with FakeGitHub() as made:
        made.world.add_repository()
        yield made


@pytest.fixture
def home(fake: FakeGitHub) -> Repository:
    return fake.world.home


def call(
    fake: FakeGitHub, method: str, path: str, body: object = None, headers: dict[str, str] = TOKEN
) -> httpx2.Response:
    content = {} if body is None else {"json": body}
    return httpx2.request(method, fake.api_url + path, headers={**headers, "User-Agent": "t"}, **content)  # type: ignore[arg-type]


def words(response: httpx2.Response) -> str:
    told: dict[str, Any] = response.json()
    return " ".join([told["message"], *(fault["message"] for fault in told.get("errors", ()))])


def test_an_independent_client_makes_reads_edits_and_closes_issues_and_comments(fake: FakeGitHub) -> None:
    with pygithub.Github(auth=pygithub.Auth.Token("ghp_secret"), base_url=fake.api_url, retry=None) as client:
        repo = client.get_repo("octo/engine")
        issue = repo.create_issue("Slow", body="It is.", labels=["alert"])
        assert (issue.number, issue.state, issue.user.login, issue.body) == (1, "open", "octocat", "It is.")
        comment = issue.create_comment("first")
        comment.edit("second")
        assert [(one.body, one.user.login) for one in issue.get_comments()] == [("second", "octocat")]
        issue.edit(title="Slower", state="closed", state_reason="completed")
        again = repo.get_issue(1)
        assert (again.title, again.state, again.state_reason, again.comments) == ("Slower", "closed", "completed", 1)
        assert again.closed_at is not None
        comment.delete()
        assert list(issue.get_comments()) == []


def test_issues_are_listed_by_state_creator_and_label_in_pages_and_pull_requests_among_them(fake: FakeGitHub) -> None:
    world = fake.world
    for place in range(5):
        world.add_issue(f"issue {place}", author="alice" if place % 2 else "bob", labels=["x"] if place > 2 else [])
    world.add_pull(author="bob")
    world.home.issues[0].state = "closed"

    def numbers(query: str) -> list[int]:
        return [one["number"] for one in call(fake, "GET", f"{REPO}/issues?{query}").json()]

    assert sorted(numbers("")) == [2, 3, 4, 5, 6]
    assert sorted(numbers("state=all")) == [1, 2, 3, 4, 5, 6]
    assert numbers("state=closed") == [1]
    assert sorted(numbers("creator=bob")) == [3, 5, 6]
    assert sorted(numbers("labels=x")) == [4, 5]
    page = call(fake, "GET", f"{REPO}/issues?per_page=2")
    assert 'rel="next"' in page.headers["link"]
    assert [("pull_request" in one) for one in call(fake, "GET", f"{REPO}/issues?creator=bob").json()].count(True) == 1


def test_issues_and_pull_requests_share_their_numbers_and_both_have_comments(fake: FakeGitHub) -> None:
    issue, pull = fake.world.add_issue(), fake.world.add_pull()
    assert (issue.number, pull.number) == (1, 2)
    made = call(fake, "POST", f"{REPO}/issues/2/comments", {"body": "on a pull request"})
    assert made.status_code == 201
    assert "/pull/2#issuecomment-" in made.json()["html_url"]
    assert [one["body"] for one in call(fake, "GET", f"{REPO}/issues/2/comments").json()] == ["on a pull request"]
    assert call(fake, "GET", f"{REPO}/issues/1/comments").json() == []


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"body": ""}, 422, "Body cannot be blank"),
        ({}, 422, "Body cannot be blank"),
        ({"body": 7}, 422, "Body cannot be blank"),
        ({"body": "x" * 65_537}, 422, "Body is too long (maximum is 65536 characters)"),
        ({"body": "😀" * 32_769}, 422, "Body is too long"),
        ([], 400, "Problems parsing JSON"),
    ],
    ids=["blank", "none", "number", "long", "long in other units", "no object"],
)
def test_a_comment_that_is_none_is_refused(fake: FakeGitHub, body: object, status: int, said: str) -> None:
    fake.world.add_issue()
    refused = call(fake, "POST", f"{REPO}/issues/1/comments", body)
    assert refused.status_code == status
    assert said in words(refused)
    assert fake.world.home.comments == []


def test_a_comment_of_the_longest_length_is_taken(fake: FakeGitHub) -> None:
    fake.world.add_issue()
    assert call(fake, "POST", f"{REPO}/issues/1/comments", {"body": "x" * 65_536}).status_code == 201


def test_what_cannot_be_written_to_says_why(fake: FakeGitHub, home: Repository) -> None:
    fake.world.add_issue().locked = True
    fake.world.add_issue().deleted = True
    body = {"body": "x"}
    locked = call(fake, "POST", f"{REPO}/issues/1/comments", body)
    assert (locked.status_code, words(locked)) == (403, "Unable to create comment because issue is locked.")
    assert call(fake, "POST", f"{REPO}/issues/2/comments", body).status_code == 410
    assert call(fake, "POST", f"{REPO}/issues/9/comments", body).status_code == 404
    assert call(fake, "PATCH", f"{REPO}/issues/comments/9", body).status_code == 404
    assert call(fake, "PATCH", f"{REPO}/issues/1", {"state": "odd"}).status_code == 422
    home.has_issues = False
    off = call(fake, "POST", f"{REPO}/issues", {"title": "x"})
    assert (off.status_code, words(off)) == (410, "Issues are disabled for this repo")


def test_permissions_are_for_issues_and_pull_requests_apart_and_for_reading_and_writing(fake: FakeGitHub) -> None:
    fake.world.add_issue()
    fake.world.add_pull()
    may = {"issues": "write", "pull_requests": "read", "metadata": "read"}
    fake.tokens.add("ghs_workflow", permissions=may)
    assert call(fake, "POST", f"{REPO}/issues/1/comments", {"body": "x"}, ACTIONS).status_code == 201
    refused = call(fake, "POST", f"{REPO}/issues/2/comments", {"body": "x"}, ACTIONS)
    assert (refused.status_code, words(refused)) == (403, "Resource not accessible by integration")
    assert refused.headers["x-accepted-github-permissions"] == "issues=write; pull_requests=write"
    assert call(fake, "GET", f"{REPO}/issues/2/comments", headers=ACTIONS).status_code == 200
    fake.tokens.add("ghs_workflow", permissions={"issues": "read"})
    assert call(fake, "POST", f"{REPO}/issues", {"title": "x"}, ACTIONS).status_code == 403
    assert call(fake, "GET", f"{REPO}/issues", headers=ACTIONS).status_code == 200
    nobody = call(fake, "POST", f"{REPO}/issues", {"title": "x"}, {"X-GitHub-Api-Version": "2022-11-28"})
    assert (nobody.status_code, words(nobody)) == (401, "Requires authentication")


def test_who_writes_is_whose_the_token_is(fake: FakeGitHub) -> None:
    fake.tokens.add("ghp_bobs", login="bob")
    fake.world.add_issue()
    query = {"query": "{ viewer { login databaseId } }"}
    for headers, login in (
        (TOKEN, "octocat"),
        (ACTIONS, "github-actions[bot]"),
        ({**TOKEN, "Authorization": "token ghp_bobs"}, "bob"),
    ):
        made = call(fake, "POST", f"{REPO}/issues/1/comments", {"body": "x"}, headers).json()
        viewer = httpx2.post(fake.graphql_url, json=query, headers={**headers, "User-Agent": "t"}).json()
        assert made["user"]["login"] == viewer["data"]["viewer"]["login"] == login
        assert made["user"]["id"] == viewer["data"]["viewer"]["databaseId"]


def test_calls_are_in_the_journal_by_name_and_count_against_the_limit(fake: FakeGitHub) -> None:
    call(fake, "POST", f"{REPO}/issues", {"title": "x"})
    call(fake, "POST", f"{REPO}/issues/1/comments", {"body": "x"})
    call(fake, "GET", f"{REPO}/issues/1/comments")
    last = call(fake, "PATCH", f"{REPO}/issues/1", {"state": "closed"})
    assert fake.journal.by_endpoint() == {"create issue": 1, "create comment": 1, "comments": 1, "edit issue": 1}
    assert last.headers["x-ratelimit-used"] == "4"


def test_a_fault_before_the_answer_writes_nothing_and_one_on_the_wire_comes_after_the_writing(fake: FakeGitHub) -> None:
    fake.world.add_issue()
    fake.faults.add("error", endpoint="create comment", nth=1)
    fake.faults.add("cut", endpoint="create comment", nth=2)
    path = f"{REPO}/issues/1/comments"
    assert call(fake, "POST", path, {"body": "x"}).status_code == 502
    assert fake.world.home.comments == []
    with pytest.raises(httpx2.HTTPError):
        call(fake, "POST", path, {"body": "x"})
    assert [one.body for one in fake.world.home.comments] == ["x"]


def test_a_write_to_a_repository_that_was_renamed_is_sent_elsewhere_and_not_done(fake: FakeGitHub) -> None:
    fake.world.add_issue()
    fake.world.rename(fake.world.home, "octo/motor")
    moved = call(fake, "POST", f"{REPO}/issues/1/comments", {"body": "x"})
    assert moved.status_code == 307
    assert moved.headers["location"].endswith(f"/repositories/{fake.world.home.id}/issues/1/comments")
    assert fake.world.home.comments == []
