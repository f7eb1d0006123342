"""The documentation of the data files names every field that there is."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from trackside.agents.group_records import SuccessRate
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

PAGE = Path(__file__).parent.parent / "docs" / "agents-data.md"
RECORDS: tuple[type[msgspec.Struct], ...] = (
    AgentsDocument, AgentsSyncDocument, Completeness, DataArtifact, DataJob, DataPull, DataRun, DataStep, DataWindow,
    DaysDocument, DaysFile, FetchRate, FileSize, LeftOut, Outputs, Rows, SegmentFile, SuccessRate, Summary, SyncHealth,
    WorkflowStats, Workload,
)  # fmt: skip


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_every_field_of_the_data_files_is_documented(record: type[msgspec.Struct]) -> None:
    named = set(re.findall(r"`([a-z0-9_.]+)`", PAGE.read_text(encoding="utf-8")))
    assert [one.encode_name for one in msgspec.structs.fields(record) if one.encode_name not in named] == []
