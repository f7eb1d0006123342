"""Bodies as GitHub sends them: every field has a plain value, a test names only what it is about."""

from __future__ import annotations

import json
from typing import Any

REPO = "octo/inference"
HOME = {
    "id": 77,
    "name": "inference",
    "full_name": REPO,
    "url": f"https://api.github.com/repos/{REPO}",
    "private": False,
}
FORK = {"id": 78, "name": "inference", "full_name": "someone/inference"}


def run_body(**more: Any) -> dict[str, Any]:
    """A run of ci.yml on the branch ``fix`` that took four minutes."""
    body = {
        "id": 19001,
        "name": "CI",
        "node_id": "WFR_kw",
        "head_branch": "fix",
        "head_sha": "a" * 40,
        "path": ".github/workflows/ci.yml",
        "display_title": "Fix the scheduler",
        "run_number": 412,
        "event": "push",
        "status": "completed",
        "conclusion": "success",
        "workflow_id": 5,
        "check_suite_id": 6,
        "html_url": f"https://github.com/{REPO}/actions/runs/19001",
        "pull_requests": [],
        "created_at": "2026-03-02T10:00:00Z",
        "updated_at": "2026-03-02T10:04:05Z",
        "run_started_at": "2026-03-02T10:00:05Z",
        "run_attempt": 1,
        "previous_attempt_url": None,
        "referenced_workflows": [],
        "actor": {"login": "ada", "id": 11, "type": "User"},
        "triggering_actor": {"login": "grace", "id": 12, "type": "User"},
        "head_commit": {"id": "a" * 40, "message": "Fix", "author": {"name": "Ada", "email": "ada@example.org"}},
        "repository": HOME,
        "head_repository": HOME,
    }
    return body | more


def job_body(**more: Any) -> dict[str, Any]:
    """A job of that run that waited ten seconds and ran for a minute in two steps, numbered 1 and 4."""
    body = {
        "id": 52001,
        "run_id": 19001,
        "run_attempt": 1,
        "workflow_name": "CI",
        "head_branch": "fix",
        "head_sha": "a" * 40,
        "html_url": f"https://github.com/{REPO}/actions/runs/19001/job/52001",
        "status": "completed",
        "conclusion": "success",
        "created_at": "2026-03-02T10:00:05Z",
        "started_at": "2026-03-02T10:00:15Z",
        "completed_at": "2026-03-02T10:01:15Z",
        "name": "unit-test (0)",
        "labels": ["1-gpu-h100"],
        "runner_id": 21,
        "runner_name": "h100-03",
        "runner_group_id": 1,
        "runner_group_name": "Default",
        "steps": [step_body(), step_body(number=4, name="Post Checkout")],
    }
    return body | more


def step_body(**more: Any) -> dict[str, Any]:
    """A step of five seconds."""
    body = {
        "number": 1,
        "name": "Set up job",
        "status": "completed",
        "conclusion": "success",
        "started_at": "2026-03-02T10:00:15Z",
        "completed_at": "2026-03-02T10:00:20Z",
    }
    return body | more


def pull_link(
    number: int, base: dict[str, Any] | None = None, base_ref: str = "main", head: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A pull request as a run names it, of the branch ``fix`` of the repository itself; ``head`` is told otherwise."""
    end = {"ref": "fix", "sha": "a" * 40, "repo": {"id": 77, "name": "inference"}}
    return {
        "id": number * 10,
        "number": number,
        "head": end | (head or {}),
        "base": {"ref": base_ref, "repo": HOME if base is None else base},
    }


def pull_body(**more: Any) -> dict[str, Any]:
    """An open pull request of the branch ``fix``."""
    body = {
        "number": 31,
        "title": "Fix the scheduler",
        "state": "open",
        "user": {"login": "ada", "id": 11},
        "head": {"ref": "fix", "sha": "a" * 40, "repo": FORK},
        "base": {"ref": "main", "sha": "b" * 40, "repo": HOME | {"default_branch": "main"}},
        "merge_commit_sha": "c" * 40,
        "created_at": "2026-03-01T09:00:00Z",
        "updated_at": "2026-03-02T09:00:00Z",
        "merged_at": None,
        "html_url": f"https://github.com/{REPO}/pull/31",
    }
    return body | more


def page(key: str, *items: Any, **more: Any) -> bytes:
    """A page of such items with their count."""
    return json.dumps({"total_count": len(items), key: items} | more).encode()
