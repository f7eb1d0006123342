"""A job of a run attempt and its steps, as GitHub tells them.

Source: REST API, version 2022-11-28, ``GET /repos/{owner}/{repo}/actions/runs/{id}/jobs``; ``workflow_job``
webhooks; GraphQL ``CheckRun`` (without runner, labels and ``created_at``).
"""

from __future__ import annotations

import datetime as dt

import msgspec

from trackside.records.runs import Source


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step. Numbers have gaps, names repeat, times are whole seconds."""

    number: int
    name: str
    status: str | None = None
    conclusion: str | None = None
    started_at: dt.datetime | None = None
    completed_at: dt.datetime | None = None
    duration_s: float | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One job of one attempt; the key is (``repo``, ``job_id``). What was not told is None.

    A job that waits has no ``started_at`` (GitHub sends its time of creation there), one that was skipped no
    duration. ``queue_s`` is started − created, never negative; ``duration_s`` is completed − started.
    ``job_id`` is also the id of its check run.
    """

    repo: str
    job_id: int
    run_id: int
    run_attempt: int
    source: Source
    name: str
    workflow_name: str | None = None
    head_branch: str | None = None
    head_sha: str | None = None
    status: str | None = None
    conclusion: str | None = None
    created_at: dt.datetime | None = None
    started_at: dt.datetime | None = None
    completed_at: dt.datetime | None = None
    queue_s: float | None = None
    duration_s: float | None = None
    runner_id: int | None = None
    runner_name: str | None = None
    runner_group: str | None = None
    labels: tuple[str, ...] = ()
    html_url: str | None = None
    steps: tuple[Step, ...] = ()
