"""The table of the GraphQL schema: for each type and field, how its value is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tests.fake_github import graph_values as v
from tests.fake_github.clock import stamp
from tests.fake_github.graph_values import Asked, Resolver
from tests.fake_github.job_lives import node_id


def plain(find: Callable[[Any], Any]) -> Resolver:
    """A field that needs neither arguments nor the query."""
    return lambda asked, of, arguments: find(of)


def asking(find: Callable[[Asked, Any], Any]) -> Resolver:
    """A field that needs the query it is part of."""
    return lambda asked, of, arguments: find(asked, of)


def connection_of() -> dict[str, Resolver]:
    """The four fields all connections have."""
    return {
        "nodes": plain(lambda part: part.nodes),
        "edges": plain(lambda part: [(part.first + index, one) for index, one in enumerate(part.nodes)]),
        "pageInfo": plain(v.page_info),
        "totalCount": plain(lambda part: part.total),
    }


EDGE: Final = {"cursor": plain(lambda edge: v.cursor(edge[0])), "node": plain(lambda edge: edge[1])}
STEP: Final[dict[str, Resolver]] = {
    "completedAt": plain(lambda of: v.after(*of, end=True)),
    "conclusion": plain(lambda of: v.upper(of[1].conclusion) if of[1].length_s is not None else None),
    "externalId": plain(lambda of: None),
    "name": plain(lambda of: of[1].name),
    "number": plain(lambda of: of[1].number),
    "secondsToCompletion": plain(lambda of: of[1].length_s),
    "startedAt": plain(lambda of: v.after(*of, end=False)),
    "status": plain(lambda of: v.step_status(of[1])),
}
CHECK_RUN: Final[dict[str, Resolver]] = {
    "checkSuite": plain(lambda of: v.OfRun(of.repo, of.run)),
    "completedAt": plain(lambda of: v.moment(of.job.completed_at)),
    "conclusion": plain(lambda of: v.upper(of.job.conclusion)),
    "databaseId": asking(lambda asked, of: asked.database_id(of.job.id)),
    "detailsUrl": asking(v.job_url),
    "id": plain(lambda of: node_id("CR", of.repo.id, of.job.id)),
    "name": plain(lambda of: of.job.name),
    "permalink": asking(v.job_url),
    "repository": plain(lambda of: of.repo),
    "startedAt": plain(lambda of: v.moment(of.job.started_at)),
    "status": plain(lambda of: v.upper(of.job.status)),
    "steps": v.steps,
    "url": asking(v.job_url),
}
CHECK_SUITE: Final[dict[str, Resolver]] = {
    "checkRuns": v.check_runs,
    "conclusion": plain(lambda of: v.upper(of.run.conclusion)),
    "createdAt": plain(lambda of: stamp(of.run.created_at)),
    "databaseId": asking(lambda asked, of: asked.database_id(of.run.check_suite_id)),
    "id": plain(lambda of: node_id("CS", of.repo.id, of.run.check_suite_id)),
    "matchingPullRequests": v.matching,
    "repository": plain(lambda of: of.repo),
    "status": plain(lambda of: v.upper(of.run.status)),
    "updatedAt": plain(lambda of: stamp(of.run.latest.updated_at)),
    "workflowRun": plain(lambda of: of),
}
WORKFLOW_RUN: Final[dict[str, Resolver]] = {
    "checkSuite": plain(lambda of: of),
    "createdAt": plain(lambda of: stamp(of.run.created_at)),
    "databaseId": asking(lambda asked, of: asked.database_id(of.run.id)),
    "event": plain(lambda of: of.run.event),
    "id": plain(lambda of: node_id("WFR", of.repo.id, of.run.id)),
    "runNumber": plain(lambda of: of.run.number),
    "updatedAt": plain(lambda of: stamp(of.run.latest.updated_at)),
    "url": asking(v.run_url),
    "workflow": asking(v.workflow_of),
}
PULL_REQUEST: Final[dict[str, Resolver]] = {
    "baseRefName": plain(lambda of: of.base_branch),
    "baseRepository": plain(lambda of: of.base),
    "createdAt": plain(lambda of: stamp(of.created_at)),
    "databaseId": asking(lambda asked, of: asked.database_id(of.id)),
    "headRefName": plain(lambda of: of.head_branch),
    "headRefOid": plain(lambda of: of.head_sha),
    "headRepository": plain(lambda of: of.head_repository),
    "id": plain(lambda of: node_id("PR", of.base.id, of.number)),
    "merged": plain(lambda of: of.merged_at is not None),
    "mergedAt": plain(lambda of: v.moment(of.merged_at)),
    "number": plain(lambda of: of.number),
    "state": plain(v.pull_state),
    "title": plain(lambda of: of.title),
    "updatedAt": plain(lambda of: stamp(of.updated_at)),
    "url": asking(lambda asked, of: f"{asked.bodies.html}/{of.base.full_name}/pull/{of.number}"),
}
REPOSITORY: Final[dict[str, Resolver]] = {
    "databaseId": asking(lambda asked, of: asked.database_id(of.id)),
    "id": plain(lambda of: node_id("R", of.id)),
    "isPrivate": plain(lambda of: of.private),
    "name": plain(lambda of: of.name),
    "nameWithOwner": plain(lambda of: of.full_name),
    "pullRequests": v.pull_requests,
    "url": asking(lambda asked, of: f"{asked.bodies.html}/{of.full_name}"),
}
WORKFLOW: Final[dict[str, Resolver]] = {
    "databaseId": asking(lambda asked, of: asked.database_id(of[1].id)),
    "id": plain(lambda of: node_id("W", of[0].id, of[1].id)),
    "name": plain(lambda of: of[1].name),
    "url": asking(lambda asked, of: f"{asked.bodies.html}/{of[0].full_name}/actions/workflows/{of[1].id}"),
}
QUERY: Final[dict[str, Resolver]] = {
    "node": lambda asked, of, arguments: v.one_node(asked, arguments),
    "nodes": lambda asked, of, arguments: v.nodes(asked, arguments),
    "rateLimit": asking(lambda asked, of: v.rate_limit(asked)),
    "repository": lambda asked, of, arguments: v.repository(asked, arguments),
    "viewer": asking(lambda asked, of: v.viewer(asked)),
}
USER: Final[dict[str, Resolver]] = {
    "databaseId": asking(lambda asked, of: asked.database_id(of.id)),
    "id": plain(lambda of: node_id("U", of.id)),
    "login": plain(lambda of: of.login),
}


def keyed(*names: str) -> dict[str, Resolver]:
    """Fields of a value that is a dictionary already."""
    return {name: plain(lambda of, name=name: of[name]) for name in names}  # type: ignore[misc]


FIELDS: Final[dict[str, dict[str, Resolver]]] = {
    "Query": QUERY,
    "WorkflowRun": WORKFLOW_RUN,
    "CheckSuite": CHECK_SUITE,
    "CheckRun": CHECK_RUN,
    "CheckStep": STEP,
    "PullRequest": PULL_REQUEST,
    "Repository": REPOSITORY,
    "User": USER,
    "Workflow": WORKFLOW,
    "RateLimit": keyed("cost", "limit", "nodeCount", "remaining", "resetAt", "used"),
    "PageInfo": keyed("startCursor", "endCursor", "hasNextPage", "hasPreviousPage"),
    **{f"{name}Connection": connection_of() for name in ("CheckRun", "CheckStep", "PullRequest")},
    **{f"{name}Edge": EDGE for name in ("CheckRun", "CheckStep", "PullRequest")},
}
