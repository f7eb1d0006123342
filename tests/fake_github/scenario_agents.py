"""Ten days of a repository that agents work on: coding agents, what they trigger, what runs beside them, and faults."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Sequence
from functools import partial

from tests.fake_github.log_text import stamped
from tests.fake_github.plans import JobPlan, job, sha_of
from tests.fake_github.things import Repository, Run, Step, Workflow
from tests.fake_github.world import World

HOUR = dt.timedelta(hours=1)
DAYS = 10
_COPILOT_PATH = "dynamic/copilot-swe-agent/copilot"
_COPILOT_STEPS = ("Set up job", "Prepare Copilot", "Start MCP Servers", "Processing Request", "Clean Up")
_CLAUDE_STEPS = ("Set up job", "Run actions/checkout@v4", "Run anthropics/claude-code-action@v1", "Complete job")
_CODEX_STEPS = ("Set up job", "Run actions/checkout@v4", "Run openai/codex-action@v1", "Post result", "Complete job")
_CI_STEPS = ("Set up job", "Run actions/checkout@v4", "Install dependencies", "Run tests", "Complete job")
_NIGHTLY_STEPS = ("Set up job", "Run actions/checkout@v4", "Collect metrics", "Write the report", "Complete job")

CLAUDE_RESULT = (
    '{"type":"result","subtype":"success","is_error":false,"duration_ms":184223,"num_turns":31,'
    '"result":"Fixed the race in the scheduler and added a test.","total_cost_usd":0.8123,'
    '"usage":{"input_tokens":1450,"output_tokens":9120}}'
)
FAULTS: dict[str, tuple[str, ...]] = {
    "overloaded": (
        "##[group]Run anthropics/claude-code-action@v1",
        "with:",
        "  prompt: Please look at the queue",
        "##[endgroup]",
        'API Error: 529 {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
        "##[error]Action failed with error: Claude Code process exited with code 1",
        "##[error]Process completed with exit code 1.",
    ),
    "permission": (
        "gh api repos/octo/engine/issues/12/labels -f labels[]=triaged",
        "gh: Resource not accessible by integration (HTTP 403)",
        "##[error]Process completed with exit code 1.",
    ),
    "npm": (
        "npm ci",
        "npm error code ERESOLVE",
        "npm error ERESOLVE could not resolve",
        "npm error While resolving: web@0.4.1",
        "##[error]Process completed with exit code 1.",
    ),
    "pytest": (
        "============================= test session starts ==============================",
        "FAILED tests/test_scheduler.py::test_fair_share - AssertionError: assert 3 == 4",
        "=================== 1 failed, 211 passed, 3 skipped in 42.17s ===================",
        "TOTAL                                    4120    371    91%",
        "##[error]Process completed with exit code 1.",
    ),
    "turns": (
        "##[group]Run openai/codex-action@v1",
        "with:",
        "  sandbox: workspace-write",
        "##[endgroup]",
        "ERROR: stream disconnected before completion: Rate limit reached for gpt-5-codex",
        "##[error]Process completed with exit code 1.",
    ),
}


def agents(world: World, *, seed: int = 1, name: str = "octo/engine") -> Repository:
    """Copilot, Claude and Codex at work, CI on what they pushed, and a heartbeat that no agent has part in."""
    repo, now = world.repository(name) or world.add_repository(name), world.clock.now()
    rng = random.Random(seed)
    copilot = world.add_workflow("Copilot coding agent", _COPILOT_PATH, repo=repo)
    ci = world.add_workflow("PR Test", ".github/workflows/pr-test.yml", repo=repo)
    for day in range(DAYS):
        start = now - (DAYS - day) * 24 * HOUR
        for index in range(3):
            _copilot_task(world, repo, copilot, ci, start + (2 + 6 * index) * HOUR, 3 * day + index, rng)
        _claude(world, repo, start + 5 * HOUR, day, rng)
        _codex(world, repo, start + 9 * HOUR, day, rng)
        for hour in range(0, 24, 6):
            _heartbeat(world, repo, start + hour * HOUR, day, rng)
    world.add_run([_plan("agent", _COPILOT_STEPS, None, 600)], conclusion=None, workflow=copilot, event="dynamic",
                  branch="copilot/fix-issue-77", actor="Copilot", at=now - HOUR / 6, repo=repo,
                  title="Running Copilot coding agent")  # fmt: skip
    return repo


def _copilot_task(
    world: World, repo: Repository, copilot: Workflow, ci: Workflow, at: dt.datetime, number: int, rng: random.Random
) -> None:
    """The agent's own run, its pull request, and CI on it: red at first now and then, then green."""
    branch, issue = f"copilot/fix-issue-{100 + number}", 100 + number
    sha = sha_of(f"copilot {number}")
    merged = sha_of(f"merged {number}") if number % 3 == 0 else None
    pull = world.add_pull(f"Fix the queue, part {number}", branch=branch, sha=sha, author="Copilot", repo=repo,
                          at=at, updated_at=at + 3 * HOUR, merged_as=merged, number=500 + number,
                          text=f"Fixes #{issue}\n\nThe queue is drained first.")  # fmt: skip
    took = rng.randrange(400, 1500)
    world.add_run([_plan("agent", _COPILOT_STEPS, "success", took)], workflow=copilot, event="dynamic", branch=branch,
                  actor="Copilot", at=at, repo=repo, sha=sha, title="Running Copilot coding agent")  # fmt: skip
    fault = ("pytest", "npm", None, None)[number % 4]
    began = at + HOUR
    jobs = [_plan("unit (1)", _CI_STEPS, "success" if fault is None else "failure", 300, fault, began),
            _plan("unit (2)", _CI_STEPS, "success", 280)]  # fmt: skip
    run = world.add_run(jobs, conclusion="success" if fault is None else "failure", workflow=ci, event="pull_request",
                        branch=branch, sha=sha, actor="Copilot", at=began, repo=repo, title=pull.title)  # fmt: skip
    if fault == "npm":
        world.rerun(run, at=began + HOUR / 2, conclusion="success", actor="alice")
    if merged:
        world.add_run([_plan("unit (1)", _CI_STEPS, "success", 300)], workflow=ci, event="push", sha=merged, repo=repo,
                      at=at + 3 * HOUR, title=pull.title, message=f"{pull.title} (#{pull.number})")  # fmt: skip


