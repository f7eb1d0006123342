"""What performance numbers were collected from: the runs, their performance jobs, and what became of the logs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

import msgspec
import polars as pl

from trackside.history.frames import JOB_COLUMNS, History

READ: Final = "read"
NOT_ASKED: Final = "not_asked"
"""The log was never asked for: the job goes on, or logs were not wanted."""
ANY_WORKFLOW: Final = "CI"
_IS_ARTIFACT: Final = pl.col("job_id") < 0
"""The row stands for an artifact (``artifact_jobs.job_id_of``)."""
COLLECTED_COLUMNS: Final = pl.Schema(
    {
        **{name: JOB_COLUMNS[name] for name in ("job_id", "run_id", "run_attempt", "job", "family", "workflow")},
        "ending": pl.String(),
        "outcome": pl.String(),
        "log": pl.String(),
        "values": pl.Int64(),
    }
)
"""One row for each attempt of a performance job that ran, by run, attempt, name and id.

``ending`` is its conclusion, its status where it has not ended. ``log`` is ``read``, else why it was not: the
``records.job_logs.LogState``, or ``not_asked``. ``values`` counts those that were in it.
"""


class CollectedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that was looked at, and its performance jobs as (name, ending), every attempt."""

    run_id: int
    run_number: int | None
    created_at: dt.datetime
    jobs: tuple[tuple[str, str], ...]


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at. ``jobs`` have the columns ``COLLECTED_COLUMNS``.

    ``workflow`` is the name of the workflow, ``CI`` where there are several. ``runs`` are the newest first.
    """

    workflow: str
    runs: tuple[CollectedRun, ...]
    run_attempts: int
    jobs: pl.DataFrame

    @property
    def logs(self) -> dict[str, int]:
        """How many logs are in which state."""
        return dict(sorted(self.jobs["log"].value_counts().iter_rows()))

    @property
    def failed(self) -> pl.DataFrame:
        """The jobs that ended, and not well."""
        return self.jobs.filter(pl.col("outcome").is_in(["failed", "cancelled"]))

    @property
    def silent(self) -> dict[str, int]:
        """Of how many jobs that passed the log was read and held no value, by family, the most first.

        None of these uploaded its values as an artifact.
        """
        rows = self.jobs.filter(pl.col("log") == READ, pl.col("values") == 0, pl.col("outcome") == "passed")
        uploaded = self.jobs.filter(_IS_ARTIFACT, pl.col("values") > 0)
        rows = rows.join(uploaded, on=["run_id", "run_attempt", "family"], how="anti")
        counts = rows.group_by("family").len().sort(["len", "family"], descending=[True, False])
        return dict(counts.iter_rows())


def collect(
    history: History, measured: pl.DataFrame, logs: pl.DataFrame, is_watched: Callable[[str], bool]
) -> Collection:
    """What the numbers of a history were collected from.

    ``measured`` tells ``measurements`` of each ``job_id`` whose log was read, ``logs`` the ``state`` of each log.
    Performance jobs are those whose name ``is_watched`` says yes to, and others whose log held values.
    """
    names = [name for name in history.jobs["name"].unique() if is_watched(name)]
    jobs = history.jobs.join(measured, on="job_id", how="left").join(logs, on="job_id", how="left")
    read = pl.col("measurements").is_not_null()
    jobs = jobs.filter(pl.col("name").is_in(names) | (pl.col("measurements") > 0), pl.col("outcome") != "skipped")
    told = jobs.with_columns(
        ending=pl.coalesce("conclusion", "status", pl.lit("unknown")),
        log=pl.when(read).then(pl.lit(READ)).otherwise(pl.col("state").fill_null(NOT_ASKED)),
        values=pl.col("measurements").fill_null(0),
    )
    rows = _at_their_jobs(told.select(COLLECTED_COLUMNS.keys()).cast(COLLECTED_COLUMNS))
    rows = rows.sort("run_id", "run_attempt", "job", "job_id")
    workflows = history.runs["workflow"].unique()
    return Collection(
        workflow=workflows[0] if len(workflows) == 1 else ANY_WORKFLOW,
        runs=_runs(history, rows),
        run_attempts=history.runs.height,
        jobs=rows,
    )


def _at_their_jobs(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with what artifacts held counted at the job that uploaded them; those of no known job stay rows."""
    key = ["run_id", "run_attempt", "job"]
    jobs, artifacts = rows.filter(~_IS_ARTIFACT), rows.filter(_IS_ARTIFACT)
    uploaded = artifacts.group_by(key).agg(pl.col("values").sum().alias("uploaded"))
    whole = jobs.join(uploaded, on=key, how="left").with_columns(
        values=pl.col("values") + pl.col("uploaded").fill_null(0)
    )
    return pl.concat([whole.drop("uploaded"), artifacts.join(jobs, on=key, how="anti")])


def _runs(history: History, jobs: pl.DataFrame) -> tuple[CollectedRun, ...]:
    found: dict[int, list[tuple[str, str]]] = {}
    for run_id, job, ending in jobs.select("run_id", "job", "ending").iter_rows():
        found.setdefault(run_id, []).append((job, ending))
    runs = history.runs.unique("run_id", keep="last", maintain_order=True)
    runs = runs.sort("created_at", "run_id", descending=True, nulls_last=True)
    return tuple(
        CollectedRun(run_id=run_id, run_number=number, created_at=at, jobs=tuple(found.get(run_id, ())))
        for run_id, number, at in runs.select("run_id", "run_number", "created_at").iter_rows()
    )
