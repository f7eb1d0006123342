"""Patterns that may take for ever are refused."""

from __future__ import annotations

import pytest

from trackside.errors import UsageError
from trackside.joblogs.pattern_cost import repeats_a_repetition
from trackside.joblogs.rules import compile_rules
from trackside.records.ci_rules import PatternRule


@pytest.mark.parametrize(
    "expression",
    ["(a+)+$", r"(?:[\w :./\[\]#-]+)+@@$", "(a*)*b", "(x|y+)*z", "((a+)b?)+c", "(a{2,})*", "(?=(a+)+)", "(a+?)*b"],
)
def test_a_repetition_within_a_repetition_is_found(expression: str) -> None:
    assert repeats_a_repetition(expression)
    with pytest.raises(UsageError, match="'mine' of \\[ci\\] repeats a repetition"):
        compile_rules([PatternRule("mine", expression)])


@pytest.mark.parametrize(
    "expression",
    [
        "a+b+",
        r"mirror \d+ is gone",
        "(?:abc)+",
        r"Fast-fail: .* skipping .*",
        "(a{1,3})+",
        "(a+){2}",
        "[a-z]+(?:-x)*",
        "(",
    ],
)
def test_what_ends_is_let_through(expression: str) -> None:
    assert not repeats_a_repetition(expression)
