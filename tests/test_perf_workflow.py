"""The second half of the scheduled workflow: performance on the same store, complete after as many runs as it takes."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.fake_github import Clock, FakeGitHub
from tests.fake_github.scenario_perf import perf
from tests.syncing import REPO, sync_once
from tests.test_ci_workflow import FILE, begin, step
from trackside.store.store import open_store

NAME = "Report performance"


@pytest.fixture(scope="module")
def workflow() -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC), ticking=True)) as fake:
        yield fake


def documents(folder: Path) -> list[dict[str, Any]]:
    """What each report left, the earliest first."""
    paths = sorted(folder.glob("performance_tables_*/performance.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def test_it_is_green_under_a_small_budget_and_goes_on_where_it_ended(
    workflow: dict[Any, Any], github: FakeGitHub, tmp_path: Path
) -> None:
    perf(github.world, runs=10, name=REPO)
    github.rates.limits["core"] = dict.fromkeys(github.rates.limits["core"], 60)
    said, rounds = "::warning", 0
    while "::warning" in said:
        assert rounds < 6, said
        github.clock.advance(3601)
        code, said = begin(workflow, github, tmp_path, "30", name=NAME)
        assert code == 0, said
        rounds += 1
    assert rounds > 1
    [*_, last] = documents(tmp_path)
    logs = last["counts"]["logs"]
    assert (logs.get("not_asked", 0), last["counts"]["unread_run_attempts"]) == (0, 0)
    assert logs["read"] > 20
    summary = (tmp_path / "step_summary.md").read_text(encoding="utf-8")
    assert summary.count("# octo/engine Performance Analysis Report") == rounds


def test_the_tables_stand_in_a_directory_named_by_the_time(
    workflow: dict[Any, Any], github: FakeGitHub, tmp_path: Path
) -> None:
    perf(github.world, runs=5, name=REPO)
    assert begin(workflow, github, tmp_path, name="Report failures")[0] == 0
    github.journal.clear()
    assert begin(workflow, github, tmp_path, name=NAME)[0] == 0
    assert not [one for one in github.journal.by_endpoint() if one.endswith("/jobs")]
    [folder] = [path for path in tmp_path.iterdir() if path.name.startswith("performance_tables")]
    assert re.fullmatch(r"performance_tables_\d{8}_\d{6}", folder.name)
    assert list(folder.glob("*_summary/*.csv"))
    assert step(workflow, "Upload the performance tables")["with"]["path"] == "performance_tables_*/"


def test_what_moved_is_told_and_kept(workflow: dict[Any, Any], github: FakeGitHub, tmp_path: Path) -> None:
    perf(github.world, runs=60, name=REPO)
    sync_once(github, open_store(tmp_path / ".trackside"), days=90, logs="perf", client={"max_wait_s": 100_000.0})
    github.journal.clear()
    code, said = begin(workflow, github, tmp_path, name="Report what moved")
    assert (code, github.journal.count()) == (0, 0), said
    assert "# Changes in performance" in (tmp_path / "step_summary.md").read_text(encoding="utf-8")
    assert open_store(tmp_path / ".trackside").newest("changes").collect().height > 0


def test_a_report_that_fails_fails_the_step(workflow: dict[Any, Any], github: FakeGitHub, tmp_path: Path) -> None:
    github.world.add_repository("somebody/else")
    code, said = begin(workflow, github, tmp_path, name=NAME)
    assert code == 1
    assert "::error title=The performance report was not made::Error: " in said
    assert "was not made" in (tmp_path / "step_summary.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("limit", ["100; rm -rf /", "--help", "-1"])
def test_a_limit_that_is_none_is_refused(
    workflow: dict[Any, Any], github: FakeGitHub, tmp_path: Path, limit: str
) -> None:
    github.world.add_repository(REPO)
    code, said = begin(workflow, github, tmp_path, limit, name=NAME)
    assert (code, "::error" in said) == (2, True)


def test_a_repository_without_runs_is_no_failure(workflow: dict[Any, Any], github: FakeGitHub, tmp_path: Path) -> None:
    github.world.add_repository(REPO)
    code, said = begin(workflow, github, tmp_path, name=NAME)
    assert (code, "::" in said) == (0, False), said
    assert "No performance data found." in (tmp_path / "step_summary.md").read_text(encoding="utf-8")


def test_both_reports_take_turns_on_one_store(workflow: dict[Any, Any]) -> None:
    names = [one["name"] for one in workflow["jobs"]["failures"]["steps"]]
    order = [
        "Restore the store",
        "Report failures",
        NAME,
        "Report what moved",
        "Keep the store small",
        "Save the store",
    ]
    assert [name for name in names if name in order] == order
    assert list(workflow["jobs"]) == ["failures"]
