"""The workflows of agent operations: what they may do, what they use, and that no input is trusted."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.git_remote import ROOT
from tests.workflow_steps import PINNED, load_workflow, run_step, step_of, steps_in, value_of

SYNC = "agentops-data-sync.yml"
ANALYZER = "agentops-log-analyzer.yml"
BOTH = (SYNC, ANALYZER)
HOSTILE = (
    "1; touch hacked", "$(touch hacked)", "`touch hacked`", "1\ntouch hacked", "1\n2", "1\n", "--help", "-1", "1e3",
    "１２", "", " 1", "1 ", "../1", "9" * 30, "%0A::set-output", "::error::x", "1 || true", "*", "'", '"', "{}",
)  # fmt: skip


def writers(workflow: dict[Any, Any]) -> dict[str, set[str]]:
    """What each job may write."""
    return {
        name: {right for right, how in job.get("permissions", {}).items() if how == "write"}
        for name, job in workflow["jobs"].items()
    }


@pytest.mark.parametrize("name", BOTH)
def test_every_action_is_pinned_and_no_token_is_left_behind(name: str) -> None:
    steps = steps_in(load_workflow(name))
    uses = [one["uses"] for one in steps if "uses" in one]
    assert uses
    assert [use for use in uses if not PINNED.fullmatch(use)] == []
    checkouts = [one for one in steps if one.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert [one for one in checkouts if one["with"]["persist-credentials"] is not False] == []


@pytest.mark.parametrize("name", BOTH)
def test_no_expression_stands_in_the_shell(name: str) -> None:
    assert [one["name"] for one in steps_in(load_workflow(name)) if "${{" in one.get("run", "")] == []


@pytest.mark.parametrize("name", BOTH)
def test_nothing_may_be_done_but_what_a_job_says(name: str) -> None:
    workflow = load_workflow(name)
    assert workflow["permissions"] == {}
    assert all(job["permissions"] and job["timeout-minutes"] for job in workflow["jobs"].values())


@pytest.mark.parametrize("name", BOTH)
def test_trackside_is_installed_from_a_pinned_commit_of_its_own(name: str) -> None:
    pinned = re.search(r"[0-9a-f]{40}", load_workflow(name)["env"]["TRACKSIDE_REF"])
    assert pinned
    listed = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", pinned[0]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode and (not (ROOT / ".git").exists() or (ROOT / ".git" / "shallow").exists()):
        pytest.skip("the history that holds the pinned commit is not here")
    there = set(listed.stdout.splitlines())
    commands = {f"src/trackside/cli/{command}.py" for command in ("agents_report", "agents_analyze", "alerts")}
    assert {"scripts/agentops/kept_branch.sh", "scripts/agentops/publish.sh", *commands} <= there


@pytest.mark.parametrize("name", BOTH)
def test_a_commit_is_installed_with_hashes(name: str) -> None:
    installs = [one["run"] for one in steps_in(load_workflow(name)) if "pip install" in one.get("run", "")]
    assert installs
    assert all("--require-hashes" in text and "--no-deps --no-build-isolation" in text for text in installs)


def test_the_sync_runs_every_two_hours_and_by_hand_with_the_established_inputs() -> None:
    when = load_workflow(SYNC)[True]  # YAML reads `on` as a truth
    [minute, hour, *rest] = when["schedule"][0]["cron"].split()
    assert (hour, rest) == ("*/2", ["*", "*", "*"])
    assert int(minute) % 15  # the full hour is when everybody's runs are late
    inputs = when["workflow_dispatch"]["inputs"]
    assert {name: (one["type"], one["default"]) for name, one in inputs.items()} == {
        "max_runs_per_workflow": ("number", 50),
        "enable_jobs_fetch": ("boolean", True),
    }


def test_two_syncs_do_not_run_at_once_and_none_is_cancelled() -> None:
    assert load_workflow(SYNC)["concurrency"] == {"group": "agentops-data-sync", "cancel-in-progress": False}


def test_each_job_of_the_sync_writes_one_thing_and_the_sync_nothing() -> None:
    rights = writers(load_workflow(SYNC))
    assert rights.pop("sync") == set()
    assert rights.pop("publish-pages") == {"pages", "id-token"}
    assert rights.pop("publish-pull-request") == {"contents", "pull-requests"}
    assert {name: sorted(right) for name, right in rights.items()} == {
        "keep": ["contents"],
        "publish-branch": ["contents"],
        "publish-commit": ["contents"],
        "alert-issues": ["issues"],
        "analyze-due": ["actions"],
    }


def test_the_analyzer_writes_in_the_job_that_posts_alone() -> None:
    rights = writers(load_workflow(ANALYZER))
    assert rights == {"analyze": set(), "comment": {"issues", "pull-requests"}}


@pytest.mark.parametrize(("mode", "jobs"), [
    ("", {"publish-branch"}), ("branch", {"publish-branch"}), ("pages", {"publish-pages"}),
    ("commit", {"publish-commit"}), ("pull-request", {"publish-pull-request"}), ("none", set()),
])  # fmt: skip
@pytest.mark.parametrize("changed", ["true", "false"])
def test_one_mode_publishes_and_a_commit_or_pull_request_only_what_changed(
    mode: str, jobs: set[str], changed: str
) -> None:
    published = set()
    for name, job in load_workflow(SYNC)["jobs"].items():
        if name.startswith("publish-"):
            condition = " ".join(job["if"].split())
            modes = set(re.findall(r"vars\.TRACKSIDE_PUBLISH == '([a-z-]*)'", condition))
            needs_change = "needs.sync.outputs.has_changes == 'true'" in condition
            assert "needs.sync.outputs.has_data == 'true'" in condition
            if mode in modes and (changed == "true" or not needs_change):
                published.add(name)
    assert published == (jobs if changed == "true" else jobs - {"publish-commit", "publish-pull-request"})


@pytest.mark.parametrize(("mode", "exits"), [
    ("", 0), ("Pages", 0), ("pull-request", 0), ("none", 0), ("pr", 2), ("branch; touch hacked", 2),
])  # fmt: skip
def test_a_mode_that_is_none_is_told_before_anything_is_read(tmp_path: Path, mode: str, exits: int) -> None:
    first = load_workflow(SYNC)["jobs"]["sync"]["steps"][0]
    code, said, _ = run_step(first, tmp_path, {"vars.TRACKSIDE_PUBLISH": mode}, {})
    assert (code, "::error title=TRACKSIDE_PUBLISH" in said) == (exits, bool(exits))
    assert not (tmp_path / "hacked").exists()


def test_what_was_read_is_kept_whatever_became_of_the_report() -> None:
    workflow = load_workflow(SYNC)
    assert workflow["jobs"]["keep"]["if"] == "${{ !cancelled() && needs.sync.outputs.has_state == 'true' }}"
    assert step_of(workflow, "sync", "Keep the store small")["if"] == (
        "${{ !cancelled() && steps.report.outcome != 'skipped' }}"
    )
    upload = step_of(workflow, "sync", "Upload the store and the data")
    assert upload["with"]["path"] == step_of(workflow, "keep", "Download the store and the data")["with"]["path"]


@pytest.mark.parametrize(("inputs", "runs"), [
    ({}, "50"), ({"inputs.max_runs_per_workflow": "7"}, "7"), ({"inputs.max_runs_per_workflow": "0"}, "50"),
    ({"vars.TRACKSIDE_MAX_RUNS": "80"}, "80"), ({"inputs.max_runs_per_workflow": "50.0"}, "50.0"),
])  # fmt: skip
def test_without_inputs_as_on_schedule_the_defaults_hold(inputs: dict[str, str], runs: str) -> None:
    told = step_of(load_workflow(SYNC), "sync", "Report")["env"]
    assert value_of(told["MAX_RUNS"], inputs) == runs
    assert value_of(told["JOBS"], inputs) == ""


def test_the_analyzer_checks_its_inputs_before_anything_uses_them() -> None:
    workflow = load_workflow(ANALYZER)
    first, *others = workflow["jobs"]["analyze"]["steps"]
    assert first["name"] == "Check the inputs"
    text = str(others) + str({name: job for name, job in workflow["jobs"].items() if name != "analyze"})
    assert "inputs." not in text.replace("needs.analyze.outputs", "")
    assert "concurrency" not in workflow
    assert "run-name" not in workflow


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("name", ["run_id", "issue_number"])
def test_an_input_that_is_no_number_ends_the_analysis(tmp_path: Path, name: str, text: str) -> None:
    step = step_of(load_workflow(ANALYZER), "analyze", "Check the inputs")
    context = {"inputs.run_id": "12", "inputs.issue_number": "", f"inputs.{name}": text}
    code, said, outputs = run_step(step, tmp_path, context, {"GITHUB_RUN_ID": "99"})
    if name == "issue_number" and text == "":
        assert (code, outputs) == (0, {"run_id": "12", "issue": "auto"})
    else:
        assert (code, outputs) == (2, {}), said
        assert said.startswith("::error title=")
        assert not text or text not in said
    assert not (tmp_path / "hacked").exists()


def test_numbers_are_taken_and_the_analyzer_never_looks_at_itself(tmp_path: Path) -> None:
    step = step_of(load_workflow(ANALYZER), "analyze", "Check the inputs")
    context = {"inputs.run_id": "19250972881", "inputs.issue_number": "7"}
    assert run_step(step, tmp_path, context, {"GITHUB_RUN_ID": "99"})[2] == {"run_id": "19250972881", "issue": "7"}
    code, said, outputs = run_step(step, tmp_path, context, {"GITHUB_RUN_ID": "19250972881"})
    assert (code, outputs) == (2, {})
    assert "This is this run" in said
