"""The value of each field of the GraphQL schema, by type and name."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.fake_github.bodies import Bodies, open_pulls_of
from tests.fake_github.clock import stamp
from tests.fake_github.graph_cost import Cost
from tests.fake_github.job_lives import newest_jobs
from tests.fake_github.rates import Bucket
from tests.fake_github.settings import Settings
from tests.fake_github.things import Account, Job, Pull, Repository, Run, Step, Workflow
from tests.fake_github.world import World

INT_32 = 2**31
Arguments = Mapping[str, Any]


class BadCursorError(Exception):
    """A cursor that was never given out."""


class TooMuchError(Exception):
    """The query takes longer than GitHub gives it."""


@dataclass
class Asked:
    """One query while it is answered."""

    world: World
    bodies: Bodies
    settings: Settings
    cost: Cost
    bucket: Bucket
    login: str = "octocat"
    check_runs: int = 0
    errors: list[dict[str, object]] = field(default_factory=list)

    def database_id(self, number: int) -> int | None:
        """The number; nothing where it is longer than GraphQL's Int and the settings are strict about it."""
        return number if self.settings.graphql_big_ids or number < INT_32 else None

    def served(self, count: int) -> None:
        """Count check runs; too many end the query."""
        self.check_runs += count
        most = self.settings.graphql_max_check_runs
        if most is not None and self.check_runs > most:
            raise TooMuchError


@dataclass(frozen=True)
class OfRun:
    """A run in its repository: the value behind WorkflowRun and CheckSuite."""

    repo: Repository
    run: Run


@dataclass(frozen=True)
class OfJob:
    """A job in its run: the value behind CheckRun."""

    repo: Repository
    run: Run
    job: Job


@dataclass(frozen=True)
class Connection:
    """A part of a list; ``first`` is the place of the first node in the whole."""

    nodes: Sequence[Any]
    first: int
    total: int


def connection(things: Sequence[Any], arguments: Arguments) -> Connection:
    """The part that ``first``/``after`` or ``last``/``before`` ask for."""
    start, end = 0, len(things)
    if arguments.get("after"):
        start = place(arguments["after"]) + 1
    if arguments.get("before"):
        end = place(arguments["before"])
    if arguments.get("first") is not None:
        end = min(end, start + arguments["first"])
    elif arguments.get("last") is not None:
        start = max(start, end - arguments["last"])
    return Connection(things[start:end], start, len(things))


def cursor(index: int) -> str:
    """An opaque mark of a place in a list."""
    return base64.b64encode(f"cursor:v2:{index}".encode()).decode()


def place(mark: str) -> int:
    """The place a mark stands for; raises BadCursorError for one that is none."""
    try:
        return int(base64.b64decode(mark).decode().removeprefix("cursor:v2:"))
    except (ValueError, binascii.Error) as problem:
        raise BadCursorError(mark) from problem


def upper(word: str | None) -> str | None:
    """REST says ``in_progress``, GraphQL ``IN_PROGRESS``."""
    return None if word is None else word.upper()


def moment(when: dt.datetime | None) -> str | None:
    """A DateTime."""
    return None if when is None else stamp(when)


def check_runs(asked: Asked, of: OfRun, arguments: Arguments) -> Connection:
    """The jobs of a run, of all attempts or the newest of each name."""
    wanted = arguments.get("filterBy") or {}
    if (wanted.get("checkType") or asked.settings.checks_by_default) == "ALL":
        jobs = [job for attempt in of.run.attempts for job in attempt.jobs]
    else:
        jobs = newest_jobs(of.run)
    states = wanted.get("statuses") or ([wanted["status"]] if wanted.get("status") else None)
    jobs = [job for job in jobs if wanted.get("checkName") in (None, job.name)]
    jobs = [job for job in jobs if states is None or upper(job.status) in states]
    ends = wanted.get("conclusions")
    found = [OfJob(of.repo, of.run, job) for job in jobs if ends is None or upper(job.conclusion) in ends]
    part = connection(found, arguments)
    asked.served(len(part.nodes))
    return part


def steps(asked: Asked, of: OfJob, arguments: Arguments) -> Connection:
    """The steps of a job, each with when the job began."""
    begun = of.job.started_at or of.job.created_at
    only = arguments.get("number")
    return connection([(begun, step) for step in of.job.steps if only in (None, step.number)], arguments)


