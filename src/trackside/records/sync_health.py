"""How well the collection goes: what the last syncs cost and brought, and what is missing of the runs."""

from __future__ import annotations

import datetime as dt

import msgspec

from trackside.records.syncs import EndpointCalls, Missing, RateLimit


class SyncSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A sync in figures. ``duration_s`` is of a clock that nobody sets, ``waited_s`` of it for limits and retries."""

    sync_id: str
    started_at: dt.datetime
    ended_at: dt.datetime
    status: str
    api: str
    duration_s: float
    waited_s: float
    calls: int
    billed: int
    failed_calls: int
    runs_new: int
    runs_changed: int
    jobs_new: int
    logs_new: int
    parse_errors: int
    completeness: float | None = None


class CallFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A call that was given up. ``status_class`` is 4xx, 5xx, another one, or none where no answer came.

    ``run_id`` and ``job_id`` are those in its address, and ``workflow`` is the file of that run's workflow, None where
    the store does not know it.
    """

    endpoint: str
    status_class: str
    status: int | None
    url: str
    reason: str
    workflow: str | None = None
    run_id: int | None = None
    job_id: int | None = None


class FetchRate(msgspec.Struct, frozen=True, kw_only=True):
    """How many run attempts were asked for their jobs, of how many they came; ``rate`` is None where none was asked.

    ``not_asked`` waited for calls that were not made.
    """

    attempted: int = 0
    ok: int = 0
    not_asked: int = 0
    rate: float | None = None


class ParserRate(msgspec.Struct, frozen=True, kw_only=True):
    """How many of ``items`` a parser could not read; ``rate`` is None where there were none.

    ``answers`` reads GitHub's answers (items: runs, jobs, steps, pull requests and artifacts of the sync), ``logs`` why
    jobs failed (items: the logs of the window that were read; an error is one of which no rule knows a line).
    """

    parser: str
    items: int
    errors: int
    rate: float | None = None
    samples: tuple[str, ...] = ()


class RunGap(msgspec.Struct, frozen=True, kw_only=True):
    """A run attempt of which something is not known, and why that is so."""

    run_id: int
    run_attempt: int
    workflow: str
    reason: str
    url: str | None = None


class MissingData(msgspec.Struct, frozen=True, kw_only=True):
    """The run attempts of the window of which something is not known; ``gaps`` are the newest of them."""

    count: int = 0
    of: int = 0
    by_reason: dict[str, int] = {}
    gaps: tuple[RunGap, ...] = ()


class WaitingLog(msgspec.Struct, frozen=True, kw_only=True):
    """The log of a failed job that is downloaded by a later sync: the budget was used up."""

    job_id: int
    run_id: int
    workflow: str
    job: str
    failed_at: dt.datetime
    url: str | None = None


class SyncHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The newest sync in detail, and the last ones in figures, the newest first.

    ``not_modified`` counts answers 304, which are not billed: there are none, as no call is made with an ETag (to
    GitHub they belong to a token, and a workflow has a new one each time). ``limits`` are told for each resource (core,
    graphql) as the answers of the newest sync told them. ``failures`` are its calls that were given up, the first ones;
    ``failures_by_class`` counts all that it kept. ``waiting_logs`` are the first of ``waiting_logs_total``.
    """

    newest: SyncSummary | None = None
    last: tuple[SyncSummary, ...] = ()
    endpoints: tuple[EndpointCalls, ...] = ()
    not_modified: int = 0
    failures_by_class: dict[str, int] = {}
    failures: tuple[CallFailure, ...] = ()
    limits: tuple[RateLimit, ...] = ()
    phases_s: dict[str, float] = {}
    missing: tuple[Missing, ...] = ()
    notes: tuple[str, ...] = ()
    jobs_fetch: FetchRate = FetchRate()
    parsers: tuple[ParserRate, ...] = ()
    missing_data: MissingData = MissingData()
    waiting_logs_total: int = 0
    waiting_logs: tuple[WaitingLog, ...] = ()
