"""The documents of the API: what each is called, where it comes from, and the shape it has."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from trackside.report.agents_document import AgentsDocument, DaysDocument
from trackside.report.agents_sync_document import AgentsSyncDocument
from trackside.report.alerts_report import AlertsDocument
from trackside.report.bench_document import BenchmarksDocument
from trackside.report.ci_causes_report import CausesDocument
from trackside.report.ci_flaky_report import FlakyDocument
from trackside.report.ci_minutes_report import MinutesDocument
from trackside.report.ci_queue_report import QueueDocument
from trackside.report.ci_rates_report import RatesDocument
from trackside.report.ci_runners_report import RunnersDocument
from trackside.report.ci_streaks_report import StreaksDocument
from trackside.report.kb_report import KbDocument
from trackside.report.perf_changes_report import PerfChangesDocument
from trackside.report.perf_document import PerfReportDocument


class ApiDocument(NamedTuple):
    """A document: its path below ``/api/v1``, what it tells, its shape, and where it comes from.

    ``file`` is its path below the site; None for one that the store tells as it is at the moment.
    """

    path: str
    tells: str
    shape: type[msgspec.Struct]
    file: str | None


DOCUMENTS: Final = (
    ApiDocument("ci/streaks", "What is broken now, and since when.", StreaksDocument, "data/ci-streaks.json"),
    ApiDocument("ci/flaky", "Flaky jobs and tests.", FlakyDocument, "data/ci-flaky.json"),
    ApiDocument("ci/queue", "How long jobs waited for a runner.", QueueDocument, "data/ci-queue.json"),
    ApiDocument("ci/runners", "Runners on which jobs fail more often.", RunnersDocument, "data/ci-runners.json"),
    ApiDocument("ci/rates", "Success rates and how they changed.", RatesDocument, "data/ci-rates.json"),
    ApiDocument("ci/causes", "Why jobs failed, and whose fault that was.", CausesDocument, "data/ci-causes.json"),
    ApiDocument("ci/minutes", "Runner minutes, and those that were lost.", MinutesDocument, "data/ci-minutes.json"),
    ApiDocument("perf/changes", "What got slower or faster.", PerfChangesDocument, "data/perf-changes.json"),
    ApiDocument("perf/report", "What performance jobs printed.", PerfReportDocument, "data/performance.json"),
    ApiDocument("agents/runs", "What agents did: the data file.", AgentsDocument, "data/agentops-runs.json"),
    ApiDocument("agents/days", "What agents did, day by day.", DaysDocument, "data/agentops-runs-days.json"),
    ApiDocument("agents/sync", "How the collection goes.", AgentsSyncDocument, "data/agentops-sync.json"),
    ApiDocument("benchmarks", "Benchmark runs, registered or found.", BenchmarksDocument, "data/benchmarks.json"),
    ApiDocument("kb", "The known failures.", KbDocument, None),
    ApiDocument("alerts", "Alerts on the collection.", AlertsDocument, None),
)
