"""One run in depth: what is known of it, and what its logs tell, job by job."""

from __future__ import annotations

import datetime as dt

import msgspec

from trackside.fixes.suggestions import Suggestion
from trackside.records.attribution import Attribution
from trackside.records.failures import Diagnosis
from trackside.records.job_logs import LogState
from trackside.records.jobs import Job
from trackside.records.knowledge import EntryState
from trackside.runlogs.findings import (
    AgentOutput,
    Coverage,
    ErrorLine,
    GitReference,
    Metric,
    Notice,
    ResourceUse,
    TestSummary,
    Trace,
    WarningGroup,
)


class JobText(msgspec.Struct, frozen=True, kw_only=True):
    """A job and its log. ``job`` is None where nothing but the log is known of it, ``content`` where there is no log.

    ``note`` says why there is none.
    """

    name: str
    job: Job | None = None
    state: LogState = LogState.READY
    note: str | None = None
    content: bytes | None = None
    is_truncated: bool = False


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the run; all but the times of its attempt are those of the run. What is not known is None."""

    repository: str | None = None
    run_id: int | None = None
    run_attempt: int | None = None
    run_number: int | None = None
    workflow: str | None = None
    workflow_file: str | None = None
    title: str | None = None
    event: str | None = None
    status: str | None = None
    conclusion: str | None = None
    branch: str | None = None
    sha: str | None = None
    actor: str | None = None
    created_at: dt.datetime | None = None
    started_at: dt.datetime | None = None
    duration_s: float | None = None
    pull_numbers: tuple[int, ...] = ()
    url: str | None = None


class LogSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the log of a job: ``lines`` and ``size_bytes`` are those of the text that was read.

    ``is_truncated``: it was longer, and its middle is missing. ``note`` says why there is none.
    """

    state: LogState
    note: str | None = None
    lines: int = 0
    size_bytes: int = 0
    is_truncated: bool = False


class KnownFailure(msgspec.Struct, frozen=True, kw_only=True):
    """What the knowledge base says of a failure: how often it was seen, how it stands, what people said of it.

    ``count`` are failed attempts of jobs, ``runs`` the runs that they are of.
    """

    entry_id: str
    state: EntryState
    count: int
    runs: int
    first_seen_at: dt.datetime | None = None
    last_seen_at: dt.datetime | None = None
    title: str | None = None
    note: str | None = None
    fix: str | None = None
    link: str | None = None


class JobAnalysis(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a job, and what its log tells of why it failed.

    ``is_failed`` says that it failed or was cancelled; where its conclusion is not known, that its log has an error
    mark. ``diagnosis`` is there for these, where there is a log. ``template`` is its line without what differs from run
    to run. ``signature`` is that of the workflow, job, step and conclusion; None where one of them is not known.
    """

    name: str
    job_id: int | None = None
    url: str | None = None
    status: str | None = None
    conclusion: str | None = None
    duration_s: float | None = None
    is_failed: bool = False
    failed_step: str | None = None
    failed_steps: tuple[str, ...] = ()
    log: LogSummary
    diagnosis: Diagnosis | None = None
    template: str | None = None
    fingerprint: str | None = None
    signature: str | None = None
    signature_version: str | None = None
    first_error: ErrorLine | None = None
    errors: tuple[ErrorLine, ...] = ()
    traces: tuple[Trace, ...] = ()
    known: KnownFailure | None = None
    suggestions: tuple[Suggestion, ...] = ()


class RunAnalysis(msgspec.Struct, frozen=True, kw_only=True):
    """A run in depth, its jobs in the order of their ids, or of their names where these are not known.

    What is beside ``jobs`` is of all of them, in that order. ``warnings_total`` counts all warnings. ``left_out``
    counts, by what it is, what was found and is not kept. ``attribution`` is None where the run is not known.
    """

    run: RunSummary
    attribution: Attribution | None = None
    jobs: tuple[JobAnalysis, ...] = ()
    agents: tuple[AgentOutput, ...] = ()
    metrics: tuple[Metric, ...] = ()
    notices: tuple[Notice, ...] = ()
    tests: tuple[TestSummary, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    warnings: tuple[WarningGroup, ...] = ()
    warnings_total: int = 0
    resources: tuple[ResourceUse, ...] = ()
    git: tuple[GitReference, ...] = ()
    left_out: dict[str, int] = {}

    @property
    def failed(self) -> tuple[JobAnalysis, ...]:
        """The jobs that failed or were cancelled."""
        return tuple(job for job in self.jobs if job.is_failed)

    @property
    def unread(self) -> tuple[JobAnalysis, ...]:
        """The jobs that have run, or may have, and whose log was not read."""
        return tuple(job for job in self.jobs if job.log.state is not LogState.READY and job.conclusion != "skipped")

    @property
    def read(self) -> tuple[JobAnalysis, ...]:
        """The jobs whose log was read."""
        return tuple(job for job in self.jobs if job.log.state is LogState.READY)
