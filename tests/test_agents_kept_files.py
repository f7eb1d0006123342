"""What ``trackside agents report`` replaces on disk, and what it leaves: the files of others, and better data."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.agent_data import NOW, every_run, read_json, write_history
from tests.agent_frames import an_agent_history, an_agent_run
from tests.command_line import Said, command_line
from tests.fake_github import Clock, FakeGitHub, Kind
from tests.fake_github.scenarios import small
from tests.syncing import REPO
from trackside.agents.frames import AgentHistory
from trackside.records.agent_rules import Detail
from trackside.report.agents_document import DataWindow
from trackside.report.agents_files import DataFile, DataFiles
from trackside.report.agents_lost_attempts import Wanted, lost_words
from trackside.report.agents_report_sections import data_lines

DAY = dt.timedelta(days=1)
FILE = "out/agentops-runs.json"
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
    line = command_line(tmp_path, monkeypatch, capsys, github)

    def command(*arguments: str, repo: str = REPO) -> Said:
        return line("agents", "report", "--repo", repo, *arguments)

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


def test_a_lost_store_and_a_limit_of_calls_replace_no_better_data(run: Run, github: FakeGitHub, tmp_path: Path) -> None:
    assert run("-o", FILE)[0] == 0
    before = (tmp_path / FILE).read_bytes()
    for fewer in range(1, 5):
        store = ("--store", f"store-{fewer}")
        code, _, err = run("-o", FILE, *store, "--max-calls", str(fewer))
        assert (code, (tmp_path / FILE).read_bytes()) == (4, before), fewer
        assert "agentops-runs.json stays as it is, with 13 run attempts: the sync was not complete, and " in err
        assert read_json(tmp_path / "out" / "agentops-sync.json")["kept"] in err
        # What the store of then holds is as poor without a sync.
        run("-o", FILE, *store, "--offline")
        assert (tmp_path / FILE).read_bytes() == before
    code, _, err = run("-o", FILE, *store)
    assert (code, "has no news" in err) == (0, True)
    assert read_json(tmp_path / "out" / "agentops-sync.json")["kept"] is None


def test_a_sync_that_is_not_complete_brings_news_where_nothing_is_lost(
    run: Run, github: FakeGitHub, tmp_path: Path
) -> None:
    (tmp_path / "trackside.toml").write_text('[sync]\napi = "rest"\n')
    lint = next(one for _, one in github.world.runs.values() if one.workflow.path.endswith("lint.yml"))
    github.faults.add(Kind.ERROR, endpoint="jobs", path=f"/{lint.id}/", status=422)
    assert run("-o", FILE)[0] == 4
    assert len(every_run(tmp_path / FILE)) == 13
    err = run("-o", FILE, "--workflow", "lint.yml")[2]
    assert "stays as it is" not in err
    assert len(every_run(tmp_path / FILE)) < 13


@pytest.mark.parametrize(
    ("megabytes", "detail", "is_said"), [(101, "all", True), (100, "all", False), (101, "bands", False)]
)
def test_data_that_is_large_names_what_makes_it_smaller(
    tmp_path: Path, megabytes: int, detail: Detail, is_said: bool
) -> None:
    path = tmp_path / "agentops-runs.json"
    file = DataFile(file=path.name, bytes=megabytes * 1_000_000, sha256="0" * 64, runs=1)
    for done in (DataFiles(path=path, files=(file,), has_changes=True), DataFiles(path=path, files=(file,))):
        told = list(data_lines(done, detail))
        assert [line for line in told if 'detail = "bands" under [agents]' in line] == told[1:]
        assert (len(told) == 2) is is_said


def lost(
    path: Path, history: AgentHistory, *, since: dt.datetime | None = None, limit: int | None = None
) -> str | None:
    window = DataWindow(rule="any")
    return lost_words(path, Wanted(runs=history.runs, window=window, since=since, until=NOW + DAY, limit=limit))


def test_what_would_be_lost_is_counted_over_all_files_and_within_the_window(tmp_path: Path) -> None:
    path = tmp_path / "agentops-runs.json"
    rows = [an_agent_run(n, created_at=NOW - (300 - n) * DAY) for n in range(300)]
    write_history(path, an_agent_history(rows), most_bytes=600_000)
    assert read_json(path)["segments"]
    assert lost(path, an_agent_history(rows)) is None
    assert lost(path, an_agent_history(rows[10:])) == "10 of these did not come yet"
    assert lost(path, an_agent_history(rows[10:]), since=NOW - 290 * DAY) is None
    assert lost(path, an_agent_history(rows[10:]), since=NOW - 291 * DAY) == "1 of these did not come yet"
    assert lost(path, an_agent_history(rows[10:]), limit=290) is None
    assert lost(path, an_agent_history(rows[10:]), limit=291) == "10 of these did not come yet"
    bare = [{**row, "jobs": None} for row in rows[:2]]
    assert lost(path, an_agent_history([*bare, *rows[3:]])) == (
        "1 of these and the jobs of 2 of these did not come yet"
    )


def test_a_file_of_another_selection_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "agentops-runs.json"
    write_history(path, an_agent_history([an_agent_run(1), an_agent_run(2)]))
    few = an_agent_history([an_agent_run(1)])
    assert lost(path, few) == "1 of these did not come yet"
    told = read_json(path)
    for window in ({**told["window"], "event": "push"}, None):
        path.write_text(json.dumps({**told, "window": window}))
        assert lost(path, few) is None
    path.write_text("torn")
    assert lost(path, few) is None
