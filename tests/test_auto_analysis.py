"""Runs that are analysed unasked: which are due, each once, few a day, and never those of the analysis itself."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.fake_github import FakeGitHub
from tests.history_frames import HOUR, START, a_run
from tests.syncing import REPO, sync_once
from trackside.agents.auto_analysis import OWN_WORKFLOWS, due_runs
from trackside.cli.agents_due import find_due
from trackside.evidence.begun_analyses import begin_analyses, begun_analyses
from trackside.history.frames import RUN_COLUMNS
from trackside.records.agent_rules import AgentRules, AutoAnalysis
from trackside.settings import Settings
from trackside.store.store import open_store

NOW = START + 20 * HOUR
ANY = AutoAnalysis(workflow="*")


def due(
    runs: list[dict[str, Any]],
    *rules: AutoAnalysis,
    per_day: int = 5,
    begun: dict[int, dt.datetime] | None = None,
    now: dt.datetime = NOW,
    own: tuple[str, ...] = OWN_WORKFLOWS,
) -> list[int]:
    settings = AgentRules(auto_analyze=rules, auto_analyze_per_day=per_day)
    frame = pl.DataFrame(runs, schema=RUN_COLUMNS)
    return [one.run_id - 1000 for one in due_runs(settings, frame, begun or {}, now, own)]


def test_without_a_rule_no_run_is_due() -> None:
    assert due([a_run(1, "failure")]) == []


def test_a_failed_run_of_the_workflow_and_branch_of_a_rule_is_due() -> None:
    runs = [
        a_run(1, "failure"),
        a_run(2, "failure", branch="feature"),
        a_run(3, "failure", workflow="Nightly", workflow_file=".github/workflows/nightly.yml"),
        a_run(4),
    ]
    assert due(runs, AutoAnalysis(workflow="pr-test.yml", branch="main")) == [1]
    assert due(runs, AutoAnalysis(workflow="pr-*")) == [2, 1]
    assert due(runs, AutoAnalysis(workflow="night*", branch="main")) == [3]
    assert due(runs, AutoAnalysis(workflow=".github/workflows/*", branch="feature")) == [2]
    assert due(runs, AutoAnalysis(workflow="PR test", branch="main")) == [1]
    assert due(runs, AutoAnalysis(workflow="other")) == []


def test_a_branch_of_a_fork_is_not_the_branch_of_that_name() -> None:
    fork = a_run(1, "failure", branch="main", line="mallory:main")
    assert due([fork], AutoAnalysis(workflow="*", branch="main")) == []
    assert due([fork], AutoAnalysis(workflow="*", branch="mallory:main")) == [1]


def test_so_many_failures_in_a_row_are_needed() -> None:
    three = AutoAnalysis(workflow="*", times=3)
    assert due([a_run(1, "failure"), a_run(2, "failure")], three) == []
    assert due([a_run(1, "failure"), a_run(2, "failure"), a_run(3, "failure")], three) == [3]
    assert due([a_run(1, "failure"), a_run(2), a_run(3, "failure"), a_run(4, "failure")], three) == []
    assert due([a_run(number, "failure") for number in range(1, 6)], three) == [5, 4, 3]


@pytest.mark.parametrize("between", ["cancelled", "skipped", None, "action_required", "neutral"])
def test_what_neither_failed_nor_succeeded_ends_no_row_and_is_not_due(between: str | None) -> None:
    runs = [a_run(1, "failure"), a_run(2, between), a_run(3, "failure")]
    assert due(runs, AutoAnalysis(workflow="*", times=2)) == [3]
    assert 2 not in due(runs, ANY)


def test_rows_are_counted_for_each_workflow_and_branch() -> None:
    other = {"workflow": "Nightly", "workflow_file": ".github/workflows/nightly.yml"}
    runs = [a_run(1, "failure"), a_run(2, **other), a_run(3, branch="feature"), a_run(4, "failure")]
    assert due(runs, AutoAnalysis(workflow="*", times=2)) == [4]


def test_the_newest_attempt_of_a_run_counts() -> None:
    again = [a_run(1, "failure", is_latest=False), a_run(1, "success", run_attempt=2)]
    assert due(again, ANY) == []
    assert due([a_run(1, "success", is_latest=False), a_run(1, "failure", run_attempt=2)], ANY) == [1]


def test_a_run_is_due_once_and_only_while_it_is_new() -> None:
    runs = [a_run(1, "failure"), a_run(2, "failure")]
    assert due(runs, ANY, begun={1002: NOW - 30 * 24 * HOUR}) == [1]
    assert due(runs, ANY, now=START + 26 * HOUR) == [2]
    assert due(runs, ANY, now=START + 30 * HOUR) == []


def test_at_most_so_many_are_begun_within_a_day_the_newest_first() -> None:
    runs = [a_run(number, "failure") for number in range(1, 10)]
    assert due(runs, ANY, per_day=3) == [9, 8, 7]
    assert due(runs, ANY, per_day=3, begun={1009: NOW - HOUR, 1008: NOW - 23 * HOUR}) == [7]
    assert due(runs, ANY, per_day=2, begun={1009: NOW - HOUR, 1008: NOW - 23 * HOUR}) == []
    assert due(runs, ANY, per_day=2, begun={1: NOW - 24 * HOUR, 2: NOW - 25 * HOUR}) == [9, 8]
    assert due(runs, ANY, per_day=0) == []


@pytest.mark.parametrize(
    "own",
    [
        {"workflow_file": ".github/workflows/agentops-log-analyzer.yml"},
        {"workflow_file": ".github/workflows/agentops-data-sync.yml"},
        {"workflow": "AgentOps log analyzer", "workflow_file": ".github/workflows/renamed.yml"},
        {"workflow_file": ".github/workflows/this.yml"},
        {"workflow": "This", "workflow_file": None},
    ],
    ids=["analyzer", "sync", "renamed", "this by file", "this by name"],
)
def test_the_workflows_that_analyse_are_never_analysed_themselves(own: dict[str, Any]) -> None:
    run = a_run(1, "failure", **own)
    assert due([run], ANY, AutoAnalysis(workflow="agentops-*"), own=(*OWN_WORKFLOWS, "this.yml", "This")) == []


def test_runs_of_which_little_is_told_are_no_trouble() -> None:
    bare = dict.fromkeys(RUN_COLUMNS)
    run = {**bare, "run_id": 1001, "run_attempt": 1, "is_latest": True, "workflow": "?", "outcome": "failed"}
    assert due([run], ANY) == []
    assert due([{**run, "updated_at": NOW}], ANY) == [1]
    assert due([], ANY) == []


def test_a_rule_that_is_hard_to_match_is_matched_fast() -> None:
    run = a_run(1, "failure", workflow="a" * 5000, workflow_file=None)
    assert due([run], AutoAnalysis(workflow="*a" * 20 + "b")) == []


def test_what_was_begun_is_kept_in_the_store_and_not_due_again(tmp_path: Path) -> None:
    settings = Settings(agents=AgentRules(auto_analyze=(ANY,), auto_analyze_per_day=2))
    with FakeGitHub() as github:
        for _ in range(3):
            github.world.add_run(conclusion="failure")
        own = github.world.add_run(conclusion="failure", workflow="AgentOps log analyzer")
        mine = github.world.add_run(conclusion="failure", workflow="Mine")
        github.clock.advance(600)
        store = open_store(tmp_path)
        sync_once(github, store)
        now = github.clock.now()
        environ = {"GITHUB_WORKFLOW_REF": "octo/engine/.github/workflows/mine.yml@refs/heads/main"}
        first = [one.run_id for one in find_due(store, REPO, settings, now, environ)]
        assert len(first) == 2
        assert not {own.id, mine.id} & set(first)
        begin_analyses(store, REPO, first, now)
        assert begun_analyses(store, "Octo/Engine") == dict.fromkeys(first, now)
        assert find_due(store, REPO, settings, now, environ) == ()
        later = find_due(store, REPO, settings, now + 23 * HOUR + HOUR, environ)
        assert not set(first) & {one.run_id for one in later}
