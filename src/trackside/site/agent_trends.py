"""How long workflows and steps took over time: a bucket for each day, and for each hour of the last day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import msgspec
import polars as pl

from trackside.agents.attempts import STEP_KEY, Attempts, attempts_of
from trackside.agents.frames import AgentHistory
from trackside.agents.group_records import FEW, DayRow, Statistics, SuccessRate, Times
from trackside.agents.outcome_counts import counts, outcomes_in, success_of
from trackside.agents.shown_names import shown_name
from trackside.agents.times import times_in, timings
from trackside.history.subsets import history_of_runs
from trackside.site.agent_figures import RATE, in_minutes, rate_cell
from trackside.site.tables import Column, Kind, Table, number_cell, text_cell

MOST_WORKFLOWS: Final = 100
MOST_STEPS: Final = 200
MOST_ROWS: Final = 2_000
_DAY: Final = dt.timedelta(hours=24)
_DURATION: Final = "duration_s"
WHOLE: Final = "(whole runs)"
COLUMNS: Final = (
    Column(key="day", label="Day", kind=Kind.TIME, unit="UTC", choices=True),
    Column(key="workflow", label="Workflow", choices=True),
    Column(key="step", label="Step", choices=True),
    Column(key="n", label="Timed", kind=Kind.NUMBER, unit="attempts"),
    Column(key="p50", label="p50", kind=Kind.NUMBER, unit="min"),
    Column(key="p90", label="p90", kind=Kind.NUMBER, unit="min"),
    RATE,
)


class Bucket(NamedTuple):
    """A workflow (``job`` and ``step`` None) or a step of it in a day or an hour, which ``at`` begins."""

    workflow: str
    job: str | None
    step: str | None
    at: dt.datetime
    run: Times
    success: SuccessRate


class Trends(msgspec.Struct, frozen=True, kw_only=True):
    """Buckets without a run are not there; ``workflows`` are the busiest first.

    ``left_out`` counts rows of workflows and steps that are not told.
    """

    workflows: tuple[str, ...]
    days: tuple[Bucket, ...]
    hours: tuple[Bucket, ...]
    left_out: int = 0


def trends_of(history: AgentHistory, told: Statistics, until: dt.datetime) -> Trends:
    """The busiest workflows and their slowest steps by day, and by hour in the 24 hours before ``until``."""
    workflows = tuple(row.name or "?" for row in told.workflows[:MOST_WORKFLOWS])
    steps = {(row.workflow, row.job, row.step) for row in told.slowest[:MOST_STEPS]}

    def is_told(bucket: Bucket) -> bool:
        key = (bucket.workflow, bucket.job or "", bucket.step or "")
        return bucket.workflow in workflows if bucket.step is None else key in steps

    days = [bucket for bucket in map(_of_day, told.days) if is_told(bucket)]
    days.sort(key=lambda one: (-one.at.timestamp(), one.step is not None, one.workflow, one.job or "", one.step or ""))
    hours = tuple(bucket for bucket in _hours(history, until) if is_told(bucket))
    kept = tuple(days[:MOST_ROWS])
    return Trends(workflows=workflows, days=kept, hours=hours[:MOST_ROWS], left_out=len(told.days) - len(kept))


def trend_table(trends: Trends) -> Table:
    """The buckets of days as a table, the newest first."""
    return Table(
        key="days",
        caption="Workflows and their slowest steps by day, the newest first",
        columns=COLUMNS,
        rows=tuple(
            (
                text_cell(f"{one.at:%Y-%m-%d}"),
                text_cell(one.workflow),
                text_cell(_step_name(one)),
                number_cell(one.run.n),
                in_minutes(one.run.p50_s),
                in_minutes(one.run.p90_s),
                rate_cell(one.success),
            )
            for one in trends.days
        ),
        empty="No run has begun. `trackside sync` reads runs.",
        order="-day",
        left_out=trends.left_out,
        left_out_why=f"steps that take less time or were timed fewer than {FEW} times, and older days; "
        "data/agentops-runs-days.json has them",
    )


def trend_document(trends: Trends) -> dict[str, Any]:
    """``{"series": [[workflow, name]], "days": [...], "hours": [...]}``, of what a chart is drawn.

    A bucket is ``[series, time, n, p50_s, p90_s, successes, of]``; the name of a series is null for whole runs.
    """
    names = dict.fromkeys(trends.workflows)
    series: dict[tuple[str, str | None], int] = {(name, None): place for place, name in enumerate(names)}
    days = list(_rows(trends.days, series))
    hours = list(_rows(trends.hours, series))
    return {"series": [list(key) for key in series], "days": days, "hours": hours}


def _rows(buckets: Iterable[Bucket], series: dict[tuple[str, str | None], int]) -> Iterator[list[Any]]:
    for one in buckets:
        key = (one.workflow, None if one.step is None else _step_name(one))
        place = series.setdefault(key, len(series))
        at = f"{one.at:%Y-%m-%dT%H:%MZ}"
        yield [place, at, one.run.n, one.run.p50_s, one.run.p90_s, one.success.successes, one.success.n]


def _step_name(one: Bucket) -> str:
    return WHOLE if one.step is None else f"{one.job} / {one.step}"


def _of_day(row: DayRow) -> Bucket:
    at = dt.datetime.combine(row.day, dt.time(), dt.UTC)
    return Bucket(row.workflow, row.job, row.step, at, row.run, row.success)


def _hours(history: AgentHistory, until: dt.datetime) -> Iterator[Bucket]:
    began = pl.coalesce("started_at", "created_at")
    runs = history.runs.filter(began > until - _DAY, began <= until)
    if runs.is_empty():
        return
    ids = runs.select("run_id").unique()
    attempts = attempts_of(
        AgentHistory(
            history=history_of_runs(history.history, ids),
            runs=runs,
            steps=history.steps.join(ids, on="run_id", how="semi"),
            rules=history.rules,
        )
    )
    yield from _by_hour(attempts, runs)


def _by_hour(attempts: Attempts, runs: pl.DataFrame) -> Iterator[Bucket]:
    hour = pl.col("began").dt.truncate("1h").alias("hour")
    of_runs = attempts.runs.with_columns(hour)
    began = runs.select("run_id", "run_attempt", began=pl.coalesce("started_at", "created_at")).with_columns(hour)
    jobs = attempts.jobs.select("job_id", "run_id", "run_attempt").join(began, on=["run_id", "run_attempt"])
    of_steps = attempts.steps.join(jobs.select("job_id", "hour"), on="job_id")
    for frame, keys in ((of_runs, ["workflow"]), (of_steps, STEP_KEY)):
        rows = (
            frame.group_by([*keys, "hour"]).agg(*counts(), *timings(_DURATION)).sort(["hour", *keys], descending=True)
        )
        for row in rows.iter_rows(named=True):
            job, step = (None if row.get(name) is None else shown_name(row[name]) for name in ("family", "step"))
            told = success_of(outcomes_in(row))
            yield Bucket(shown_name(row["workflow"]), job, step, row["hour"], times_in(row, _DURATION), told)
