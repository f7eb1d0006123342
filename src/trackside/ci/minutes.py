"""Runner minutes: where they go, and how many of them were for nothing."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import msgspec
import polars as pl

from trackside.history.frames import History


class Minutes(msgspec.Struct, frozen=True, kw_only=True):
    """The time that runners spent on some jobs, in minutes, as they ran: neither rounded up nor weighed by price.

    ``job_attempts`` have a duration; ``unknown`` ran, but how long is not told; ``running`` are not over.
    ``failed_min`` leaves out the failures that are flakes, which are ``flaky_min``. ``other_min`` are of outcomes
    that are none of these. ``lost_min`` is failed, cancelled and flaky together; ``lost_share`` is None where no
    minute was spent.
    """

    job_attempts: int
    unknown: int
    running: int
    total_min: float
    passed_min: float
    failed_min: float
    cancelled_min: float
    flaky_min: float
    other_min: float
    lost_min: float
    lost_share: float | None


class WorkflowMinutes(msgspec.Struct, frozen=True, kw_only=True):
    """The minutes of one workflow."""

    workflow: str
    minutes: Minutes


class JobMinutes(msgspec.Struct, frozen=True, kw_only=True):
    """The minutes of one job, all its matrix indices together."""

    workflow: str
    job: str
    minutes: Minutes


class RunnerMinutes(msgspec.Struct, frozen=True, kw_only=True):
    """All minutes, and those of each workflow and job, where the most went first.

    ``flakes_known`` is False where it was not looked for flakes: then they are in ``failed_min``.
    """

    total: Minutes
    workflows: tuple[WorkflowMinutes, ...]
    jobs: tuple[JobMinutes, ...]
    flakes_known: bool


_OUTCOMES: Final = ("passed", "failed", "cancelled", "flaky")
_SPENT: Final = ("passed", "failed", "cancelled", "other")


def runner_minutes(history: History, flaky: Collection[int] | None = None) -> RunnerMinutes:
    """The minutes of every job attempt of the window, ignored jobs too, for they take runners as well.

    ``flaky`` are the ids of the failed job attempts that are flakes; None where it was not looked for them.
    """
    is_flake = (pl.col("outcome") == "failed") & pl.col("job_id").is_in(list(flaky or ()))
    rows = history.jobs.select(
        "workflow",
        pl.col("family").alias("job"),
        pl.when(is_flake).then(pl.lit("flaky")).otherwise("outcome").alias("outcome"),
        pl.col("duration_s"),
        ran=pl.col("started_at").is_not_null() & pl.col("outcome").is_in(_SPENT),
        running=pl.col("status").eq_missing("in_progress") & pl.col("conclusion").is_null(),
    )
    workflows = [
        WorkflowMinutes(workflow=row["workflow"] or "?", minutes=_minutes(row)) for row in _summed(rows, "workflow")
    ]
    jobs = [
        JobMinutes(workflow=row["workflow"] or "?", job=row["job"], minutes=_minutes(row))
        for row in _summed(rows, "workflow", "job")
    ]
    return RunnerMinutes(
        total=_minutes(rows.select(_sums()).row(0, named=True)),
        workflows=tuple(workflows),
        jobs=tuple(jobs),
        flakes_known=flaky is not None,
    )


def _summed(rows: pl.DataFrame, *keys: str) -> list[dict[str, Any]]:
    summed = rows.group_by(keys, maintain_order=True).agg(_sums())
    return summed.sort("total", *keys, descending=[True, *[False] * len(keys)]).rows(named=True)


def _sums() -> list[pl.Expr]:
    told = pl.col("duration_s").is_not_null() & (pl.col("outcome") != "unfinished")
    minutes = pl.when(told).then(pl.col("duration_s")).otherwise(0.0) / 60
    parts = [minutes.filter(pl.col("outcome") == name).sum().alias(name) for name in _OUTCOMES]
    return [
        told.sum().alias("attempts"),
        (pl.col("ran") & pl.col("duration_s").is_null()).sum().alias("unknown"),
        pl.col("running").sum(),
        minutes.sum().alias("total"),
        *parts,
        minutes.filter(~pl.col("outcome").is_in(_OUTCOMES)).sum().alias("other"),
    ]


def _minutes(row: dict[str, Any]) -> Minutes:
    lost = row["failed"] + row["cancelled"] + row["flaky"]
    return Minutes(
        job_attempts=row["attempts"],
        unknown=row["unknown"],
        running=row["running"],
        total_min=row["total"],
        passed_min=row["passed"],
        failed_min=row["failed"],
        cancelled_min=row["cancelled"],
        flaky_min=row["flaky"],
        other_min=row["other"],
        lost_min=lost,
        lost_share=lost / row["total"] if row["total"] else None,
    )
