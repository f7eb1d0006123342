"""The log analyzer and the issues of alerts: what their steps read and post, on a fake GitHub and a real remote."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.fake_github import Clock, FakeGitHub, Run
from tests.fake_github.scenario_agents import agents
from tests.git_remote import REPO, TOKEN, Remote, write_files
from tests.workflow_steps import load_workflow, run_step, step_of

ANALYZER = load_workflow("agentops-log-analyzer.yml")
SYNC = load_workflow("agentops-data-sync.yml")


@pytest.fixture(scope="module")
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC), ticking=True)) as fake:
        agents(fake.world, name=REPO)
        yield fake


def failed(github: FakeGitHub, event: str) -> Run:
    """The newest run of this event that failed and was not repaired."""
    repo = github.world.repository(REPO)
    assert repo is not None
    runs = [run for run in repo.runs if run.event == event and run.attempts[-1].conclusion == "failure"]
    return max(runs, key=lambda run: run.id)


def begin(
    github: FakeGitHub, folder: Path, job: str, name: str, context: Mapping[str, str], server: str = "file:///nowhere"
) -> tuple[int, str]:
    told = {"GITHUB_API_URL": github.api_url, "GITHUB_SERVER_URL": server, "GITHUB_RUN_ID": "1"}
    step = step_of(ANALYZER if job in ANALYZER["jobs"] else SYNC, job, name)
    code, said, _ = run_step(step, folder, context, told)
    return code, said


def test_a_run_is_looked_into_and_reported_once_where_it_belongs(github: FakeGitHub, tmp_path: Path) -> None:
    run = failed(github, "pull_request")
    told = {"steps.check.outputs.run_id": str(run.id)}
    code, said = begin(github, tmp_path, "analyze", "Analyze the run", told)
    assert code == 0, said
    report = (tmp_path / "agentops-report.md").read_text(encoding="utf-8")
    assert report in (tmp_path / "github_step_summary.txt").read_text(encoding="utf-8") + "\n"
    assert "## Suggested fixes" in report
    repo = github.world.repository(REPO)
    assert repo is not None
    assert repo.comments == []
    told = {"needs.analyze.outputs.run_id": str(run.id), "needs.analyze.outputs.issue": "auto"}
    for _ in range(2):
        code, said = begin(github, tmp_path, "comment", "Post the report", told)
        assert code == 0, said
    [comment] = repo.comments
    assert comment.number in {pull.number for pull in repo.pulls}
    assert TOKEN not in said + report + comment.body
    repo.comments.clear()


def test_a_run_of_nothing_is_reported_in_the_summary_alone(github: FakeGitHub, tmp_path: Path) -> None:
    run = failed(github, "schedule")
    told = {"needs.analyze.outputs.run_id": str(run.id), "needs.analyze.outputs.issue": "auto"}
    code, said = begin(github, tmp_path, "comment", "Post the report", told)
    assert code == 0, said
    assert "Nothing is posted" in said
    repo = github.world.repository(REPO)
    assert repo is not None
    assert repo.comments == []


def test_an_issue_that_is_named_gets_the_report(github: FakeGitHub, tmp_path: Path) -> None:
    run = failed(github, "schedule")
    issue = github.world.add_issue("Triage fails", repo=github.world.repository(REPO))
    told = {"needs.analyze.outputs.run_id": str(run.id), "needs.analyze.outputs.issue": str(issue.number)}
    assert begin(github, tmp_path, "comment", "Post the report", told)[0] == 0
    repo = github.world.repository(REPO)
    assert repo is not None
    assert [comment.number for comment in repo.comments] == [issue.number]
    repo.comments.clear()


def test_a_run_that_is_not_there_is_red_and_posts_nothing(github: FakeGitHub, tmp_path: Path) -> None:
    code, said = begin(github, tmp_path, "analyze", "Analyze the run", {"steps.check.outputs.run_id": "4"})
    assert code == 1
    assert "::error title=The run was not analyzed::" in said
    assert not (tmp_path / "agentops-report.md").exists()
    assert ANALYZER["jobs"]["comment"]["needs"] == "analyze"
    assert "if" not in ANALYZER["jobs"]["comment"]


def test_without_a_branch_of_the_store_the_analysis_goes_on(github: FakeGitHub, tmp_path: Path) -> None:
    remote = Remote(tmp_path / "remote")
    for job in ("analyze", "comment"):
        code, said = begin(github, tmp_path, job, "Restore the store", {}, remote.server)
        assert (code, said) == (0, "commit=\n")


def test_an_alert_is_one_issue_and_closed_when_it_is_over(github: FakeGitHub, tmp_path: Path) -> None:
    folder = tmp_path / "sync"
    report = ("sync", "Report", {"inputs.enable_jobs_fetch": "false"})
    alarm = {"trackside.toml": "[agents.alerts]\nrate_limit_below = 5000\n"}
    code, said = begin(github, write_files(folder, alarm), *report)
    assert code == 0, said
    assert "::warning title=trackside alert rate_limit::" in said
    repo = github.world.repository(REPO)
    assert repo is not None
    repo.issues.clear()
    for _ in range(2):
        code, said = begin(github, copied(folder), "alert-issues", "Tell alerts in issues", {})
        assert code == 0, said
        assert not said.startswith("::")
    assert [issue.state for issue in repo.issues] == ["open"]
    write_files(folder, {"trackside.toml": "[agents.alerts]\nrate_limit_below = 0\n"})
    assert begin(github, folder, *report)[0] == 0
    assert begin(github, copied(folder), "alert-issues", "Tell alerts in issues", {})[0] == 0
    assert [issue.state for issue in repo.issues] == ["closed"]
    assert SYNC["jobs"]["alert-issues"]["if"].endswith("vars.TRACKSIDE_ALERT_ISSUES == 'true' }}")


def copied(folder: Path) -> Path:
    """What a job finds that downloads what the sync uploaded, in a folder of its own."""
    other = folder.with_name("other")
    shutil.rmtree(other, ignore_errors=True)
    shutil.copytree(folder / "agentops-state", other / "agentops-state")
    shutil.copy(folder / "trackside.toml", other)
    return other
