"""The data file of agent operations: the established dashboard's file, and what it did not tell beside it.

It changes only when the runs change, or what is known of them. What changes at every sync is in the file of the syncs
(``agents_sync_document``). Every field has a default, as told in ``agents_run_records``.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final

import msgspec

from trackside.agents.bands import Aggregate
from trackside.agents.group_records import DayRow, Outcomes, Statistics, SuccessRate
from trackside.agents.knowledge import Entry
from trackside.report.agents_run_records import DataRun

DATA_VERSION: Final = 1
Moment = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
"""A time in UTC with microseconds, as the established file tells when it was written."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """All run attempts of the window, those in the other files too.

    The first eight fields keep the established names and arithmetic: ``success_rate`` is ``success`` of ``completed``
    in per cent, cancelled and skipped runs among them, as ``success_rate_denominator`` says; it is null where nothing
    is completed. ``success_of_decided`` is the rate to go by: from 0 to 1, with its interval, of the runs that ended
    with a verdict. ``avg_duration_seconds`` is of completed attempts. ``outcomes`` adds up to ``total_runs``, and
    ``distinct_runs`` counts a run with several attempts once. ``recent_failures_24h`` is about the 24 hours before
    ``last_updated``.
    """

    total_runs: int = 0
    completed: int = 0
    in_progress: int = 0
    success: int = 0
    failure: int = 0
    success_rate: float | None = None
    avg_duration_seconds: float | None = None
    recent_failures_24h: int = 0
    success_rate_denominator: str = "completed"
    success_of_decided: SuccessRate = SuccessRate()
    outcomes: Outcomes = Outcomes()
    distinct_runs: int = 0


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """The run attempts in which an agent worked (role ``ran``); ``outcomes`` adds up to ``total``.

    ``other_roles`` counts the attempts in which it had another part: they are not in ``total``.
    """

    total: int = 0
    success: int = 0
    failure: int = 0
    in_progress: int = 0
    outcomes: Outcomes = Outcomes()
    other_roles: dict[str, int] = {}


class WorkflowStats(msgspec.Struct, frozen=True, kw_only=True):
    """The run attempts of a workflow; ``avg_duration`` is in seconds, of completed attempts."""

    total: int = 0
    success: int = 0
    failure: int = 0
    in_progress: int = 0
    avg_duration: float | None = None
    outcomes: Outcomes = Outcomes()


class DataWindow(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs were selected: by ``rule``, of ``workflows`` (none: all but ``ignored_workflows``), ``branch`` and
    ``event`` (null: any).

    ``jobs`` are patterns of the names of jobs: where there are any, other jobs are not told.

    ``first_run_at`` and ``last_run_at`` are when the oldest and the newest of them were created.
    """

    rule: str
    workflows: tuple[str, ...] = ()
    ignored_workflows: tuple[str, ...] = ()
    branch: str | None = None
    event: str | None = None
    jobs: tuple[str, ...] = ()
    first_run_at: dt.datetime | None = None
    last_run_at: dt.datetime | None = None
    oldest_run_id: int | None = None
    newest_run_id: int | None = None


class Completeness(msgspec.Struct, frozen=True, kw_only=True):
    """How much is known of the selected attempts that are over: ``share`` of them has its jobs in the store."""

    finished_attempts: int = 0
    unread_attempts: int = 0
    share: float | None = None


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """So many of ``what`` are not in the file, for ``reason``."""

    what: str
    count: int
    reason: str


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """Where the selected run attempts are: ``selected`` is ``in_this_file`` + ``in_segments`` + ``dropped``.

    ``left_out`` tells of attempts that were dropped, and of parts of those that were kept.
    """

    selected: int = 0
    in_this_file: int = 0
    in_segments: int = 0
    dropped: int = 0
    left_out: tuple[LeftOut, ...] = ()


class SegmentFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file beside the data file with older runs, in the same shape; ``month`` is that of their creation, in UTC."""

    file: str
    month: str
    runs: int
    first_run_at: dt.datetime | None
    last_run_at: dt.datetime | None
    bytes: int
    sha256: str


class DaysFile(msgspec.Struct, frozen=True, kw_only=True):
    """The file beside the data file with figures by day; ``left_out`` rows did not fit."""

    file: str
    rows: int
    left_out: int
    bytes: int
    sha256: str


class AgentsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The data file, or, where ``segment`` is a month, a segment of it: then the figures are of its runs alone.

    ``last_updated`` is when the runs changed last. ``runs`` are the newest first; ``recent_failures`` those that failed
    in the 24 hours before ``last_updated``, at most 20, without their jobs. ``agent_workload`` is by the name of the
    agent; its totals, ``unattributed`` and ``other_roles`` (attempts whose agent had another part than ``ran``) add up
    to ``summary.total_runs``. ``workflow_stats`` is by the file of the workflow. ``statistics`` are of all selected
    attempts; its days are in the file that ``days`` names. ``failure_groups`` are the entries of the knowledge base,
    and ``aggregates`` stand for runs that are in no file. ``sync_file`` is the file of the syncs.
    """

    schema_version: int = DATA_VERSION
    repository: str | None = None
    last_updated: Moment | None = None
    segment: str | None = None
    summary: Summary = Summary()
    agent_workload: dict[str, Workload] = {}
    unattributed: Workload = Workload()
    other_roles: dict[str, int] = {}
    workflow_stats: dict[str, WorkflowStats] = {}
    window: DataWindow | None = None
    completeness: Completeness | None = None
    rows: Rows | None = None
    sync_file: str | None = None
    segments: tuple[SegmentFile, ...] = ()
    days: DaysFile | None = None
    statistics: Statistics | None = None
    failure_groups: tuple[Entry, ...] = ()
    aggregates: tuple[Aggregate, ...] = ()
    recent_failures: tuple[DataRun, ...] = ()
    runs: tuple[DataRun, ...] = ()


class DaysDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Figures by day (UTC) of the runs of each workflow, and of each of its steps; a day without a run is no row.

    ``left_out`` rows, those of the steps of the oldest days, did not fit into the file.
    """

    schema_version: int
    repository: str
    left_out: int
    days: tuple[DayRow, ...]
