"""What a failure report holds. The first names in it are the established ones; counts are of failed job attempts."""

from __future__ import annotations

import datetime as dt

import msgspec


class PullInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Where the code of a run came from. ``pr_number`` is null unless the run truly belongs to that pull request.

    ``author`` wrote the head commit, ``Unknown`` where nothing tells it.
    """

    pr_number: int | None
    author: str
    head_sha: str | None
    head_branch: str | None


class RunReference(msgspec.Struct, frozen=True, kw_only=True):
    """A run, by its page; ``created_at`` is when it was created, UTC."""

    url: str
    run_number: int | None
    created_at: dt.datetime | None
    pr_info: PullInfo


class JobFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A job that failed. Where several workflows have a job of that name they are counted together.

    ``failure_rate`` is the share of failures among ``decided_attempts``, the attempts that passed or failed;
    ``failed_runs`` counts the runs with at least one failure of it.
    """

    category: str | None
    workflows: tuple[str, ...]
    failures: int
    failures_in_cancelled_runs: int
    failed_runs: int
    decided_attempts: int
    failure_rate: float


class FailedAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """A failed attempt of a job, with what is known of why.

    ``name`` is the job as GitHub tells it, ``job`` the same with renames applied. ``url`` is the page of the job, its
    log; ``created_at`` is that of the run, ``ended_at`` that of the attempt. ``source`` is log where a line of the log
    told the cause, steps where it is a guess by the names of job and step; the fields from ``line`` on are null or
    empty then. ``truncated`` says that the log was too long and its middle is missing; ``line_number`` counts the
    lines of what was kept.
    """

    job: str
    name: str
    category: str | None
    workflow: str | None
    event: str | None
    job_id: int
    run_id: int
    run_number: int | None
    run_attempt: int
    run_url: str
    url: str | None
    created_at: dt.datetime | None
    ended_at: dt.datetime | None
    conclusion: str | None
    run_conclusion: str | None
    pr_info: PullInfo
    runner_name: str | None
    pool: str | None
    failed_step: str | None
    cause: str
    pattern: str
    source: str | None
    rule: str | None
    line: str | None
    line_number: int | None
    context: tuple[str, ...]
    test: str | None
    tests: tuple[str, ...]
    fingerprint: str | None
    truncated: bool


class JoblessFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A run attempt that failed without any job: an invalid workflow file, a run that waits for an approval."""

    workflow: str | None
    run_number: int | None
    run_attempt: int
    conclusion: str | None
    created_at: dt.datetime | None
    url: str
    pr_info: PullInfo


class ReportWindow(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for (null: no bound), and the creation of the first and the last run in it. UTC."""

    since: dt.datetime | None
    until: dt.datetime | None
    first_run_at: dt.datetime | None
    last_run_at: dt.datetime | None


class Completeness(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the window is known.

    ``unread_run_attempts`` of ``run_attempts`` have jobs that are not in the store. Failed job attempts are counted by
    what told their cause, and in ``logs`` by the state of their log (``not asked``: it was never asked for).
    """

    run_attempts: int
    unread_run_attempts: int
    job_attempts: int
    failed_job_attempts: int
    causes_from_logs: int
    causes_from_steps: int
    logs: dict[str, int]


class FailureReport(msgspec.Struct, frozen=True, kw_only=True):
    """What failed in a window. Names and counts stand with the highest count first, then by name.

    Runs are counted once each, by their latest attempt: ``total_runs`` is the sum of the six counts by outcome.
    ``success_rate`` is the share of successful runs among all, ``decided_success_rate`` among those that succeeded or
    failed; null without any. ``failure_patterns`` and ``causes`` count each failed job attempt once; with
    ``strict_compat`` the patterns count failed steps. ``unmatched_jobs`` are those of the cause ``other``: neither a
    line of the log nor a name told more. ``job_last_success`` holds the newest success of each job,
    ``job_failure_links`` its newest failures, at most three runs. ``failures`` has the newest 5,000 failed
    attempts, newest first; ``failures_left_out`` says how many more there are.
    """

    repository: str
    strict_compat: bool
    window: ReportWindow
    total_runs: int
    failed_runs: int
    successful_runs: int
    cancelled_runs: int
    skipped_runs: int
    unfinished_runs: int
    other_runs: int
    success_rate: float | None
    decided_success_rate: float | None
    category_failures: dict[str, int]
    job_failures: dict[str, int]
    workflow_failures: dict[str, int]
    failure_patterns: dict[str, int]
    causes: dict[str, int]
    job_failure_links: dict[str, tuple[RunReference, ...]]
    job_last_success: dict[str, RunReference]
    job_failures_in_cancelled_runs: dict[str, int]
    job_figures: dict[str, JobFigures]
    uncategorised_jobs: dict[str, int]
    unmatched_jobs: dict[str, int]
    ignored_jobs: dict[str, int]
    jobless_failures: tuple[JoblessFailure, ...]
    failures: tuple[FailedAttempt, ...]
    failures_left_out: int
    completeness: Completeness
