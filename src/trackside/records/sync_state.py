"""What a store already knows of a repository when a sync begins."""

from __future__ import annotations

import datetime as dt

import msgspec

from trackside.records.job_logs import LogState
from trackside.records.pulls import PullRequest
from trackside.records.runs import RunAttempt, Source
from trackside.records.syncs import Interval


class KnownAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt in the store. The fields of the marker are None where its jobs were never read."""

    run_id: int
    run_attempt: int
    source: Source
    status: str | None
    conclusion: str | None
    created_at: dt.datetime | None
    updated_at: dt.datetime | None
    workflow_file: str | None
    workflow_id: int | None
    head_branch: str | None
    head_sha: str | None
    event: str | None
    workflow_name: str | None = None
    run_number: int | None = None
    head_repository: str | None = None
    fetched: bool = False
    fetched_status: str | None = None
    fetched_updated_at: dt.datetime | None = None
    fetched_jobs: int | None = None
    fetched_jobs_listed: int | None = None
    fetched_source: Source | None = None


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """What one earlier sync listed completely, and when it did."""

    scope: str
    intervals: tuple[Interval, ...]
    at: dt.datetime
    swept: bool


class SyncState(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. ``repo`` is the name as it is stored, None where the store has nothing of the repository.

    ``commits_asked`` are the commits whose pull requests are known; ``pulls_updated_at`` is the newest
    ``updated_at`` of a known pull request; ``logs`` gives the state of each log that was asked for, by job id.
    ``waiting`` are the attempts since ``since`` whose jobs were never read, or were read before they were over.
    ``pulls`` are the pull requests that changed since ``since``.
    """

    repo: str | None
    attempts: tuple[KnownAttempt, ...] = ()
    listed: tuple[Listed, ...] = ()
    commits_asked: frozenset[str] = frozenset()
    pulls_updated_at: dt.datetime | None = None
    logs: dict[int, LogState] = {}
    waiting: tuple[RunAttempt, ...] = ()
    pulls: tuple[PullRequest, ...] = ()
