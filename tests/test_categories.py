"""Categories of jobs: rules in their order, and names that speak for themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackside.ci.categories import category_of
from trackside.records.ci_rules import CategoryRule

RULES = (
    CategoryRule(name="b200", jobs=("*-b200*",)),
    CategoryRule(name="unit-test", jobs=("unit-test-*", "base-[abc]-test-*")),
    CategoryRule(name="performance", jobs=("performance-test-*", "bench-*")),
)


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("unit-test-backend-4-gpu-b200", "b200"),
        ("unit-test-backend-4-gpu (1)", "unit-test"),
        ("Unit-Test-Frontend", "unit-test"),
        ("base-a-test-1-gpu-small / base-a-test-1-gpu-small (0)", "unit-test"),
        ("bench-test-2-gpu-amd (linux-mi300-gpu-2)", "performance"),
        ("run-all-notebooks", None),
        ("", None),
    ],
)
def test_the_first_rule_that_matches_names_the_category(name: str, category: str | None) -> None:
    assert category_of(name, RULES) == category


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("unit-test-1-gpu (4)", "unit-test"),
        ("unit-test-1-gpu (7)", "unit-test"),
        ("unit-test-2-gpu-amd (linux-mi300-gpu-1, 3)", "unit-test"),
        ("performance-test-1-gpu-part-2", "performance-test"),
        ("eval / text-models (12)", "text-models"),
        ("Build (ubuntu-latest, 3.11)", "build"),
        ("Test Python 3.11", "test python"),
        ("build-dev-x86 (12.9.1, all, dev)", "build-dev"),
        ("run-e2e-tests", "run-e2e-tests"),
        ("8-gpu-h200", "8-gpu"),
        ("lint", "lint"),
        ("42", "42"),
        ("--", None),
        ("", None),
    ],
)
def test_without_rules_the_category_is_what_a_name_shares_over_machines(name: str, category: str | None) -> None:
    assert category_of(name) == category


@given(st.text(max_size=60), st.integers(0, 99))
def test_a_derived_category_is_the_same_for_each_index_of_a_matrix(name: str, index: int) -> None:
    stem = f"unit{name}".replace("(", "").replace(")", "").strip()
    assert category_of(f"{stem} ({index})") == category_of(f"{stem} ({index + 1})")
