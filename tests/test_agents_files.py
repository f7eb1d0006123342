"""The data files on disk: written where runs changed, split where they are large, whole whatever happens."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.agent_data import NOW, a_content, every_run, problems, read_json, write_history
from tests.agent_frames import a_step, an_agent_history, an_agent_run
from tests.history_frames import a_job
from trackside.agents.frames import AgentHistory
from trackside.errors import OutputError, UsageError
from trackside.report.agents_files import data_path, keep_data, sync_path, write_data

HOUR = dt.timedelta(hours=1)
FIVE_MB = 5_000_000
SMALL = 700_000
"""Bytes of a file where a history of a few hundred runs is to need several; much of it is kept free."""


def a_large_history(runs: int = 240, **told: Any) -> AgentHistory:
    """A run every eight hours from the first of June on, each with a job of three steps."""
    rows = [
        an_agent_run(n, created_at=dt.datetime(2026, 6, 1, tzinfo=dt.UTC) + n * 8 * HOUR, **told) for n in range(runs)
    ]
    jobs = [a_job(row, "unit") for row in rows]
    return an_agent_history(rows, jobs, [a_step(job, n, f"Step {n}") for job in jobs for n in (1, 2, 3)])


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """What is in a folder, and when it was written."""
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "agentops-runs.json"


def test_a_report_without_news_touches_no_file(path: Path) -> None:
    history = a_large_history()
    assert write_history(path, history, most_bytes=SMALL).has_changes
    before = state(path.parent)
    again = write_history(path, a_large_history(), now=NOW + 48 * HOUR, most_bytes=SMALL)
    assert not again.has_changes
    assert state(path.parent) == before
    assert again.last_updated == NOW


def test_news_change_the_file_and_when_it_was_updated(path: Path) -> None:
    write_history(path, an_agent_history([an_agent_run(1, None)]))
    done = write_history(path, an_agent_history([an_agent_run(1)]), now=NOW + HOUR)
    assert (done.has_changes, done.last_updated) == (True, NOW + HOUR)
    assert read_json(path)["last_updated"] == "2026-06-03T13:00:00.000000+00:00"


def test_older_runs_stand_in_segments_by_month_each_run_once(path: Path) -> None:
    history = a_large_history()
    done = write_history(path, history, most_bytes=SMALL)
    document = read_json(path)
    months = [one["month"] for one in document["segments"]]
    assert months == sorted(months, reverse=True)
    assert set(months) == {"2026-06", "2026-07"}
    assert every_run(path) == [(1000 + n, 1) for n in range(239, -1, -1)]
    rows = document["rows"]
    assert rows["in_this_file"] + rows["in_segments"] == rows["selected"] == 240
    for one in document["segments"]:
        segment, content = read_json(path.with_name(one["file"])), path.with_name(one["file"]).read_bytes()
        assert (one["bytes"], one["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
        assert len(content) <= SMALL
        assert (segment["segment"], segment["summary"]["total_runs"]) == (one["month"], one["runs"])
        assert {run["created_at"][:7] for run in segment["runs"]} == {one["month"]}
        assert (segment["runs"][-1]["created_at"], segment["runs"][0]["created_at"]) == (
            one["first_run_at"],
            one["last_run_at"],
        )
    assert {one.file for one in done.files} == {one.name for one in path.parent.iterdir()}
    assert sum(one.runs or 0 for one in done.files) == 240


def test_a_file_that_the_main_file_names_is_not_overwritten_before_the_main_file_is(path: Path) -> None:
    write_history(path, a_large_history(), most_bytes=SMALL)
    before = {one["file"]: one["sha256"] for one in read_json(path)["segments"]}
    changed = a_large_history(title="Another title")
    content = a_content(changed, most_bytes=SMALL)
    write_data(path, content, NOW + HOUR)
    after = {one["file"]: one["sha256"] for one in read_json(path)["segments"]}
    assert before.keys() & after.keys() == set()
    assert all(not path.with_name(name).exists() for name in before)
    assert len(every_run(path)) == 240
    write_history(path, a_large_history(), most_bytes=SMALL)
    assert {one["file"] for one in read_json(path)["segments"]} <= {*before, *after}


def test_what_is_no_more_named_goes_and_files_of_others_stay(path: Path) -> None:
    write_history(path, a_large_history(), most_bytes=SMALL)
    foreign = {
        "agentops-runs-2025-01.json": '{"mine": true}',
        "agentops-runs-2025-02.json": '{"schema_version": 1, "repository": "other/one"}',
        "agentops-runs-2025-03.json": "no JSON",
        "agentops-runs-notes.json": '{"schema_version": 1, "repository": "octo/engine"}',
    }
    for name, text in foreign.items():
        path.with_name(name).write_text(text)
    stale = path.with_name("agentops-runs-2025-04-2.json")
    stale.write_text('{"schema_version": 1, "repository": "Octo/Engine"}')
    write_history(path, an_agent_history([an_agent_run(1)]))
    assert {one.name for one in path.parent.iterdir()} == {path.name, read_json(path)["days"]["file"], *foreign}


def test_what_a_killed_report_left_half_written_goes_after_a_day(path: Path) -> None:
    path.parent.mkdir()
    names = (".agentops-runs.json.abcd_123", ".agentops-runs-2026-06-2.json.ab12cd34", ".agentops-other.json.abcd1234")
    for name in names:
        path.with_name(name).write_text("half")
    old = (NOW - 30 * HOUR).timestamp()
    os.utime(path.with_name(names[0]), (old, old))
    os.utime(path.with_name(names[2]), (old, old))
    fresh = NOW.timestamp()
    os.utime(path.with_name(names[1]), (fresh, fresh))
    write_history(path, an_agent_history([an_agent_run(1)]))
    assert {one.name for one in path.parent.iterdir() if one.name.startswith(".")} == {*names[1:]}


def test_a_name_that_stands_for_the_file_of_another_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.with_name("agentops-runs-days.json").write_text("mine")
    write_history(path, an_agent_history([an_agent_run(1)]))
    assert read_json(path)["days"]["file"] == "agentops-runs-days-2.json"
    assert path.with_name("agentops-runs-days.json").read_text() == "mine"


def test_a_segment_that_was_damaged_is_written_anew(path: Path) -> None:
    write_history(path, a_large_history(), most_bytes=SMALL)
    first = path.with_name(read_json(path)["segments"][0]["file"])
    first.write_bytes(first.read_bytes()[:-5])
    assert write_history(path, a_large_history(), now=NOW + HOUR, most_bytes=SMALL).has_changes
    assert len(every_run(path)) == 240


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" \n",
        b"{",
        b'{"schema_vers',
        b'{"schema_version":1,"repository":"octo/engine","last_updated":"2026-06-0',
        b'{"last_updated": "2026-06-03T12:00:00+00:00", "runs": [{"id": 1',
        b'{"runs": [], "last_updated": "yesterday"}',
    ],
    ids=["empty", "blank", "torn", "torn later", "torn in the middle", "torn established one", "no time"],
)
def test_a_damaged_file_is_said_and_replaced_by_good_data_only(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    kept = keep_data(path, "octo/engine", "the sync was not complete, and no run is known")
    assert kept.kept is not None
    assert "is damaged" in kept.kept
    assert path.read_bytes() == content
    done = write_history(path, an_agent_history([an_agent_run(1)]))
    assert done.replaced is not None
    assert str(path) in done.replaced
    assert every_run(path) == [(1001, 1)]


OURS = '{"schema_version": 1, "repository": "Octo/Engine", "last_updated": "2026-06-01T00:00:00+00:00", "runs": []}'


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (OURS.replace("Octo/Engine", "other/one"), "it is the data file of other/one, not of octo/engine"),
        (OURS.replace("Octo/Engine", "other/one")[:-9], "it is the data file of other/one, not of octo/engine"),
        (OURS.replace(": 1,", ": 2,"), "a newer trackside wrote it (its schema_version is 2, this one writes 1)"),
        (OURS.replace(": 1,", ": 2,")[:-2], "a newer trackside wrote it (its schema_version is 2, this one writes 1)"),
        (OURS.replace(': "2026', ': "x", "segment": "2026'), "it is no data file of agent operations"),
        ('{"schema_version": 1, "repository": "octo/engine", "days": []}', "it is no data file of agent operations"),
        ('{"schema_version": 1, "repository": "octo/engine", "da', "it is no data file of agent operations"),
        ("[]", "it is no data file of agent operations"),
        ("[" * 100_000, "it is no data file of agent operations"),
        ("# Notes\n", "it is no data file of agent operations"),
    ],
    ids=["other", "other, cut", "newer", "newer, cut", "segment", "days", "days, cut", "list", "deep", "text"],
)  # fmt: skip
def test_a_file_of_others_is_never_replaced(path: Path, content: str, what: str) -> None:
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(OutputError) as refused:
        write_history(path, an_agent_history([an_agent_run(1)]))
    words = f"{path} stays as it is: {what}. Name another file with --output, or move this one away."
    assert str(refused.value) == words
    assert [one.read_text() for one in path.parent.iterdir()] == [content]


def test_the_repository_is_the_same_in_any_case_of_letters(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(OURS)
    assert write_history(path, an_agent_history([an_agent_run(1)])).replaced is None


def test_a_file_of_the_established_writer_is_no_damaged_one(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('{"last_updated": "2025-11-19T00:11:12.345678+00:00", "summary": {}, "runs": [{"id": 1}]}')
    kept = keep_data(path, "octo/engine", "no run is in the window").kept
    assert kept == f"{path} stays as it is, with 1 run attempts: no run is in the window."
    assert write_history(path, an_agent_history([an_agent_run(1)])).replaced is None


def test_every_file_is_small_enough_whatever_the_runs_are(path: Path) -> None:
    long = "long name \U0001f600" * 300
    runs = [an_agent_run(n, title=long, workflow=f"{long}{n % 50}", branch=f"{long}{n}") for n in range(300)]
    monster = an_agent_run(301, "failure", created_at=NOW + 99 * 24 * HOUR)
    runs.append(monster)
    jobs = [a_job(run, f"{long} {run['run_number'] % 7}") for run in runs[:-1]]
    jobs += [a_job(monster, f"job {n} {long}", "failure", job_id=10**9 + n) for n in range(256)]
    steps = [a_step(job, n, f"{long}{n}") for job in jobs for n in range(1, 12)]
    done = write_history(path, an_agent_history(runs, jobs, steps))
    assert len(every_run(path)) == 301
    assert max(one.bytes for one in done.files) < 0.8 * 5 * 1024 * 1024
    assert {one.bytes for one in done.files} == {file.stat().st_size for file in path.parent.iterdir()}
    document = read_json(path)
    left_out = {(one["what"], one["reason"]): one["count"] for one in document["rows"]["left_out"]}
    assert left_out["steps", "the run attempt alone is too large"] > 1_000
    assert document["runs"][0]["job_count"] == 256
    assert document["runs"][0]["step_count"] == 256 * 11
    days = read_json(path.with_name(document["days"]["file"]))
    assert problems("agentops-days", days) == []
    assert (len(days["days"]), days["left_out"]) == (document["days"]["rows"], document["days"]["left_out"])


def test_thirty_thousand_runs_are_all_kept(path: Path) -> None:
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    runs = [an_agent_run(n, created_at=start + n * HOUR / 4) for n in range(30_000)]
    done = write_history(path, an_agent_history(runs))
    assert max(one.bytes for one in done.files) < FIVE_MB
    found = every_run(path)
    assert len(found) == len(set(found)) == 30_000
    assert [one["month"] for one in read_json(path)["segments"]].count("2026-05") >= 1


def test_runs_whose_creation_is_not_told_are_kept_too(path: Path) -> None:
    history = a_large_history()
    untold = {**an_agent_run(500), "created_at": None, "started_at": None, "updated_at": None}
    rows = [*history.runs.to_dicts(), untold]
    write_history(path, an_agent_history(rows), most_bytes=SMALL)
    assert read_json(path)["segments"][-1]["month"] == "undated"
    assert len(every_run(path)) == 241


def test_the_main_file_may_be_named_by_its_folder_and_through_a_link(tmp_path: Path) -> None:
    assert data_path(tmp_path, "docs/agentops-runs.json") == tmp_path / "agentops-runs.json"
    (tmp_path / "real").mkdir()
    (tmp_path / "link.json").symlink_to(tmp_path / "real" / "x-runs.json")
    assert data_path(tmp_path / "link.json", "any") == tmp_path / "real" / "x-runs.json"
    assert sync_path(tmp_path / "agentops-runs.json").name == "agentops-sync.json"
    assert sync_path(tmp_path / "mine.json").name == "mine-sync.json"
    with pytest.raises(UsageError, match="is no file"):
        data_path(Path(os.devnull), "any")


def test_a_place_that_is_none_is_wrong_usage_in_one_sentence(tmp_path: Path) -> None:
    loop = tmp_path / "loop.json"
    loop.symlink_to(loop)
    for place in (loop, loop / "agentops-runs.json"):
        with pytest.raises(UsageError, match=r"loop\.json.* is reached through links that lead back to themselves"):
            data_path(place, "any")


@pytest.mark.parametrize("name", ["", ".", "docs/..", "/"])
def test_settings_that_name_no_data_file_are_told_by_their_key(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"data_file under \[agents\] in trackside\.toml names no file"):
        data_path(tmp_path, name)
    with pytest.raises(UsageError, match=r"data_file under \[agents\] in trackside\.toml names no file"):
        data_path(None, name)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    with pytest.raises(OutputError, match="What was there is as it was"):
        write_history(tmp_path / "file" / "agentops-runs.json", an_agent_history([an_agent_run(1)]))


WRITE = """
import sys
from pathlib import Path
from tests.agent_data import write_history
from tests.test_agents_files import SMALL, a_large_history
from trackside.errors import OutputError
try:
    write_history(Path(sys.argv[1]), a_large_history(title="News"), most_bytes=SMALL)
