"""How a process ends: exit codes, and one sentence instead of a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from trackside import errors
from trackside.cli.app import bench_app, run, trackside_app
from trackside.cli.catalogue import BENCH_COMMANDS
from trackside.errors import NoDataError, PartialError, PathNotFoundError, UsageError


def app_that_raises(error: BaseException) -> Any:
    app = bench_app("srtlog")

    def fail() -> NoReturn:
        raise error

    app.command(fail, name="fail")
    return app


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (PathNotFoundError("Path does not exist: /x"), 1, "Error: Path does not exist: /x\n"),
        (NoDataError("No worker nodes found in logs"), 1, "No worker nodes found in logs\n"),
        (
            UsageError("trackside.toml: bench: unknown key `x`"),
            2,
            "Error: trackside.toml: bench: unknown key `x`\n",
        ),
        (PartialError("3 lines were not recognised."), 4, "Error: 3 lines were not recognised.\n"),
        (OSError(28, "No space left on device", "/x"), 1, "Error: No space left on device: /x\n"),
        (KeyboardInterrupt(), 130, ""),
        (
            ZeroDivisionError("by zero"),
            1,
            "Error: unexpected ZeroDivisionError: by zero. Run the command again with --debug to see where.\n",
        ),
    ],
)
def test_every_error_has_its_code_and_sentence(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(app_that_raises(error), ["fail"]) == code
    captured = capsys.readouterr()
    assert captured.err == said
    assert captured.out == ""


def test_a_traceback_is_shown_only_when_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_that_raises(ZeroDivisionError("by zero"))
    run(app, ["fail"])
    assert "Traceback" not in capsys.readouterr().err
    monkeypatch.setenv("TRACKSIDE_DEBUG", "1")
    run(app, ["fail"])
    assert "Traceback" in capsys.readouterr().err


def test_a_hostile_message_is_shown_and_not_sent(capsys: pytest.CaptureFixture[str]) -> None:
    run(app_that_raises(PathNotFoundError("Path does not exist: /a\x1b]52;c;x\x07[red]\r")), ["fail"])
    assert capsys.readouterr().err == "Error: Path does not exist: /a\\x1b]52;c;x\\x07[red]\\r\n"


@pytest.mark.parametrize(
    "arguments", [["prase"], ["parse"], ["parse", "x", "--fromm", "1"], ["parse", "x", "--format", "toml"]]
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(bench_app("srtlog"), arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("Error: ")
    assert captured.out == ""


@pytest.mark.parametrize("make", [lambda: bench_app("srtlog"), trackside_app])
def test_a_bare_command_prints_its_help_and_ends_with_1(
    make: Callable[[], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(make(), []) == 1
    assert "Usage: " in capsys.readouterr().out


def test_bench_alone_is_a_bare_command_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(trackside_app(), ["bench"]) == 1
    assert "Usage: trackside bench COMMAND" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"], ["parse", "--help"]])
def test_asking_for_help_or_the_version_ends_with_0(arguments: list[str]) -> None:
    assert run(bench_app("srtlog"), arguments) == 0


@pytest.mark.parametrize("command", BENCH_COMMANDS, ids=lambda command: command.name)
def test_every_command_has_help_with_examples_under_both_names(
    command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(bench_app("srtlog"), [command.name, "--help"]) == 0
    own = capsys.readouterr().out
    assert run(trackside_app(), ["bench", command.name, "--help"]) == 0
    assert capsys.readouterr().out == own.replace("Usage: srtlog", "Usage: trackside bench")
    assert command.help in " ".join(own.split())
    assert all(example in own for example in command.examples)


def test_a_reader_that_goes_away_is_told_nothing() -> None:
    code = "import sys; from trackside.cli.app import main; sys.argv = ['trackside', '--help']; main()"
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([sys.executable, "-c", code], stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert done.returncode == 1
    assert done.stderr == b""


@pytest.mark.parametrize(("closed", "code"), [(1, 0), (2, 0)])
def test_a_closed_stream_is_no_error(closed: int, code: int) -> None:
    program = "import sys; from trackside.cli.app import main; sys.argv = ['trackside', '--version']; main()"
    command = f'exec "$0" -c "$1" {closed}>&-'
    done = subprocess.run(["bash", "-c", command, sys.executable, program], capture_output=True)
    assert done.returncode == code
    assert done.stderr == b""


def test_the_message_of_an_error_is_its_sentence() -> None:
    assert str(errors.OutputError("The report could not be written.")) == "The report could not be written."


def test_an_empty_argument_is_no_directory(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["store", "export", ""], ["ingest", ""], ["store", "sql", ""], ["store", "prune", "--keep", ""]):
        assert run(trackside_app(), arguments) == 2
        assert "Error: " in capsys.readouterr().err


def test_an_argument_too_many_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(trackside_app(), ["sync", "octo/engine"]) == 2
    assert capsys.readouterr().err.startswith("Error: This was not expected: octo/engine\n")


@pytest.mark.parametrize("words", [("ci", "failures", "ghp_{}"), ("sync", "--repo", "ghp_{}"), ("--ghp_{}",)])
def test_a_token_that_was_typed_in_the_wrong_place_is_not_shown(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    token = "Q7w" * 12
    assert run(trackside_app(), [word.format(token) for word in words]) == 2
    assert token not in "".join(capsys.readouterr())
