"""The performance report for programs: every series with its points as JSON, and all values as one CSV."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import polars as pl

from trackside.perf.change_records import Changes, Search
from trackside.perf.collection import READ, Collection
from trackside.perf.points import SERIES_KEY, final_points
from trackside.records.measurements import Better, TestOutcome
from trackside.report.perf_console import JobCount
from trackside.report.perf_facts import PerfFacts
from trackside.report.table_files import plain_cells, safe_cells

REPORT_VERSION: Final = 1


class PerfWindow(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for (``since`` None: ever), and when the first and the last run of it were created."""

    since: dt.datetime | None
    until: dt.datetime
    first_run_at: dt.datetime | None
    last_run_at: dt.datetime | None


class PerfCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How much there was.

    ``jobs`` are attempts of performance jobs that ran, ``failed_jobs`` those that did not pass, ``silent_jobs`` those
    that passed without a value in their log. ``logs`` counts their logs by what became of them (``read``, ``expired``,
    …). ``records`` are rows of tables: attempts of a job that measured a test. ``earlier_tries`` are values that a
    later try of the same test in the same job replaced; ``values`` are the others.
    """

    runs: int
    run_attempts: int
    unread_run_attempts: int
    jobs: int
    failed_jobs: int
    silent_jobs: int
    logs: dict[str, int]
    tests: int
    records: int
    series: int
    values: int
    earlier_tries: int


class MeasuredJob(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt of a job that printed values, with what there is to know of its run. Times are UTC.

    ``created_at`` is that of the run; ``ordered_at`` is when its commit was first run on the default branch, for runs
    there: the order of commits. ``is_default_branch`` marks runs of this repository's own default branch. ``name`` is
    the job as series name it.
    """

    job_id: int
    name: str
    workflow: str
    outcome: str
    run_id: int
    run_attempt: int
    run_number: int | None
    created_at: dt.datetime
    ordered_at: dt.datetime
    event: str | None
    branch: str | None
    is_default_branch: bool
    sha: str | None
    author: str | None
    title: str | None
    pull_number: int | None
    pull_url: str | None
    pool: str | None
    runner_name: str | None
    run_url: str | None
    job_url: str | None


class SeriesPoint(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a series, as ``job_id`` printed it in try ``try_number`` of the test.

    ``is_final`` is false where a later try followed. ``value`` is null where it was no finite number.
    """

    job_id: int
    value: float | None
    try_number: int
    is_final: bool
    test_outcome: TestOutcome
    line_number: int | None


class PerfSeries(msgspec.Struct, frozen=True, kw_only=True):
    """A metric of a test in a job of a workflow, with all its values in the order of commits.

    ``n`` counts the final values, ``default_branch_n`` those of the default branch. ``search`` says whether it was
    searched for changes, and if not why; it is null where changes were not looked for. ``changes`` are the ids that
    ``trackside perf changes`` shows.
    """

    series: str
    workflow: str
    job: str
    test: str
    metric: str
    unit: str | None
    better: Better
    is_established: bool
    n: int
    default_branch_n: int
    search: Search | None
    changes: tuple[str, ...]
    points: tuple[SeriesPoint, ...]


class PerfReportDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``trackside perf report`` writes to performance.json.

    ``least_points`` is how many values of the default branch a series needs to be searched for changes.
    """

    schema_version: int
    generated_at: dt.datetime
    repository: str
    default_branch: str | None
    workflow: str
    window: PerfWindow
    counts: PerfCounts
    least_points: int | None
    jobs: tuple[MeasuredJob, ...]
    series: tuple[PerfSeries, ...]


def perf_json(
    points: pl.DataFrame, facts: PerfFacts, collection: Collection, counts: list[JobCount], changes: Changes | None
) -> str:
    """A PerfReportDocument in ASCII, so that no character of it acts on a terminal."""
    ends = [run.created_at for run in collection.runs]
    searched = {} if changes is None else {one.series: one.search for one in changes.series}
    ids: dict[str, list[str]] = {}
    for change in () if changes is None else changes.changes:
        ids.setdefault(change.series, []).append(change.change_id)
    document = PerfReportDocument(
        schema_version=REPORT_VERSION,
        generated_at=facts.made_at,
        repository=facts.repo,
        default_branch=facts.default_branch,
        workflow=collection.workflow,
        window=PerfWindow(
            since=facts.since,
            until=facts.until,
            first_run_at=min(ends, default=None),
            last_run_at=max(ends, default=None),
        ),
        counts=_counts(points, facts, collection, counts),
        least_points=None if changes is None else changes.least_points,
        jobs=tuple(_jobs(points)),
        series=tuple(
            _series(str(name), own, searched.get(str(name)), ids.get(str(name), []))
            for (name,), own in points.partition_by("series", as_dict=True, maintain_order=True).items()
        ),
    )
    return json.dumps(msgspec.to_builtins(document), separators=(",", ":"), allow_nan=False)


def points_csv(points: pl.DataFrame) -> str:
    """A header and a row for each value, earlier tries too; unknown is an empty cell, times are ISO 8601 in UTC."""
    return safe_cells(plain_cells(points, flat=True)).write_csv().rstrip("\n")


def _counts(points: pl.DataFrame, facts: PerfFacts, collection: Collection, counts: list[JobCount]) -> PerfCounts:
    final = final_points(points).height
    return PerfCounts(
        runs=len(collection.runs),
        run_attempts=collection.run_attempts,
        unread_run_attempts=facts.unread,
        jobs=collection.jobs.height,
        failed_jobs=collection.failed.height,
        silent_jobs=sum(collection.silent.values()),
        logs={READ: 0, **collection.logs},
        tests=sum(one.tests for one in counts),
        records=sum(one.records for one in counts),
        series=points["series"].n_unique(),
        values=final,
        earlier_tries=points.height - final,
    )


_RENAMED: Final[Mapping[str, str]] = {"job": "name", "job_outcome": "outcome", "is_default_line": "is_default_branch"}


def _jobs(points: pl.DataFrame) -> list[MeasuredJob]:
    rows = points.unique("job_id", keep="first", maintain_order=True).sort("ordered_at", "run_id", "job_id")
    rows = rows.rename(_RENAMED).select(MeasuredJob.__struct_fields__)
    return [MeasuredJob(**row) for row in rows.iter_rows(named=True)]


def _series(series: str, points: pl.DataFrame, search: Search | None, changes: list[str]) -> PerfSeries:
    final = final_points(points)
    newest: dict[str, Any] = points.row(-1, named=True)
    value = pl.when(pl.col("value").is_finite()).then("value").alias("value")
    told = points.with_columns(value).select(SeriesPoint.__struct_fields__)
    return PerfSeries(
        series=series,
        **{name: newest[name] for name in SERIES_KEY},
        unit=newest["unit"],
        better=Better(newest["better"] or Better.NEITHER),
        is_established=bool(points["is_established"].any()),
        n=final.height,
        default_branch_n=int(final["is_default_line"].sum()),
        search=search,
        changes=tuple(changes),
        points=msgspec.convert(told.to_dicts(), tuple[SeriesPoint, ...]),
    )