except OutputError as error:
    print(error)
    raise SystemExit(1)
"""


def write_in_a_process(path: Path, *prefix: str, **options: Any) -> subprocess.CompletedProcess[str]:
    # Byte code of ours is no file of the report: it would be cut off, or refused, likewise.
    words = [*prefix, sys.executable, "-B", "-c", WRITE, str(path)]
    return subprocess.run(words, capture_output=True, text=True, cwd=Path(__file__).parent.parent, **options)


@pytest.mark.parametrize("most_bytes", [1_000, 60_000, 100_000])
def test_a_disk_that_is_full_at_any_file_leaves_the_set_of_before(path: Path, most_bytes: int) -> None:
    write_history(path, a_large_history(), most_bytes=SMALL)
    before = state(path.parent)

    def limit() -> None:
        # A file that cannot grow is to a program what a full disk is.
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    done = write_in_a_process(path, preexec_fn=limit)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith(f"The data could not be written to {path}: ")
    assert state(path.parent) == before


@pytest.fixture
def bound_by_modes() -> list[str]:
    """What begins a command so that file modes bind it, which they do not where root runs the tests."""
    drop = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-all"]
    if os.geteuid():
        drop = []
    elif not shutil.which("setpriv") or subprocess.run([*drop, "true"], capture_output=True).returncode:
        pytest.skip("root cannot be bound by file modes here")
    return drop


def test_a_read_only_folder_is_one_sentence_and_nothing_is_damaged(path: Path, bound_by_modes: list[str]) -> None:
    write_history(path, a_large_history(), most_bytes=SMALL)
    before = state(path.parent)
    path.parent.chmod(0o555)
    done = write_in_a_process(path, *bound_by_modes)
    path.parent.chmod(0o755)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == f"The data could not be written to {path}: Permission denied. What was there is as it was.\n"
    assert state(path.parent) == before


def test_the_file_is_one_line_a_run_so_that_git_keeps_what_changed(path: Path) -> None:
    write_history(path, a_large_history(5))
    lines = path.read_bytes().split(b"\n")
    assert [json.loads(line.rstrip(b",]}"[:1]).removesuffix(b"]}"))["run_number"] for line in lines[1:]] == [
        4,
        3,
        2,
        1,
        0,
    ]
