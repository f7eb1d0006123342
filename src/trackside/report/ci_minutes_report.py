"""Runner minutes: tables, JSON document, CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import msgspec

from trackside.ci.minutes import Minutes, RunnerMinutes
from trackside.ci.results import Span
from trackside.report.ledger import counted
from trackside.report.sections import Cell, Section, percent, section_csv

MINUTES_VERSION: Final = 1
_FIGURES: Final = ("Minutes", "Passed", "Failed", "Cancelled", "Flaky", "Other", "Lost", "Attempts")
_CSV: Final = (
    "workflow", "job", "job_attempts", "unknown", "running", "total_min", "passed_min", "failed_min", "cancelled_min",
    "flaky_min", "other_min", "lost_min", "lost_share",
)  # fmt: skip


class MinutesDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``trackside ci minutes --format json`` prints."""

    schema_version: int
    repository: str
    span: Span
    minutes: RunnerMinutes


def minutes_json(repo: str, span: Span, minutes: RunnerMinutes) -> str:
    """A MinutesDocument in ASCII, so that no character of it acts on a terminal."""
    document = MinutesDocument(schema_version=MINUTES_VERSION, repository=repo, span=span, minutes=minutes)
    return json.dumps(msgspec.to_builtins(document), indent=2)


def minutes_csv(minutes: RunnerMinutes) -> str:
    """One row for each job, all its matrix indices together."""
    return section_csv(_CSV, ((one.workflow, one.job, *_csv_cells(one.minutes)) for one in minutes.jobs))


def minutes_sections(minutes: RunnerMinutes, top: int) -> Iterator[Section]:
    """Where the minutes went by outcome, then at most ``top`` workflows and jobs."""
    total = minutes.total
    outcomes = (
        ("passed", total.passed_min),
        ("failed", total.failed_min),
        ("cancelled", total.cancelled_min),
        ("flaky", total.flaky_min),
        ("other", total.other_min),
        ("all", total.total_min),
    )
    yield Section(
        title="Runner minutes",
        headings=("Outcome", "Minutes", "Share"),
        rows=tuple((name, round(spent, 1), _share(spent, total)) for name, spent in outcomes),
        notes=tuple(_notes(minutes)),
    )
    yield Section(
        title="By workflow",
        headings=("Workflow", *_FIGURES),
        rows=tuple((one.workflow, *_cells(one.minutes)) for one in minutes.workflows[:top]),
    )
    yield Section(
        title="By job",
        headings=("Job", *_FIGURES),
        rows=tuple((f"{one.workflow} / {one.job}", *_cells(one.minutes)) for one in minutes.jobs[:top]),
    )


def _cells(one: Minutes) -> tuple[Cell, ...]:
    spent = (one.total_min, one.passed_min, one.failed_min, one.cancelled_min, one.flaky_min, one.other_min)
    return (*(round(value, 1) for value in spent), percent(one.lost_share), one.job_attempts)


def _share(spent: float, total: Minutes) -> str | None:
    return percent(spent / total.total_min) if total.total_min else None


def _notes(minutes: RunnerMinutes) -> Iterator[str]:
    total = minutes.total
    yield (
        f"{counted(total.job_attempts, 'job attempt')}, {total.running:,} still running and not counted. "
        f"Lost to failures, cancellations and flakes: {total.lost_min:,.0f} minutes"
        f"{'' if total.lost_share is None else f' ({percent(total.lost_share)})'}. Minutes are those that jobs ran, "
        "neither rounded up nor weighed by price."
    )
    if total.unknown:
        yield f"How long {counted(total.unknown, 'job attempt')} ran is not told: they are in no figure."
    if not minutes.flakes_known:
        yield "It was not looked for flakes: they are among the failed."


def _csv_cells(one: Minutes) -> tuple[Cell, ...]:
    spent = (one.total_min, one.passed_min, one.failed_min, one.cancelled_min, one.flaky_min, one.other_min)
    return (one.job_attempts, one.unknown, one.running, *spent, one.lost_min, one.lost_share)
