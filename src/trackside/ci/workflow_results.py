"""Workflows that fail before any of their jobs exists: an invalid workflow file, a run that waits for approval."""

from __future__ import annotations

from typing import Any

import polars as pl

from trackside.ci.results import FAILED, PASSED, UNDECIDED
from trackside.history.frames import History


def workflow_results(history: History, wanted: pl.Expr) -> list[dict[str, Any]]:
    """One result for each run, of the lines ``wanted``, of a workflow that failed without jobs at least once there.

    A run whose jobs ran is a good one here, however they ended: those are results of jobs. The newest attempt counts.
    The rows are like those of ``run_results``, with ``job`` None. None where only some jobs were asked for.
    """
    if history.every_job is not None:
        return []
    jobless = history.jobless_failures.select("run_id", "run_attempt", jobless=True)
    key = pl.coalesce("workflow_file", "workflow")
    runs = (
        history.runs.filter(wanted)
        .join(jobless, on=["run_id", "run_attempt"], how="left")
        .with_columns(
            pl.col("jobless").fill_null(value=False),
            key.alias("key"),
            pl.col("jobless").fill_null(value=False).sum().over("run_id").alias("failed_attempts"),
        )
        .filter(pl.col("run_attempt") == pl.col("run_attempt").max().over("run_id"))
        .filter(pl.col("jobless").any().over("key", "line"))
    )
    # A run of an invalid file bears the path of the file as its name.
    named = pl.col("workflow").filter(pl.col("workflow") != pl.col("key")).drop_nulls().last().over("key")
    ended = pl.col("outcome").is_in(["passed", "failed"])
    result = pl.when("jobless").then(pl.lit(FAILED)).when(ended).then(pl.lit(PASSED)).otherwise(pl.lit(UNDECIDED))
    nothing = pl.lit(None, pl.String())
    rows = runs.with_columns(
        workflow=pl.coalesce(named, "workflow"),
        result=result,
        run_created_at="created_at",
        run_url="url",
        job=nothing,
        family=nothing,
        shard=nothing,
        category=nothing,
        cause="conclusion",
        failed_step=nothing,
        marks=pl.lit([], pl.List(pl.String())),
    )
    return rows.to_dicts()
