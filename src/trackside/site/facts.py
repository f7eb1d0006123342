"""What the site is made of: the results of the analyses, as arguments.

A part is None where nothing of it is known; then its page says what to do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec
import polars as pl

from trackside.agents.frames import AgentHistory
from trackside.agents.group_records import Statistics
from trackside.agents.knowledge import Entry
from trackside.ci.flakiness import Flaky
from trackside.ci.groups import FailureGroups
from trackside.ci.minutes import RunnerMinutes
from trackside.ci.queueing import Waiting
from trackside.ci.rate_changes import RateChanges
from trackside.ci.recent_failures import LookedAt
from trackside.ci.results import Span
from trackside.ci.runners import RunnerReport
from trackside.ci.streaks import Streaks
from trackside.ci.verdicts import Verdicts
from trackside.history.frames import History
from trackside.perf.collection import Collection
from trackside.perf.silence import Silence
from trackside.perf.states import ChangeStates
from trackside.records.agent_rules import AlertRules
from trackside.records.alerts import Alert
from trackside.records.bench_runs import BenchRun
from trackside.records.pulls import PullRequest
from trackside.records.store_tables import StoredTable
from trackside.records.sync_health import SyncHealth
from trackside.records.syncs import SyncRecord
from trackside.report.agents_document import DataWindow
from trackside.report.perf_facts import PerfFacts


class CiFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The CI of the window.

    ``verdicts`` and ``groups`` are of ``looked_at`` (None: of all failures of the window). ``steps`` has the columns
    ``agents.frames.STEP_COLUMNS``, of the job attempts whose steps pages draw: the newest of each job, and the newest
    that failed.
    """

    history: History
    span: Span
    streaks: Streaks
    flaky: Flaky
    verdicts: Verdicts
    groups: FailureGroups
    waiting: Waiting
    runners: RunnerReport
    rates: RateChanges
    minutes: RunnerMinutes
    steps: pl.DataFrame
    looked_at: LookedAt | None = None


class SpeedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What performance jobs of the window printed. ``points`` has the columns ``perf.points.POINT_COLUMNS``."""

    points: pl.DataFrame
    states: ChangeStates
    silence: Silence
    collection: Collection
    head: PerfFacts


class AgentFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What agents did in the window. ``pulls`` are the pull requests that are known, by number."""

    history: AgentHistory
    statistics: Statistics
    window: DataWindow
    entries: tuple[Entry, ...] = ()
    pulls: Mapping[int, PullRequest] = {}


class BenchReport(msgspec.Struct, frozen=True, kw_only=True):
    """A benchmark run, and its full report as ``bench_body`` makes it: a line on it and what stands below, both HTML.

    Without a report ``why_not`` says why, in words that follow the run's name.
    """

    run: BenchRun
    lead: str | None = None
    body: str | None = None
    why_not: str | None = None


class HealthFacts(msgspec.Struct, frozen=True, kw_only=True):
    """How the collection goes. ``syncs`` are the last ones in full, the newest first.

    ``data_bytes`` are the sizes of the site's own files of data by their path: whoever writes the site puts them here.
    """

    health: SyncHealth
    syncs: tuple[SyncRecord, ...] = ()
    alerts: tuple[Alert, ...] = ()
    tables: tuple[StoredTable, ...] = ()
    data_bytes: Mapping[str, int] = {}


class SiteFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that pages show.

    ``home`` is the repository's page on GitHub, within whose host links are made. ``since`` and ``until`` are the ends
    of the window; ``until`` is when the newest run of the store was touched last, so that equal stores make equal
    pages. ``synced_at`` is when the newest sync ended, None where none did. ``missing`` are sentences on parts that
    could not be told: they are None, too. ``interval_hours`` is how often a sync is meant to run.
    """

    repo: str
    home: str
    since: dt.datetime
    until: dt.datetime
    ci: CiFacts | None = None
    speed: SpeedFacts | None = None
    agents: AgentFacts | None = None
    benches: tuple[BenchReport, ...] = ()
    bench_notes: tuple[str, ...] = ()
    health: HealthFacts | None = None
    missing: tuple[str, ...] = ()
    synced_at: dt.datetime | None = None
    interval_hours: float = AlertRules().interval_hours
    version: str = ""
    analyzer: str = "agentops-log-analyzer.yml"
    """The workflow that analyses a run on demand."""
