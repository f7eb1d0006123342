"""Jobs and steps of many runs in one request, out of the GraphQL API.

It knows the check runs of a run's check suite. It does not tell the runner, its labels, when a job was created or
which attempt a job belongs to, so only runs of one attempt are asked for here.
Source: GitHub's public GraphQL schema, ``WorkflowRun.checkSuite``, ``CheckSuite.checkRuns``, ``CheckRun.steps``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from trackside.errors import GitHubError
from trackside.github.client import GitHub
from trackside.github.decode import WAITING
from trackside.github.times import TimeReader, between
from trackside.records.jobs import Job, Step
from trackside.records.runs import RunAttempt, Source

FIRST_JOBS: Final = 30
"""Jobs of a run in the first request: points are counted by what could come, most runs have fewer."""
MORE_JOBS: Final = 100
STEPS: Final = 50
RUNS_A_CALL: Final = 50
PAGES_A_CALL: Final = 20
_T = TypeVar("_T")
_JOB_URL: Final = re.compile(r"/actions/runs/(\d+)/jobs?/(\d+)")
_CHECK_RUNS: Final = f"""
  totalCount
  pageInfo {{ hasNextPage endCursor }}
  nodes {{
    databaseId name status conclusion startedAt completedAt detailsUrl
    steps(first: {STEPS}) {{ totalCount nodes {{ number name status conclusion startedAt completedAt }} }}
  }}
"""
_FATAL: Final = frozenset({"FORBIDDEN", "INSUFFICIENT_SCOPES", "RATE_LIMITED", "undefinedField"})
_RUNS_QUERY: Final = f"""
query JobsOfRuns($ids: [ID!]!) {{
  nodes(ids: $ids) {{
    ... on WorkflowRun {{
      checkSuite {{ checkRuns(first: {FIRST_JOBS}, filterBy: {{checkType: ALL}}) {{ {_CHECK_RUNS} }} }}
    }}
  }}
  rateLimit {{ cost remaining limit resetAt }}
}}
"""


class GraphQLRefusedError(Exception):
    """GitHub answered, but not with data: the query was too large, or is not allowed. ``fatal``: for all queries."""

    def __init__(self, message: str, *, fatal: bool) -> None:
        super().__init__(message)
        self.fatal = fatal


class _StepNode(msgspec.Struct, rename="camel"):
    number: int
    name: str
    status: str | None = None
    conclusion: str | None = None
    started_at: str | None = None
    completed_at: str | None = None


class _Steps(msgspec.Struct, rename="camel"):
    nodes: list[_StepNode | None] = []
    total_count: int | None = None


class _CheckRun(msgspec.Struct, rename="camel"):
    name: str
    database_id: int | None = None
    status: str | None = None
    conclusion: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    details_url: str | None = None
    steps: _Steps | None = None


class _PageInfo(msgspec.Struct, rename="camel"):
    has_next_page: bool = False
    end_cursor: str | None = None


class _CheckRuns(msgspec.Struct, rename="camel"):
    nodes: list[_CheckRun | None] = []
    page_info: _PageInfo = msgspec.field(default_factory=_PageInfo)
    total_count: int | None = None


class _CheckSuite(msgspec.Struct, rename="camel"):
    check_runs: _CheckRuns | None = None


class _RunNode(msgspec.Struct, rename="camel"):
    check_suite: _CheckSuite | None = None


class _Error(msgspec.Struct):
    message: str = ""
    type: str | None = None


class _Reply(msgspec.Struct):
    data: dict[str, msgspec.Raw] | None = None
    errors: list[_Error] = []


class Gathered(msgspec.Struct):
    """The jobs of one run so far, by id.

    ``whole`` is False where REST must be asked; ``cursor`` says where more jobs are, ``left`` how many. Check runs
    that are no jobs, made by a job through the API, are counted as ``foreign``. ``refusals`` counts the queries for
    this run alone that were refused.
    """

    run: RunAttempt
    jobs: dict[int, Job]
    whole: bool = True
    cursor: str | None = None
    listed: int = 0
    foreign: int = 0
    unasked: bool = True
    refusals: int = 0

    @property
    def left(self) -> int:
        """How many check runs are still to come."""
        return max(1, self.listed - self.foreign - len(self.jobs))


def ask_runs(github: GitHub, items: Sequence[Gathered]) -> None:
    """The first jobs of each of ``items``, in one call.

    Raises GraphQLRefusedError or CallsStoppedError where there is no answer.
    """
    data = _ask(github, _RUNS_QUERY, {"ids": [item.run.node_id for item in items]})
    # By position: GitHub answers an old id with the new form of it.
    nodes = _convert(data.get("nodes"), list[_RunNode | None]) or []
    nodes += [None] * (len(items) - len(nodes))
    for item, node in zip(items, nodes, strict=False):
        _take(item, node)


def ask_more(github: GitHub, items: Sequence[Gathered]) -> None:
    """The next jobs of each of ``items``, in one call; raises as ``ask_runs`` does."""
    names = ", ".join(f"$id{at}: ID!, $after{at}: String!" for at in range(len(items)))
    parts = [
        f"n{at}: nodes(ids: [$id{at}]) {{ ... on WorkflowRun {{ checkSuite {{ checkRuns("
        f"first: {min(MORE_JOBS, item.left)}, after: $after{at}, filterBy: {{checkType: ALL}}"
        f") {{ {_CHECK_RUNS} }} }} }} }}"
        for at, item in enumerate(items)
    ]
    query = f"query MoreJobs({names}) {{\n" + "\n".join(parts) + "\nrateLimit { cost remaining limit resetAt }\n}"
    variables: dict[str, object] = {}
    for at, item in enumerate(items):
        variables |= {f"id{at}": item.run.node_id, f"after{at}": item.cursor}
    data = _ask(github, query, variables)
    for at, item in enumerate(items):
        nodes = _convert(data.get(f"n{at}"), list[_RunNode | None])
        _take(item, nodes[0] if nodes else None)


def _ask(github: GitHub, query: str, variables: Mapping[str, object]) -> dict[str, msgspec.Raw]:
    try:
        reply = msgspec.json.decode(github.graphql(query, variables, attempts=1).body, type=_Reply)
    except GitHubError as error:
        raise GraphQLRefusedError(str(error), fatal=error.status in (401, 403, 404, 405, 410, 501)) from error
    except msgspec.MsgspecError as error:
        raise GraphQLRefusedError(f"an answer that is not of this API: {error}", fatal=False) from error
    if reply.data is None or all(bytes(part) == b"null" for part in reply.data.values()):
        said = "; ".join(error.message for error in reply.errors)[:300] or "neither data nor an error"
        kinds = {error.type for error in reply.errors}
        raise GraphQLRefusedError(said, fatal=bool(kinds & _FATAL))
    return reply.data


def _convert(raw: msgspec.Raw | None, shape: type[_T]) -> _T | None:
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw, type=shape | None)
    except msgspec.MsgspecError as error:
        raise GraphQLRefusedError(f"an answer that is not of this API: {error}", fatal=False) from error


def _take(item: Gathered, node: _RunNode | None) -> None:
    """Adds one page of a run's check runs; what cannot be had here is left to REST."""
    item.unasked = False
    page = node.check_suite.check_runs if node is not None and node.check_suite is not None else None
    if page is None:
        item.whole, item.cursor = False, None
        return
    item.listed = page.total_count if page.total_count is not None else len(page.nodes)
    item.cursor = page.page_info.end_cursor if page.page_info.has_next_page else None
    for check in page.nodes:
        if check is None or (check.steps is not None and (check.steps.total_count or 0) > len(check.steps.nodes)):
            item.whole = False
        elif not _is_job(check, item.run):
            item.foreign += 1
        elif (job_id := _job_id(check)) is None:
            item.whole = False
        else:
            item.jobs[job_id] = _job(check, job_id, item.run)
    if item.cursor is None and (item.listed > len(item.jobs) + item.foreign or (item.foreign and not item.jobs)):
        item.whole = False


