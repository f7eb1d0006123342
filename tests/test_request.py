"""What a sync is asked for: which runs, which logs, and under which name a list is remembered."""

from __future__ import annotations

from typing import Any

import pytest

from tests.build_github import NOON, REPO, job
from trackside.history.names import is_workflow, matches_any
from trackside.sync.request import SyncRequest

FILE = ".github/workflows/pr-test.yml"


def request(**fields: Any) -> SyncRequest:
    return SyncRequest(repo=REPO, since=NOON, **fields)


def test_a_list_is_remembered_by_the_filters_that_github_applies() -> None:
    assert request().scope == ""
    assert request(workflows=("a.yml",), limit=3, job_globs=("*",)).scope == ""
    assert request(branch="main", event="push").scope == "branch=main&event=push"
    assert request(branch="main").list_filters == {"branch": "main"}


@pytest.mark.parametrize("wanted", ["pr-test.yml", FILE, "PR Test"])
def test_a_workflow_is_meant_by_its_file_its_path_or_its_name(wanted: str) -> None:
    assert is_workflow(wanted, FILE, "PR Test")
    assert request(workflows=("other.yml", wanted)).selects(
        workflow_file=FILE, workflow_name="PR Test", branch=None, event=None
    )


@pytest.mark.parametrize(
    ("wanted", "file", "name"),
    [
        ("test.yml", FILE, "PR Test"),
        ("pr test", FILE, "PR Test"),
        ("workflows/pr-test.yml", FILE, None),
        ("pr-test.yml", None, None),
        ("PR Test", None, None),
    ],
)
def test_another_workflow_is_not_meant(wanted: str, file: str | None, name: str | None) -> None:
    assert not is_workflow(wanted, file, name)


@pytest.mark.parametrize(
    ("fields", "selected"),
    [
        ({}, True),
        ({"branch": "main"}, True),
        ({"branch": "mai"}, False),
        ({"event": "push"}, True),
        ({"event": "schedule"}, False),
        ({"branch": "main", "event": "schedule"}, False),
    ],
)
def test_a_run_is_selected_by_its_branch_and_event(fields: dict[str, Any], selected: bool) -> None:
    told = {"workflow_file": FILE, "workflow_name": None, "branch": "main", "event": "push"}
    assert request(**fields).selects(**told) is selected


@pytest.mark.parametrize(
    ("logs", "name", "conclusion", "wanted"),
    [
        ("none", "unit", "failure", False),
        ("failed", "unit", "failure", True),
        ("failed", "unit", "timed_out", True),
        ("failed", "unit", "cancelled", False),
        ("failed", "unit", "success", False),
        ("perf", "Perf (8 GPUs)", "success", True),
        ("perf", "unit-BENCH-1", "failure", True),
        ("perf", "unit", "failure", False),
        ("all", "unit", "success", True),
        ("all", "unit", "skipped", False),
        ("all", "unit", "something new", True),
    ],
)
def test_a_log_is_wanted_by_what_became_of_its_job(logs: Any, name: str, conclusion: str, wanted: bool) -> None:
    assert request(logs=logs).wants_log(job(name=name, conclusion=conclusion)) is wanted


def test_a_log_of_a_job_that_goes_on_or_is_not_meant_is_not_wanted() -> None:
    assert not request(logs="all").wants_log(job(status="in_progress", conclusion=None))
    assert not request(logs="all", job_globs=("unit-*",)).wants_log(job(name="lint"))
    assert request(logs="all", job_globs=("lint", "unit-*")).wants_log(job(name="Unit-7 (0)"))


@pytest.mark.parametrize("name", ["unit [a]", "unit (1, 2)", "a/b / c", ""])
def test_a_glob_of_a_star_matches_every_name(name: str) -> None:
    assert matches_any(name, ("*",))
    assert not matches_any(name, ())
