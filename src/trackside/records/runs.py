"""One attempt of one workflow run, as GitHub tells it.

Source: REST API, version 2022-11-28, ``GET /repos/{owner}/{repo}/actions/runs``; the same object comes in
``workflow_run`` webhooks. ``status`` and ``conclusion`` are open-ended: a value that is new to us stays as it is.
"""

from __future__ import annotations

import datetime as dt
import enum

import msgspec


class Source(enum.StrEnum):
    """How a fact came here. It does not say when: that is ``observed_at`` in the store."""

    REST = "rest"
    """The REST API."""
    GRAPHQL = "graphql"
    """The GraphQL API, which does not tell the runner, its labels and when a job was created."""
    WEBHOOK = "webhook"
    """A delivery of a webhook."""
    FILE = "file"
    """JSON lines of runs that were handed in."""
    JOBS = "jobs"
    """Worked out from the jobs of an earlier attempt: the list of runs shows only the latest one."""


class RunAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt; the key is (``repo``, ``run_id``, ``run_attempt``). What was not told is None.

    ``repo`` is ``owner/name``, ``workflow_file`` the path of the workflow in the repository (or ``dynamic/…``).
    ``created_at`` is when the run was first created, ``run_started_at`` when this attempt was, ``updated_at``
    when GitHub last touched it. ``duration_s`` is updated − started of a completed attempt, never negative.
    ``pull_numbers`` are the open pull requests of this repository that GitHub named with the run: never those of
    a run on the default branch, and never the whole truth (empty for forks and merged ones).
    """

    repo: str
    run_id: int
    run_attempt: int
    source: Source
    run_number: int | None = None
    workflow_id: int | None = None
    workflow_name: str | None = None
    workflow_file: str | None = None
    display_title: str | None = None
    event: str | None = None
    status: str | None = None
    conclusion: str | None = None
    created_at: dt.datetime | None = None
    run_started_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None
    duration_s: float | None = None
    head_branch: str | None = None
    head_sha: str | None = None
    head_repository: str | None = None
    actor: str | None = None
    actor_id: int | None = None
    triggering_actor: str | None = None
    triggering_actor_id: int | None = None
    head_commit_message: str | None = None
    head_commit_author: str | None = None
    head_commit_email: str | None = None
    head_commit_committer: str | None = None
    head_commit_committer_email: str | None = None
    pull_numbers: tuple[int, ...] = ()
    referenced_workflows: tuple[str, ...] = ()
    check_suite_id: int | None = None
    node_id: str | None = None
    html_url: str | None = None


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """The marker that the jobs of an attempt are in the store; the key is that of the attempt.

    It is committed after the jobs. ``status`` and ``updated_at`` are those of the attempt when its jobs were
    read: one that was completed then is never read again. ``jobs`` is how many are stored, ``jobs_listed`` how
    many GitHub said there are; fewer stored than listed means that some could not be read.
    """

    repo: str
    run_id: int
    run_attempt: int
    status: str | None
    updated_at: dt.datetime | None
    jobs: int
    jobs_listed: int | None
    source: Source