def _is_job(check: _CheckRun, run: RunAttempt) -> bool:
    """A check run that a job made through the API has a page of its own, not one below the run, and no steps."""
    if check.details_url is None or (check.steps is not None and check.steps.nodes):
        return True
    found = _JOB_URL.search(check.details_url)
    return found is not None and int(found[1]) == run.run_id


def _job_id(check: _CheckRun) -> int | None:
    """The number of the job. ``databaseId`` is an Int of 32 bits in the schema, and job ids have outgrown that."""
    if check.database_id is not None:
        return check.database_id
    found = _JOB_URL.search(check.details_url or "")
    return None if found is None else int(found[2])


def _job(check: _CheckRun, job_id: int, run: RunAttempt) -> Job:
    times = TimeReader("")
    status, conclusion = (text.lower() if text else None for text in (check.status, check.conclusion))
    started = None if status in WAITING else times.read(check.started_at, "startedAt")
    completed = times.read(check.completed_at, "completedAt")
    nodes = check.steps.nodes if check.steps is not None else []
    return Job(
        repo=run.repo,
        job_id=job_id,
        run_id=run.run_id,
        run_attempt=run.run_attempt,
        source=Source.GRAPHQL,
        name=check.name,
        workflow_name=run.workflow_name,
        head_branch=run.head_branch,
        head_sha=run.head_sha,
        status=status,
        conclusion=conclusion,
        started_at=started,
        completed_at=completed,
        duration_s=None if conclusion == "skipped" else between(started, completed),
        html_url=check.details_url,
        steps=tuple(_step(node, times) for node in nodes if node is not None),
    )


def _step(node: _StepNode, times: TimeReader) -> Step:
    started, completed = times.read(node.started_at, "startedAt"), times.read(node.completed_at, "completedAt")
    conclusion = node.conclusion.lower() if node.conclusion else None
    return Step(
        number=node.number,
        name=node.name,
        status=node.status.lower() if node.status else None,
        conclusion=conclusion,
        started_at=started,
        completed_at=completed,
        duration_s=None if conclusion == "skipped" else between(started, completed),
    )
