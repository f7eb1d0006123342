"""Issues and their comments: what is read of them, and what is written.

A pull request is an issue too: its number has comments. Source: OpenAPI description of the REST API, version
2022-11-28, issues and issue comments; ``viewer`` of the GraphQL schema, as the token of a workflow or of an App may not
ask REST whose it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Literal, TypeVar

import msgspec

from trackside.errors import GitHubError
from trackside.github.client import Answer, GitHub
from trackside.github.json_items import DecodeProblem, ItemReader, split_list
from trackside.github.plain_lists import list_bodies
from trackside.github.shapes import Id, User

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)
TRIES: Final = 3
"""How often something is made where it is not sure that it was, and it is not found."""
_VIEWER: Final = "query Viewer { viewer { login databaseId } }"


class Viewer(msgspec.Struct, frozen=True, rename="camel"):
    """Whose the token is; that of a workflow is the bot's."""

    login: str
    database_id: int | None = None

    def wrote(self, author: User | None) -> bool:
        """Whether ``author`` is this one: by id where it is told, as logins can be renamed."""
        if author is None:
            return False
        if author.id is not None and self.database_id is not None:
            return author.id == self.database_id
        return author.login is not None and author.login.casefold() == self.login.casefold()


class Comment(msgspec.Struct, frozen=True):
    """A comment as GitHub tells it."""

    id: Id
    body: str | None = None
    user: User | None = None
    html_url: str | None = None


class PullMark(msgspec.Struct, frozen=True):
    """What an issue that is a pull request has, and no other."""

    html_url: str | None = None


class Issue(msgspec.Struct, frozen=True):
    """An issue as GitHub tells it; ``pull_request`` is there where it is one."""

    number: Id
    title: str | None = None
    body: str | None = None
    state: str | None = None
    user: User | None = None
    html_url: str | None = None
    pull_request: PullMark | None = None


class _ViewerData(msgspec.Struct):
    viewer: Viewer


class _ViewerAnswer(msgspec.Struct):
    data: _ViewerData


_COMMENT: Final = ItemReader(Comment)
_ISSUE: Final = ItemReader(Issue)


def viewer_of(github: GitHub) -> Viewer:
    """Whose the token is, by one query. Raises GitHubError where GitHub does not say."""
    answer = github.graphql(_VIEWER, {}, endpoint="viewer")
    try:
        return msgspec.json.decode(answer.body, type=_ViewerAnswer).data.viewer
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        msg = (
            "GitHub does not say whose the token is (viewer of GraphQL): what is one's own cannot be told from others'"
        )
        raise GitHubError(msg, status=answer.status) from None


def list_comments(github: GitHub, repo: str, number: int) -> Iterator[Comment]:
    """The comments of an issue or pull request, the oldest first, a call for every hundred.

    Raises GitHubError with a sentence that names the permission, DecodeProblem where a page is none.
    """
    path = f"/repos/{repo}/issues/{number}/comments"
    bodies = list_bodies(github, path, {}, endpoint="comments", what=f"comments of {repo}#{number}")
    for body in _told(f"The comments of {repo}#{number} cannot be read", "issues: read", lambda: list(bodies)):
        yield from _items(_COMMENT, body)


def create_comment(github: GitHub, repo: str, number: int, body: str) -> Comment:
    """The new comment. A GitHubError that is ``unsure`` says that it may be there all the same."""
    path = f"/repos/{repo}/issues/{number}/comments"
    what = f"The comment on {repo}#{number} was not written"
    answer = _write(what, lambda: github.send("POST", path, {"body": body}, endpoint="create comment"))
    return _one(_COMMENT, answer)


def edit_comment(github: GitHub, repo: str, comment_id: int, body: str) -> Comment:
    """The comment with its new text."""
    path = f"/repos/{repo}/issues/comments/{comment_id}"
    what = f"The comment {comment_id} in {repo} was not edited"
    answer = _write(what, lambda: github.send("PATCH", path, {"body": body}, endpoint="edit comment"))
    return _one(_COMMENT, answer)


