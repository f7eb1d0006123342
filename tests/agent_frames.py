"""Literal agent histories: run attempts with their agents, jobs and steps in few words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from tests.history_frames import a_history, a_run
from trackside.agents.frames import AGENT_RUN_COLUMNS, STEP_COLUMNS, AgentHistory
from trackside.history.frames import RUN_COLUMNS
from trackside.records.agent_rules import AgentRules
from trackside.records.attribution import Attribution, Role, Signal, SignalKind

Row = Mapping[str, Any]


def an_agent_run(number: int, conclusion: str | None = "success", **told: Any) -> dict[str, Any]:
    """An attempt of run ``number``, as ``history_frames.a_run`` makes it, unattributed; a column named is as told.

    ``agent`` alone is one that ran, told by the name of a step.
    """
    extra = {name: told.pop(name) for name in list(told) if name in AGENT_RUN_COLUMNS and name not in RUN_COLUMNS}
    agent = extra.get("agent")
    row = {
        "source": "rest",
        "workflow_id": 77,
        "triggering_actor": "alice",
        "actor_id": 1,
        "triggering_actor_id": 1,
        "head_repository": "octo/engine",
        "commit_message": f"Change {number}",
        "commit_email": "alice@example.org",
        "committer": "Alice",
        "committer_email": "alice@example.org",
        "pull_numbers": [],
        "last_merged_pull": None,
        "issue_numbers": [],
        "issue_source": None,
        "agent": None,
        "agent_role": "ran" if agent else None,
        "agent_source": "step_name" if agent else None,
        "agent_confidence": 0.9 if agent else None,
        "queue_s": 30.0,
        "active_s": 600.0,
        "jobs": 1,
    }
    return {**a_run(number, conclusion, **told), **row, **extra}


def a_step(job: Row, number: int, step: str, conclusion: str | None = "success", **told: Any) -> dict[str, Any]:
    """Step ``number`` of ``job``, ten seconds long, ten seconds after the one before; a column named is as told."""
    began = job["started_at"] + dt.timedelta(seconds=10 * (number - 1))
    is_over = conclusion not in (None, "skipped")
    row = {
        "job_id": job["job_id"],
        "run_id": job["run_id"],
        "run_attempt": job["run_attempt"],
        "workflow": job["workflow"],
        "job": job["job"],
        "number": number,
        "step": step,
        "status": "completed" if conclusion else "in_progress",
        "conclusion": conclusion,
        "started_at": began,
        "completed_at": began + dt.timedelta(seconds=10) if conclusion else None,
        "duration_s": 10.0 if is_over else None,
    }
    if "duration_s" in told and "completed_at" not in told and told["duration_s"] is not None:
        row["completed_at"] = began + dt.timedelta(seconds=told["duration_s"])
    return {**row, **told}


def an_agent_history(
    runs: Iterable[Row],
    jobs: Iterable[Row] = (),
    steps: Iterable[Row] = (),
    *,
    labels: Mapping[int, tuple[str, ...]] | None = None,
    rules: AgentRules | None = None,
    **told: Any,
) -> AgentHistory:
    """An agent history of octo/engine with main as its default branch; ``told`` goes to ``history_frames.a_history``.

    The attributions are those of the columns of ``runs``, with one signal each.
    """
    rows = [dict(row) for row in runs]
    return AgentHistory(
        history=a_history([{name: row[name] for name in RUN_COLUMNS} for row in rows], jobs, **told),
        runs=pl.DataFrame(rows, schema=AGENT_RUN_COLUMNS),
        steps=pl.DataFrame([dict(row) for row in steps], schema=STEP_COLUMNS),
        labels=dict(labels or {}),
        attributions={(row["run_id"], row["run_attempt"]): _attribution(row) for row in rows},
        rules=rules or AgentRules(),
    )


def _attribution(row: Row) -> Attribution:
    if row["agent"] is None:
        return Attribution()
    signal = Signal(
        kind=SignalKind(row["agent_source"]),
        agent=row["agent"],
        role=Role(row["agent_role"]),
        confidence=row["agent_confidence"],
        evidence="as the test says",
    )
    return Attribution(
        agent=signal.agent, role=signal.role, source=signal.kind, confidence=signal.confidence, signals=(signal,)
    )
