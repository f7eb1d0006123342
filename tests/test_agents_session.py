"""One command on agent operations: its window, its sync, and what it goes on with where that fails."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fake_github import FakeGitHub, job
from tests.syncing import REPO, TOKEN, environment
from trackside.cli.agents_session import AgentsSession, open_agents_session
from trackside.cli.ci_session import Asked, Source
from trackside.cli.github_options import Access, Window
from trackside.errors import NoDataError

Open = Callable[..., AgentsSession]


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as fake:
        fake.world.add_repository(REPO)
        yield fake


@pytest.fixture
def opened(github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    for name, value in environment(github).items():
        monkeypatch.setenv(name, value)
    for name in ("GITHUB_REPOSITORY", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def open_it(*, offline: bool = False, since: str | None = None, workflow: tuple[str, ...] = ()) -> AgentsSession:
        return open_agents_session(
            Asked(
                source=Source(offline=offline),
                window=Window(since=since, workflow=workflow),
                access=Access(repo=REPO, store=str(tmp_path / "store")),
            )
        )

    return open_it


def an_old_run(github: FakeGitHub, days: int) -> None:
    at = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    github.world.add_run([job("unit")], at=at)


def test_the_window_is_thirty_days_unless_another_is_said(opened: Open, github: FakeGitHub) -> None:
    an_old_run(github, 20)
    an_old_run(github, 40)
    assert opened().agents.runs.height == 1
    assert opened(offline=True, since="50d").agents.runs.height == 1
    assert opened(since="50d").agents.runs.height == 2


def test_a_number_of_runs_for_each_workflow_is_all_that_the_store_holds(
    opened: Open, github: FakeGitHub, tmp_path: Path
) -> None:
    (tmp_path / "trackside.toml").write_text("[sync]\nmax_runs_per_workflow = 2\n")
    an_old_run(github, 50)
    an_old_run(github, 40)
    assert opened().agents.runs.height == 2
    an_old_run(github, 1)
    later = opened()
    assert (later.agents.runs.height, later.since) == (3, None)
    assert opened(offline=True, since="2d").agents.runs.height == 1


def test_the_sync_itself_is_no_news_unless_it_is_named(opened: Open, github: FakeGitHub) -> None:
    an_old_run(github, 2)
    now = dt.datetime.now(dt.UTC)
    github.world.add_run([job("sync")], workflow="Data check", at=now - dt.timedelta(hours=1))
    github.world.add_workflow("AgentOps data", ".github/workflows/agentops-data-sync.yml")
    github.world.add_run([job("sync")], workflow="AgentOps data", at=now - dt.timedelta(hours=2))
    assert opened().agents.runs["workflow"].to_list() == ["CI", "Data check"]
    named = opened(offline=True, workflow=("agentops-data-sync.yml",))
    assert named.agents.runs["workflow"].to_list() == ["AgentOps data"]


def test_a_sync_that_fails_is_told_at_the_end_beside_what_the_store_holds(
    opened: Open, github: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    an_old_run(github, 1)
    assert opened().end() == 0
    github.tokens.revoke(TOKEN)
    session = opened()
    assert session.agents.runs.height == 1
    assert session.failure is not None
    assert session.synced is None
    capsys.readouterr()
    assert session.end() == 1
    assert "token is not valid" in capsys.readouterr().err
    assert session.end(found=True) == 3


def test_a_choice_that_matches_nothing_is_an_error_and_not_an_empty_report(opened: Open, github: FakeGitHub) -> None:
    an_old_run(github, 1)
    with pytest.raises(NoDataError, match=r"--workflow nightly\.yml"):
        opened(workflow=("nightly.yml",))


def test_offline_needs_a_store(opened: Open) -> None:
    with pytest.raises(NoDataError):
        opened(offline=True)
