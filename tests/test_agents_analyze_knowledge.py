"""``trackside agents analyze`` beside the store: known failures, kept logs, and what it imports."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.command_line import command_line
from tests.fake_github import FakeGitHub, LogState, Run, job
from tests.fake_github.run_zip import run_archive
from tests.fake_github.scenario_logs import failing
from tests.syncing import REPO

Command = Callable[..., str]


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as fake:
        yield fake


@pytest.fixture
def command(
    github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs a command that ends well in a directory of its own; what it said on stdout."""
    line = command_line(tmp_path, monkeypatch, capsys, github)

    def typed(*arguments: str) -> str:
        code, out, _ = line(*arguments, "--repo", REPO)
        assert code == 0
        return out

    return typed


def failed_run(github: FakeGitHub, name: str = "unit", actor: str = "alice") -> Run:
    at = github.clock.now()
    log = failing("oom", "x", at)
    return github.world.add_run([job(name, "failure", log=log)], conclusion="failure", at=at, actor=actor)


def test_a_failure_that_was_seen_before_is_told_with_its_history(
    github: FakeGitHub, command: Command, tmp_path: Path
) -> None:
    runs = [failed_run(github) for _ in range(2)]
    command("agents", "report", "--since", "2020-01-01", "--logs", "failed", "-o", "runs.json")
    told = json.loads(command("agents", "analyze", str(runs[1].id), "--format", "json"))
    known = told["jobs"][0]["known"]
    assert (known["entry_id"], known["count"], known["runs"]) == (told["jobs"][0]["fingerprint"], 2, 2)
    text = command("agents", "analyze", str(runs[1].id))
    assert "open: 2 failures in 2 runs" in text
    archive = tmp_path / "logs.zip"
    archive.write_bytes(run_archive(runs[1], runs[1].latest.jobs))
    assert command("agents", "analyze", str(archive), "--run", str(runs[1].id)) == text


def test_a_log_that_github_has_deleted_is_taken_from_the_store(github: FakeGitHub, command: Command) -> None:
    run = failed_run(github)
    command("sync", "--since", "2020-01-01", "--logs", "failed")
    before = command("agents", "analyze", str(run.id))
    run.latest.jobs[0].log_state = LogState.EXPIRED
    assert command("agents", "analyze", str(run.id)) == before


def test_the_agent_of_the_run_is_told(github: FakeGitHub, command: Command) -> None:
    run = failed_run(github, actor="claude[bot]")
    told = json.loads(command("agents", "analyze", str(run.id), "--format", "json"))
    assert told["attribution"]["agent"] == "claude"
    assert told["attribution"]["source"] == "actor"


@pytest.mark.parametrize("failed_only", [True, False])
def test_an_attempt_that_was_run_again_is_the_same_from_a_zip(
    github: FakeGitHub, command: Command, tmp_path: Path, *, failed_only: bool
) -> None:
    at = github.clock.now()
    plans = [job("unit", "failure", log=failing("oom", "x", at)), job("lint"), job("docs"), job("deploy", "skipped")]
    run = github.world.add_run(plans, conclusion="failure", at=at)
    github.world.rerun(run, failed_only=failed_only, conclusion="failure")
    for attempt in run.attempts:
        page = f"{github.api_url.removesuffix('/api/v3')}/{REPO}/actions/runs/{run.id}/attempts/{attempt.number}"
        text = command("agents", "analyze", page)
        archive = tmp_path / f"{attempt.number}.zip"
        archive.write_bytes(run_archive(run, attempt.jobs))
        assert command("agents", "analyze", str(archive), "--run", page) == text


def test_nothing_is_kept_in_a_store_by_looking(github: FakeGitHub, command: Command, tmp_path: Path) -> None:
    run = failed_run(github)
    command("agents", "analyze", str(run.id))
    assert list(tmp_path.iterdir()) == []


def test_help_and_the_module_import_nothing_heavy() -> None:
    code = "import sys, trackside.cli.agents_analyze; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    roots = {name.split(".")[0] for name in done.stdout.split()}
    assert roots & {"polars", "deltalake", "httpx2", "bokeh", "numpy", "zstandard", "jinja2"} == set()
