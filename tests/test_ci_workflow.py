"""The scheduled workflow: its report step does what it says, on a small budget of calls too, until all is there."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.fake_github import Clock, FakeGitHub, job, matrix
from tests.fake_github.scenario_logs import failing
from tests.syncing import REPO, assert_whole
from trackside.store.store import open_store

ROOT = Path(__file__).parent.parent
FILE = ROOT / ".github" / "workflows" / "ci-monitor.yml"
PINNED = re.compile(r"[\w./-]+@[0-9a-f]{40}")


@pytest.fixture(scope="module")
def workflow() -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


def steps_of(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = workflow["jobs"]["failures"]["steps"]
    return found


def step(workflow: dict[Any, Any], name: str) -> dict[str, Any]:
    [found] = [one for one in steps_of(workflow) if one["name"] == name]
    return found


def begin(
    workflow: dict[Any, Any], github: FakeGitHub, folder: Path, limit: str = "1000", name: str = "Report failures"
) -> tuple[int, str]:
    """A report step as a runner runs it: its exit code and what it prints."""
    told = {
        "GITHUB_TOKEN": "ghs_" + "A1b" * 12,
        "GITHUB_API_URL": github.api_url,
        "GITHUB_REPOSITORY": REPO,
        "GITHUB_STEP_SUMMARY": str(folder / "step_summary.md"),
        "LIMIT": limit,
        "PRESET": "",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step(workflow, name)["run"]]
    done = subprocess.run(command, cwd=folder, env=told, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def fill(github: FakeGitHub) -> None:
    """1,000 runs, of which every tenth has a failed job with a log."""
    now = github.clock.now().replace(microsecond=0)
    for index in range(1000):
        at = now - dt.timedelta(minutes=5 * (1000 - index))
        bad = index % 10 == 0
        jobs = matrix("unit", 3)
        if bad:
            jobs.append(job("suite (0)", "failure", log=failing("pytest", f"{index}", at)))
        github.world.add_run(jobs, conclusion="failure" if bad else "success", at=at, sha=f"{index % 7:040x}")


def test_the_report_is_green_under_a_small_budget_and_gets_complete(workflow: dict[Any, Any], tmp_path: Path) -> None:
    with FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC), ticking=True)) as github:
        fill(github)
        code, said = begin(workflow, github, tmp_path)
        assert (code, "::warning title=" in said) == (0, True), said
        first = json.loads((tmp_path / "ci_analysis.json").read_text(encoding="utf-8"))
        assert first["total_runs"] == 1000
        assert (tmp_path / "step_summary.md").read_text(encoding="utf-8").strip()
        rounds = 1
        while "::warning" in said:
            assert rounds < 4, said
            github.clock.advance(3601)
            code, said = begin(workflow, github, tmp_path)
            assert code == 0, said
            rounds += 1
        last = json.loads((tmp_path / "ci_analysis.json").read_text(encoding="utf-8"))
        assert last["job_failures"] == {"suite (0)": 100}
        assert rounds > 1
        assert_whole(open_store(tmp_path / ".trackside", create=False), github)


def test_a_report_that_fails_fails_the_step(workflow: dict[Any, Any], tmp_path: Path) -> None:
    with FakeGitHub() as github:
        github.world.add_repository("somebody/else")
        code, said = begin(workflow, github, tmp_path)
    assert code == 1
    assert "::error title=The CI report was not made::Error: " in said
    assert REPO in said
    assert "was not made" in (tmp_path / "step_summary.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("limit", ["100; rm -rf /", "--help", "1e3", "-1"])
def test_a_limit_that_is_none_is_refused(workflow: dict[Any, Any], tmp_path: Path, limit: str) -> None:
    with FakeGitHub() as github:
        github.world.add_repository(REPO)
        code, said = begin(workflow, github, tmp_path, limit)
    assert code == 2
    assert "::error" in said


def test_without_a_limit_the_whole_window_is_read(workflow: dict[Any, Any], tmp_path: Path) -> None:
    with FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC), ticking=True)) as github:
        github.world.add_run(at=github.clock.now() - dt.timedelta(days=1))
        code, said = begin(workflow, github, tmp_path, "")
    assert (code, "::" in said) == (0, False), said


def test_the_store_stays_small_and_readable(workflow: dict[Any, Any], tmp_path: Path) -> None:
    with FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC), ticking=True)) as github:
        github.world.add_run([job("unit", "failure")], conclusion="failure", at=github.clock.now())
        assert begin(workflow, github, tmp_path)[0] == 0
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        upkeep = step(workflow, "Keep the store small")["run"]
        told = {"PATH": path, "HOME": str(tmp_path)}
        subprocess.run(["bash", "-eo", "pipefail", "-c", upkeep], cwd=tmp_path, env=told, check=True)
        assert begin(workflow, github, tmp_path)[0] == 0


def test_every_action_is_pinned_and_no_token_is_left_behind(workflow: dict[Any, Any]) -> None:
    uses = [one["uses"] for one in steps_of(workflow) if "uses" in one]
    assert uses
    assert all(PINNED.fullmatch(use) for use in uses)
    checkouts = [one for one in steps_of(workflow) if one.get("uses", "").startswith("actions/checkout@")]
    assert [one["with"]["persist-credentials"] for one in checkouts] == [False, False]


def test_the_token_may_only_read(workflow: dict[Any, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    assert set(workflow["jobs"]["failures"]["permissions"].values()) == {"read"}


def test_it_runs_every_six_hours_and_by_hand_with_a_limit(workflow: dict[Any, Any]) -> None:
    when = workflow[True]  # YAML reads `on` as a truth
    assert [one["cron"].split()[1] for one in when["schedule"]] == ["*/6"]
    assert when["workflow_dispatch"]["inputs"]["limit"]["default"] == 1000


def test_store_and_analysis_are_saved_whatever_the_report_came_to(workflow: dict[Any, Any]) -> None:
    always = ("Report performance", "Keep the store small", "Save the store", "Upload the analysis",
              "Upload the performance tables")  # fmt: skip
    for name in always:
        assert step(workflow, name)["if"] == "${{ !cancelled() && steps.report.outcome != 'skipped' }}"
    assert step(workflow, "Save the store")["with"]["path"] == step(workflow, "Restore the store")["with"]["path"]


def test_trackside_is_installed_from_a_pinned_commit_of_its_own(workflow: dict[Any, Any]) -> None:
    pinned = re.search(r"[0-9a-f]{40}", workflow["env"]["TRACKSIDE_REF"])
    assert pinned
    known = subprocess.run(["git", "cat-file", "-t", pinned[0]], cwd=ROOT, capture_output=True, text=True, check=False)
    if known.returncode and (not (ROOT / ".git").exists() or (ROOT / ".git" / "shallow").exists()):
        pytest.skip("the history that holds the pinned commit is not here")
    assert known.stdout.strip() == "commit"
    names = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", pinned[0], "src/trackside/cli"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert {"src/trackside/cli/ci_failures.py", "src/trackside/cli/perf_report.py"} <= set(names.stdout.splitlines())
