"""The files of data about performance: what the commands print as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from trackside.ci.results import Span
from trackside.report.perf_changes_report import perf_changes_json
from trackside.report.perf_console import count_jobs
from trackside.report.perf_document import perf_json
from trackside.report.perf_tables import lay_out
from trackside.site.facts import SiteFacts, SpeedFacts

MOST_BYTES: Final = 5_000_000
MOST_POINTS: Final = 40_000
"""So many values make a performance.json of about ``MOST_BYTES``; more are not even tried."""
CHANGES_NAME: Final = "perf-changes.json"
REPORT_NAME: Final = "performance.json"


class PerfDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A file of data: its name below ``data/``, and the command that prints it.

    ``content`` is None where it would be larger than ``MOST_BYTES``.
    """

    name: str
    command: str
    content: bytes | None


def perf_documents(facts: SiteFacts) -> Iterator[PerfDocument]:
    """The documents of the window, made when it ended: equal stores make equal files. None where nothing is known."""
    speed = facts.speed
    if speed is None:
        return
    changes = perf_changes_json(speed.states, speed.silence, _span(facts, speed))
    yield PerfDocument(
        name=CHANGES_NAME, command="trackside perf changes --format json", content=_bounded(changes.encode())
    )
    yield PerfDocument(
        name=REPORT_NAME,
        command="trackside perf report --format json",
        content=_bounded(_report(facts, speed)) if speed.points.height <= MOST_POINTS else None,
    )


def _report(facts: SiteFacts, speed: SpeedFacts) -> bytes:
    head = msgspec.structs.replace(speed.head, made_at=facts.until)
    counts = count_jobs(lay_out(speed.points))
    return perf_json(speed.points, head, speed.collection, counts, speed.states.found).encode()


def _span(facts: SiteFacts, speed: SpeedFacts) -> Span:
    if facts.ci is not None:
        return facts.ci.span
    created = [run.created_at for run in speed.collection.runs]
    return Span(
        first_run_at=min(created, default=None),
        last_run_at=max(created, default=None),
        runs=speed.head.runs,
        job_attempts=speed.head.jobs,
    )


def _bounded(content: bytes) -> bytes | None:
    return content if len(content) <= MOST_BYTES else None
