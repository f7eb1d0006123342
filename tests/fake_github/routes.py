"""Which address is which endpoint, and what is asked of everybody who calls it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from tests.fake_github.answers import Answers, not_found
from tests.fake_github.apps import Apps
from tests.fake_github.bodies import error
from tests.fake_github.exchange import Reply, Request
from tests.fake_github.graph import Graph
from tests.fake_github.issue_answers import IssueAnswers
from tests.fake_github.log_answers import LogAnswers
from tests.fake_github.things import Repository
from tests.fake_github.world import World

_REPO = re.compile(r"^/(?:repos/(?P<owner>[^/]+)/(?P<name>[^/]+)|repositories/(?P<id>\d{1,19}))(?P<rest>/.*)?$")
_INSTALLATION = re.compile(r"^/app/installations/(\d+)/access_tokens$")


@dataclass(frozen=True)
class Route:
    """An endpoint under a repository: its name, the rest of its address, who answers, the permission it needs.

    The permission ``own`` is one that the answer itself looks after.
    """

    endpoint: str
    pattern: re.Pattern[str]
    answer: Callable[..., Reply]
    permission: str
    method: str = "GET"


class Routes:
    """Finds the endpoint of a request, then its answer."""

    def __init__(
        self, world: World, answers: Answers, logs: LogAnswers, issues: IssueAnswers, apps: Apps, graph: Graph
    ) -> None:
        self.world, self.answers, self.apps, self.graph = world, answers, apps, graph
        run, job = r"/actions/runs/(\d{1,19})", r"/actions/jobs/(\d{1,19})"
        table: list[tuple[str, str, Callable[..., Reply], str]] = [
            ("repository", "", answers.repository, "metadata"),
            ("runs", "/actions/runs", answers.runs, "actions"),
            ("workflows", "/actions/workflows", answers.workflows, "actions"),
            ("workflow", r"/actions/workflows/([^/]+)", answers.workflow, "actions"),
            ("workflow runs", r"/actions/workflows/([^/]+)/runs", answers.workflow_runs, "actions"),
            ("run", run, answers.run, "actions"),
            ("attempt", run + r"/attempts/(\d+)", answers.attempt, "actions"),
            ("jobs", run + "/jobs", answers.jobs, "actions"),
            ("attempt jobs", run + r"/attempts/(\d+)/jobs", answers.attempt_jobs, "actions"),
            ("job", job, answers.job, "actions"),
            ("job log", job + "/logs", logs.job_log, "actions"),
            ("run log", run + "/logs", logs.run_log, "actions"),
            ("attempt log", run + r"/attempts/(\d+)/logs", logs.attempt_log, "actions"),
            ("artifacts", "/actions/artifacts", answers.artifacts, "actions"),
            ("run artifacts", run + "/artifacts", answers.artifacts, "actions"),
            ("artifact", r"/actions/artifacts/(\d+)", answers.artifact, "actions"),
            ("artifact zip", r"/actions/artifacts/(\d+)/zip", logs.artifact_zip, "actions"),
            ("pulls", "/pulls", answers.pulls, "pull_requests"),
            ("commit pulls", "/commits/([^/]+)/pulls", answers.commit_pulls, "pull_requests"),
            ("annotations", r"/check-runs/(\d{1,19})/annotations", answers.annotations, "checks"),
            ("installation", "/installation", apps.installation, "app"),
        ]
        issue, comment = r"/issues/(\d{1,19})", r"/issues/comments/(\d{1,19})"
        owned: list[tuple[str, str, str, Callable[..., Reply]]] = [
            ("GET", "issues", "/issues", issues.issues),
            ("GET", "issue", issue, issues.issue),
            ("GET", "comments", issue + "/comments", issues.comments),
            ("POST", "create issue", "/issues", issues.create_issue),
            ("PATCH", "edit issue", issue, issues.edit_issue),
            ("POST", "create comment", issue + "/comments", issues.create_comment),
            ("PATCH", "edit comment", comment, issues.edit_comment),
            ("DELETE", "delete comment", comment, issues.delete_comment),
        ]
        self.table = [Route(name, re.compile(f"^{end}$"), answer, need) for name, end, answer, need in table]
        self.table += [Route(name, re.compile(f"^{end}$"), answer, "own", how) for how, name, end, answer in owned]

    def endpoint(self, method: str, path: str) -> str:
        """The name calls to this address are counted under."""
        if method == "POST" and path == "/graphql":
            return "graphql"
        if method == "POST" and _INSTALLATION.match(path):
            return "installation token"
        if path == "/rate_limit":
            return "rate limit"
        found = _REPO.match(path)
        route = self._route(method, (found["rest"] or "").rstrip("/")) if found else None
        return route[0].endpoint if route else "unknown"

    def _route(self, method: str, rest: str) -> tuple[Route, re.Match[str]] | None:
        known = method if method in ("POST", "PATCH", "DELETE") else "GET"
        for route in self.table:
            if route.method == known and (match := route.pattern.match(rest)):
                return route, match
        return None

    def of_app(self, endpoint: str) -> bool:
        """Whether the endpoint is spoken to with the JWT of an app, not with a token."""
        return endpoint in ("installation", "installation token")

    def answer(self, request: Request) -> Reply:
        """The answer to a caller who is known and within the limits."""
        if request.method == "POST":
            if request.endpoint == "graphql":
                return self.graph.answer(request)
            if found := _INSTALLATION.match(request.path):
                return self.apps.access_token(request, found[1])
        if request.method not in ("GET", "POST", "PATCH", "DELETE"):
            return Reply(404, error("Not Found", 404))
        if request.endpoint == "rate limit":
            return self.answers.rate_limit(request)
        match = _REPO.match(request.path)
        return self._under_repository(request, match) if match else not_found()

    def _under_repository(self, request: Request, match: re.Match[str]) -> Reply:
        repo = self._repository(match)
        if isinstance(repo, str):
            return self._moved(request, repo, match["rest"] or "")
        if repo is None or not repo.readable or (repo.private and not self._may_see(request, repo)):
            return not_found()
        found = self._route(request.method, (match["rest"] or "").rstrip("/"))
        if found is None:
            return not_found()
        route, parts = found
        if route.permission == "own":
            return route.answer(request, repo, *map(unquote, parts.groups()))
        if route.permission != "app" and not request.caller.may_read(route.permission):
            who = "integration" if request.caller.kind != "other" else "personal access token"
            reply = Reply(403, error(f"Resource not accessible by {who}", 403))
        else:
            reply = route.answer(request, repo, *map(unquote, parts.groups()))
        reply.permission = route.permission
        return reply

    def _may_see(self, request: Request, repo: Repository) -> bool:
        return self.of_app(request.endpoint) or request.caller.may_see(repo.id)

    def _repository(self, match: re.Match[str]) -> Repository | str | None:
        """The repository of an address; the number of one that is now called otherwise."""
        if match["id"]:
            return next((one for one in self.world.repositories if one.id == int(match["id"])), None)
        name = unquote(f"{match['owner']}/{match['name']}")
        found = self.world.repository(name)
        if found is None:
            for repo in self.world.repositories:
                if name.lower() in (former.lower() for former in repo.former_names):
                    return str(repo.id)
        return found

    def _moved(self, request: Request, number: str, rest: str) -> Reply:
        query = f"?{request.raw_query}" if request.raw_query else ""
        where = f"{self.answers.bodies.api}/repositories/{number}{rest}{query}"
        if request.method != "GET":
            body = error("Temporary Redirect", 307, "https://docs.github.com/rest/guides/best-practices", url=where)
            return Reply(307, body, headers=[("Location", where)])
        body = error("Moved Permanently", 301, "https://docs.github.com/rest/guides/best-practices", url=where)
        return Reply(301, body, headers=[("Location", where)])
