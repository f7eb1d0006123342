"""``trackside agents analyze`` of what is no run: ZIPs and logs in files, in pipes and on standard input."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command_line import Said, command_line
from tests.zips import zipped
from trackside.evidence import log_files

Command = Callable[..., Said]
FAILED = b"2026-06-01T10:00:00.0000000Z ##[error]Process completed with exit code 1.\n"
GOOD = b"2026-06-01T10:00:00.0000000Z all is well\n"


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs ``agents analyze`` with these bytes on standard input; how it ended and what it said on both streams."""
    line = command_line(tmp_path, monkeypatch, capsys)

    def typed(*arguments: str, stdin: bytes = b"") -> Said:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        return line("agents", "analyze", *arguments)

    return typed


def jobs_of(out: str) -> dict[str, tuple[str, bool | None]]:
    return {one["name"]: (one["log"]["state"], one["is_failed"]) for one in json.loads(out)["jobs"]}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_jobs_that_share_a_name_are_read_and_told_apart(command: Command, tmp_path: Path) -> None:
    members = (("0_job.txt", FAILED), ("1_job.txt", GOOD), ("2_x.txt", GOOD), ("2_x.txt", FAILED))
    (tmp_path / "logs.zip").write_bytes(zipped(*members))
    code, out, err = command("logs.zip", "--format", "json")
    assert (code, err) == (0, "")
    assert jobs_of(out) == {
        "0_job": ("ready", True),
        "1_job": ("ready", False),
        "2_x": ("ready", False),
        "2_x #2": ("ready", True),
    }
    assert set(jobs_of(command("logs.zip", "--job", "jo?", "--format", "json")[1])) == {"0_job", "1_job"}


def test_a_folder_that_two_jobs_share_is_said_with_what_to_do(command: Command, tmp_path: Path) -> None:
    (tmp_path / "logs.zip").write_bytes(zipped(("job/1_a.txt", FAILED), ("job/1_b.txt", GOOD)))
    code, out, err = command("logs.zip", "--format", "json")
    assert code == 1
    assert jobs_of(out) == {"job": ("unreadable", False)}
    assert "two jobs share the folder 'job' of the ZIP" in err
    assert "give the number of the run in place of the ZIP" in err


def test_a_zip_on_standard_input_is_read_as_one(command: Command, tmp_path: Path) -> None:
    content = zipped(("0_unit.txt", FAILED), ("1_lint.txt", GOOD))
    (tmp_path / "logs.zip").write_bytes(content)
    code, out, err = command("-", stdin=content)
    assert (code, err) == (0, "")
    assert out == command("logs.zip")[1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zipped(), "Standard input holds no log of a job"),
        (b"PK\x03\x04 no zip at all", "Standard input cannot be read as a run-log ZIP"),
        (b"", "Standard input is empty"),
    ],
    ids=["empty zip", "damaged zip", "nothing"],
)
def test_standard_input_without_a_log_is_one_sentence(command: Command, content: bytes, words: str) -> None:
    code, out, err = command("-", stdin=content)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert words in err


@pytest.mark.parametrize("content", [b"x" * 4000, zipped(("0_unit.txt", os.urandom(4000)))], ids=["text", "zip"])
def test_standard_input_that_does_not_end_is_given_up(
    command: Command, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(log_files, "_MOST_TEXT", 3000)
    monkeypatch.setattr(log_files, "MOST_ARCHIVE", 3000)
    code, out, err = command("-", stdin=content)
    assert (code, out) == (1, "")
    assert "Standard input goes on after" in err
    assert "write it to a file" in err


def test_a_pipe_and_a_device_are_refused_before_they_are_opened(command: Command, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "/dev/zero"):
        code, out, err = command(name)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert f"{name} is no file, but a pipe or a device" in err
    assert "cannot be read: Is a directory" in command(str(tmp_path))[2]


def test_a_zip_of_more_jobs_than_a_run_can_have_asks_for_a_choice(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_files, "MOST_LOGS", 20)
    (tmp_path / "logs.zip").write_bytes(zipped(*((f"{n}_job {n}.txt", GOOD) for n in range(21))))
    code, out, err = command("logs.zip")
    assert (code, out) == (2, "")
    assert "logs.zip holds the logs of 21 jobs, more than 20: choose some of them with --job." in err
    assert command("logs.zip", "--job", "job 1*")[0] == 0
