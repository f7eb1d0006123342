"""The performance numbers in the logs of the store: each log is read once, and the values are kept beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import polars as pl

from trackside.evidence.selection import same_repository
from trackside.evidence.unread import JOB_COLUMNS, LogsRead, OnCount, read_in_parts
from trackside.github.log_text import unpack_log
from trackside.perf.points import MEASUREMENT_COLUMNS
from trackside.perf.reading import read_measurements, version_of
from trackside.records.job_logs import LogState
from trackside.records.jobs import Job
from trackside.records.measurements import MeasuredLog, Measurement
from trackside.records.perf_grammars import Grammar
from trackside.store.store import Store

PART: Final = 50
"""So many logs are held packed at a time, and their values kept in one commit."""


def measure_logs(
    store: Store,
    repo: str,
    grammars: Sequence[Grammar],
    now: dt.datetime,
    on_count: OnCount,
    *,
    wants: Callable[[str], bool],
) -> LogsRead:
    """Reads every log of a job whose name ``wants`` says yes to, and that was not read with these grammars yet."""
    version = version_of(grammars)
    same = same_repository(repo)
    ready = store.newest("job_logs").filter(same, pl.col("state") == LogState.READY.value)
    jobs = store.newest("jobs").filter(same).select(JOB_COLUMNS)
    known = store.newest("measured_logs").filter(same, pl.col("version") == version).select("job_id")
    waiting = ready.select("job_id").join(known, on="job_id", how="anti")
    named = waiting.join(jobs.select("job_id", "name"), on="job_id").collect(engine="streaming")
    chosen = [name for name in named["name"].unique() if wants(name)]
    ids = named.filter(pl.col("name").is_in(chosen))["job_id"].unique().sort().to_list()

    def read(part: Sequence[int]) -> None:
        mine = pl.col("job_id").is_in(part)
        store.add_measurements(*_measure_part(jobs.filter(mine), ready.filter(mine), grammars, version), now)

    return read_in_parts(ids, PART, read, on_count)


def _measure_part(
    jobs: pl.LazyFrame, logs: pl.LazyFrame, grammars: Sequence[Grammar], version: str
) -> tuple[list[Measurement], list[MeasuredLog]]:
    rows = jobs.collect(engine="streaming")
    known = {row["job_id"]: msgspec.convert(row, Job) for row in rows.iter_rows(named=True)}
    values: list[Measurement] = []
    read: list[MeasuredLog] = []
    for job_id, content in logs.select("job_id", "content").collect(engine="streaming").iter_rows():
        job = known[job_id]
        found = read_measurements(unpack_log(content), job, grammars)
        values += found
        read.append(
            MeasuredLog(
                repo=job.repo,
                job_id=job_id,
                run_id=job.run_id,
                run_attempt=job.run_attempt,
                version=version,
                tests=len({one.test for one in found}),
                measurements=len(found),
            )
        )
    return values, read


def measurements_frame(store: Store, repo: str, jobs: pl.DataFrame) -> pl.DataFrame:
    """The values of ``jobs``, with the columns ``perf.points.MEASUREMENT_COLUMNS``.

    Values that an earlier version of the grammars read and the newest did not are left out.
    """
    mine = (same_repository(repo), pl.col("job_id").is_in(jobs["job_id"].implode()))
    read = store.newest("measured_logs").filter(*mine).select("job_id", "version")
    values = store.newest("measurements").filter(*mine).join(read, on=["job_id", "version"], how="semi")
    found = values.select(MEASUREMENT_COLUMNS.keys()).collect(engine="streaming")
    return found.sort("job_id", "test", "metric", "try_number")


def measured_jobs(store: Store, repo: str, jobs: pl.DataFrame) -> pl.DataFrame:
    """Which of ``jobs`` had their log read for values: ``job_id``, ``tests`` and ``measurements``, sorted by id."""
    mine = (same_repository(repo), pl.col("job_id").is_in(jobs["job_id"].implode()))
    read = store.newest("measured_logs").filter(*mine).select("job_id", "tests", "measurements")
    return read.collect(engine="streaming").unique("job_id").sort("job_id")
