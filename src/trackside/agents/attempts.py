"""The attempts of runs, jobs and steps as the statistics group them: how each ended, its half of the window, its key.

A workflow is its name and its file: two files may bear one name. A job is all its matrix indices together.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import polars as pl

from trackside.agents.costs import with_costs
from trackside.agents.frames import AgentHistory
from trackside.agents.outcome_counts import UNFINISHED, is_any, kind_of
from trackside.agents.times import known_time, length_of
from trackside.agents.trends import is_late

ATTEMPT: Final = ["run_id", "run_attempt"]
WORKFLOW_KEY: Final = ["workflow", "workflow_file"]
JOB_KEY: Final = ["workflow", "family"]
STEP_KEY: Final = ["workflow", "family", "step"]
_OF_RUN: Final = ("is_late", "day", "began")
_OF_JOB: Final = ("is_late", "day", "place")


class Attempts(NamedTuple):
    """Frames of runs, jobs and steps, with known times only.

    Each has ``kind``, ``is_late`` and ``day`` (of the start of its run) and ``place``, its row in the order of time;
    ``runs`` also have ``began`` and ``unread``, ``jobs`` ``cost`` and ``no_rate``, ``steps`` ``family``.
    """

    runs: pl.DataFrame
    jobs: pl.DataFrame
    steps: pl.DataFrame


def attempts_of(history: AgentHistory) -> Attempts:
    """Every attempt of the history; a job or step whose run is not in it has no half and no day."""
    runs = _runs(history.runs)
    jobs = _jobs(history, runs)
    return Attempts(runs, jobs, _steps(history.steps, jobs))


def _runs(rows: pl.DataFrame) -> pl.DataFrame:
    rows = rows.with_columns(
        pl.col("workflow").fill_null("?"), kind=kind_of(), began=pl.coalesce("started_at", "created_at")
    )
    return rows.with_columns(
        *(known_time(name) for name in ("duration_s", "active_s")),
        length_of("queue_s"),
        is_late(rows["began"]),
        day=pl.col("began").dt.date(),
        place=_place("began", *ATTEMPT),
        unread=~is_any(UNFINISHED) & ~pl.col("is_read").fill_null(value=False),
    )


def _jobs(history: AgentHistory, runs: pl.DataFrame) -> pl.DataFrame:
    rows = history.history.jobs.select(
        "job_id", *ATTEMPT, "name", pl.col("workflow").fill_null("?"), "family", "status", "conclusion", "completed_at",
        "started_at", "queue_s", "duration_s", "url", "failed_step", "failed_step_number", "failed_steps",
    )  # fmt: skip
    rows = rows.with_columns(kind=kind_of())
    # What was skipped, or never began, waited for nothing.
    waited = pl.col("started_at").is_not_null() & (pl.col("kind") != "skipped")
    rows = rows.with_columns(known_time("duration_s"), queue_s=pl.when(waited).then(length_of("queue_s")))
    of_run = runs.select(*ATTEMPT, *_OF_RUN, "workflow_file", "agent", "agent_role")
    rows = rows.join(of_run, on=ATTEMPT, how="left", maintain_order="left")
    rows = rows.with_columns(place=_place("began", "job_id"))
    return with_costs(rows, history.labels, history.rules.rates)


def _steps(rows: pl.DataFrame, jobs: pl.DataFrame) -> pl.DataFrame:
    of_job = jobs.lazy().select("job_id", "family", *_OF_JOB).unique("job_id", keep="first", maintain_order=True)
    told = rows.lazy().select("job_id", pl.col("workflow", "step").fill_null("?"), "job", "duration_s", kind=kind_of())
    joined = told.with_columns(known_time("duration_s")).join(of_job, on="job_id", how="left", maintain_order="left")
    return joined.with_columns(pl.col("family").fill_null(pl.col("job"))).drop("job").collect()


def _place(*order: str) -> pl.Expr:
    return pl.arg_sort_by(*order).arg_sort().cast(pl.UInt32)