def _claude(world: World, repo: Repository, at: dt.datetime, day: int, rng: random.Random) -> None:
    fault = "overloaded" if day % 4 == 1 else None
    plan = _plan("claude", _CLAUDE_STEPS, "failure" if fault else "success", rng.randrange(120, 900), fault, at)
    _agent_run(world, repo, plan, "Claude", "issue_comment", at, f"Please look at #{day + 20}")


def _codex(world: World, repo: Repository, at: dt.datetime, day: int, rng: random.Random) -> None:
    fault = ("permission", None, "turns", None, None)[day % 5]
    plan = _plan("triage", _CODEX_STEPS, "failure" if fault else "success", rng.randrange(60, 300), fault, at)
    _agent_run(world, repo, plan, "Triage", "schedule", at, "Triage")


def _heartbeat(world: World, repo: Repository, at: dt.datetime, day: int, rng: random.Random) -> None:
    plan = _plan("report", _NIGHTLY_STEPS, "cancelled" if day == 4 else "success", rng.randrange(20, 60))
    run = _agent_run(world, repo, plan, "Agent metrics", "schedule", at, "Agent metrics")
    run.overrides = {"triggering_actor": None}


def _agent_run(
    world: World, repo: Repository, plan: JobPlan, workflow: str, event: str, at: dt.datetime, title: str
) -> Run:
    message = (
        "Fix the queue (#503)\n\nCo-authored-by: copilot-swe-agent[bot] <198982749+Copilot@users.noreply.github.com>"
    )
    return world.add_run([plan], conclusion=plan.conclusion, workflow=workflow, event=event, at=at, repo=repo,
                         actor="alice", title=title, message=message, sha=sha_of(f"main {at:%Y%m%d}"))  # fmt: skip


def _plan(
    name: str, steps: Sequence[str], conclusion: str | None, took_s: int, fault: str | None = None,
    at: dt.datetime | None = None,
) -> JobPlan:  # fmt: skip
    """A job whose longest step is the last but one; a failed one failed there and says why."""
    log = partial(_log, name, fault, at) if at is not None else None
    return job(name, conclusion, took_s=took_s, steps=tuple(_steps(steps, conclusion, took_s)), log=log)


def _steps(names: Sequence[str], conclusion: str | None, took_s: int) -> Iterable[Step]:
    start, main = 0, len(names) - 2
    for number, name in enumerate(names, 1):
        place = number - 1
        length = max(0, took_s - 4 * (len(names) - 1)) if place == main else 2
        if conclusion is None and place >= main:
            yield Step(number, name, None, start if place == main else None, None)
        else:
            bad = conclusion in ("failure", "cancelled") and place == main
            yield Step(number, name, conclusion if bad else "success", start, length)
        start += length


def _log(name: str, fault: str | None, at: dt.datetime) -> list[bytes]:
    said = FAULTS[fault] if fault else (CLAUDE_RESULT,) if name == "claude" else ("200 passed in 40.00s",)
    lines = [
        "Current runner version: '2.325.0'",
        "##[group]Run actions/checkout@v4",
        "\x1b[36;1mgit checkout --progress --force refs/remotes/origin/copilot/fix-issue-100\x1b[0m",
        "##[endgroup]",
        "METRIC queue_depth=17",
        "::notice title=coverage::line coverage 91.0 %",
        "npm warn deprecated glob@7.2.3: Glob versions prior to v9 are no longer supported",
        *said,
        "Cleaning up orphan processes",
    ]
    return [stamped(lines, at, 0.9).encode()]
