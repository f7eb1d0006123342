"""What the runners of jobs took, and an estimate of what that cost at the rates of the settings."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from trackside.records.agent_rules import CostRate

OWN_RUNNER: Final = "self-hosted"
"""The label of runners that GitHub does not bill."""
Labels = tuple[str, ...]
_DIGITS: Final = 6


def rate_of(labels: Labels | None, rates: Sequence[CostRate]) -> CostRate | None:
    """The first rate all of whose labels a job has; case does not matter. None where none fits.

    Where the labels of a job are not told (None) only a rate without labels fits.
    """
    lower = [label.lower() for label in labels or ()]
    return next((rate for rate in rates if all(_has(lower, glob.lower()) for glob in rate.labels)), None)


def with_costs(jobs: pl.DataFrame, labels: Mapping[int, Labels], rates: Sequence[CostRate]) -> pl.DataFrame:
    """``jobs`` with ``cost``, in the currency of the rates, and ``no_rate``, whether it ran and no rate fits.

    A job costs its time rounded up to whole minutes, at least one, times its rate: so GitHub bills each job on its own
    runners. A job that asks for the label ``self-hosted`` costs the time that it really took. Without a duration there
    is no cost. ``jobs`` has ``job_id`` and ``duration_s``, null where a job did not run or is not over.
    """
    asked = [labels.get(job_id) for job_id in jobs["job_id"]]
    rate = {one: rate_of(one, rates) for one in set(asked)}
    per_minute = {one: None if found is None else found.per_minute for one, found in rate.items()}
    own = {one: OWN_RUNNER in (label.lower() for label in one or ()) for one in rate}
    told = jobs.with_columns(
        pl.Series("per_minute", [per_minute[one] for one in asked], dtype=pl.Float64),
        pl.Series("is_own", [own[one] for one in asked], dtype=pl.Boolean),
    )
    exact = pl.col("duration_s") / 60
    billed = pl.when("is_own").then(exact).otherwise(exact.ceil().clip(lower_bound=1))
    ran = pl.col("duration_s").is_not_null()
    return told.with_columns(cost=billed * pl.col("per_minute"), no_rate=ran & pl.col("per_minute").is_null()).drop(
        "per_minute", "is_own"
    )


def costs() -> list[pl.Expr]:
    """``runner_minutes``, as jobs ran, ``cost`` (null where no rate fits any) and ``jobs_without_rate`` of a group."""
    return [
        (pl.col("duration_s").sum() / 60).alias("runner_minutes"),
        # Rounded, so that the sum does not depend on the order in which it is made.
        pl.when(pl.col("cost").count() > 0).then(pl.col("cost").sum().round(_DIGITS)).alias("cost"),
        pl.col("no_rate").sum().alias("jobs_without_rate"),
    ]


def _has(labels: Sequence[str], glob: str) -> bool:
    return any(fnmatch.fnmatchcase(label, glob) for label in labels)
