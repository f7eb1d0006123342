"""Each kind of line is known, wherever it stands; and the written logs are told as they are in docs/accuracy.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.failure_accuracy import is_catch_all, stable_fingerprints, written_outcomes
from benchmarks.written_logs import excerpts
from tests.test_diagnosis import EXIT, job, log
from trackside.joblogs.diagnosis import diagnose
from trackside.joblogs.rule_table import TRIGGERS, rule
from trackside.joblogs.rules import RULES
from trackside.records.failures import Cause

TABLE = (Path(__file__).parent / "diagnosed_lines.txt").read_text(encoding="utf-8").splitlines()
LINES = [tuple(row.split(" | ", 1)) for row in TABLE]


@pytest.mark.parametrize(("cause", "line"), LINES)
def test_a_line_tells_its_cause(cause: str, line: str) -> None:
    found = diagnose(log("starting", line, EXIT), job())
    assert (found.cause, found.line_number) == (cause, 2)


@pytest.mark.parametrize(("cause", "line"), LINES)
def test_it_does_so_far_from_the_end(cause: str, line: str) -> None:
    found = diagnose(log("starting", line, *("working",) * 100, EXIT), job())
    assert (found.cause, found.line_number) == (cause, 2)


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause is not Cause.OTHER])
def test_every_cause_has_lines_and_rules(cause: Cause) -> None:
    assert any(known == cause for known, _ in LINES)
    assert any(each.cause is cause for each in RULES)


def test_rules_have_one_name_each_and_words_that_are_looked_for() -> None:
    names = [each.name for each in RULES]
    assert len(names) == len(set(names))
    assert [
        (each.name, need) for each in RULES for need in each.needs if not any(word in need for word in TRIGGERS)
    ] == []
    assert all(need == need.lower() for each in RULES for need in each.needs)


@pytest.mark.parametrize("each", RULES, ids=lambda each: each.name)
def test_patterns_are_tried_at_the_beginning_only_where_they_must_match_there(each: object) -> None:
    pattern = each.pattern  # type: ignore[attr-defined]
    probes = [line for _, line in LINES] + [f"zz {line}" for _, line in LINES]
    assert all(bool(each.search(probe)) == bool(pattern.search(probe)) for probe in probes)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("pattern", "anchored"),
    [("^a", True), ("^a|^b", True), ("^a|b", False), ("a", False), ("^(?:a|b)", True), (r"^\(a|^[|]b", True)],
)
def test_anchored_patterns_are_known(pattern: str, anchored: bool) -> None:
    assert rule("x", Cause.OTHER, 1, pattern).anchored is anchored


EVIL = [
    "a" * 2000,
    "a/" * 1000,
    "::" * 1000,
    " " * 2000,
    "E " * 1000,
    "1." * 1000,
    "(" * 2000,
    "error: " * 285,
    "x.py:" * 400,
]


@pytest.mark.parametrize("text", EVIL, ids=range(len(EVIL)))
def test_no_pattern_takes_long_on_a_line_of_one_kind(text: str) -> None:
    for each in RULES:
        each.pattern.search(text)


def test_the_half_that_rules_were_developed_on_is_told_right() -> None:
    outcomes = written_outcomes("develop") + written_outcomes("develop", steps=True)
    assert [each.name for each in outcomes if not each.exact] == []
    assert [each.name for each in outcomes if each.told.cause is not each.cause] == []


def test_the_frozen_half_is_told_as_well_as_the_page_says() -> None:
    outcomes = written_outcomes("frozen")
    assert sum(each.exact for each in outcomes) >= 0.93 * len(outcomes)
    assert sum(each.told.cause is each.cause for each in outcomes) >= 0.93 * len(outcomes)
    assert not any(is_catch_all(each.told) for each in outcomes)


def test_there_are_enough_written_logs_of_every_cause() -> None:
    both = [*excerpts("develop"), *excerpts("frozen")]
    assert len(both) >= 100
    assert {each.cause for each in both} == set(Cause)
    assert not any(re.search(r"/(home|root|Users)/", line) for each in both for line in each.lines)


def test_fingerprints_of_the_written_logs_are_stable_and_distinct() -> None:
    known, stable, different = stable_fingerprints(runs=3)
    assert stable == known
    assert different >= 0.97 * known
