"""``trackside agents explain``: which agent a run is of, why, and what it costs to ask."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from scripts.schemas import schema_of
from tests.command_line import command_line
from tests.fake_github import Clock, FakeGitHub, job
from tests.fake_github.plans import sha_of
from tests.fake_github.things import Step
from tests.syncing import REPO

Command = Callable[..., tuple[int, str, str]]
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC).replace(microsecond=0))) as one:
        one.world.add_repository(REPO)
        yield one


@pytest.fixture
def command(
    github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """A command of trackside on the fake, in an empty directory."""
    return command_line(tmp_path, monkeypatch, capsys, github)


def explain(command: Command, *arguments: str) -> dict[str, Any]:
    code, out, err = command("agents", "explain", *arguments, "--repo", REPO, "--format", "json")
    assert (code, err) == (0, "")
    document: dict[str, Any] = json.loads(out)
    jsonschema.validate(document, schema_of("agents-explain"))
    run: dict[str, Any] = document["run"]
    return run


def an_agents_run(github: FakeGitHub) -> int:
    """A run for a pull request of an agent, with a step of another one."""
    step = Step(number=2, name="Run anthropics/claude-code-action@v1", conclusion="success", start_s=5, length_s=9)
    sha = sha_of("faster")
    github.world.add_pull("Faster", number=7, branch="copilot/faster", sha=sha, text="Fixes #3")
    made = github.world.add_run(
        [job("review", steps=[step])], branch="copilot/faster", sha=sha, event="pull_request", title="Faster #12 (#7)"
    )
    return made.id


def test_every_signal_is_told_with_what_was_seen_and_why_it_counts_or_not(github: FakeGitHub, command: Command) -> None:
    run = explain(command, str(an_agents_run(github)))
    assert (run["agent"], run["role"], run["source"], run["confidence"]) == ("claude", "ran", "step_name", 0.9)
    told = {look["kind"]: look for look in run["looks"]}
    [step], [branch] = told["step_name"]["signals"], told["branch"]["signals"]
    assert (step["is_chosen"], step["signal"]["evidence"]) == (True, "step Run anthropics/claude-code-action@v1")
    assert (branch["is_chosen"], branch["why"]) == (False, "names of its steps counts before it")
    assert told["actor"]["signals"] == []
    assert told["actor"]["nothing"] == "no account of an agent"
    assert told["actor"]["seen"][0].startswith("alice (")
    assert all(look["signals"] or look["nothing"] for look in run["looks"])
    assert (run["pull_numbers"], [one["number"] for one in run["issues"]]) == ([7], [3])
    assert [(one["number"], one["why"]) for one in run["not_issues"]] == [
        (12, "no keyword says that the run is about it"),
        (7, "it is a pull request"),
    ]


def test_a_run_is_asked_for_once_and_told_offline_after_that(github: FakeGitHub, command: Command) -> None:
    number = str(an_agents_run(github))
    first = explain(command, number)
    endpoints = [call.endpoint for call in github.journal.calls]
    assert endpoints == ["repository", "run", "jobs", "commit pulls"]
    assert explain(command, number) == first
    assert explain(command, number, "--offline") == first
    assert github.journal.count() == 4


def test_a_run_of_the_store_needs_no_call(github: FakeGitHub, command: Command) -> None:
    number = str(an_agents_run(github))
    assert command("sync", "--repo", REPO)[0] == 0
    github.journal.clear()
    assert explain(command, number)["agent"] == "claude"
    assert github.journal.count() == 0


def test_a_run_that_goes_on_is_asked_for_again(github: FakeGitHub, command: Command) -> None:
    made = github.world.add_run([job("slow", None)], conclusion=None, branch="codex/x", event="push")
    assert explain(command, str(made.id))["agent"] == "codex"
    github.journal.clear()
    explain(command, str(made.id))
    assert github.journal.count("run") == 1


def test_an_attempt_of_an_address_is_the_one_that_is_looked_at(github: FakeGitHub, command: Command) -> None:
    made = github.world.add_run([job("unit", "failure")], conclusion="failure", at=github.clock.now() - HOUR)
    github.world.rerun(made, at=github.clock.now() - HOUR / 2)
    page = f"{github.html_url}/{REPO}/actions/runs/{made.id}"
    assert explain(command, page)["run_attempt"] == 2
    first = explain(command, f"{page}/attempts/1")
    assert (first["run_attempt"], first["attempts"], first["conclusion"]) == (1, 2, "failure")
    code, _, err = command("agents", "explain", f"{page}/attempts/9", "--repo", REPO)
    assert (code, "has no attempt 9" in err) == (1, True)


def test_the_repository_of_an_address_is_the_one_that_is_asked(github: FakeGitHub, command: Command) -> None:
    number = an_agents_run(github)
    page = f"{github.html_url}/{REPO}/actions/runs/{number}/job/5"
    code, out, _ = command("agents", "explain", page)
    assert code == 0
    assert f"{REPO} run {number}" in out
    code, _, err = command("agents", "explain", page, "--repo", "octo/other")
    assert (code, "is not the repository of the address" in err) == (2, True)


def test_a_run_of_the_default_branch_is_not_of_what_was_merged_last(github: FakeGitHub, command: Command) -> None:
    sha = sha_of("merged")
    github.world.add_pull("Merged", number=8, branch="copilot/x", sha=sha_of("head"), merged_as=sha, text="Fixes #3")
    made = github.world.add_run([job("unit")], branch="main", sha=sha, event="workflow_dispatch")
    run = explain(command, str(made.id))
    assert (run["agent"], run["pull_numbers"], run["issues"], run["last_merged_pull"]) == (None, [], [], 8)
    told = {look["kind"]: look["nothing"] for look in run["looks"]}
    assert told["trailer"] == "the run is not about that commit: its event is workflow_dispatch"
    _, out, _ = command("agents", "explain", str(made.id), "--repo", REPO)
    assert "Unattributed: nothing tells an agent." in out
    assert "#8 brought its commit, and did not start it." in out


def test_a_checkout_tells_more(github: FakeGitHub, command: Command, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text(f'[remote "origin"]\n\turl = https://github.com/{REPO}.git\n')
    for folder, name, text in (
        ("agents", "coach-master.md", "# Coach"),
        ("workflows", "ci.yml", "jobs:\n  a:\n    steps:\n      - uses: openai/codex-action@v1\n"),
    ):
        (tmp_path / ".github" / folder).mkdir(parents=True)
        (tmp_path / ".github" / folder / name).write_text(text)
    made = github.world.add_run([job("unit")], title="By @coach-master", workflow="CI")
    run = explain(command, str(made.id))
    signals = [one["signal"] for look in run["looks"] for one in look["signals"]]
    assert [(one["kind"], one["agent"]) for one in signals] == [("workflow_uses", "codex"), ("title", "coach-master")]
    assert run["notes"] == ["Read of the checkout: agents in .github/agents: 1; workflows: 1."]


def test_a_checkout_of_another_repository_tells_nothing_and_that_is_said(
    github: FakeGitHub, command: Command, tmp_path: Path
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text('[remote "origin"]\n\turl = git@github.com:eve/fork.git\n')
    run = explain(command, str(an_agents_run(github)))
    assert run["notes"] == [
        "No checkout of the repository was looked at: "
        f"origin of the checkout in the working directory is eve/fork, not {REPO}."
    ]


@pytest.mark.parametrize("form", ["table", "markdown", "json"])
def test_hostile_names_stay_text(github: FakeGitHub, command: Command, form: str) -> None:
    evil = "\x1b[31m</script><img src=x> @alice #1 [a](http://x) | `b` \u202e\r"
    made = github.world.add_run([job(evil)], branch=f"copilot/{evil}", title=evil, workflow=evil, event="push")
    code, out, err = command("agents", "explain", str(made.id), "--repo", REPO, "--format", form)
    assert (code, err) == (0, "")
    assert not any(char in out for char in "\x1b\u202e\r")
    if form == "markdown":
        assert "<img" not in out
        assert "@alice" not in out


def test_a_run_that_is_not_there_is_an_error_that_says_so(github: FakeGitHub, command: Command) -> None:
    code, _, err = command("agents", "explain", "999", "--repo", REPO)
    assert (code, f"{REPO} has no run 999 on GitHub, or the token may not see it" in err) == (
        1,
        True,
    )
    an_agents_run(github)
    command("sync", "--repo", REPO)
    code, _, err = command("agents", "explain", "999", "--repo", REPO, "--offline")
    assert (code, "is not in the store" in err) == (1, True)


@pytest.mark.parametrize("text", ["", "-1", "12.0", "1" * 19, "12; rm -rf /", "https://example.org/o/n/actions/runs/1"])
def test_anything_else_names_no_run_and_asks_for_nothing(github: FakeGitHub, command: Command, text: str) -> None:
    code, _, err = command("agents", "explain", "--repo", REPO, "--", text)
    assert (code, github.journal.count()) == (2, 0)
    assert "run" in err.lower()
