"""Runs as they are listed and shown one by one: what is asked for, and what comes."""

from __future__ import annotations

import datetime as dt

import msgspec

from trackside.records.jobs import Job

Attempt = tuple[int, int]
"""(run_id, run_attempt)"""


class RunAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs: all that are given must hold. ``workflow`` is a file, its path or a name.

    ``since`` and ``until`` are of the creation, both included. ``among`` are the only attempts that may come,
    None means any. Of what is selected ``limit`` come, the newest first, after ``offset`` that are passed over.
    """

    workflow: str | None = None
    status: str | None = None
    conclusion: str | None = None
    branch: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    among: frozenset[Attempt] | None = None
    limit: int = 50
    offset: int = 0


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """The newest attempt of a run, or one of its attempts. ``agent`` is None where none is known of it."""

    run_id: int
    run_attempt: int
    run_number: int | None = None
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
    actor: str | None = None
    triggering_actor: str | None = None
    pull_numbers: tuple[int, ...] = ()
    html_url: str | None = None
    agent: str | None = None


class RunPage(msgspec.Struct, frozen=True, kw_only=True):
    """The runs that were asked for; ``total`` is how many there are without ``limit`` and ``offset``."""

    total: int
    limit: int
    offset: int
    runs: tuple[RunRow, ...]


class RunInDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A run: its attempts, the newest first, and their jobs with steps, by attempt and id."""

    attempts: tuple[RunRow, ...]
    jobs: tuple[Job, ...]
