"""The workflow that publishes the site: what it may do, what it uses, and its shell on a fake GitHub and a remote."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.fake_github import FakeGitHub
from tests.fake_github.scenarios import small
from tests.git_remote import ROOT, TOKEN, Remote
from tests.workflow_steps import PINNED, load_workflow, run_step, step_of, steps_in

NAME = "trackside-site.yml"
WORKFLOW = load_workflow(NAME)
STATE = Path("site-state")
WINDOW = {"vars.TRACKSIDE_SITE_SINCE": "2026-05-20"}
"""The fake's runs are of June 2026, whatever the day is."""


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as made:
        small(made.world)
        yield made


class Runner:
    """Runs of the workflow, each in a folder of its own as on a fresh machine."""

    def __init__(self, folder: Path, github: FakeGitHub) -> None:
        self.folder, self.github, self.remote = folder, github, Remote(folder / "remote")

    def step(
        self, folder: Path, job: str, name: str, context: Mapping[str, str] = WINDOW
    ) -> tuple[int, str, dict[str, str]]:
        told = {"GITHUB_API_URL": self.github.api_url, "GITHUB_SERVER_URL": self.remote.server}
        folder.mkdir(exist_ok=True)
        return run_step(step_of(WORKFLOW, job, name), folder, context, told)

    def run(self, name: str) -> tuple[Path, str]:
        """Restore, sync, build, keep small, keep the store: the folder, and what was said."""
        folder, said = self.folder / name, ""
        outputs: dict[str, str] = {}
        for step in ("Restore the store", "Sync", "Build", "Keep the store small"):
            code, words, told = self.step(folder, "build", step)
            assert code == 0, words
            said, outputs = said + words, {**outputs, **told}
        assert outputs["has_state"] == "true"
        other = self.folder / f"{name}-keep"
        other.mkdir()
        shutil.copytree(folder / STATE, other / STATE)
        seen = {"needs.build.outputs.state_commit": outputs["commit"]}
        code, words, _ = self.step(other, "keep", "Keep the store", seen)
        assert code == 0, words
        return folder, said


def test_every_action_is_pinned_and_no_token_is_left_behind() -> None:
    uses = [one["uses"] for one in steps_in(WORKFLOW) if "uses" in one]
    assert len(uses) >= 9
    assert [use for use in uses if not PINNED.fullmatch(use)] == []
    checkouts = [one for one in steps_in(WORKFLOW) if one.get("uses", "").startswith("actions/checkout@")]
    assert [one for one in checkouts if one["with"]["persist-credentials"] is not False] == []


def test_the_actions_are_those_of_the_other_workflows() -> None:
    known = [one for name in ("agentops-data-sync.yml", "ci-monitor.yml") for one in steps_in(load_workflow(name))]
    others = {one["uses"] for one in known if "uses" in one}
    assert {one["uses"] for one in steps_in(WORKFLOW) if "uses" in one} <= others


def test_no_expression_stands_in_the_shell() -> None:
    assert [one["name"] for one in steps_in(WORKFLOW) if "${{" in one.get("run", "")] == []


def test_nothing_may_be_done_but_what_a_job_says_and_each_writes_one_thing() -> None:
    assert WORKFLOW["permissions"] == {}
    rights = {name: job["permissions"] for name, job in WORKFLOW["jobs"].items()}
    assert rights == {
        "build": {"actions": "read", "contents": "read", "pull-requests": "read"},
        "keep": {"contents": "write"},
        "publish": {"id-token": "write", "pages": "write"},
    }
    assert all(job["timeout-minutes"] for job in WORKFLOW["jobs"].values())


def test_it_runs_on_schedule_and_by_hand_one_at_a_time() -> None:
    when = WORKFLOW[True]  # YAML reads `on` as a truth
    [minute, *_] = when["schedule"][0]["cron"].split()
    assert int(minute) % 15  # the full hour is when everybody's runs are late
    assert "workflow_dispatch" in when
    assert WORKFLOW["concurrency"] == {"group": "trackside-site", "cancel-in-progress": False}


