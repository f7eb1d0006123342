"""Literal histories: runs and jobs in few words, as the frames that analyses start from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from tests.fake_github.plans import sha_of
from trackside.history.frames import (
    FAILURE_COLUMNS,
    JOB_COLUMNS,
    RUN_COLUMNS,
    TEST_FILE_COLUMNS,
    History,
)
from trackside.history.names import family_of, shard_of
from trackside.history.outcomes import FAILURES
from trackside.records.ci_rules import CiRules

REPO = "octo/engine"
START = dt.datetime(2026, 6, 1, 8, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
Row = Mapping[str, Any]
_OUTCOMES: dict[str | None, str] = {
    None: "unfinished",
    "success": "passed",
    "cancelled": "cancelled",
    "skipped": "skipped",
    "neutral": "skipped",
    **dict.fromkeys(FAILURES, "failed"),
}


def a_run(number: int, conclusion: str | None = "success", **told: Any) -> dict[str, Any]:
    """An attempt of run ``number`` on main, an hour after the run before it; a column that is named is as told.

    ``commit`` gives the sha by a word. Each workflow has a file of its own, and may be named by that.
    """
    workflow = told.get("workflow") or "PR Test"
    file = workflow if "/" in workflow else f".github/workflows/{workflow.lower().replace(' ', '-')}.yml"
    attempt = told.pop("run_attempt", 1)
    branch = told.pop("branch", "main")
    at = told.pop("created_at", START + number * HOUR)
    run = {
        "run_id": 1000 + number,
        "run_attempt": attempt,
        "is_latest": True,
        "is_read": conclusion is not None,
        "run_number": number,
        "workflow": "PR Test",
        "workflow_file": file,
        "event": "push" if branch == "main" else "pull_request",
        "status": "completed" if conclusion else "in_progress",
        "conclusion": conclusion,
        "outcome": _OUTCOMES.get(conclusion, "other"),
        "created_at": at,
        "started_at": at + (attempt - 1) * HOUR / 2,
        "updated_at": at + (attempt - 1) * HOUR / 2 + HOUR / 4,
        "duration_s": 900.0,
        "branch": branch,
        "line": branch,
        "is_default_line": branch == "main",
        "sha": sha_of(told.pop("commit", f"commit {number}")),
        "actor": "alice",
        "author": "Alice",
        "title": f"Change {number}",
        "pull_number": None,
        "pull_url": None,
        "url": f"https://github.com/{REPO}/actions/runs/{1000 + number}",
    }
    return {**run, **told}


def a_job(run: Row, name: str, conclusion: str | None = "success", **told: Any) -> dict[str, Any]:
    """A job of ``run``; a column that is named is as told. Its id comes from the run, the attempt and the name."""
    number = run["run_number"] * 10_000 + run["run_attempt"] * 1_000 + sum(name.encode()) % 1_000
    job = told.pop("job", name)
    failed = conclusion in FAILURES
    row = {
        "job_id": number,
        "run_id": run["run_id"],
        "run_attempt": run["run_attempt"],
        "name": name,
        "job": job,
        "family": family_of(job),
        "shard": shard_of(job),
        "category": None,
        "is_ignored": False,
        "is_latest": True,
        "status": "completed" if conclusion else "in_progress",
        "conclusion": conclusion,
        "outcome": _OUTCOMES.get(conclusion, "other"),
        "created_at": run["started_at"],
        "started_at": run["started_at"] + dt.timedelta(seconds=30),
        "completed_at": run["started_at"] + dt.timedelta(seconds=630) if conclusion else None,
        "queue_s": 30.0,
        "duration_s": 600.0 if conclusion else None,
        "runner_name": "gpu-runner-1",
        "runner_group": "Default",
        "pool": "1-gpu-runner",
        "url": f"https://github.com/{REPO}/actions/runs/{run['run_id']}/job/{number}",
        "failed_step": "Run tests" if failed else None,
        "failed_step_number": 5 if failed else None,
        "failed_steps": ["Run tests"] if failed else [],
        **{name: run[name] for name in ("run_number", "workflow", "event", "branch", "line", "is_default_line", "sha",
                                        "author", "actor", "title", "pull_number")},
        "run_conclusion": run["conclusion"],
        "run_created_at": run["created_at"],
        "run_url": run["url"],
    }  # fmt: skip
    return {**row, **told}


def a_failure(job: Row, cause: str = "test", **told: Any) -> dict[str, Any]:
    """Why ``job`` failed, as its log told."""
    row = {
        "job_id": job["job_id"],
        "cause": cause,
        "source": "log",
        "rule": "a rule",
        "line_text": "AssertionError: 1 != 2",
        "line_number": 100,
        "context": ["AssertionError: 1 != 2"],
        "test": "test/test_decode.py",
        "tests": ["test/test_decode.py"],
        "fingerprint": "00112233445566aa",
        "truncated": False,
        "observed_at": job["completed_at"],
    }
    return {**row, **told}


def a_history(
    runs: Iterable[Row],
    jobs: Iterable[Row] = (),
    *,
    failures: Iterable[Row] = (),
    test_files: Iterable[Row] = (),
    rules: CiRules | None = None,
    **told: Any,
) -> History:
    """A history of octo/engine with main as its default branch."""
    return History(
        repo=REPO,
        runs=pl.DataFrame([dict(row) for row in runs], schema=RUN_COLUMNS),
        jobs=pl.DataFrame([dict(row) for row in jobs], schema=JOB_COLUMNS),
        failures=pl.DataFrame([dict(row) for row in failures], schema=FAILURE_COLUMNS),
        test_files=pl.DataFrame([dict(row) for row in test_files], schema=TEST_FILE_COLUMNS),
        rules=rules or CiRules(),
        **{"default_branch": "main", **told},
    )
