"""The failure report for programs: the JSON document and the table of jobs as CSV."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Final

import msgspec

from trackside.ci.failure_records import FailureReport, RunReference
from trackside.ci.groups import FailureGroups
from trackside.ci.recent_failures import LookedAt
from trackside.ci.verdicts import Verdicts
from trackside.report.sections import Cell, section_csv

FAILURES_VERSION: Final = 1
_WHY: Final = ("verdicts", "failure_groups", "looked_at")
_HEADINGS: Final = (
    "job", "category", "workflows", "failures", "failures_in_cancelled_runs", "failed_runs", "decided_attempts",
    "failure_rate", "last_success_run", "last_success_at", "last_success_url", "last_failure_run", "last_failure_at",
    "last_failure_url",
)  # fmt: skip


class FailureDocument(FailureReport, frozen=True, kw_only=True):
    """A failure report with the version of its shape and when it was made; times are ISO 8601 in UTC.

    ``verdicts`` and ``failure_groups`` say why; they are left out where that was not asked for. ``looked_at`` is there
    where they are of the newest runs only.
    """

    schema_version: int
    generated_at: dt.datetime
    verdicts: Verdicts | None = None
    failure_groups: FailureGroups | None = None
    looked_at: LookedAt | None = None


def failure_json(
    report: FailureReport,
    generated_at: dt.datetime,
    *,
    verdicts: Verdicts | None = None,
    groups: FailureGroups | None = None,
    looked_at: LookedAt | None = None,
) -> str:
    """A FailureDocument in ASCII, so that no character of it acts on a terminal."""
    document = FailureDocument(
        **msgspec.structs.asdict(report),
        schema_version=FAILURES_VERSION,
        generated_at=generated_at,
        verdicts=verdicts,
        failure_groups=groups,
        looked_at=looked_at,
    )
    built = msgspec.to_builtins(document, str_keys=True)
    told = {key: value for key, value in built.items() if value is not None or key not in _WHY}
    return json.dumps(told, indent=2)


def failure_csv(report: FailureReport) -> str:
    """A header and a row for each job that failed; workflows are joined with ``; ``, unknown is an empty cell."""
    return section_csv(_HEADINGS, _rows(report))


def _rows(report: FailureReport) -> Iterator[tuple[Cell, ...]]:
    for job, one in report.job_figures.items():
        yield (
            job,
            one.category,
            "; ".join(one.workflows),
            one.failures,
            one.failures_in_cancelled_runs,
            one.failed_runs,
            one.decided_attempts,
            one.failure_rate,
            *_cells(report.job_last_success.get(job)),
            *_cells(report.job_failure_links[job][0]),
        )


def _cells(link: RunReference | None) -> tuple[Cell, ...]:
    return (None, None, None) if link is None else (link.run_number, link.created_at, link.url)
