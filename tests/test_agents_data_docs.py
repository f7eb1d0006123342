"""The documentation of the data files names every field that there is, and none that is not."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from trackside.agents.group_records import (
    DayRow,
    FailedJob,
    GroupRow,
    JobRow,
    Outcomes,
    Statistics,
    StepRow,
    SuccessRate,
    Times,
    Trend,
)
from trackside.records.sync_health import FetchRate, SyncHealth
from trackside.report.agents_document import (
    AgentsDocument,
    Completeness,
    DataWindow,
    DaysDocument,
    DaysFile,
    LeftOut,
    Rows,
    SegmentFile,
    Summary,
    WorkflowStats,
    Workload,
)
from trackside.report.agents_outputs import Outputs
from trackside.report.agents_run_records import DataArtifact, DataJob, DataPull, DataRun, DataStep
from trackside.report.agents_sync_document import AgentsSyncDocument, FileSize

PAGE = (Path(__file__).parent.parent / "docs" / "agents-data.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^###? (.+)\n((?:(?!^###? ).*\n)*)", PAGE, re.MULTILINE))
NAME = re.compile(r"`([a-z0-9_.]+)`")
TABLES: dict[str, tuple[type[msgspec.Struct], ...]] = {
    "`agentops-runs.json`": (AgentsDocument,),
    "`summary`": (Summary,),
    "`statistics`": (Statistics, GroupRow, JobRow, StepRow, FailedJob, DayRow),
    "A run": (DataRun,),
    "A job": (DataJob,),
    "`agentops-sync.json`": (AgentsSyncDocument, SyncHealth),
}
RECORDS = (
    Completeness, DataArtifact, DataPull, DataStep, DataWindow, DaysDocument, DaysFile, FetchRate, FileSize, LeftOut,
    Outcomes, Outputs, Rows, SegmentFile, SuccessRate, Times, Trend, WorkflowStats, Workload,
)  # fmt: skip


def fields_of(*records: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for record in records for field in msgspec.structs.fields(record)}


@pytest.mark.parametrize("title", TABLES)
def test_the_table_of_a_part_tells_its_fields_and_no_others(title: str) -> None:
    cells = re.findall(r"^\| (`.*?) \|", SECTIONS[title], re.MULTILINE)
    told = {name for cell in cells for name in NAME.findall(cell)}
    apart = {"schema_version", "success_rate_denominator"}  # told once, and beside the rate
    assert told - apart == fields_of(*TABLES[title]) - apart


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_the_fields_of_small_things_are_told_beside_them(record: type[msgspec.Struct]) -> None:
    assert fields_of(record) - set(NAME.findall(PAGE)) == set()
