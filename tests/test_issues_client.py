"""Issues and comments through the client: pages, permissions, whose is whose, and nothing made twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connecting import TOKEN, client_of, talking
from tests.fake_github import FakeGitHub
from tests.scripted_server import answer
from trackside.errors import GitHubError
from trackside.github.client import GitHub
from trackside.github.issues import (
    TRIES,
    Viewer,
    close_issue,
    create_comment,
    create_issue,
    delete_comment,
    edit_comment,
    edit_issue,
    list_comments,
    list_issues,
    make_once,
    viewer_of,
)
from trackside.github.json_items import DecodeProblem
from trackside.github.shapes import User
from trackside.github.tokens import StaticToken

REPO = "octo/engine"


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with FakeGitHub() as made:
        made.world.add_repository(REPO)
        yield made


@pytest.fixture
def github(fake: FakeGitHub) -> Iterator[GitHub]:
    with client_of(fake) as made:
        yield made


def test_a_comment_is_made_read_edited_and_taken_away(fake: FakeGitHub, github: GitHub) -> None:
    fake.world.add_issue()
    made = create_comment(github, REPO, 1, "first 😀")
    assert edit_comment(github, REPO, made.id, "second").body == "second"
    assert [one.body for one in list_comments(github, REPO, 1)] == ["second"]
    delete_comment(github, REPO, made.id)
    delete_comment(github, REPO, made.id)
    assert fake.world.home.comments == []
    assert fake.journal.broken_rules() == {}


def test_all_pages_of_comments_are_read_the_oldest_first(fake: FakeGitHub, github: GitHub) -> None:
    fake.world.add_issue()
    fake.world.add_issue()
    for place in range(230):
        fake.world.add_comment(1, f"comment {place}")
    fake.world.add_comment(2, "of another issue")
    assert [one.body for one in list_comments(github, REPO, 1)] == [f"comment {place}" for place in range(230)]
    assert fake.journal.count("comments") == 3


def test_a_page_that_is_empty_and_not_the_last_hides_comments_and_is_refused(fake: FakeGitHub, github: GitHub) -> None:
    fake.world.add_issue()
    fake.world.add_comment(1, "here")
    fake.faults.add("empty page", endpoint="comments", nth=1)
    with pytest.raises(DecodeProblem, match="comments of octo/engine#1 is empty"):
        list(list_comments(github, REPO, 1))


def test_open_issues_of_one_creator_are_listed_without_pull_requests(fake: FakeGitHub, github: GitHub) -> None:
    fake.world.add_issue(author="octocat")
    fake.world.add_issue(author="alice")
    fake.world.add_pull(author="octocat")
    closed = fake.world.add_issue(author="octocat")
    closed.state = "closed"
    assert [one.number for one in list_issues(github, REPO, "octocat")] == [1]


def test_an_issue_is_opened_edited_and_closed(fake: FakeGitHub, github: GitHub) -> None:
    made = create_issue(github, REPO, "Title", "Text")
    edit_issue(github, REPO, made.number, "Title 2", "Text 2")
    close_issue(github, REPO, made.number, "not_planned")
    one = fake.world.home.issues[0]
    assert (one.title, one.body, one.state, one.state_reason) == ("Title 2", "Text 2", "closed", "not_planned")


def test_the_token_of_a_workflow_is_the_bots(fake: FakeGitHub) -> None:
    fake.world.add_issue()
    with GitHub(api_url=fake.api_url, token=StaticToken("ghs_" + "a" * 20)) as github:
        viewer = viewer_of(github)
        assert viewer == Viewer(login="github-actions[bot]", database_id=41898282)
        assert viewer.wrote(create_comment(github, REPO, 1, "x").user)


@pytest.mark.parametrize(
    ("author", "own"),
    [
        (User(login="octocat", id=1), True),
        (User(login="renamed", id=1), True),
        (User(login="octocat", id=2), False),
        (User(login="Octocat", id=None), True),
        (User(login="mallory", id=None), False),
        (User(), False),
        (None, False),
    ],
    ids=["the same", "renamed since", "another with the name", "no id", "another without id", "nothing", "ghost"],
)
def test_what_is_ones_own_is_told_by_id_and_else_by_login(author: User | None, own: bool) -> None:
    assert Viewer(login="octocat", database_id=1).wrote(author) is own


def test_where_github_does_not_say_whose_the_token_is_nothing_is_taken_for_ones_own() -> None:
    refused = answer(200, {"data": None, "errors": [{"type": "FORBIDDEN", "message": "no"}]})
    with talking([refused]) as talk, pytest.raises(GitHubError, match="whose the token is"):
        viewer_of(talk.github)


def test_a_missing_permission_is_named_in_one_sentence(fake: FakeGitHub, github: GitHub) -> None:
    fake.world.add_issue()
    fake.tokens.add(TOKEN, permissions={"issues": "read"})
    with pytest.raises(GitHubError) as caught:
        create_comment(github, REPO, 1, "x")
    assert str(caught.value) == (
        "The comment on octo/engine#1 was not written: GitHub refused it (Resource not accessible by personal access "
        "token); the token needs the permission issues: write (on a pull request also pull-requests: write)"
    )
    assert caught.value.status == 403
    fake.tokens.add(TOKEN, permissions={})
    with pytest.raises(GitHubError, match=r"cannot be read: .* the token needs the permission issues: read"):
        list(list_comments(github, REPO, 1))


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("locked", "The comment on octo/engine#1 was not written: its conversation is locked; unlock it"),
        ("deleted", "was not written: it was deleted, or issues are switched off in the repository"),
        ("absent", "was not written: it is not there, or the token lacks the permission issues: write"),
    ],
)
def test_an_issue_that_takes_no_comment_says_why(fake: FakeGitHub, github: GitHub, state: str, said: str) -> None:
    if state != "absent":
        setattr(fake.world.add_issue(), state, True)
    with pytest.raises(GitHubError) as caught:
        create_comment(github, REPO, 1, "x")
    assert said in str(caught.value)


def test_issues_that_are_switched_off_are_told_so(fake: FakeGitHub, github: GitHub) -> None:
    fake.world.home.has_issues = False
    with pytest.raises(GitHubError, match="The issue in octo/engine was not opened: it was deleted, or issues are"):
        create_issue(github, REPO, "t", "b")


def test_without_a_token_nothing_is_written_and_it_says_so(fake: FakeGitHub) -> None:
    fake.world.add_issue()
    with GitHub(api_url=fake.api_url) as github, pytest.raises(GitHubError, match="set GITHUB_TOKEN"):
        create_comment(github, REPO, 1, "x")


def test_what_may_have_been_made_is_looked_for_before_it_is_made_again(fake: FakeGitHub, github: GitHub) -> None:
    fake.world.add_issue()
    fake.faults.add("cut", endpoint="create comment", nth=1)
    made = make_once(
        lambda: create_comment(github, REPO, 1, "marked"),
        lambda: next((one for one in list_comments(github, REPO, 1) if one.body == "marked"), None),
    )
    assert made.body == "marked"
    assert [one.body for one in fake.world.home.comments] == ["marked"]
    assert fake.journal.count("create comment") == 1


def test_what_was_not_made_is_made_again_and_given_up_after_some_tries(fake: FakeGitHub, github: GitHub) -> None:
    fake.world.add_issue()
    fake.faults.add("error", endpoint="create comment", nth=1)
    make_once(lambda: create_comment(github, REPO, 1, "x"), lambda: None)
    assert fake.journal.count("create comment") == 2
    assert len(fake.world.home.comments) == 1
    fake.faults.add("reset", endpoint="create comment")
    with pytest.raises(GitHubError, match="may have been carried out or not"):
        make_once(lambda: create_comment(github, REPO, 1, "x"), lambda: None)
    assert fake.journal.count("create comment") == 2 + TRIES


def test_what_was_refused_is_not_made_again(fake: FakeGitHub, github: GitHub) -> None:
    with pytest.raises(GitHubError):
        make_once(lambda: create_comment(github, REPO, 9, "x"), lambda: None)
    assert fake.journal.count("create comment") == 1


def test_a_comment_that_cannot_be_read_is_nobodys_own_and_hides_no_other() -> None:
    page = [{"id": "odd"}, {"id": 7, "body": None, "user": None}, {"id": 8, "body": "x", "user": {"id": "odd"}}]
    with talking([answer(200, page)]) as talk:
        found = list(list_comments(talk.github, REPO, 1))
    assert [(one.id, one.body, one.user) for one in found] == [(7, None, None), (8, "x", User())]
