"""What a maintainer reads when something is wrong with the repository's name, the token, the limits or the network."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import syncing
from tests.fake_github import FakeGitHub, Kind, job
from tests.fake_github.scenario_logs import failing
from tests.syncing import REPO, TOKEN, environment

COMMANDS = ("failures", "causes")
SECRET = "octo/secret"


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    """A repository with a run in which a job failed, and a private one."""
    with FakeGitHub() as fake:
        at = fake.clock.now()
        plans = [job("unit", "failure", log=failing("pytest", "x", at)), job("lint")]
        fake.world.add_run(plans, conclusion="failure", at=at)
        fake.world.add_repository(SECRET, private=True)
        yield fake


def ci(
    github: FakeGitHub,
    folder: Path,
    *arguments: str,
    command: str = "failures",
    repo: str = REPO,
    token: str | None = TOKEN,
) -> subprocess.CompletedProcess[str]:
    """A command on CI as a process of its own, whose waits take no time."""
    where = ["--repo", repo, "--store", str(folder / "store"), "--since", "2026-01-01", "--logs", "failed"]
    words = [sys.executable, "-c", syncing._HURRIED, "ci", command, *where, *arguments]
    return subprocess.run(
        words, cwd=folder, env=environment(github, token), capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_name_tells_both_possibilities_and_how_to_tell(
    github: FakeGitHub, tmp_path: Path, command: str
) -> None:
    done = ci(github, tmp_path, command=command, repo="octo/nothing")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: Repository octo/nothing is not there, or the token may not see it (404): look at the spelling; if its "
        "page opens in a browser where you are logged in, the token lacks access to it (Actions: read)\n"
    )


def test_a_private_repository_is_told_like_a_wrong_name_as_github_tells_no_difference(
    github: FakeGitHub, tmp_path: Path
) -> None:
    github.tokens.add(TOKEN, repositories=frozenset())
    hidden, wrong = (ci(github, tmp_path, repo=repo).stderr for repo in (SECRET, "octo/nothing"))
    assert hidden.replace(SECRET, "octo/nothing") == wrong
    assert "the token may not see it" in hidden


def test_without_a_token_a_private_repository_says_that_it_may_need_one(github: FakeGitHub, tmp_path: Path) -> None:
    done = ci(github, tmp_path, repo=SECRET, token=None)
    assert done.returncode == 1
    assert "or only a token may see it (set GITHUB_TOKEN) (404): look at the spelling; if its page opens" in done.stderr
    assert "only where you are logged in, it is private and needs a token" in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_permission_is_named_and_is_no_404(github: FakeGitHub, tmp_path: Path, command: str) -> None:
    github.tokens.add(TOKEN, permissions={"metadata": "read"})
    done = ci(github, tmp_path, command=command)
    assert (done.returncode, done.stdout) == (1, "")
    assert "was refused (403: Resource not accessible by personal access token)" in done.stderr
    assert done.stderr.endswith("the token needs actions: read\n")
    assert "404" not in done.stderr


def test_a_permission_that_only_pull_requests_need_costs_only_those(github: FakeGitHub, tmp_path: Path) -> None:
    github.tokens.add(TOKEN, permissions={"metadata": "read", "actions": "read"})
    done = ci(github, tmp_path)
    assert done.returncode == 4
    assert "unit: 1 times" in done.stdout
    assert "1 list of pull requests missing" in done.stderr
    assert "the token needs pull_requests: read" in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_token_that_is_not_valid_is_told_so(github: FakeGitHub, tmp_path: Path, command: str) -> None:
    github.tokens.revoke(TOKEN)
    done = ci(github, tmp_path, command=command)
    assert done.returncode == 1
    assert done.stderr.endswith("was refused (401): the token is not valid or has expired\n")


def test_without_a_token_the_report_comes_and_it_says_what_logs_need(github: FakeGitHub, tmp_path: Path) -> None:
    done = ci(github, tmp_path, token=None)
    assert done.returncode == 4
    assert "unit: 1 times" in done.stdout
    assert "1 log missing" in done.stderr
    assert "it needs a token; set GITHUB_TOKEN" in done.stderr


def test_a_log_that_is_gone_is_no_fault_of_the_run_and_the_verdict_says_that_it_was_not_read(
    github: FakeGitHub, tmp_path: Path
) -> None:
    github.faults.add(Kind.ERROR, endpoint="job log", status=404)
    done = ci(github, tmp_path, command="causes")
    assert (done.returncode, done.stderr) == (0, "")
    assert "no log was read: run with --logs failed" in done.stdout


def test_a_limit_tells_how_much_is_left_until_when_and_that_it_goes_on(github: FakeGitHub, tmp_path: Path) -> None:
    github.leave_calls(3, token=TOKEN, reset_in_s=1800)
    done = ci(github, tmp_path)
    assert done.returncode == 4
    assert "the limit is renewed at 12:30 UTC" in done.stderr
    assert done.stderr.endswith("What was read is kept; run the same again later and it goes on from there.\n")
    assert "look" not in done.stderr, "an empty window is not the reader's mistake where nothing could be read"


def test_a_pause_that_github_asks_for_names_the_option_that_waits_longer(github: FakeGitHub, tmp_path: Path) -> None:
    github.faults.add(Kind.SECONDARY, status=403, retry_after_s=900)
    done = ci(github, tmp_path)
    assert done.returncode == 4
    assert "GitHub asks for a pause (secondary rate limit)" in done.stderr
    assert "(--max-wait)" in done.stderr


def test_a_network_that_is_not_there_says_where_to_look(github: FakeGitHub, tmp_path: Path) -> None:
    github.stop()
    done = ci(github, tmp_path)
    assert done.returncode == 4
    assert f"{github.api_url} could not be reached (no connection could be made)" in done.stderr
    assert "look at the network, at the proxy (HTTPS_PROXY) and at GITHUB_API_URL" in done.stderr
    github.start()


def test_a_page_for_browsers_in_place_of_the_api_is_told_as_such(github: FakeGitHub, tmp_path: Path) -> None:
    github.faults.add(Kind.HTML)
    done = ci(github, tmp_path)
    assert done.returncode == 4
    assert "answered 200 with text/html in place of JSON" in done.stderr


@pytest.mark.parametrize("command", [*COMMANDS, "streaks", "flaky", "rates", "queue", "runners", "balance", "minutes"])
def test_debug_shows_each_call_and_never_the_token_wherever_it_came_from(
    github: FakeGitHub, tmp_path: Path, command: str
) -> None:
    done = ci(github, tmp_path, "--debug", "--token", TOKEN, command=command, token=None)
    assert done.returncode == 0, done.stderr
    calls = [line for line in done.stderr.splitlines() if line.startswith("GET ")]
    assert len(calls) == len(github.journal.calls)
    assert any("/actions/runs?" in line and "→ 200 in " in line and line.endswith(" left") for line in calls)
    assert any("/logs → 302 in " in line for line in calls)
    assert TOKEN not in done.stdout + done.stderr
    assert "sig=" not in done.stderr, "nor the signature in the link of a log"
