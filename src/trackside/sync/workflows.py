"""The newest runs of each workflow, where the list of the whole repository does not reach back far enough."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from trackside.errors import CallsStoppedError, GitHubError
from trackside.github.client import GitHub
from trackside.github.json_items import DecodeProblem, split_page
from trackside.github.run_lists import RunLister
from trackside.history.names import is_workflow
from trackside.records.runs import RunAttempt
from trackside.records.syncs import Missing
from trackside.sync.ledger import SyncLedger
from trackside.sync.request import SyncRequest

PER_PAGE: Final = 100
_FILES: Final = (".yml", ".yaml")


class Workflow(msgspec.Struct, frozen=True):
    """A workflow of a repository. ``path`` is its file, or ``dynamic/…`` for one that GitHub brings along."""

    id: int
    name: str | None = None
    path: str | None = None


def list_workflows(github: GitHub, repo: str) -> list[Workflow]:
    """Every workflow of the repository. Raises GitHubError, CallsStoppedError or DecodeProblem."""
    found: dict[int, Workflow] = {}
    path = f"/repos/{repo}/actions/workflows"
    for answer in github.pages(path, {"per_page": PER_PAGE}, endpoint="workflows"):
        _, items = split_page(answer.body, "workflows")
        for item in items:
            try:
                workflow = msgspec.json.decode(item, type=Workflow)
            except msgspec.MsgspecError as error:
                msg = f"a workflow of {repo} cannot be understood: {error}"
                raise DecodeProblem(msg) from error
            found[workflow.id] = workflow
    return list(found.values())


def list_newest_of_each(
    github: GitHub, lister: RunLister, request: SyncRequest, known: Collection[RunAttempt], ledger: SyncLedger
) -> None:
    """Lists the newest runs of every workflow of the request of which fewer are known than it asks for."""
    newest = request.max_runs_per_workflow
    assert newest is not None
    try:
        workflows = _wanted(github, request)
    except (CallsStoppedError, GitHubError, DecodeProblem) as error:
        ledger.miss([Missing(what="list of workflows", reason=str(error), count=1)])
        return
    runs = {run.run_id: run for run in (*known, *lister.found.runs.values())}
    short = [workflow for workflow in workflows if _is_short(workflow, runs.values(), newest)]
    for outcome in github.each(lambda workflow: lister.list_workflow(_address(workflow), newest), short):
        if outcome.error is not None:
            samples = (_address(outcome.item),)
            reason = str(outcome.error)
            ledger.miss([Missing(what="run lists of a workflow", reason=reason, count=1, samples=samples)])


def _wanted(github: GitHub, request: SyncRequest) -> list[Workflow]:
    """The workflows asked for. File names need no call; names, and all of them, are looked up."""
    if request.workflows and all(name.endswith(_FILES) for name in request.workflows):
        return [Workflow(0, None, name) for name in request.workflows]
    every = list_workflows(github, request.repo)
    if not request.workflows:
        return every
    wanted = [item for item in every if any(is_workflow(name, item.path, item.name) for name in request.workflows)]
    absent = [name for name in request.workflows if not any(is_workflow(name, item.path, item.name) for item in every)]
    if absent:
        msg = f"{request.repo} has no workflow {', '.join(absent)}"
        raise GitHubError(msg, status=404)
    return wanted


def _address(workflow: Workflow) -> str:
    return str(workflow.id) if workflow.id else (workflow.path or "").rsplit("/", 1)[-1]


def _is_short(workflow: Workflow, runs: Iterable[RunAttempt], newest: int) -> bool:
    """Whether fewer runs are known than wanted, and there can be more: runs are numbered from 1."""
    mine = [
        run
        for run in runs
        if (workflow.id and run.workflow_id == workflow.id)
        or (workflow.path and is_workflow(workflow.path, run.workflow_file, None))
    ]
    return len(mine) < newest and len(mine) < max((run.run_number or newest for run in mine), default=newest)
