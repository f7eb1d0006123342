"""What ``trackside agents report`` replaces on disk, and what it leaves: the files of others, and better data."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fake_github import Clock, FakeGitHub
from tests.fake_github.scenarios import small
from tests.syncing import REPO, TOKEN
from trackside.cli.app import run as run_app
from trackside.cli.app import trackside_app

FILE = "out/agentops-runs.json"
Said = tuple[int, str, str]
Run = Callable[..., Said]


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    """Two days of a repository, until now: a command knows no other time."""
    with FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC).replace(microsecond=0))) as fake:
        small(fake.world, name=REPO)
        yield fake


@pytest.fixture
def run(github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``agents report`` in a directory of its own; what it ended with and what it said on both streams."""
    monkeypatch.chdir(tmp_path)
    for name in ("TRACKSIDE_STORE", "GITHUB_REPOSITORY", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GITHUB_API_URL", github.api_url)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)

    def command(*arguments: str, repo: str = REPO) -> Said:
        code = run_app(trackside_app(), ["agents", "report", "--repo", repo, *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return command


def test_settings_that_name_no_data_file_cost_no_call(run: Run, github: FakeGitHub, tmp_path: Path) -> None:
    (tmp_path / "trackside.toml").write_text('[agents]\ndata_file = ""\n')
    for words in (["-o", "."], ["--format", "json"]):
        code, _, err = run(*words)
        assert (code, github.journal.count()) == (2, 0)
        assert "data_file under [agents]" in err


def test_a_file_of_others_costs_no_call_and_no_state_is_written_beside_it(
    run: Run, github: FakeGitHub, tmp_path: Path
) -> None:
    (tmp_path / "notes.json").write_text('{"mine": true}')
    code, _, err = run("-o", "notes.json")
    assert (code, github.journal.count(), [one.name for one in tmp_path.glob("*.json")]) == (1, 0, ["notes.json"])
    assert "notes.json stays as it is: it is no data file of agent operations." in err
    run("-o", FILE)
    before = {one: one.read_bytes() for one in (tmp_path / "out").iterdir()}
    github.world.add_repository("octo/fresh")
    for words in ([], ["--offline"]):
        code, _, err = run("-o", FILE, *words, repo="octo/fresh")
        assert code == 1
        assert f"it is the data file of {REPO}, not of octo/fresh. Name another file with --output" in err
    assert {one: one.read_bytes() for one in (tmp_path / "out").iterdir()} == before


def test_a_pipe_in_the_place_of_the_state_is_one_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    state = tmp_path / "out" / "agentops-sync.json"
    os.mkfifo(state)
    code, _, err = run("-o", FILE)
    assert (code, state.is_fifo()) == (1, True)
    assert f"The file of the syncs could not be written to {state}: something stands there that is no file." in err
