"""The frame of job attempts: identities, categories, failed steps, and what their runs tell of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import polars as pl

from trackside.history.frames import JOB_COLUMNS
from trackside.history.names import family_of, matches_any, renamed, shard_of
from trackside.history.outcomes import STEP_FAILURES, outcome_of
from trackside.records.ci_rules import CiRules

_ATTEMPT: Final = ["run_id", "run_attempt"]
_STEP_COLUMNS: Final = ("job_id", "failed_step", "failed_step_number", "failed_steps")
_OF_RUN: Final[tuple[str | pl.Expr, ...]] = (
    *_ATTEMPT,
    "run_number",
    "workflow",
    "event",
    pl.col("conclusion").alias("run_conclusion"),
    pl.col("created_at").alias("run_created_at"),
    "branch",
    "line",
    "is_default_line",
    "sha",
    "author",
    "actor",
    "title",
    "pull_number",
    pl.col("url").alias("run_url"),
)

_BETWEEN: Final = "\x1f"

CategoryOf = Callable[[str], str | None]


def jobs_frame(
    rows: pl.DataFrame, failed: pl.DataFrame, runs: pl.DataFrame, rules: CiRules, category_of: CategoryOf
) -> pl.DataFrame:
    """The job attempts with the columns ``frames.JOB_COLUMNS``, by run, attempt and id.

    ``rows`` are those of the table without steps, ``failed`` what ``failed_steps`` tells of those that failed, ``runs``
    the frame of their run attempts; a job without one is left out. ``category_of`` takes the renamed name.
    """
    # Lists are dear to move.
    rows = rows.with_columns(_pools(rows["labels"])).drop("labels")
    told = without_relisted(_in_order(rows, runs))
    told = told.with_columns(
        outcome=outcome_of(pl.col("status"), pl.col("conclusion")),
        is_latest=_is_latest(told),
        url="html_url",
    ).drop("html_url")
    told = _beside(told, ["name"], _names(told["name"], rules, category_of))
    told = _beside(told, ["job_id"], failed)
    told = _beside(told, _ATTEMPT, runs.select(_OF_RUN))
    return told.select(JOB_COLUMNS.keys()).with_columns(pl.col("failed_steps").fill_null([])).cast(JOB_COLUMNS)


def failed_steps(steps: pl.DataFrame) -> pl.DataFrame:
    """Of each job: ``failed_step``, ``failed_step_number`` and ``failed_steps``, in the order of their numbers.

    Where no step says that it failed, the first that was cancelled or never ended stands for it: there the time ran
    out or the runner went away.
    """
    once = steps if steps["job_id"].is_unique().all() else steps.unique("job_id")
    if not once["steps"].list.len().sum():
        return pl.DataFrame(schema={name: JOB_COLUMNS[name] for name in _STEP_COLUMNS})
    # An empty list gives nothing, or a step without a start: neither failed.
    flat = once.explode("steps").unnest("steps")
    failed = pl.col("conclusion").is_in(STEP_FAILURES)
    open_ = pl.col("conclusion").eq_missing("cancelled") | (pl.col("conclusion").is_null())
    rank = pl.when(failed).then(0).when(open_ & pl.col("started_at").is_not_null()).then(1).otherwise(2)
    ranked = flat.with_columns(rank=rank).filter(pl.col("rank") < 2).sort("job_id", "rank", "number")
    return ranked.group_by("job_id", maintain_order=True).agg(
        failed_step=pl.col("name").first(),
        failed_step_number=pl.col("number").first(),
        failed_steps=pl.col("name").filter(pl.col("rank") == pl.col("rank").min()),
    )


def _in_order(rows: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """The rows of these runs by run, attempt and id; nothing is copied where they are so already."""
    keys = rows.select(*_ATTEMPT, "job_id").with_row_index("place")
    keys = keys.join(runs.select(_ATTEMPT), on=_ATTEMPT, how="semi")
    # Cheaper than to sort a frame by three columns.
    order = np.lexsort([keys[name].to_numpy() for name in ("job_id", *reversed(_ATTEMPT))])
    places = keys["place"].gather(order)
    as_it_is = len(places) == rows.height and places.is_sorted()
    return rows if as_it_is else rows.select(pl.all().gather(places))


def _beside(rows: pl.DataFrame, key: list[str], table: pl.DataFrame) -> pl.DataFrame:
    """``rows`` with the columns of ``table`` that has each key once; the columns that were there are not copied."""
    places = rows.select(key).join(
        table.select(key).with_row_index("place"), on=key, how="left", maintain_order="left"
    )["place"]
    return rows.hstack(table.drop(key).select(pl.all().gather(places)))


def _is_latest(rows: pl.DataFrame) -> pl.Expr:
    if rows.is_empty() or rows["run_attempt"].max() == 1:
        return pl.lit(value=True)
    return pl.col("run_attempt") == pl.col("run_attempt").max().over("run_id", "name")


def _pools(labels: pl.Series) -> pl.Series:
    """``pool``: the labels of each job in the order of the alphabet; each combination is put in order once."""
    joined = labels.list.join(_BETWEEN)
    pools = {text: "+".join(sorted(text.split(_BETWEEN))) or None for text in joined.unique().drop_nulls()}
    return joined.replace_strict(pools, default=None, return_dtype=pl.String).alias("pool")


def without_relisted(rows: pl.DataFrame) -> pl.DataFrame:
    """Without the jobs that a later attempt lists again though they did not run in it."""
    if rows.is_empty() or rows["run_attempt"].max() == 1:
        return rows
    first = pl.col("run_attempt").min().over("run_id", "name", "started_at", "completed_at", "runner_name")
    again = (pl.col("run_attempt") > first) & pl.col("started_at").is_not_null() & pl.col("completed_at").is_not_null()
    return rows.filter(~again)


def _names(names: pl.Series, rules: CiRules, category_of: CategoryOf) -> pl.DataFrame:
    """What each name says, worked out once for each."""
    rows = []
    for name in names.unique():
        job = renamed(name, rules.aliases)
        ignored = matches_any(name, rules.ignored_jobs) or matches_any(job, rules.ignored_jobs)
        rows.append((name, job, family_of(job), shard_of(job), category_of(job), ignored))
    schema = {"name": pl.String, "job": pl.String, "family": pl.String, "shard": pl.String, "category": pl.String,
              "is_ignored": pl.Boolean}  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")
