"""The scheduled sync of agent operations, step by step, on a fake GitHub and a real remote."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fake_github import Clock, FakeGitHub
from tests.fake_github.scenario_agents import agents
from tests.fake_github.scenarios import small
from tests.git_remote import REPO, TOKEN, Remote, write_files
from tests.workflow_steps import load_workflow, run_step, step_of
from trackside.store.store import open_store

WORKFLOW = load_workflow("agentops-data-sync.yml")
STATE = Path("agentops-state")
MAIN = STATE / "data" / "agentops-runs.json"


class Runner:
    """Runs of the workflow, each in a folder of its own as on a fresh machine, one repository behind all of them."""

    def __init__(self, folder: Path, github: FakeGitHub) -> None:
        self.folder = folder
        self.github = github
        self.remote = Remote(folder / "remote")
        self.count = 0

    def step(self, folder: Path, job: str, name: str, context: Mapping[str, str]) -> tuple[int, str, dict[str, str]]:
        told = {"GITHUB_API_URL": self.github.api_url, "GITHUB_SERVER_URL": self.remote.server}
        path = f"{self.folder / 'bin'}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return run_step(step_of(WORKFLOW, job, name), folder, context, {**told, "PATH": path})

    def prepared(self, files: dict[str, str]) -> Path:
        """The folder of a run with these files checked out."""
        self.count += 1
        folder = self.folder / f"run-{self.count}"
        folder.mkdir()
        return write_files(folder, files)

    def sync(
        self, context: Mapping[str, str] | None = None, folder: Path | None = None
    ) -> tuple[Path, int, str, dict[str, str]]:
        """Restore, report, keep small: the folder, the exit code and words of the report, and outputs of all."""
        context, folder = context or {}, folder or self.prepared({})
        code, said, restored = self.step(folder, "sync", "Restore the store", context)
        assert code == 0, said
        code, said, reported = self.step(folder, "sync", "Report", context)
        outputs = {**reported, "state_commit": restored["commit"]}
        for name in ("Find runs to look into", "Keep the store small")[bool(code) :]:
            step_code, step_said, told = self.step(folder, "sync", name, context)
            assert step_code == 0, step_said
            outputs |= told
        return folder, code, said, outputs

    def keep(self, folder: Path, outputs: Mapping[str, str]) -> tuple[int, str]:
        """The job that keeps the store, on a machine of its own with what was uploaded."""
        other = self.folder / f"{folder.name}-keep"
        other.mkdir()
        shutil.copytree(folder / STATE, other / STATE)
        context = {"needs.sync.outputs.state_commit": outputs["state_commit"]}
        code, said, _ = self.step(other, "keep", "Keep the store", context)
        return code, said

    def publish(self, folder: Path, job: str, context: Mapping[str, str] | None = None) -> tuple[int, str]:
        """A job that publishes, on a machine of its own with what was uploaded."""
        other = self.folder / f"{folder.name}-{job}"
        other.mkdir()
        shutil.copytree(folder / STATE / "data", other / "data")
        code, said, _ = self.step(other, job, "Publish", context or {"github.ref_name": "main"})
        return code, said


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC), ticking=True)) as fake:
        yield fake


@pytest.fixture
def runner(tmp_path: Path, github: FakeGitHub) -> Runner:
    return Runner(tmp_path, github)


def stand_in_for_gh(folder: Path, answer: str) -> Path:
    """A ``gh`` for the steps that answers this, and the file in which it notes what it was asked."""
    said = folder / "gh-said"
    gh = write_files(folder / "bin", {"gh": f'#!/bin/sh\necho "$*" >> {said}\necho "{answer}"\n'}) / "gh"
    gh.chmod(0o755)
    return said


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """What a sync left behind, for the jobs after it."""
    files = {f"data/{name}": "{}" for name in ("agentops-runs.json", "agentops-sync.json")}
    write_files(tmp_path / "made" / STATE, {"store/runs/_delta_log/0.json": "{}", **files})
    return tmp_path / "made"


def document(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / MAIN).read_text(encoding="utf-8"))
    return found


def test_the_store_lasts_and_unchanged_runs_change_no_data(runner: Runner) -> None:
    agents(runner.github.world, name=REPO)
    folder, code, said, outputs = runner.sync()
    assert code == 0, said
    assert (outputs["has_changes"], outputs["has_data"], outputs["has_state"]) == ("true", "true", "true")
    assert int(outputs["total_runs"]) == document(folder)["summary"]["total_runs"] > 100
    assert int(outputs["calls"]) == runner.github.journal.count()
    assert outputs["runs"] == ""  # there are no rules
    assert "Agent operations" in (folder / "github_step_summary.txt").read_text(encoding="utf-8")
    only_new_logs(folder, runner.github.journal.by_endpoint()["job log"])
    no_token(folder, said)
    assert runner.keep(folder, outputs)[0] == 0
    assert not any(name.startswith(".git") for name in runner.remote.names("trackside-store"))
    runner.github.journal.clear()
    again, code, said, outputs = runner.sync()
    assert code == 0, said
    assert outputs["state_commit"] == runner.remote.head("trackside-store")
    assert (outputs["has_changes"], outputs["status"]) == ("false", "ok")
    assert (again / MAIN).read_bytes() == (folder / MAIN).read_bytes()
    assert runner.github.journal.count() < 10
    assert runner.keep(again, outputs)[0] == 0
    assert runner.remote.commits("trackside-store") == 1


def only_new_logs(folder: Path, downloads: int) -> None:
    failures = open_store(folder / STATE / "store", create=False).newest("occurrences").collect()
    assert 0 < downloads < failures.height
    assert set(failures["choice"]) == {"read", "known"}


def no_token(folder: Path, said: str) -> None:
    assert TOKEN not in said
    files = [path for path in (folder / STATE).rglob("*") if path.is_file()]
    assert len(files) > 10
    assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []


def test_a_small_budget_is_green_with_a_warning_and_the_next_runs_go_on(runner: Runner) -> None:
    agents(runner.github.world, name=REPO)
    limits = runner.github.rates.limits
    limits["core"] = dict.fromkeys(limits["core"], 90)
    limits["graphql"] = dict.fromkeys(limits["graphql"], 0)
    folder, rounds, said = runner.prepared({}), 0, "not complete yet"
    while "not complete yet" in said:
        assert rounds < 12, said
        code, said, _ = runner.step(folder, "sync", "Report", {})
        assert code == 0, said
        runner.github.clock.advance(3601)
        rounds += 1
    assert rounds > 1
    assert document(folder)["completeness"]["share"] == 1


def test_a_sync_that_fails_is_red_and_what_was_there_is_kept(runner: Runner) -> None:
    repo = small(runner.github.world, name=REPO)
    folder, code, said, outputs = runner.sync()
    assert (code, runner.keep(folder, outputs)[0]) == (0, 0), said
    repo.full_name = "octo/moved-away"
    again, code, said, outputs = runner.sync()
    assert code == 1
    assert (
        "::error title=The data of agent operations was not brought up to date::Repository octo/engine is not" in said
    )
    assert (outputs["has_state"], outputs["has_changes"]) == ("true", "false")
    assert (again / MAIN).read_bytes() == (folder / MAIN).read_bytes()
    assert "was not brought up to date" in (again / "github_step_summary.txt").read_text(encoding="utf-8")
    state = json.loads((again / STATE / "data" / "agentops-sync.json").read_text(encoding="utf-8"))
    assert state["status"] == "failed"
    assert runner.keep(again, outputs)[0] == 0


def test_a_first_run_that_fails_leaves_nothing_to_publish(runner: Runner) -> None:
    runner.github.world.add_repository("somebody/else")
    folder, code, said, outputs = runner.sync()
    assert (code, outputs.get("has_data")) == (1, None), said
    assert not (folder / MAIN).exists()


@pytest.mark.parametrize(
    ("runs", "jobs", "exits"),
    [("", "", 0), ("50.0", "true", 0), ("10000", "false", 0), ("abc", "", 2), ("-1", "", 2), ("1; touch hacked", "", 2),
     ("--help", "", 2), ("", "$(touch hacked)", 0)],
)  # fmt: skip
def test_inputs_are_numbers_and_truths_or_refused(runner: Runner, runs: str, jobs: str, exits: int) -> None:
    small(runner.github.world, name=REPO)
    context = {"inputs.max_runs_per_workflow": runs, "inputs.enable_jobs_fetch": jobs}
    folder = runner.prepared({})
    code, said, _ = runner.step(folder, "sync", "Report", context)
    assert code == exits, said
    asked = [name for name in runner.github.journal.by_endpoint() if name in ("jobs", "graphql")]
    assert bool(asked) == (exits == 0 and jobs != "false")
    assert not (folder / "hacked").exists()
    error = "::error title=The data of agent operations was not brought up to date::Error: "
    assert (error in said) == bool(exits)
    assert "::error" not in said.replace(error, "", 1)


def test_of_two_runs_at_once_the_second_says_that_the_store_is_the_other_ones(runner: Runner, made: Path) -> None:
    write_files(shutil.copytree(made, made.with_name("other")) / STATE, {"store/more": "of the other"})
    assert runner.keep(made, {"state_commit": ""})[0] == 0
    kept = runner.remote.head("trackside-store")
    code, said = runner.keep(made.with_name("other"), {"state_commit": ""})
    assert (code, "::error title=Another run kept its own::" in said) == (1, True)
    assert runner.remote.head("trackside-store") == kept


def test_a_branch_of_data_is_replaced_and_a_commit_is_made_where_runs_changed(runner: Runner, made: Path) -> None:
    names = {"agentops-runs.json", "agentops-sync.json"}
    for name in ("one", "two"):
        shutil.copytree(made, made.with_name(name))
        code, said = runner.publish(made.with_name(name), "publish-branch")
        assert (code, said) == (0, f"commit={runner.remote.head('agentops-data')}\n")
    assert set(runner.remote.names("agentops-data")) == names
    assert runner.remote.commits("agentops-data") == 1
    assert runner.publish(made.with_name("one"), "publish-commit") == (0, "")
    assert runner.publish(made.with_name("two"), "publish-commit") == (0, "The data is there already.\n")
    assert runner.remote.commits("main") == 2
    assert set(runner.remote.names("main")) == {"README.md", *(f"docs/data/{name}" for name in names)}


def test_a_directory_and_branches_are_named_by_variables(runner: Runner, made: Path) -> None:
    context = {"github.event.repository.default_branch": "main", "vars.TRACKSIDE_DATA_DIRECTORY": "site/json"}
    assert runner.publish(made, "publish-commit", context)[0] == 0
    assert "site/json/agentops-runs.json" in runner.remote.names("main")
    assert runner.publish(made, "publish-branch", {"vars.TRACKSIDE_DATA_BRANCH": "figures"})[0] == 0
    assert runner.remote.commits("figures") == 1


def test_a_pull_request_is_opened_where_runs_changed(runner: Runner, made: Path, tmp_path: Path) -> None:
    said_file = stand_in_for_gh(tmp_path, "0")
    code, said = runner.publish(made, "publish-pull-request")
    assert code == 0, said
    assert runner.remote.commits("agentops-data-update") == 2
    assert "pr create --repo octo/engine --head agentops-data-update --base main" in said_file.read_text("utf-8")


def test_runs_that_rules_name_are_looked_into_once(runner: Runner, tmp_path: Path) -> None:
    agents(runner.github.world, name=REPO)
    rules = '[agents]\nauto_analyze_per_day = 2\n[[agents.auto_analyze]]\nworkflow = "*"\n'
    folder = runner.prepared({"trackside.toml": rules})
    assert runner.step(folder, "sync", "Report", {"inputs.enable_jobs_fetch": "false"})[0] == 0
    due = [runner.step(folder, "sync", "Find runs to look into", {})[2]["runs"].split() for _ in range(2)]
    assert [len(one) for one in due] == [2, 0]
    said_file = stand_in_for_gh(tmp_path, "")
    hostile = {"needs.sync.outputs.due_runs": f"{' '.join(due[0])} x;id --ref=y"}
    code, said, _ = runner.step(folder, "analyze-due", "Start the log analyzer", hostile)
    assert code == 0, said
    assert [line.split("run_id=")[1] for line in said_file.read_text("utf-8").splitlines()] == due[0]
    assert WORKFLOW["jobs"]["analyze-due"]["if"] == "${{ needs.sync.outputs.due_runs != '' }}"
