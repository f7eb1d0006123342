"""``trackside sync`` as it is typed: what it says, and how it ends."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fake_github import Clock, FakeGitHub, Kind, job
from tests.syncing import REPO, TOKEN, a_week
from trackside.cli.app import run, trackside_app

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC).replace(microsecond=0))) as one:
        yield one


@pytest.fixture
def command(
    github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """``trackside sync`` on the fake, in an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_API_URL", github.api_url)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(trackside_app(), ["sync", *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return call


def test_a_whole_sync_ends_with_0_and_says_nothing_on_stderr(github: FakeGitHub, command: Command) -> None:
    a_week(github, 6)
    code, out, err = command("--repo", REPO)
    assert (code, err) == (0, "")
    assert "missing   nothing" in out
    assert "100 %" in out


@pytest.mark.parametrize("kind", [Kind.ERROR, Kind.TOTAL])
def test_a_sync_with_gaps_ends_with_4_and_says_which(github: FakeGitHub, command: Command, kind: Kind) -> None:
    a_week(github, 6)
    github.faults.add(kind, endpoint="jobs", status=404, count=3)
    code, out, err = command("--repo", REPO, "--format", "json", "--pulls", "none")
    ledger = json.loads(out)["sync"]
    assert (code, ledger["status"]) == (4, "partial")
    assert 0 <= ledger["completeness"] < 1
    assert "jobs" in err
    github.faults.clear()
    assert command("--repo", REPO, "--pulls", "none")[0] == 0


def test_a_budget_that_is_used_up_ends_with_4_and_never_claims_to_be_complete(
    github: FakeGitHub, command: Command
) -> None:
    a_week(github, 6)
    assert command("--repo", REPO)[0] == 0
    code, out, err = command("--repo", REPO, "--max-calls", "0")
    assert (code, github.journal.count("runs")) == (4, 1)
    assert "100 %" not in out
    assert "0 calls that were allowed are used up" in err


@pytest.mark.parametrize("option", ["--workflow", "--branch", "--event"])
def test_hostile_names_change_nothing_on_the_screen(github: FakeGitHub, command: Command, option: str) -> None:
    evil = "\x1b[31mred\x1b]0;title\x07\u202e</script>'\" \u2066\r\x00 x"
    github.world.add_run([job(evil, "failure")], workflow=evil, branch=evil, title=evil, conclusion="failure")
    github.faults.add(Kind.ERROR, endpoint="jobs", status=404)
    said = "".join(map(str, [*command("--repo", REPO, "--debug"), *command("--repo", REPO, option, evil, "--debug")]))
    assert "octo/engine" in said
    assert {char for char in said if not char.isprintable()} <= {"\n"}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--since", "2099-01-01"], 2, "is not before now"),
        (["--since", "soon"], 2, "7d and 24h are understood"),
        (["--since", "1d", "--until", "2d"], 2, "window is empty"),
        (["--repo", "engine"], 2, "OWNER/NAME"),
        (["--repo", "../engine"], 2, "OWNER/NAME"),
        (["--repo", "octo/nothing"], 1, "not there"),
        (["--store", "a file"], 1, "a file is where its directory should be"),
        (["--workers", "11"], 2, "--workers"),
        (["--token", "two words"], 2, "not a token"),
        (["--api", "soap"], 2, "--api"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    github: FakeGitHub, command: Command, arguments: list[str], code: int, words: str
) -> None:
    github.world.add_run(1)
    Path("a file").write_text("not a store", encoding="utf-8")
    ended, out, err = command("--repo", REPO, *arguments) if "--repo" not in arguments else command(*arguments)
    assert (ended, out) == (code, "")
    assert words in err
    assert "Traceback" not in err
    assert err.startswith("Error: ")


@pytest.mark.parametrize(
    "option",
    [
        *("--since", "--until", "--limit", "--workflow", "--branch", "--event", "--job", "--logs", "--pulls", "--api"),
        *("--max-runs-per-workflow", "--preset", "--token", "--store", "--max-calls", "--max-wait", "--workers"),
        *("--pause-below", "--stop-below", "--format"),
    ],
)
def test_an_option_that_was_left_empty_was_not_said(github: FakeGitHub, command: Command, option: str) -> None:
    github.world.add_run(1)
    for arguments in ([option, ""], [f"{option}="]):
        code, out, err = command("--repo", REPO, *arguments)
        assert (code, err) == (0, "")
        assert "1 complete (100 %)" in out


@pytest.mark.parametrize(
    ("typed", "code"), [("50", 0), ("50.0", 0), ("10000", 0), ("50.7", 2), ("abc", 2), ("-1", 2), ("0", 2)]
)
def test_a_number_of_runs_is_a_whole_one(github: FakeGitHub, command: Command, typed: str, code: int) -> None:
    github.world.add_run(1)
    ended, _, err = command("--repo", REPO, "--max-runs-per-workflow", typed)
    assert ended == code
    assert (typed in err) == (code == 2)


def test_a_repository_that_is_not_there_is_named(github: FakeGitHub, command: Command) -> None:
    code, _, err = command("--repo", "octo/nothing")
    assert (code, err) == (
        1,
        "Error: Repository octo/nothing is not there, or the token may not see it (404): look at the spelling; if its "
        "page opens in a browser where you are logged in, the token lacks access to it (Actions: read)\n",
    )


def test_what_stopped_all_of_it_is_said_once(github: FakeGitHub, command: Command) -> None:
    a_week(github, 6)
    code, _, err = command("--repo", REPO, "--max-calls", "0")
    assert code == 4
    assert err == (
        "Not complete: 1 list of pull requests, 1 stretch of the run list missing (Calls to GitHub have stopped: "
        "the 0 calls that were allowed are used up). What was read is kept; run the same again later and it goes on "
        "from there.\n"
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ('[sync]\nsince = "soon"', "since of [sync] in trackside.toml: soon: 7d and 24h are understood"),
        ('[sync]\nsince = "2099-01-01"', "since of [sync] in trackside.toml: 2099-01-01 is not before now"),
        ('[github]\nrepository = "engine"', "repository of [github] in trackside.toml or GITHUB_REPOSITORY: engine: a"),
    ],
)
def test_a_wrong_setting_is_not_called_an_option(command: Command, settings: str, words: str) -> None:
    Path("trackside.toml").write_text(settings, encoding="utf-8")
    code, _, err = command() if "repository" in settings else command("--repo", REPO)
    assert code == 2
    assert words in err
