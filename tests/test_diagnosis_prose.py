"""What servers, installers and test runners print all day is not why a job failed; what stands around it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_diagnosis import EXIT, told
from trackside.records.failures import Cause

ORDINARY = (Path(__file__).parent / "ordinary_lines.txt").read_text(encoding="utf-8").splitlines()
CRASH = ("Traceback (most recent call last):", '  File "/w/c.py", line 3, in f', "    x['a']", "KeyError: 'a'")
FAILED = (
    "FAIL: test_a (t.T.test_a)",
    "-" * 20,
    "Traceback (most recent call last):",
    '  File "/t.py", line 5, in test_a',
    "    raise X",
    "AssertionError: boom",
    "Ran 1 test in 3s",
    "FAILED (failures=1)",
)


def test_there_are_a_few_hundred_ordinary_lines() -> None:
    assert len(ORDINARY) == len(set(ORDINARY)) >= 300


@pytest.mark.parametrize("line", ORDINARY)
def test_an_ordinary_line_is_not_told(line: str) -> None:
    crashed = told(line, *CRASH, line, EXIT)
    assert (crashed.cause, crashed.line) == (Cause.CRASH, "KeyError: 'a'")
    failed = told(line, *FAILED, EXIT)
    assert (failed.cause, failed.line, failed.test) == (Cause.TEST, FAILED[0], "t.T.test_a")
    assert told("starting", line, EXIT).line == EXIT


def test_all_of_them_together_are_not_told() -> None:
    assert told(*ORDINARY, *CRASH, EXIT).line == "KeyError: 'a'"
    assert told(*CRASH, *ORDINARY, EXIT).line == "KeyError: 'a'"
    assert told(*ORDINARY, *FAILED, EXIT).line == FAILED[0]
    assert told(*ORDINARY, EXIT).line == EXIT


@pytest.mark.parametrize(
    "line",
    [
        "F401 [*] `os` imported but unused",
        "E501 Line too long (130 > 120)",
        "PLR0913 Too many arguments in function definition (9 > 5)",
        "UP007 [*] Use `X | Y` for type annotations",
        "unused-import [*] `os` imported but unused",
        "unused-import: [*] `os` imported but unused",
        "line-too-long Line too long (130 > 120)",
    ],
)
def test_a_finding_of_ruff_is_told_by_its_code_or_by_its_name_above_the_place(line: str) -> None:
    found = told("checking", line, " --> a.py:1:8", "  |", "1 | import os", "Found 1 error.", EXIT)
    assert (found.cause, found.line) == (Cause.LINT, line)


def test_a_failed_assertion_of_rust_is_no_finding_of_ruff() -> None:
    found = told(
        "test router::picks ... FAILED",
        "thread 'router::picks' panicked at src/router.rs:88:9:",
        "assertion `left == right` failed",
        "  left: 1",
        "test result: FAILED. 2 passed; 1 failed; 0 ignored",
        EXIT,
    )
    assert (found.cause, found.test) == (Cause.TEST, "router::picks")
