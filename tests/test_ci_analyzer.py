"""The established command: its blocks line by line, its JSON key by key, and how it ends."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fake_github import Clock, FakeGitHub, job
from tests.fake_github.plans import JobPlan
from tests.fake_github.things import Step
from tests.syncing import environment, run_script

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "scripts" / "ci_monitor" / "ci_analyzer.py"
START = dt.datetime(2026, 6, 1, 8, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
UNIT, AMD = "unit-test-backend-1-gpu (5)", "unit-test-backend-1-gpu-amd (linux-mi300-gpu-1, 3)"
ESTABLISHED_KEYS = {
    "total_runs", "failed_runs", "successful_runs", "cancelled_runs", "skipped_runs", "category_failures",
    "job_failures", "workflow_failures", "failure_patterns", "job_failure_links", "job_last_success",
}  # fmt: skip
NEW_KEYS = {
    "schema_version", "generated_at", "repository", "strict_compat", "window", "completeness", "unfinished_runs",
    "other_runs", "success_rate", "decided_success_rate", "job_failures_in_cancelled_runs", "job_figures",
    "uncategorised_jobs", "unmatched_jobs", "ignored_jobs", "jobless_failures", "causes", "failures",
    "failures_left_out",
}  # fmt: skip


def failing(name: str, step: str = "Run test", *more: str) -> JobPlan:
    """A job whose steps of these names failed."""
    steps = tuple(Step(number, one, "failure") for number, one in enumerate((step, *more), 1))
    return job(name, "failure", steps=(Step(0, "Set up job"), *steps))


@pytest.fixture(scope="module")
def github() -> Iterator[FakeGitHub]:
    """Seven runs of SGLang in June: see ``test_the_blocks_are_the_established_ones_line_by_line``."""
    fake = FakeGitHub(clock=Clock(START + 60 * HOUR))
    world = fake.world
    repo = world.add_repository("sgl-project/sglang")
    fork = world.add_repository("mira/sglang", fork=True)
    pull = world.add_pull(
        "Fix decode", repo=repo, number=7, branch="fix", head_repository=fork, author="mira", at=START
    )
    main: dict[str, Any] = {"workflow": "PR Test", "repo": repo}
    of_pull: dict[str, Any] = {
        "event": "pull_request",
        "branch": "fix",
        "sha": pull.head_sha,
        "head_repository": fork,
        "actor": "mira",
    }
    world.add_run([job(UNIT), job(AMD), job("lint")], at=START, **main)
    world.add_run([failing(UNIT), job(AMD), job("lint")], conclusion="failure", at=START + HOUR, **main)
    world.add_run([job(UNIT), job(AMD), failing("lint", "Run pre-commit")], at=START + 2 * HOUR, **main,
                  conclusion="failure")  # fmt: skip
    world.add_run([failing(UNIT, "Install dependencies"), failing(AMD), job("check-changes")], at=START + 3 * HOUR,
                  conclusion="cancelled", **main, **of_pull)  # fmt: skip
    again = world.add_run([failing("unit-test-backend-4-gpu-b200", "Run test", "Upload logs"), job(UNIT)],
                          conclusion="failure", at=START + 4 * HOUR, **main, **of_pull)  # fmt: skip
    world.rerun(again, at=START + 5 * HOUR, conclusion="success")
    world.add_run([failing("vllm-dependency-test", "Install dependencies")], at=START + 6 * HOUR, conclusion="failure",
                  workflow="VLLM Dependency Test", repo=repo)  # fmt: skip
    world.add_run([job(UNIT, "skipped")], at=START + 7 * HOUR, conclusion="skipped", **main)
    with fake:
        yield fake


def analyze(github: FakeGitHub, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_script(SCRIPT, github, folder, *arguments)


RUNS = "https://github.com/sgl-project/sglang/actions/runs"
STRICT = f"""
============================================================
SGLang CI Analysis Report
============================================================

Overall Statistics:
  Total runs: 7
  Successful: 2
  Failed: 3
  Cancelled: 1
  Skipped: 1
  Success rate: 28.6%

Category Failure Statistics:
  unit-test: 1 failures

Most Frequently Failed Jobs (Top 50):
   1. unit-test-backend-1-gpu (5): 1 times
      Last Success: Run #1 (2026-06-01 08:00) by Alice: {RUNS}/19000000001
      Recent Failures:
        - Run #2 (2026-06-01 09:00) by Alice: {RUNS}/19000000002
   2. vllm-dependency-test: 1 times
      Last Success: none in this window
      Recent Failures:
        - Run #1 (2026-06-01 14:00) by Alice: {RUNS}/19000000006

Failure Pattern Analysis:
  Dependency Installation Failure: 1 times
  Unit Test Failure: 1 times
"""
RIGHT = f"""
============================================================
SGLang CI Analysis Report
============================================================

Overall Statistics:
  Total runs: 7
  Successful: 2
  Failed: 3
  Cancelled: 1
  Skipped: 1
  Success rate: 28.6%
  Success rate of decided runs: 40.0% (2 of 5)
  Failed by workflow: PR Test: 2, VLLM Dependency Test: 1
  Window: runs of sgl-project/sglang created 2026-06-01 08:00 to 2026-06-01 15:00 UTC, 8 attempts, 13 job attempts

Category Failure Statistics:
  unit-test: 3 failures
  b200: 1 failures
  integration: 1 failures

