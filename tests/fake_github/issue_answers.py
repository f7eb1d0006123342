"""Issues and their comments: what is read of them, and what is written."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.fake_github.answers import Answers, not_found
from tests.fake_github.bodies import error
from tests.fake_github.clock import stamp
from tests.fake_github.exchange import Reply, Request
from tests.fake_github.job_lives import node_id
from tests.fake_github.repository_bodies import Body, account
from tests.fake_github.things import Comment, Issue, Pull, Repository
from tests.fake_github.world import World

MOST_BODY = 65_536
MOST_TITLE = 256
NEEDED = "issues=write; pull_requests=write"
_encode = msgspec.json.Encoder().encode


class IssueAnswers:
    """One method for each endpoint; each looks itself whether the caller may: on a pull request it is another leave."""

    def __init__(self, world: World, answers: Answers) -> None:
        self.world, self.answers, self.bodies = world, answers, answers.bodies

    def issues(self, request: Request, repo: Repository) -> Reply:
        """Issues and pull requests, by ``state``, ``creator`` and ``labels``, the newest first."""
        if refused := self._refused(request, repo, None):
            return refused
        told = dict(request.query)
        state, creator = told.get("state", "open"), told.get("creator")
        labels = set(filter(None, told.get("labels", "").split(",")))
        found = [
            each
            for each in all_of(repo)
            if state in ("all", each.state)
            and creator in (None, each.author.login)
            and labels <= set(getattr(each, "labels", ()))
            and not getattr(each, "deleted", False)
        ]
        found.sort(key=lambda each: (each.created_at, each.number), reverse=told.get("direction", "desc") == "desc")
        return self.answers.listed(request, repo, None, found, lambda each: self._issue(repo, each))

    def issue(self, request: Request, repo: Repository, number: str) -> Reply:
        """One issue or pull request."""
        one = self._refused(request, repo, number) or self._found(repo, number)
        return one if isinstance(one, Reply) else Reply(200, self._issue(repo, one))

    def comments(self, request: Request, repo: Repository, number: str) -> Reply:
        """The comments of an issue or pull request, the oldest first."""
        one = self._refused(request, repo, number) or self._found(repo, number)
        if isinstance(one, Reply):
            return one
        found = [each for each in repo.comments if each.number == one.number]
        return self.answers.listed(request, repo, None, found, lambda each: self._comment(repo, each))

    def create_issue(self, request: Request, repo: Repository) -> Reply:
        """201 with the issue."""
        if refused := self._refused(request, repo, None, write=True):
            return refused
        told = decoded(request)
        if isinstance(told, Reply):
            return told
        if problem := self._problem(told, "Issue", needed="title"):
            return problem
        made = self.world.add_issue(
            told["title"], told.get("body"), author=request.caller.login, repo=repo, labels=told.get("labels", ())
        )
        return self._written(201, self._issue(repo, made))

    def edit_issue(self, request: Request, repo: Repository, number: str) -> Reply:
        """Title, text and state may change."""
        one = self._refused(request, repo, number, write=True) or self._found(repo, number)
        told = decoded(request)
        if isinstance(one, Reply) or isinstance(told, Reply):
            return one if isinstance(one, Reply) else told  # type: ignore[return-value]
        if problem := self._problem(told, "Issue"):
            return problem
        for name in {"title", "body", "state", "state_reason"} & set(told) if isinstance(one, Issue) else ():
            setattr(one, name, told[name])
        one.updated_at = self.world.clock.now()
        if isinstance(one, Issue):
            one.closed_at = one.updated_at if one.state == "closed" else None
        return self._written(200, self._issue(repo, one))

    def create_comment(self, request: Request, repo: Repository, number: str) -> Reply:
        """201 with the comment."""
        one = self._refused(request, repo, number, write=True) or self._found(repo, number)
        told = decoded(request)
        if isinstance(one, Reply) or isinstance(told, Reply):
            return one if isinstance(one, Reply) else told  # type: ignore[return-value]
        if getattr(one, "locked", False):
            return self._written(403, error("Unable to create comment because issue is locked.", 403))
        if problem := self._problem(told, "IssueComment", needed="body"):
            return problem
        made = self.world.add_comment(one.number, told["body"], author=request.caller.login, repo=repo)
        return self._written(201, self._comment(repo, made))

    def edit_comment(self, request: Request, repo: Repository, comment: str) -> Reply:
        """Whoever may write may edit the comments of others too."""
        one, told = self._own_comment(request, repo, comment), decoded(request)
        if isinstance(one, Reply) or isinstance(told, Reply):
            return one if isinstance(one, Reply) else told  # type: ignore[return-value]
        if problem := self._problem(told, "IssueComment", needed="body"):
            return problem
        one.body, one.updated_at = told["body"], self.world.clock.now()
        return self._written(200, self._comment(repo, one))

    def delete_comment(self, request: Request, repo: Repository, comment: str) -> Reply:
        """204."""
        one = self._own_comment(request, repo, comment)
        if isinstance(one, Reply):
            return one
        repo.comments.remove(one)
        return self._written(204, b"")

    def _own_comment(self, request: Request, repo: Repository, comment: str) -> Comment | Reply:
        one = next((each for each in repo.comments if str(each.id) == comment), None)
        if one is None:
            return not_found()
        return self._refused(request, repo, str(one.number), write=True) or one

    def _found(self, repo: Repository, number: str) -> Issue | Pull | Reply:
        one = next((each for each in all_of(repo) if str(each.number) == number), None)
        if one is None:
            return not_found()
        if getattr(one, "deleted", False):
            return Reply(410, error("This issue was deleted", 410))
        return one

    def _refused(self, request: Request, repo: Repository, number: str | None, *, write: bool = False) -> Reply | None:
        """What somebody is told who may not, or asks where issues are switched off; None where nothing is wrong."""
        if write and request.caller.anonymous:
            return Reply(401, error("Requires authentication", 401))
        on_pull = any(str(pull.number) == number for pull in repo.pulls)
        what = "pull_requests" if on_pull else "issues"
        may = request.caller.may_write(what) if write else request.caller.may_read(what)
        if not may:
            who = "integration" if request.caller.kind != "other" else "personal access token"
            reply = Reply(403, error(f"Resource not accessible by {who}", 403))
            reply.permission = NEEDED if write else "issues=read; pull_requests=read"
            return reply
        if not repo.has_issues and not on_pull:
            return Reply(410, error("Issues are disabled for this repo", 410))
        return None

    def _problem(self, told: dict[str, Any], resource: str, needed: str | None = None) -> Reply | None:
        def invalid(field: str, message: str) -> Reply:
            faults = [{"resource": resource, "code": "unprocessable", "field": field, "message": message}]
            return self._written(422, error("Validation Failed", 422, errors=faults))

        for field in ("title", "body"):
            text = told.get(field)
            if field == needed and (not isinstance(text, str) or not text.strip()):
                return invalid(field, f"{field.title()} cannot be blank")
            if text is not None and not isinstance(text, str):
                return invalid(field, f"{field} is not a string")
            most = MOST_TITLE if field == "title" else MOST_BODY
            if text is not None and len(text.encode("utf-16-le")) // 2 > most:
                return invalid(field, f"{field.title()} is too long (maximum is {most} characters)")
        if told.get("state") not in (None, "open", "closed"):
            return invalid("state", "state is neither open nor closed")
        return None

    def _written(self, status: int, body: bytes) -> Reply:
        reply = Reply(status, body)
        reply.permission = NEEDED
        return reply

    def _issue(self, repo: Repository, one: Issue | Pull) -> bytes:
        api, html = self.bodies.api, self.bodies.html
        url = f"{api}/repos/{repo.full_name}/issues/{one.number}"
        page = f"{html}/{repo.full_name}/{'issues' if isinstance(one, Issue) else 'pull'}/{one.number}"
        closed_at = one.closed_at if isinstance(one, Issue) else one.merged_at
        body: Body = {
            "url": url,
            "repository_url": f"{api}/repos/{repo.full_name}",
            **{f"{name}_url": f"{url}/{name}" for name in ("comments", "events")},
            "labels_url": f"{url}/labels{{/name}}",
            "html_url": page,
            "id": one.id,
            "node_id": node_id("I", repo.id, one.number),
            "number": one.number,
            "title": one.title,
            "user": account(api, html, one.author),
            "labels": [{"name": name} for name in getattr(one, "labels", ())],
            "state": one.state,
            "state_reason": getattr(one, "state_reason", None),
            "locked": getattr(one, "locked", False),
            "assignees": [],
            "comments": sum(each.number == one.number for each in repo.comments),
            "created_at": stamp(one.created_at),
            "updated_at": stamp(one.updated_at),
            "closed_at": stamp(closed_at) if closed_at else None,
            "author_association": "NONE",
            "body": one.body if isinstance(one, Issue) else "",
            **dict.fromkeys(("assignee", "milestone", "active_lock_reason", "performed_via_github_app")),
        }
        if isinstance(one, Pull):
            body["pull_request"] = {"url": f"{api}/repos/{repo.full_name}/pulls/{one.number}", "html_url": page}
        return _encode(body)

    def _comment(self, repo: Repository, one: Comment) -> bytes:
        api, html = self.bodies.api, self.bodies.html
        base = f"{api}/repos/{repo.full_name}/issues"
        kind = "pull" if any(pull.number == one.number for pull in repo.pulls) else "issues"
        body: Body = {
            "url": f"{base}/comments/{one.id}",
            "html_url": f"{html}/{repo.full_name}/{kind}/{one.number}#issuecomment-{one.id}",
            "issue_url": f"{base}/{one.number}",
            "id": one.id,
            "node_id": node_id("IC", repo.id, one.id),
            "user": account(api, html, one.author),
            "created_at": stamp(one.created_at),
            "updated_at": stamp(one.updated_at),
            "author_association": "NONE",
            "body": one.body,
            "performed_via_github_app": None,
        }
        return _encode(body)


def all_of(repo: Repository) -> list[Issue | Pull]:
    """Issues, and pull requests, which are issues too."""
    return [*repo.issues, *repo.pulls]


def decoded(request: Request) -> dict[str, Any] | Reply:
    """The fields that were sent, or what GitHub says of what is no JSON object."""
    try:
        return msgspec.json.decode(request.body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Reply(400, error("Problems parsing JSON", 400))