def delete_comment(github: GitHub, repo: str, comment_id: int) -> None:
    """Takes a comment away; one that is gone already is gone."""
    path = f"/repos/{repo}/issues/comments/{comment_id}"
    what = f"The comment {comment_id} in {repo} was not taken away"
    try:
        _write(what, lambda: github.send("DELETE", path, None, endpoint="delete comment"))
    except GitHubError as error:
        if error.status not in (404, 410):
            raise


def list_issues(github: GitHub, repo: str, creator: str) -> Iterator[Issue]:
    """The open issues that ``creator`` opened, the oldest first, without pull requests; a call for every hundred."""
    params: dict[str, str | int] = {"state": "open", "creator": creator, "sort": "created", "direction": "asc"}
    bodies = list_bodies(github, f"/repos/{repo}/issues", params, endpoint="issues", what=f"issues of {repo}")
    for body in _told(f"The issues of {repo} cannot be read", "issues: read", lambda: list(bodies)):
        yield from (one for one in _items(_ISSUE, body) if one.pull_request is None)


def create_issue(github: GitHub, repo: str, title: str, body: str) -> Issue:
    """The new issue. A GitHubError that is ``unsure`` says that it may be there all the same."""
    content = {"title": title, "body": body}
    what = f"The issue in {repo} was not opened"
    answer = _write(what, lambda: github.send("POST", f"/repos/{repo}/issues", content, endpoint="create issue"))
    return _one(_ISSUE, answer)


def edit_issue(github: GitHub, repo: str, number: int, title: str, body: str) -> Issue:
    """The issue with its new title and text."""
    content = {"title": title, "body": body}
    return _change_issue(github, repo, number, content, "edited")


def close_issue(
    github: GitHub, repo: str, number: int, reason: Literal["completed", "not_planned"] = "completed"
) -> Issue:
    """The issue, closed."""
    return _change_issue(github, repo, number, {"state": "closed", "state_reason": reason}, "closed")


def make_once(make: Callable[[], T], find: Callable[[], T | None]) -> T:
    """What ``make`` makes; where it is not sure whether it was made, what ``find`` finds, else it is made again.

    Raises the GitHubError of the last try.
    """
    for left in reversed(range(TRIES)):
        try:
            return make()
        except GitHubError as error:
            if not error.unsure:
                raise
            if (found := find()) is not None:
                return found
            if not left:
                raise
    raise AssertionError(TRIES)


def _change_issue(github: GitHub, repo: str, number: int, content: dict[str, str], done: str) -> Issue:
    path, what = f"/repos/{repo}/issues/{number}", f"The issue {repo}#{number} was not {done}"
    return _one(_ISSUE, _write(what, lambda: github.send("PATCH", path, content, endpoint="edit issue")))


def _write(what: str, send: Callable[[], T]) -> T:
    return _told(what, "issues: write (on a pull request also pull-requests: write)", send)


def _told(what: str, needed: str, ask: Callable[[], T]) -> T:
    """What ``ask`` gives. A refusal is told in one sentence, with what is to be done about it."""
    try:
        return ask()
    except GitHubError as error:
        if (why := _why(error, needed)) is None:
            raise
        msg = f"{what}: {why}"
        raise GitHubError(msg, status=error.status) from error


def _why(error: GitHubError, needed: str) -> str | None:
    said = f" ({error.said})" if error.said else ""
    if error.status == 403 and "locked" in error.said.lower():
        return "its conversation is locked; unlock it, or name another issue"
    if error.status == 403:
        return f"GitHub refused it{said}; the token needs the permission {needed}"
    if error.status == 404:
        return f"it is not there, or the token lacks the permission {needed}"
    if error.status == 410:
        return "it was deleted, or issues are switched off in the repository"
    return None


def _items(reader: ItemReader[S], body: bytes) -> Iterator[S]:
    """What of a page can be read; what cannot is nobody's own."""
    for item in split_list(body):
        try:
            yield reader.read(item)[0]
        except DecodeProblem:
            continue


def _one(reader: ItemReader[S], answer: Answer) -> S:
    return reader.read(answer.body, "the answer")[0]
