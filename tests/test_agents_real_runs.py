"""Agents, issues and pull requests of the real runs of a repository of agents, with their real head commits.

The runs are not part of this repository: they are looked for in ``$TRACKSIDE_REAL_DATA``, else beside the checkout.
What the file's own dashboard guessed is no truth: 54 of these runs were said to be of an agent ``users``, out of e-mail
addresses, and all but a handful of the issues were the numbers of pull requests.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from trackside.agents.frames import AgentHistory
from trackside.agents.registry import RegisteredAgent
from trackside.evidence.agent_history import load_agent_history
from trackside.evidence.checkout import Checkout
from trackside.evidence.selection import Selection
from trackside.github.flat_runs import flat_run
from trackside.records.agent_rules import AgentRules
from trackside.records.ci_rules import CiRules
from trackside.records.pulls import PullRequest
from trackside.records.runs import RunAttempt
from trackside.store.store import open_store

DATA = Path(os.environ.get("TRACKSIDE_REAL_DATA", "../shared/data")).resolve() / "agentops"
RUNS, COMMITS = DATA / "runs_before_2025-11-19.jsonl", DATA / "head_commits.jsonl"
REPO = "enufacas/Chained"
NOW = dt.datetime(2025, 11, 19, tzinfo=dt.UTC)
PUSHED_BY_AN_AGENT = 19398954255
PERSONAS = (
    "accelerate-specialist",
    "coach-master",
    "create-guru",
    "engineer-master",
    "investigate-champion",
    "render-3d-master",
    "support-master",
    "troubleshoot-expert",
)
"""Agents of the repository's registry that its commit messages mention."""

pytestmark = pytest.mark.skipif(
    not (RUNS.is_file() and COMMITS.is_file()), reason=f"no real runs at {DATA} (set TRACKSIDE_REAL_DATA)"
)


@pytest.fixture(scope="module")
def commits() -> dict[str, dict[str, Any]]:
    """Head commits by the first characters of their sha, as the runs name them."""
    rows = [json.loads(line) for line in COMMITS.read_text(encoding="utf-8").splitlines()]
    return {row["sha"][:8]: row for row in rows}


@pytest.fixture(scope="module")
def history(commits: dict[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> AgentHistory:
    """The runs with their commits, every pull request that a commit was merged by, and the registry."""
    store = open_store(tmp_path_factory.mktemp("real") / "store")
    store.add_runs([_run(line, commits) for line in RUNS.read_bytes().splitlines()], NOW)
    store.add_pulls([pull for row in commits.values() for pull in _merged(row)], [], NOW)
    registry = tuple(RegisteredAgent(name=name, path=f".github/agents/{name}.md") for name in PERSONAS)
    selection = Selection(repo=REPO)
    return load_agent_history(store, selection, CiRules(), AgentRules(), Checkout(agents=registry))


def _run(line: bytes, commits: dict[str, dict[str, Any]]) -> RunAttempt:
    run, problems = flat_run(line, REPO)
    assert problems == ()
    commit = commits[run.head_sha or ""]
    return msgspec.structs.replace(
        run,
        head_sha=commit["sha"],
        head_repository=REPO,
        head_commit_message=commit["message"],
        head_commit_author=commit["author_name"],
        head_commit_email=commit["author_email"],
    )


def _merged(commit: dict[str, Any]) -> list[PullRequest]:
    """The pull request that the subject of a commit on the default branch says it was merged by."""
    subject = commit["message"].partition("\n")[0]
    found = re.search(r"\(#(\d+)\)$|^Merge pull request #(\d+) ", subject)
    if found is None:
        return []
    number = int(found[1] or found[2])
    return [PullRequest(repo=REPO, number=number, merge_commit_sha=commit["sha"], merged_at=NOW, updated_at=NOW)]


def test_every_run_has_its_head_commit(history: AgentHistory) -> None:
    assert history.runs.height == 226
    assert history.runs["commit_message"].null_count() == 0


def test_no_agent_comes_from_an_address_or_from_the_last_commit_on_the_default_branch(history: AgentHistory) -> None:
    told = Counter(history.runs["agent"])
    assert told == {None: 225, "copilot": 1}
    assert "ran" not in set(history.runs["agent_role"])


def test_the_one_run_that_an_agent_caused_is_told_by_all_its_signals(history: AgentHistory) -> None:
    found = history.attributions[PUSHED_BY_AN_AGENT, 1]
    assert (found.agent, found.role, found.source, found.confidence) == ("copilot", "triggered_by", "actor", 0.85)
    assert [(one.kind.value, one.role.value) for one in found.signals] == [
        ("actor", "triggered_by"),
        ("branch", "authored"),
        ("commit_author", "authored"),
    ]
    by_kind = Counter(signal.kind.value for one in history.attributions.values() for signal in one.signals)
    assert by_kind == {"actor": 1, "branch": 1, "commit_author": 1}


def test_no_issue_is_only_the_number_of_a_pull_request(history: AgentHistory) -> None:
    guessed = {row["id"]: row["upstream_guess"] for row in map(json.loads, RUNS.read_text().splitlines())}
    pulls = {run_id: set(one["pr_numbers"] or ()) for run_id, one in guessed.items()}
    assert sum(one["issue_number"] in pulls[run_id] for run_id, one in guessed.items()) > 150
    for run_id, issues in history.runs.select("run_id", "issue_numbers").iter_rows():
        assert not set(issues) & pulls[run_id]
    # No run title, branch or commit of a push names an issue, and the runs of issue events have no payload here.
    assert history.runs["issue_numbers"].list.len().sum() == 0
    assert history.runs["issue_source"].null_count() == history.runs.height


def test_a_scheduled_run_is_not_said_to_be_of_the_pull_request_that_was_merged_last(history: AgentHistory) -> None:
    assert history.history.default_branch == "main"
    runs = history.runs
    assert runs["pull_numbers"].list.len().sum() == 0
    merged = runs["last_merged_pull"].drop_nulls()
    assert len(merged) > 150
    assert len(merged) <= runs["is_default_line"].sum()
