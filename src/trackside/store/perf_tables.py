"""The tables of performance: the values that jobs printed, and what is known of changes in them."""

from __future__ import annotations

from typing import Final

import polars as pl

from trackside.store.columns import JOB, REPO, RUN, TIME, Column, Table

_VERSION: Final = Column("version", pl.String, "", "version of the grammars that read it; other rows are made anew")

MEASUREMENTS: Final = Table(
    "measurements",
    1,
    "one performance number that a job printed",
    key=("repo", "job_id", "test", "metric", "try_number"),
    order=("repo", "run_id", "run_attempt", "job_id", "test", "metric", "try_number"),
    about="observed_at",
    columns=(
        REPO,
        JOB,
        *RUN,
        _VERSION,
        Column("test", pl.String, "", "what was measured, as it is named in every run"),
        Column("metric", pl.String, "", "name of the metric, with its unit"),
        Column("value", pl.Float64, "", "the number, in the unit of the metric"),
        Column("unit", pl.String, "", "the unit in words"),
        Column("better", pl.String, "", "higher, lower or neither"),
        Column("try_number", pl.Int64, "", "try of the test within the job, from 1"),
        Column("is_final", pl.Boolean, "", "no later try of the test followed in the job"),
        Column("test_outcome", pl.String, "", "passed, failed or unknown: how this try of the test ended"),
        Column("line_number", pl.Int64, "", "line of the log or file, from 1"),
        Column("grammar", pl.String, "", "the rule that read it"),
        Column("is_established", pl.Boolean, "", "its chart is drawn unless all are asked for"),
    ),
)

MEASURED_LOGS: Final = Table(
    "measured_logs",
    1,
    "the marker that a log was read for measurements",
    key=("repo", "job_id"),
    order=("repo", "run_id", "run_attempt", "job_id"),
    about="observed_at",
    columns=(
        REPO,
        JOB,
        *RUN,
        _VERSION,
        Column("tests", pl.Int64, "tests", "how many tests had a value"),
        Column("measurements", pl.Int64, "values", "how many values there were"),
    ),
)

CHANGES: Final = Table(
    "changes",
    1,
    "what is known of a change in a performance series",
    key=("repo", "change_id"),
    order=("repo", "change_id"),
    about="observed_at",
    columns=(
        REPO,
        Column("change_id", pl.String, "", "id that commands take"),
        Column("series", pl.String, "", "workflow, job, test and metric"),
        Column("direction", pl.String, "", "up or down"),
        Column("state", pl.String, "", "new, confirmed, acknowledged, intended or fixed"),
        Column("first_seen_at", TIME, "", "when it was found first"),
        Column("last_seen_at", TIME, "", "when it was found last"),
        Column("last_good_run_id", pl.Int64, "", "the last run of the level before"),
        Column("first_bad_run_id", pl.Int64, "", "the first run of the new level"),
        Column("first_bad_sha", pl.String, "", "its commit"),
        Column("first_bad_at", TIME, "", "when that commit was first run"),
        Column("before", pl.Float64, "", "the level before, in the unit of the metric"),
        Column("after", pl.Float64, "", "the level after"),
        Column("reason", pl.String, "", "why it was acknowledged or intended"),
        Column("link", pl.String, "", "where more is said"),
        Column("decided_at", TIME, "", "when somebody decided the state; null where nobody did"),
        Column("others", pl.Boolean, "", "the decision holds for all that moved at the same commits too"),
    ),
)
