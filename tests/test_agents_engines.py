"""Agents of whole runs out of GitHub: runs of every kind, and the engine that a run leaves in an artifact."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from tests.fake_github import Clock, FakeGitHub, job, matrix
from tests.fake_github.scenarios import agents
from tests.fake_github.things import Step
from tests.syncing import REPO, environment, sync_once
from tests.zips import zipped
from trackside.agents.frames import AgentHistory
from trackside.cli.agents_session import AgentsSession, open_agents_session
from trackside.cli.ci_session import Asked, Source
from trackside.cli.github_options import Access
from trackside.evidence.agent_history import load_agent_history
from trackside.evidence.selection import Selection
from trackside.records.agent_rules import AgentRules
from trackside.records.ci_rules import CiRules
from trackside.store.store import Store, open_store

HOUR = dt.timedelta(hours=1)
CLAUDE = Step(number=2, name="Run anthropics/claude-code-action@v1", conclusion="success", start_s=5, length_s=9)
SKIPPED = Step(number=2, name="Run openai/codex-action@v1", conclusion="skipped", start_s=None, length_s=None)


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC).replace(microsecond=0))) as fake:
        fake.world.add_repository(REPO)
        yield fake


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


@pytest.fixture
def opened(github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], AgentsSession]:
    """A session of a command in an empty directory whose settings ask for artifacts."""
    for name, value in environment(github).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    monkeypatch.chdir(tmp_path)
    return lambda: open_agents_session(Asked(source=Source(), access=Access(repo=REPO, store=str(tmp_path / "store"))))


def load(store: Store) -> AgentHistory:
    return load_agent_history(store, Selection(repo=REPO), CiRules(), AgentRules())


def test_agents_of_ten_days_are_those_that_worked_caused_or_wrote(github: FakeGitHub, store: Store) -> None:
    agents(github.world)
    sync_once(github, store, days=12)
    runs = load(store).runs
    told = Counter(runs.select("workflow", "event", "agent", "agent_role", "agent_source").iter_rows())
    assert told == {
        ("Copilot coding agent", "dynamic", "copilot", "ran", "run_path"): 31,
        ("Claude", "issue_comment", "claude", "ran", "step_name"): 10,
        ("Triage", "schedule", "codex", "ran", "step_name"): 10,
        ("PR Test", "pull_request", "copilot", "triggered_by", "actor"): 38,
        ("PR Test", "push", "copilot", "authored", "pull_author"): 10,
        ("Agent metrics", "schedule", None, None, None): 40,
    }
    issues = runs.filter(pl.col("event") == "pull_request").select("branch", "issue_numbers", "issue_source")
    for branch, numbers, source in issues.iter_rows():
        assert (numbers, source) == ([int(branch.removeprefix("copilot/fix-issue-"))], "pull_body")
    scheduled = runs.filter(pl.col("event") == "schedule")
    assert scheduled["pull_numbers"].list.len().sum() == 0
    assert scheduled["issue_numbers"].list.len().sum() == 0


def test_runs_of_every_kind_have_their_agents(github: FakeGitHub, store: Store) -> None:
    world, at = github.world, github.clock.now() - 2 * HOUR
    world.add_run([job("a / review (1)", steps=[CLAUDE]), *matrix("a / unit", 2)], title="called, matrix", at=at)
    world.add_run([job("gate", "skipped")], title="skipped job", conclusion="skipped", at=at)
    world.add_run([job("triage", steps=[SKIPPED])], title="skipped step", at=at)
    world.add_run([], title="no job", conclusion="startup_failure", branch="codex/x", at=at)
    cancelled = Step(number=2, name=CLAUDE.name, conclusion="cancelled", start_s=5, length_s=9)
    world.add_run([job("review", "cancelled", steps=[cancelled])], title="cancelled", conclusion="cancelled", at=at)
    goes_on = Step(number=2, name=CLAUDE.name, conclusion=None, start_s=5, length_s=None)
    world.add_run([job("review", None, steps=[goes_on])], title="goes on", conclusion=None, at=at)
    rerun = world.add_run([job("unit", "failure")], title="re-run", conclusion="failure", actor="Copilot", at=at)
    world.rerun(rerun, at=at + HOUR, actor="alice")
    sync_once(github, store)
    told = load(store).runs.select("title", "run_attempt", "agent", "agent_role").rows()
    assert sorted(told) == [
        ("called, matrix", 1, "claude", "ran"),
        ("cancelled", 1, "claude", "ran"),
        ("goes on", 1, "claude", "ran"),
        ("no job", 1, "codex", "authored"),
        ("re-run", 1, "copilot", "triggered_by"),
        ("re-run", 2, "copilot", "triggered_by"),
        ("skipped job", 1, None, None),
        ("skipped step", 1, None, None),
    ]


def test_the_engine_is_told_by_an_artifact_where_they_are_asked_for(
    github: FakeGitHub, opened: Callable[[], AgentsSession], tmp_path: Path
) -> None:
    (tmp_path / "trackside.toml").write_text("[agents]\nartifacts = true\n")
    world, at = github.world, github.clock.now() - HOUR
    told = world.add_run([job("agent")], at=at)
    world.add_artifact(told, "activation", zipped(("aw_info.json", b'{"engine_id": "codex"}'), ("prompt.txt", b"x")))
    world.add_artifact(told, "agent", zipped(("log.txt", b"x")))
    untold = world.add_run([job("agent")], at=at)
    world.add_artifact(untold, "activation", zipped(("aw_info.json", b"{")))
    world.add_run([job("unit")], at=at)
    found = opened().agents
    assert found.runs.sort("run_id")["agent"].to_list() == ["gh-aw:codex", None, None]
    assert found.attributions[told.id, 1].confidence == 1.0
    names = found.artifacts.select("run_id", "name", "state").rows()
    assert names == [(told.id, "activation", "ready"), (told.id, "agent", "listed"), (untold.id, "activation", "ready")]
    assert found.artifacts["size_bytes"].min() > 0  # type: ignore[operator]
    assert (github.journal.count("run artifacts"), github.journal.count("artifact zip")) == (3, 2)
    opened()
    assert (github.journal.count("run artifacts"), github.journal.count("artifact zip")) == (3, 2)


def test_artifacts_cost_nothing_where_they_are_not_asked_for(
    github: FakeGitHub, opened: Callable[[], AgentsSession]
) -> None:
    made = github.world.add_run([job("agent")], at=github.clock.now() - HOUR)
    github.world.add_artifact(made, "activation", zipped(("aw_info.json", b'{"engine_id": "codex"}')))
    assert opened().agents.artifacts.is_empty()
    assert (github.journal.count("run artifacts"), github.journal.count("artifact zip")) == (0, 0)
