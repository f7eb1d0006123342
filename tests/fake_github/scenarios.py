"""Worlds ready made: a busy week, a small one, a month of benchmarks, and runs that arrive as they did in reality."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from tests.fake_github.plans import JobPlan, job, matrix
from tests.fake_github.scenario_agents import agents
from tests.fake_github.scenario_logs import failing
from tests.fake_github.scenario_perf import perf, perf_large
from tests.fake_github.scenario_site import site
from tests.fake_github.scenario_week import week
from tests.fake_github.things import Repository, Run, Workflow
from tests.fake_github.world import World

__all__ = ["RecordedRun", "agentops", "agents", "perf", "perf_large", "site", "small", "week"]
HOUR = dt.timedelta(hours=1)


class RecordedRun(msgspec.Struct, frozen=True):
    """A line of a file of runs: what is needed of it."""

    id: int
    run_number: int
    workflow_name: str
    workflow_file: str
    display_title: str
    conclusion: str
    created_at: dt.datetime
    updated_at: dt.datetime
    html_url: str
    triggering_actor: str
    event: str
    head_branch: str
    head_sha: str


def small(world: World, *, seed: int = 1, name: str = "octo/engine") -> Repository:
    """Two days with a dozen runs: a failure that passed when run again, one that did not, one that goes on."""
    repo, now = world.repository(name) or world.add_repository(name), world.clock.now()
    pull = world.add_pull("Speed up the scheduler", repo=repo, number=7, at=now - 40 * HOUR, updated_at=now - 3 * HOUR)
    for index in range(8):
        world.add_run([job("lint", took_s=40)], workflow="Lint", at=now - (44 - 5 * index) * HOUR, repo=repo)
    for hours, repaired in ((30, True), (3, False)):
        at = now - hours * HOUR
        log = failing("pytest" if repaired else "oom", f"{seed} {hours}", at)
        plans = [*matrix("unit-test-1-gpu", 3), job("unit-test-2-gpu (1)", "failure", took_s=600, log=log)]
        run = world.add_run(plans, conclusion="failure", workflow="PR Test", event="pull_request", at=at, repo=repo,
                            branch=pull.head_branch, sha=pull.head_sha, title=pull.title)  # fmt: skip
        world.rerun(run, at=at + HOUR, conclusion="success" if repaired else "failure")
    world.add_run([job("unit-test-1-gpu (0)", None), job("unit-test-1-gpu (1)", None, wait_s=-1)], conclusion=None,
                  workflow="PR Test", at=now - HOUR / 6, repo=repo)  # fmt: skip
    return repo


def recorded_runs(path: Path) -> list[RecordedRun]:
    """The lines of a file of runs."""
    with path.open("rb") as file:
        return [msgspec.json.decode(line, type=RecordedRun) for line in file if line.strip()]


def agentops(world: World, path: Path) -> Repository:
    """A run is there from its ``created_at`` on and has ended from its ``updated_at`` on, by the clock of the world.

    The repository is the one of the first line's address.
    """
    lines = recorded_runs(path)
    owner, name = lines[0].html_url.split("/")[3:5]
    full_name = f"{owner}/{name}"
    repo = world.repository(full_name) or world.add_repository(full_name)
    files: dict[str, Workflow] = {}
    for line in lines:
        if line.workflow_file not in files:
            where = f".github/workflows/{line.workflow_file}"
            files[line.workflow_file] = world.add_workflow(line.workflow_name, where, repo=repo)
        world.schedule(line.created_at, partial(_arrive, world, repo, line, files[line.workflow_file]))
    return repo


def _arrive(world: World, repo: Repository, line: RecordedRun, workflow: Workflow) -> None:
    run = world.add_run(_jobs(line), conclusion=None, workflow=workflow, event=line.event, branch=line.head_branch,
                        sha=line.head_sha.ljust(40, "0"), at=line.created_at, actor=line.triggering_actor,
                        title=line.display_title, repo=repo, number=line.id)  # fmt: skip
    run.number, run.name = line.run_number, line.workflow_name
    world.schedule(line.updated_at, partial(_end, world, run, line))


def _end(world: World, run: Run, line: RecordedRun) -> None:
    world.finish_run(run, line.conclusion, at=line.updated_at)


def _jobs(line: RecordedRun) -> list[JobPlan]:
    """One to three jobs that go on until the run ends."""
    rng = random.Random(line.id)
    return [job(f"job-{index}", None, wait_s=1, n_steps=5) for index in range(rng.choice((1, 1, 2, 3)))]


SCENARIOS: dict[str, Callable[..., Repository]] = {
    "week": week,
    "small": small,
    "perf": perf,
    "perf-large": perf_large,
    "agents": agents,
    "site": site,
}
