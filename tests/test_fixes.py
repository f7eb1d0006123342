"""Suggestions: each rule fits what it is for and not what looks like it, and where no rule fits nothing is said."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.agents_fix_accuracy import false_alarms, judged, suggested
from benchmarks.failure_accuracy import REAL, real_outcomes
from tests.test_diagnosis import job
from trackside.fixes.suggestions import FIXES, Suggestion, suggest
from trackside.joblogs.diagnosis import diagnose
from trackside.joblogs.pattern_cost import repeats_a_repetition
from trackside.joblogs.rules import RULES

LINES = Path(__file__).parent / "fix_lines.txt"
CASE = re.compile(r"(?P<rule>[\w-]+) (?P<sign>[+-]) (?:\[step: (?P<step>[^\]]+)\] )?(?P<line>.+)")


class Case(NamedTuple):
    """A line that a rule must fit (``fits``) or must not, in a step."""

    rule_id: str
    fits: bool
    step: str | None
    line: str


def cases() -> list[Case]:
    found = [CASE.fullmatch(line) for line in LINES.read_text(encoding="utf-8").splitlines()]
    assert all(found), "a line that is no case"
    return [Case(one["rule"], one["sign"] == "+", one["step"], one["line"]) for one in found if one]


def named(number: int, case: Case) -> str:
    return f"{number:03}-{case.rule_id}-{'fits' if case.fits else 'not'}"


def suggestions(line: str, step: str | None = None) -> tuple[Suggestion, ...]:
    """What is suggested for a job whose log ends with this line and an exit code."""
    stamp = "2026-11-01T12:00:00.0000000Z "
    ending = [] if "Process completed with exit code" in line else ["##[error]Process completed with exit code 1."]
    log = "".join(f"{stamp}{one}\n" for one in ("##[group]Run ./ci.sh", "./ci.sh", "##[endgroup]", line, *ending))
    told = diagnose(log.encode(), job())
    return suggest(cause=told.cause.value, rule=told.rule, line=told.line, context=told.context, step=step)


@pytest.mark.parametrize("case", [pytest.param(case, id=named(n, case)) for n, case in enumerate(cases())])
def test_a_rule_fits_the_logs_it_is_for_and_not_those_that_look_like_it(case: Case) -> None:
    assert (case.rule_id in [one.rule_id for one in suggestions(case.line, case.step)]) is case.fits


def test_every_rule_is_tested_both_ways() -> None:
    known = [one.rule_id for one in FIXES]
    assert len(known) == len(set(known)) >= 25
    for fits in (True, False):
        assert {case.rule_id for case in cases() if case.fits is fits} == set(known)


def test_rules_name_rules_of_diagnoses_that_there_are() -> None:
    there = {rule.name for rule in RULES}
    assert {name for one in FIXES for name in one.rules} - there == set()
    assert all(one.rules or one.pattern for one in FIXES)


def test_a_suggestion_is_a_title_and_one_to_four_sentences_without_a_link() -> None:
    for one in FIXES:
        assert re.fullmatch(r"[a-z]+(?:-[a-z]+)*", one.rule_id)
        assert 10 <= len(one.title) <= 100
        assert one.title[-1] != "."
        assert 40 <= len(one.text) <= 420, one.rule_id
        assert one.text[-1] == "."
        assert "://" not in one.text
        assert 1 <= len(re.findall(r"[.!?](?= [A-Z`]|$)", one.text)) <= 4, one.rule_id


def test_no_pattern_may_take_for_ever() -> None:
    patterns = [each for one in FIXES for each in (one.pattern, one.unless, one.steps) if each]
    assert [each.pattern for each in patterns if repeats_a_repetition(each.pattern)] == []
    assert [each.pattern for each in patterns if each.search("")] == []


def test_the_lines_that_made_a_rule_fit_are_its_evidence() -> None:
    [one] = suggestions("E: Unable to locate package libfoo-dev")
    assert one.evidence == ("E: Unable to locate package libfoo-dev",)


def test_lines_around_count_where_the_line_says_nothing_and_only_there() -> None:
    around = ("hint: Updates were rejected because the remote contains work", "npm error code ERESOLVE")
    exit_1 = "##[error]Process completed with exit code 1."
    found = suggest(cause="other", rule="exit-code", line=exit_1, context=(*around, exit_1))
    assert [(one.rule_id, one.evidence) for one in found] == [
        ("push-behind", around[:1]),
        ("npm-peer-conflict", around[1:]),
    ]
    assert suggest(cause="test", rule="pytest-failed", line="FAILED a.py::b - assert 0", context=around) == ()
    assert suggest(cause=None, rule=None, line=None, context=around) == found


@pytest.mark.parametrize(
    "line",
    [
        "FAILED tests/test_a.py::test_b - assert 1 == 2",
        "KeyError: 'version'",
        "ValueError: bad",
        "##[error]Process completed with exit code 1.",
        "##[error]The operation was canceled.",
        "src/a.cpp:3:1: error: 'x' was not declared in this scope",
    ],
)
def test_where_no_rule_fits_nothing_is_suggested(line: str) -> None:
    assert suggestions(line) == ()


def test_nothing_is_suggested_without_a_line() -> None:
    for cause in ("timeout", "gpu_memory", None):
        assert suggest(cause=cause, rule=None, line=None) == ()
    assert suggest(cause="disk_full", rule="disk-full", line=None) == ()


def test_a_general_rule_is_silent_where_a_special_one_fits() -> None:
    line = (
        "huggingface_hub.errors.HfHubHTTPError: 429 Client Error: Too Many Requests for url: https://huggingface.co/x"
    )
    assert [one.rule_id for one in suggest(cause="rate_limit", rule="http-429", line=line)] == ["hub-rate-limit"]


def test_a_network_fault_within_a_test_is_not_taken_for_the_jobs_own() -> None:
    line = "FAILED tests/test_net.py::test_retry - ConnectionResetError: Connection reset by peer"
    assert suggest(cause="test", rule="pytest-failed", line=line) == ()


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real logs at {REAL} (set TRACKSIDE_REAL_DATA)")
def test_most_real_failures_get_a_suggestion_and_each_was_judged() -> None:
    real = suggested(real_outcomes())
    assert sum(bool(one.rules) for one in real) >= 0.55 * len(real)
    verdicts = judged(real)
    assert (verdicts["wrong"], verdicts["not judged"]) == (0, 0)


def test_lines_that_logs_are_full_of_get_hardly_a_suggestion() -> None:
    alarms, lines = false_alarms()
    assert alarms <= 0.01 * lines


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=2_000), st.lists(st.text(max_size=200), max_size=12), st.text(max_size=50))
def test_whatever_a_log_holds_suggestions_are_few_and_their_evidence_is_short(
    line: str, context: list[str], step: str
) -> None:
    found = suggest(cause="other", rule="exit-code", line=line, context=context, step=step)
    assert len(found) <= 3
    assert all(1 <= len(one.evidence) <= 3 and all(len(text) <= 500 for text in one.evidence) for one in found)