def after(begun: dt.datetime, step: Step, *, end: bool) -> str | None:
    """When a step started or ended."""
    if step.start_s is None or (end and step.length_s is None):
        return None
    return stamp(begun + dt.timedelta(seconds=step.start_s + ((step.length_s or 0) if end else 0)))


def step_status(step: Step) -> str:
    """By which of its times are there."""
    return "QUEUED" if step.start_s is None else "IN_PROGRESS" if step.length_s is None else "COMPLETED"


def matching(asked: Asked, of: OfRun, arguments: Arguments) -> Connection:
    """The open pull requests of a check suite."""
    return connection(open_pulls_of(of.repo, of.run), arguments)


def pull_requests(asked: Asked, repo: Repository, arguments: Arguments) -> Connection:
    """Those into a repository, in the order and of the states asked for."""
    order = arguments.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
    states = arguments.get("states")
    found = [pull for pull in repo.pulls if states is None or pull_state(pull) in states]
    by_update = order["field"] == "UPDATED_AT"
    found.sort(key=lambda pull: pull.updated_at if by_update else pull.created_at, reverse=order["direction"] == "DESC")
    return connection(found, arguments)


def pull_state(pull: Pull) -> str:
    """GraphQL has a state of its own for merged ones."""
    return "MERGED" if pull.merged_at else pull.state.upper()


def page_info(part: Connection) -> dict[str, object]:
    """Where a part of a list begins and ends."""
    end = part.first + len(part.nodes)
    return {
        "startCursor": cursor(part.first) if part.nodes else None,
        "endCursor": cursor(end - 1) if part.nodes else None,
        "hasNextPage": end < part.total,
        "hasPreviousPage": part.first > 0,
    }


def node(asked: Asked, global_id: str) -> tuple[str, OfRun] | None:
    """What has this id, with the name of its type; only workflow runs can be found so."""
    found = asked.world.nodes.get(global_id)
    return ("WorkflowRun", OfRun(*found)) if found and found[0].readable else None


def nodes(asked: Asked, arguments: Arguments) -> list[tuple[str, OfRun] | None]:
    """All of these ids in their order; null, and an error each, for what is not there."""
    found = [node(asked, each) for each in arguments["ids"]]
    for index, (each, one) in enumerate(zip(arguments["ids"], found, strict=True)):
        if one is None:
            asked.errors.append(missing(each, ["nodes", index]))
    return found


def one_node(asked: Asked, arguments: Arguments) -> tuple[str, OfRun] | None:
    """The thing with this id, or null and an error."""
    found = node(asked, arguments["id"])
    if found is None:
        asked.errors.append(missing(arguments["id"], ["node"]))
    return found


def missing(global_id: str, path: list[str | int]) -> dict[str, object]:
    """The error for an id that leads nowhere."""
    return {
        "type": "NOT_FOUND",
        "path": path,
        "message": f"Could not resolve to a node with the global id of '{global_id}'",
    }


def repository(asked: Asked, arguments: Arguments) -> Repository | None:
    """By owner and name."""
    name = f"{arguments['owner']}/{arguments['name']}"
    found = asked.world.repository(name)
    if found is None or not found.readable:
        text = f"Could not resolve to a Repository with the name '{name}'."
        asked.errors.append({"type": "NOT_FOUND", "path": ["repository"], "message": text})
        return None
    return found


def viewer(asked: Asked) -> Account:
    """Whose token it is; that of a workflow's own token is a bot."""
    return asked.world.account(asked.login)


def rate_limit(asked: Asked) -> dict[str, object]:
    """What this query cost and what is left."""
    left = asked.bucket
    return {
        "cost": asked.cost.points,
        "nodeCount": asked.cost.nodes,
        "limit": left.limit,
        "remaining": left.remaining,
        "used": left.used,
        "resetAt": stamp(dt.datetime.fromtimestamp(left.reset_at, dt.UTC)),
    }


def run_url(asked: Asked, of: OfRun | OfJob) -> str:
    """The page of a run."""
    return f"{asked.bodies.html}/{of.repo.full_name}/actions/runs/{of.run.id}"


def job_url(asked: Asked, of: OfJob) -> str:
    """The page of a job."""
    return f"{run_url(asked, of)}/job/{of.job.id}"


def workflow_of(asked: Asked, of: OfRun) -> tuple[Repository, Workflow]:
    """A workflow in its repository."""
    return of.repo, of.run.workflow


Resolver = Callable[[Asked, Any, Arguments], Any]
