"""What came of an ingest, for people and for programs."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from trackside.records.ingests import Counts, IngestRecord
from trackside.report.ledger import counted
from trackside.report.safe_text import safe_text

SCHEMA_VERSION: Final = 1


class IngestDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an ingest, for programs. ``schema_version`` goes with its shape."""

    schema_version: int
    ingest: IngestRecord


def ingest_document(record: IngestRecord) -> dict[str, Any]:
    """The record as a JSON document, in builtin types."""
    built: dict[str, Any] = msgspec.to_builtins(IngestDocument(schema_version=SCHEMA_VERSION, ingest=record))
    return built


def ingest_lines(record: IngestRecord) -> list[str]:
    """The record in lines: what came, then what could not be read."""
    other = f", {counted(record.ignored, 'payload')} of other events" if record.ignored else ""
    lines = [
        f"{counted(record.documents, 'document')}: {counted(record.runs, 'run')}{other}",
        f"  attempts  {_line(record.attempts)}",
        f"  jobs      {_line(record.jobs)}",
        f"  steps     {_line(record.steps)}",
    ]
    if record.problems:
        lines.append(f"  not read  {counted(record.lost, 'item')}; {counted(record.problems, 'problem')}, such as")
        lines += [f"            {safe_text(sample)}" for sample in record.samples]
    return lines


def _line(counts: Counts) -> str:
    return f"{counts.new:,} new, {counts.changed:,} changed, {counts.unchanged:,} unchanged"
