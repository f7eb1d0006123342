"""The points of the performance series: each value with its run, commit, runner and place in the order of commits."""

from __future__ import annotations

import math
from typing import Final

import polars as pl

from trackside.history.default_line import default_commits
from trackside.history.frames import JOB_COLUMNS, History
from trackside.records.perf_rules import PerfRules, SeriesAlias, renames

MEASUREMENT_COLUMNS: Final = pl.Schema(
    {
        "job_id": pl.Int64(),
        "test": pl.String(),
        "metric": pl.String(),
        "value": pl.Float64(),
        "unit": pl.String(),
        "better": pl.String(),
        "try_number": pl.Int64(),
        "is_final": pl.Boolean(),
        "test_outcome": pl.String(),
        "line_number": pl.Int64(),
        "grammar": pl.String(),
        "is_established": pl.Boolean(),
    }
)
"""One row for each value (``records.measurements.Measurement``)."""

LARGEST: Final = 1e60
"""A value beyond this is no number of a benchmark: sums and squares of such values leave what a float can hold."""

SERIES_KEY: Final = ("workflow", "job", "test", "metric")

_OF_JOB: Final = (
    "run_id",
    "run_attempt",
    "run_number",
    "event",
    "branch",
    "line",
    "is_default_line",
    "sha",
    "author",
    "title",
    "pull_number",
    "pool",
    "runner_name",
    "run_url",
)
POINT_COLUMNS: Final = pl.Schema(
    {
        "series": pl.String(),
        **dict.fromkeys(SERIES_KEY, pl.String()),
        **{name: kind for name, kind in MEASUREMENT_COLUMNS.items() if name not in SERIES_KEY},
        **{name: JOB_COLUMNS[name] for name in _OF_JOB},
        "job_outcome": pl.String(),
        "job_url": pl.String(),
        "pull_url": pl.String(),
        "created_at": JOB_COLUMNS["created_at"],
        "ordered_at": JOB_COLUMNS["created_at"],
    }
)
"""One row for each value of a series, in the order of commits; times UTC.

A series is a (workflow, job, test, metric) and ``series`` names it in one text. ``job`` is the job's family: without
matrix indices, with the renames of the settings; with its indices where several of a run's shards measure the same
test. ``created_at`` is that of the run; ``ordered_at`` is when a run on the default line had the commit first, else
``created_at``: points of one commit stand together, a later run of an old commit stands where the commit does.
``is_default_line`` marks runs of this repository's own default branch: only these are searched for changes.
``job_outcome`` is that of the job's attempt, ``test_outcome`` that of the try of the test.
"""


def points_frame(history: History, measurements: pl.DataFrame, rules: PerfRules) -> pl.DataFrame:
    """The points of ``measurements``, with the columns ``POINT_COLUMNS``, by series and in the order of commits.

    ``measurements`` have the columns ``MEASUREMENT_COLUMNS``; those of jobs that the history does not hold are left
    out.
    """
    jobs = history.jobs.select("job_id", "workflow", "job", "family", "run_created_at", *_OF_JOB, "outcome", "url")
    pulls = history.runs.select(*_ATTEMPT, "pull_url").unique(_ATTEMPT)
    rows = measurements.join(jobs, on="job_id").join(pulls, on=_ATTEMPT, how="left").with_columns(job=_job_of_series())
    rows = rows.with_columns(value=pl.when(pl.col("value").abs() <= LARGEST).then("value").otherwise(math.nan))
    rows = rows.rename({"run_created_at": "created_at", "outcome": "job_outcome", "url": "job_url"})
    rows = rows.join(default_commits(history).select("sha", "first_at"), on="sha", how="left")
    ordered = pl.when("is_default_line").then(pl.coalesce("first_at", "created_at")).otherwise("created_at")
    rows = rows.with_columns(ordered_at=ordered, **{kind: renamed_kind(kind, rules.aliases) for kind in _KINDS})
    names = rows.with_columns(series=pl.format("{}: {} / {} / {}", *SERIES_KEY))
    return names.select(POINT_COLUMNS.keys()).cast(POINT_COLUMNS).sort(*SERIES_KEY, *_ORDER, nulls_last=True)


_ATTEMPT: Final = ("run_id", "run_attempt")
_KINDS: Final = ("job", "test", "metric")
_ORDER: Final = ("ordered_at", "created_at", "run_id", "run_attempt", "job_id", "try_number")


def _job_of_series() -> pl.Expr:
    """The family of a job; its whole name where two shards of one attempt measure the same test."""
    shards = pl.col("job").n_unique().over("workflow", "family", "test", *_ATTEMPT)
    repeated = (shards > 1).any().over("workflow", "family", "test")
    return pl.when(repeated).then("job").otherwise("family")


def renamed_kind(kind: str, aliases: tuple[SeriesAlias, ...], column: str | None = None) -> pl.Expr:
    """The names in ``column``, else in that of the kind (job, test or metric), as they are called now."""
    names = renames(kind, aliases)
    own = pl.col(column or kind)
    return own.replace(names) if names else own


def final_points(points: pl.DataFrame) -> pl.DataFrame:
    """The points that stand for their run: the last try of each test in each attempt of a job."""
    return points.filter("is_final")


def searched_points(points: pl.DataFrame) -> pl.DataFrame:
    """The points that are searched for changes: the last tries of runs on the default branch."""
    return final_points(points).filter("is_default_line")
