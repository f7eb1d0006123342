"""Writes the JSON Schemas of documents that are records into docs/schemas. Run by ``make docs``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import msgspec

from trackside.report.agents_analysis_document import AnalysisDocument
from trackside.report.agents_document import AgentsDocument, DaysDocument
from trackside.report.agents_explain_report import ExplainDocument
from trackside.report.agents_sync_document import AgentsSyncDocument
from trackside.report.alerts_report import AlertsDocument
from trackside.report.answers import AnswerDocument
from trackside.report.bench_document import BenchmarksDocument
from trackside.report.ci_balance_report import BalanceDocument
from trackside.report.ci_causes_report import CausesDocument
from trackside.report.ci_failures_document import FailureDocument
from trackside.report.ci_flaky_report import FlakyDocument
from trackside.report.ci_minutes_report import MinutesDocument
from trackside.report.ci_queue_report import QueueDocument
from trackside.report.ci_rates_report import RatesDocument
from trackside.report.ci_runners_report import RunnersDocument
from trackside.report.ci_streaks_report import StreaksDocument
from trackside.report.ingest_report import IngestDocument
from trackside.report.kb_report import KbDocument
from trackside.report.knowledge_file import KnowledgeFile
from trackside.report.perf_changes_report import PerfChangesDocument
from trackside.report.perf_compare_report import PerfCompareDocument
from trackside.report.perf_document import PerfReportDocument
from trackside.report.store_report import StoreDocument
from trackside.report.sync_report import SyncDocument
from trackside.site.files import SiteList

FOLDER: Final = Path(__file__).parent.parent / "docs" / "schemas"
DOCUMENTS: Final[dict[str, type[msgspec.Struct]]] = {
    "agents-analysis": AnalysisDocument,
    "agentops-days": DaysDocument,
    "agentops-runs": AgentsDocument,
    "agentops-sync": AgentsSyncDocument,
    "agents-explain": ExplainDocument,
    "alerts": AlertsDocument,
    "benchmarks": BenchmarksDocument,
    "ci-balance": BalanceDocument,
    "ci-failures": FailureDocument,
    "ci-causes": CausesDocument,
    "ci-flaky": FlakyDocument,
    "ci-minutes": MinutesDocument,
    "ci-queue": QueueDocument,
    "ci-rates": RatesDocument,
    "ci-runners": RunnersDocument,
    "ci-streaks": StreaksDocument,
    "ingest": IngestDocument,
    "kb": KbDocument,
    "knowledge-file": KnowledgeFile,
    "perf-report": PerfReportDocument,
    "perf-changes": PerfChangesDocument,
    "perf-compare": PerfCompareDocument,
    "site": SiteList,
    "sql": AnswerDocument,
    "store": StoreDocument,
    "sync": SyncDocument,
}


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the document of that name."""
    title = f"trackside {name}"
    schema = msgspec.json.schema(DOCUMENTS[name])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **schema}


def text_of(name: str) -> str:
    """The schema as it stands in its file."""
    return json.dumps(schema_of(name), indent=2) + "\n"


if __name__ == "__main__":
    for name in DOCUMENTS:
        (FOLDER / f"{name}.schema.json").write_text(text_of(name), encoding="utf-8")
