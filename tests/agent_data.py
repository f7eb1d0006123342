"""Data files of literal histories, and what stands in them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema

from scripts.schemas import schema_of
from trackside.agents.frames import AgentHistory
from trackside.agents.knowledge import Entry
from trackside.agents.statistics import statistics_of
from trackside.records.pulls import PullRequest
from trackside.report.agents_data import DataContent, DataFacts
from trackside.report.agents_document import DataWindow
from trackside.report.agents_files import DataFiles, write_data
from trackside.report.agents_packing import MOST_FILE_BYTES

NOW = dt.datetime(2026, 6, 3, 12, tzinfo=dt.UTC)


def a_content(
    history: AgentHistory,
    *,
    pulls: Mapping[int, PullRequest] | None = None,
    groups: tuple[Entry, ...] = (),
    most_bytes: int | None = MOST_FILE_BYTES,
) -> DataContent:
    """What goes into the data files of a history."""
    return DataContent(
        DataFacts(
            history=history,
            statistics=statistics_of(history),
            window=DataWindow(rule="runs created since 30d"),
            sync_file="agentops-sync.json",
            pulls=pulls or {},
            groups=groups,
            most_bytes=most_bytes,
        )
    )


def a_document(history: AgentHistory, *, now: dt.datetime = NOW, **told: Any) -> dict[str, Any]:
    """The main file of a history, with every run in it."""
    document: dict[str, Any] = json.loads(a_content(history, most_bytes=None, **told).main(now, (), None))
    assert problems("agentops-runs", document) == []
    return document


def write_history(path: Path, history: AgentHistory, *, now: dt.datetime = NOW, **told: Any) -> DataFiles:
    """Writes the data files of a history."""
    return write_data(path, a_content(history, **told), now)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON document."""
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


def every_run(path: Path) -> list[tuple[int, int]]:
    """The run attempts in the data file and in all segments that it names, in their order; the first two follow their
    schema, as the others do then."""
    documents = [read_json(path)]
    documents += [read_json(path.with_name(one["file"])) for one in documents[0]["segments"]]
    for document in documents[:2]:
        some = {**document, "runs": document["runs"][:20]}
        assert problems("agentops-runs", some) == []
    return [(run["id"], run["run_attempt"]) for document in documents for run in document["runs"]]


def problems(name: str, document: Mapping[str, Any]) -> list[str]:
    """What is wrong with a document by its published schema."""
    validator = jsonschema.Draft202012Validator(schema_of(name), format_checker=jsonschema.FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]
