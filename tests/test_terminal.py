"""The streams of a command: what reaches a screen, a pipe, and neither."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackside.cli.terminal import open_terminal
from trackside.report.safe_text import csv_text, markdown_text, safe_text

SHOW = "from trackside.cli.terminal import open_terminal; t = open_terminal(quiet={quiet}); {code}"


def run_on_a_screen(code: str, **environment: str) -> str:
    """What a terminal gets when ``code`` runs with all its streams on it."""
    master, slave = pty.openpty()
    command = [sys.executable, "-c", SHOW.format(quiet=False, code=code)]
    env = {"PATH": os.environ["PATH"], "TERM": "xterm", "COLUMNS": "60", **environment}
    subprocess.run(command, stdin=slave, stdout=slave, stderr=slave, env=env, check=True)
    os.close(slave)
    got = b""
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:
            break
        if not chunk:
            break
        got += chunk
    os.close(master)
    return got.decode()


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x1b]8;;http://x\x07link", "\\x1b]8;;http://x\\x07link"),
        ("\x1b]52;c;cGF5\x1b\\", "\\x1b]52;c;cGF5\\x1b\\"),
        ("over\rwritten", "over\\rwritten"),
        ("two\nlines", "two\\nlines"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202eevil", "\\u202eevil"),
        ("\udcff", "\\udcff"),
        ("plain → text ü", "plain → text ü"),
    ],
)
def test_control_characters_are_shown(hostile: str, shown: str) -> None:
    assert safe_text(hostile) == shown


@given(st.text(st.characters()))
def test_no_text_keeps_a_character_that_a_terminal_acts_on(text: str) -> None:
    assert safe_text(text).isprintable()
    assert csv_text(text).isprintable()
    assert markdown_text(text).isprintable()


@given(st.text())
def test_no_csv_cell_starts_a_formula(text: str) -> None:
    assert not csv_text(text).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_data_goes_to_stdout_and_notes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = open_terminal()
    terminal.data("data [red]x[/red] :smile:")
    terminal.note("note")
    terminal.warn("warning")
    terminal.fail("failure")
    captured = capsys.readouterr()
    assert captured.out == "data [red]x[/red] :smile:\n"
    assert captured.err == "note\nwarning\nfailure\n"


def test_quiet_keeps_warnings_and_failures(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = open_terminal(quiet=True)
    terminal.note("note")
    terminal.warn("warning")
    terminal.fail("failure")
    assert capsys.readouterr().err == "warning\nfailure\n"


def test_a_pipe_gets_long_lines_whole(capsys: pytest.CaptureFixture[str]) -> None:
    open_terminal().data("x" * 5000)
    assert capsys.readouterr().out == "x" * 5000 + "\n"


def test_what_came_from_a_log_does_not_reach_the_screen_as_control(
    capsys: pytest.CaptureFixture[str],
) -> None:
    open_terminal().note("a\x1b[2J\rb")
    assert capsys.readouterr().err == "a\\x1b[2J\\rb\n"


def test_a_screen_gets_colours_unless_no_color_is_set() -> None:
    assert "\x1b[31m" in run_on_a_screen('t.fail("no")')
    assert run_on_a_screen('t.fail("no")', NO_COLOR="1").replace("\x1b[0m", "") == "no\r\n"


def test_progress_is_drawn_on_a_screen_only(capsys: pytest.CaptureFixture[str]) -> None:
    code = "p = t.progress('Reading'); f = p.__enter__(); f(5, 10); p.__exit__(None, None, None)"
    assert "Reading" in run_on_a_screen(code)
    with open_terminal().progress("Reading") as on_progress:
        assert on_progress is None
    assert capsys.readouterr().err == ""
