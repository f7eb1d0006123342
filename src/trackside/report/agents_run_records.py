"""A run attempt in the data file of agent operations, with its jobs and steps.

The names and units of the established dashboard's file are kept. Every field has a default, so that files of other
writers, which tell less, follow the schema too; what is written here tells every field, null where it is unknown.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

JobsStatus = Literal["read", "not_read", "left_out"]


class DataStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step. GitHub tells whole seconds; ``duration_seconds`` is null where it was skipped or is not over."""

    number: int | None = None
    name: str | None = None
    status: str | None = None
    conclusion: str | None = None
    started_at: dt.datetime | None = None
    completed_at: dt.datetime | None = None
    duration_seconds: float | None = None


class DataJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it ran in attempt ``attempt`` of its run.

    ``runner`` and ``labels`` are null and empty where GitHub did not tell them. ``failed_step`` is the first step that
    failed and ``failed_steps`` are all, null and empty where none did, as when the runner was lost. ``cause`` is what
    its log tells of the failure. ``step_count`` counts the steps, also where ``steps`` is null: they were left out.
    """

    id: int | None = None
    name: str | None = None
    status: str | None = None
    conclusion: str | None = None
    started_at: dt.datetime | None = None
    completed_at: dt.datetime | None = None
    duration_seconds: float | None = None
    queue_seconds: float | None = None
    runner: str | None = None
    labels: tuple[str, ...] = ()
    attempt: int | None = None
    html_url: str | None = None
    failed_step: str | None = None
    failed_steps: tuple[str, ...] = ()
    cause: str | None = None
    step_count: int | None = None
    steps: tuple[DataStep, ...] | None = None


class DataPull(msgspec.Struct, frozen=True, kw_only=True):
    """A pull request. ``state`` is open, closed or merged; null with ``title`` where it is not in the store."""

    number: int
    url: str | None = None
    state: str | None = None
    title: str | None = None


class DataArtifact(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact of a run. ``state`` is listed, ready (its files were read), never, expired or unreadable."""

    name: str
    size_bytes: int | None = None
    state: str | None = None
    created_at: dt.datetime | None = None
    url: str | None = None


class DataRun(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt of a run; (``id``, ``run_attempt``) is its key. Times are UTC.

    ``source`` is how it came here: rest, graphql, webhook, file, or jobs. The last was worked out from its jobs, as the
    list of runs shows only the latest attempt: its start and end are within seconds, and what jobs do not tell is null.
    ``duration_seconds`` is from the start of the attempt to its end, null until then. ``queue_seconds`` is from its
    creation to the start of its first job, ``active_seconds`` the sum of its jobs. ``workflow_file`` is the name of the
    file, ``workflow_path`` its path. ``head_sha`` has 8 characters, ``head_sha_full`` all.

    ``agent_name`` is whom the most certain signal names, ``agent_source`` what that signal is, and ``agent_role`` the
    part that the agent had: ran, triggered_by, authored or assisted; all null where nothing tells one. ``agent_roles``
    names the agent of each role that any signal tells. ``issue_number`` is the first of ``issue_numbers``, and
    ``issue_source`` what they were told by. ``pr_numbers`` are the pull requests that the run is of;
    ``last_merged_pull`` is, for a run of the default branch, the one that its commit was merged by.

    ``jobs`` is null where ``jobs_status`` is not read: either they are not in the store (``not_read``), or they are
    left out of the file (``left_out``); ``job_count`` and ``step_count`` are told all the same where they are known.
    ``artifacts`` is null where they were not listed.
    """

    id: int | None = None
    run_number: int | None = None
    run_attempt: int | None = None
    source: str | None = None
    workflow_name: str | None = None
    workflow_file: str | None = None
    workflow_path: str | None = None
    display_title: str | None = None
    status: str | None = None
    conclusion: str | None = None
    created_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None
    duration_seconds: float | None = None
    html_url: str | None = None
    run_started_at: dt.datetime | None = None
    actor: str | None = None
    triggering_actor: str | None = None
    event: str | None = None
    head_branch: str | None = None
    branch_url: str | None = None
    head_sha: str | None = None
    head_sha_full: str | None = None
    commit_url: str | None = None
    agent_name: str | None = None
    agent_role: str | None = None
    agent_source: str | None = None
    agent_confidence: float | None = None
    agent_roles: dict[str, str] = {}
    issue_number: int | None = None
    issue_numbers: tuple[int, ...] = ()
    issue_source: str | None = None
    pr_numbers: tuple[int, ...] = ()
    pull_requests: tuple[DataPull, ...] = ()
    last_merged_pull: DataPull | None = None
    queue_seconds: float | None = None
    active_seconds: float | None = None
    jobs_status: JobsStatus = "not_read"
    job_count: int | None = None
    step_count: int | None = None
    jobs: tuple[DataJob, ...] | None = None
    artifacts: tuple[DataArtifact, ...] | None = None