def test_trackside_is_installed_with_hashes_from_a_pinned_commit_that_builds_sites() -> None:
    pinned = re.search(r"[0-9a-f]{40}", WORKFLOW["env"]["TRACKSIDE_REF"])
    assert pinned
    listed = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", pinned[0]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode and (not (ROOT / ".git").exists() or (ROOT / ".git" / "shallow").exists()):
        pytest.skip("the history that holds the pinned commit is not here")
    there = set(listed.stdout.splitlines())
    pages = {f"src/trackside/site/{part}_pages.py" for part in ("home", "ci", "perf", "bench", "agent", "health")}
    assert {"scripts/agentops/kept_branch.sh", "src/trackside/cli/site.py", *pages} <= there
    [install] = [one["run"] for one in steps_in(WORKFLOW) if "pip install" in one.get("run", "")]
    assert "--require-hashes" in install
    assert "--no-deps --no-build-isolation" in install


def test_only_a_site_that_was_built_is_published_and_what_was_read_is_kept_in_any_case() -> None:
    jobs = WORKFLOW["jobs"]
    assert (jobs["publish"]["needs"], "if" in jobs["publish"]) == ("build", False)
    assert "if" not in step_of(WORKFLOW, "build", "Upload the site")
    assert jobs["keep"]["if"] == "${{ !cancelled() && needs.build.outputs.has_state == 'true' }}"
    assert step_of(WORKFLOW, "build", "Keep the store small")["if"] == (
        "${{ !cancelled() && steps.sync.outcome != 'skipped' }}"
    )
    artifact = step_of(WORKFLOW, "build", "Upload the site")["with"]["name"]
    assert step_of(WORKFLOW, "publish", "Publish")["with"]["artifact_name"] == artifact


def test_the_second_run_goes_on_where_the_first_one_ended(tmp_path: Path, github: FakeGitHub) -> None:
    runner = Runner(tmp_path, github)
    first, _ = runner.run("first")
    assert (first / "pages" / "index.html").is_file()
    assert "octo/engine" in (first / "pages" / "index.html").read_text(encoding="utf-8")
    github.journal.clear()
    second, said = runner.run("second")
    assert "0 new" in said
    assert github.journal.by_endpoint().get("jobs", 0) <= 1  # the run that goes on
    same = [path.relative_to(first) for path in (first / "pages").rglob("ci.html")]
    assert [(second / path).read_bytes() == (first / path).read_bytes() for path in same] == [True]
    assert TOKEN not in said


def test_a_sync_that_fails_ends_the_run_with_what_it_said(tmp_path: Path, github: FakeGitHub) -> None:
    github.faults.add("error", status=401, times=1_000)
    runner = Runner(tmp_path, github)
    runner.step(tmp_path / "run", "build", "Restore the store")
    code, said, _ = runner.step(tmp_path / "run", "build", "Sync")
    assert code not in (0, 4)
    assert "::error title=The data of the site was not brought up to date::Error: " in said
    assert "says why" in (tmp_path / "run" / "github_step_summary.txt").read_text(encoding="utf-8")


def test_a_sync_that_is_not_complete_is_a_warning(tmp_path: Path, github: FakeGitHub) -> None:
    github.faults.add("error", endpoint="jobs", status=404, times=1_000)
    runner = Runner(tmp_path, github)
    runner.step(tmp_path / "run", "build", "Restore the store")
    code, said, _ = runner.step(tmp_path / "run", "build", "Sync")
    assert (code, "::warning title=The data of the site is not complete yet::" in said) == (0, True)


def test_a_site_that_cannot_be_built_says_so(tmp_path: Path, github: FakeGitHub) -> None:
    code, said, _ = Runner(tmp_path, github).step(tmp_path / "run", "build", "Build")
    assert code not in (0, 4)
    assert "::error title=The site was not built::" in said


@pytest.mark.parametrize("logs", ["$(touch hacked)", "failed; touch hacked", "--help", "* failed", "`touch hacked`"])
def test_a_variable_is_never_run(tmp_path: Path, github: FakeGitHub, logs: str) -> None:
    runner = Runner(tmp_path, github)
    runner.step(tmp_path / "run", "build", "Restore the store")
    code, said, _ = runner.step(tmp_path / "run", "build", "Sync", {**WINDOW, "vars.TRACKSIDE_SITE_LOGS": logs})
    assert code != 0, said
    assert not (tmp_path / "run" / "hacked").exists()
