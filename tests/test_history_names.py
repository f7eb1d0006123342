"""Names of jobs: what stays the same of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackside.history.names import family_of, is_workflow, matches_any, renamed, shard_of, stem_of
from trackside.records.ci_rules import Alias


@pytest.mark.parametrize(
    ("name", "family", "shard"),
    [
        ("unit-test-backend-1-gpu (5)", "unit-test-backend-1-gpu", "5"),
        ("unit (linux-mi300-gpu-1, 3)", "unit (linux-mi300-gpu-1)", "3"),
        ("unit (3/8)", "unit", "3/8"),
        ("unit (3 of 8)", "unit", "3 of 8"),
        ("build (12.9.1, all, dev)", "build (12.9.1, all, dev)", None),
        ("build (3.11)", "build (3.11)", None),
        ("lint", "lint", None),
        ("suite / suite (0)", "suite", "0"),
        ("eval / text-models (12)", "eval / text-models", "12"),
        ("call (fast) / unit (7)", "call (fast) / unit", "7"),
        ("unit (4, 2)", "unit", "4, 2"),
        ("test (gpu (a100), 1)", "test (gpu (a100))", "1"),
        ("unit ()", "unit ()", None),
        ("(3)", "(3)", None),
        ('=HYPERLINK("http://x","y")', '=HYPERLINK("http://x","y")', None),
        ("\tTab\rCR (a,b) ", "\tTab\rCR (a,b) ", None),
        ("call / unit(a,b)", "call / unit(a,b)", None),
    ],
)
def test_a_family_has_no_matrix_index(name: str, family: str, shard: str | None) -> None:
    assert (family_of(name), shard_of(name)) == (family, shard)


@given(st.text(max_size=60))
def test_any_name_has_a_family_that_is_its_own_family(name: str) -> None:
    assert family_of(family_of(name)) == family_of(name)
    assert shard_of(family_of(name)) is None


@pytest.mark.parametrize(
    ("name", "stem"), [("eval / unit (4)", "unit"), ("unit (a, b)", "unit"), ("lint", "lint"), ("", "")]
)
def test_a_stem_is_the_last_part_without_values(name: str, stem: str) -> None:
    assert stem_of(name) == stem


ALIASES = (Alias(old="unit-test-backend", new="base-test"), Alias(old="lint", new="check"))


@pytest.mark.parametrize(
    ("name", "now"),
    [
        ("unit-test-backend (3)", "base-test (3)"),
        ("unit-test-backend", "base-test"),
        ("call / unit-test-backend (3)", "call / base-test (3)"),
        ("unit-test-backend-amd (3)", "unit-test-backend-amd (3)"),
        ("linter", "linter"),
    ],
)
def test_a_renamed_job_goes_on_under_its_new_name(name: str, now: str) -> None:
    assert renamed(name, ALIASES) == now


def test_a_glob_matches_the_whole_name_or_its_last_part_in_any_case() -> None:
    assert matches_any("eval / Unit-Test (3)", ["unit-test*"])
    assert matches_any("eval / unit (3)", ["EVAL*"])
    assert not matches_any("eval / unit (3)", ["unit"])
    assert not matches_any("eval", [])


def test_a_workflow_is_meant_by_its_path_its_file_or_its_name() -> None:
    path = ".github/workflows/pr-test.yml"
    assert all(is_workflow(wanted, path, "PR Test") for wanted in (path, "pr-test.yml", "PR Test"))
    assert not is_workflow("workflows/pr-test.yml", path, "PR Test")