Most Frequently Failed Jobs (Top 50):
   1. unit-test-backend-1-gpu (5): 2 times
      Last Success: Run #5 (2026-06-01 12:00) (PR #7 by Mira): {RUNS}/19000000005
      Recent Failures:
        - Run #4 (2026-06-01 11:00) (PR #7 by Mira): {RUNS}/19000000004
        - Run #2 (2026-06-01 09:00) by Alice: {RUNS}/19000000002
   2. unit-test-backend-1-gpu-amd (linux-mi300-gpu-1, 3): 1 times
      Last Success: Run #3 (2026-06-01 10:00) by Alice: {RUNS}/19000000003
      Recent Failures:
        - Run #4 (2026-06-01 11:00) (PR #7 by Mira): {RUNS}/19000000004
   3. unit-test-backend-4-gpu-b200: 1 times
      Last Success: Run #5 (2026-06-01 12:00) (PR #7 by Mira): {RUNS}/19000000005
      Recent Failures:
        - Run #5 (2026-06-01 12:00) (PR #7 by Mira): {RUNS}/19000000005
   4. vllm-dependency-test: 1 times
      Last Success: none in this window
      Recent Failures:
        - Run #1 (2026-06-01 14:00) by Alice: {RUNS}/19000000006
  Failures in cancelled runs: 2 of 5
  Left out, as the settings ignore them: lint: 1

Failure Pattern Analysis:
  Unit Test Failure: 3 times
  Dependency Installation Failure: 2 times
  Counted: each failed job attempt once, 0 by a line of the log, 5 by the names of job and step
"""


@pytest.fixture(scope="module")
def folder(github: FakeGitHub, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the command was run twice: ``right.json`` and ``strict.json`` beside what was printed."""
    folder = tmp_path_factory.mktemp("analyzer")
    for name, arguments in (("right", ()), ("strict", ("--strict-compat",))):
        done = analyze(github, folder, "--output", f"{name}.json", *arguments)
        assert done.returncode == 0, done.stderr
        (folder / f"{name}.txt").write_text(done.stdout, encoding="utf-8")
    return folder


def test_the_blocks_are_the_established_ones_line_by_line(folder: Path) -> None:
    assert (folder / "right.txt").read_text(encoding="utf-8") == RIGHT


def test_strictly_the_blocks_hold_the_established_arithmetic_and_nothing_else(folder: Path) -> None:
    assert (folder / "strict.txt").read_text(encoding="utf-8") == STRICT


def test_new_lines_stand_at_the_end_of_the_first_block_only() -> None:
    strict, right = (text.split("Category")[0].rstrip() for text in (STRICT, RIGHT))
    assert right.startswith(strict)


@pytest.mark.parametrize("name", ["right", "strict"])
def test_the_json_has_the_established_keys_and_the_documented_new_ones(folder: Path, name: str) -> None:
    told = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    assert set(told) == ESTABLISHED_KEYS | NEW_KEYS
    assert told["workflow_failures"] == {"PR Test": 2, "VLLM Dependency Test": 1}
    [link] = told["job_failure_links"]["vllm-dependency-test"]
    assert set(link) == set(told["job_last_success"][UNIT]) == {"url", "run_number", "created_at", "pr_info"}
    assert set(link["pr_info"]) == {"pr_number", "author", "head_sha", "head_branch"}
    assert (link["created_at"], link["pr_info"]["pr_number"]) == ("2026-06-01T14:00:00Z", None)


def test_what_was_read_before_is_not_asked_for_again(github: FakeGitHub, folder: Path) -> None:
    assert analyze(github, folder, "--offline").stdout == RIGHT
    github.journal.clear()
    assert analyze(github, folder).stdout == RIGHT
    assert not any("job" in endpoint for endpoint in github.journal.by_endpoint())


def test_the_output_goes_where_it_is_asked_to_and_the_limit_takes_the_newest_runs(
    github: FakeGitHub, tmp_path: Path
) -> None:
    done = analyze(github, tmp_path, "--limit", "2", "--output", "reports/mine.json")
    assert "  Total runs: 2\n" in done.stdout
    told = json.loads((tmp_path / "reports" / "mine.json").read_text(encoding="utf-8"))
    assert told["job_failures"] == {"vllm-dependency-test": 1}
    assert "reports/mine.json" in done.stderr


def test_other_commands_keep_to_the_workflows_of_the_preset(github: FakeGitHub, folder: Path) -> None:
    command = [str(Path(sys.executable).parent / "trackside"), "ci", "failures", "--preset", "sglang", "--offline"]
    words = [*command, "--since", "2026-05-01", "--format", "json"]
    done = subprocess.run(words, cwd=folder, env=environment(github), capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout)["workflow_failures"] == {"PR Test": 2}


def test_without_runs_it_says_so_and_ends_well(github: FakeGitHub, tmp_path: Path) -> None:
    github.world.add_repository("octo/silent")
    done = analyze(github, tmp_path, "--repo", "octo/silent")
    assert (done.stdout, done.returncode) == ("No CI run data found\n", 0)


def test_a_wrong_repository_is_one_sentence(github: FakeGitHub, tmp_path: Path) -> None:
    done = analyze(github, tmp_path, "--repo", "octo/nowhere")
    assert (done.stdout, done.returncode) == ("", 1)
    assert "octo/nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_from_a_bare_checkout_one_sentence_says_how_to_install(tmp_path: Path) -> None:
    bare = tmp_path / "checkout" / "scripts" / "ci_monitor" / "ci_analyzer.py"
    bare.parent.mkdir(parents=True)
    bare.write_bytes(SCRIPT.read_bytes())
    words = [sys.executable, "-I", "-S", str(bare), "--token", "x"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr.startswith("The package trackside is not installed here")
    assert done.stderr.rstrip().endswith(f"install it with: pip install {tmp_path / 'checkout'}")
    assert done.stderr.count("\n") == 1
