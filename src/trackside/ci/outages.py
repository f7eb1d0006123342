"""Outages: hours in which a large share of all jobs, of many commits, failed for one and the same reason."""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec
import polars as pl

from trackside.ci.results import FAILED, decided, rounded
from trackside.records.failures import Cause, Source

SHARE: Final = 0.25
"""This share of the first attempts of jobs that ended in the hour, or more, must have failed for the one reason,"""
POOL_SHARE: Final = 0.5
"""or this share of those of one pool of runners;"""
FAILURES: Final = 5
"""and no fewer than this,"""
FAMILIES: Final = 3
"""of so many different jobs (shards of one family are one; in a pool one fewer)"""
COMMITS: Final = 2
"""and on so many commits,"""
COMMITS_BY_STEP: Final = 3
"""(on so many where no log told the cause and only the failed step is the same, and then of all pools together)"""
COMMIT_SHARE: Final = 0.5
"""which are this share of the commits of the hour, so that it is no commit's own breakage."""
INFRASTRUCTURE: Final = (
    Cause.DEPENDENCY,
    Cause.NETWORK,
    Cause.RATE_LIMIT,
    Cause.RUNNER_LOST,
    Cause.DISK_FULL,
    Cause.GPU_FAULT,
    Cause.CONFIGURATION,
)
"""Causes that may be an outage. Others are breakage of the code however many jobs they strike."""
_HOUR: Final = dt.timedelta(hours=1)
_ALL: Final = "*"
_BY_STEP: Final = "step "


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """Hours in which jobs failed together. ``reason`` is a cause, or a step where no log told the cause.

    ``pool`` is None where it struck all pools. ``failures`` counts failed job attempts for the reason, ``attempts`` all
    that passed or failed from the first of them to the last, in the pool where one is named; re-runs are in both.
    """

    reason: str
    pool: str | None
    first_at: dt.datetime
    last_at: dt.datetime
    failures: int
    attempts: int
    share: float
    jobs: int
    commits: int
    example_url: str | None = None


def find_outages(rows: pl.DataFrame) -> tuple[tuple[Outage, ...], pl.Series]:
    """The outages among the rows of ``attempts``, and the ids of the jobs that failed in them."""
    over = decided(rows).select(
        "job_id",
        "sha",
        "url",
        "result",
        "job",
        "failed_step",
        family=pl.concat_str("workflow", "family", separator="\n"),
        pool=pl.col("pool").fill_null(""),
        at=pl.coalesce("completed_at", "started_at", "run_created_at"),
        first=pl.col("run_attempt") == pl.col("run_attempt").min().over("run_id", "workflow", "job"),
        reason=reason_of(),
    )
    over = over.filter(pl.col("at").is_not_null())
    found = pl.concat(
        [_struck(over, shift, pool=pool) for shift in (dt.timedelta(0), _HOUR / 2) for pool in (False, True)]
    )
    found = found.unique("job_id", keep="first", maintain_order=True)
    return tuple(_outages(found, over)), found["job_id"].unique()


def reason_of() -> pl.Expr:
    """What failed attempts have in common: the cause that a log told, else the cause guessed, else the step."""
    code = [cause.value for cause in Cause if cause not in (*INFRASTRUCTURE, Cause.OTHER)]
    infrastructure = [cause.value for cause in INFRASTRUCTURE]
    told = pl.col("source") == Source.LOG.value
    return (
        pl.when(pl.col("result") != FAILED)
        .then(pl.lit(None, pl.String()))
        .when(pl.col("cause").is_in(infrastructure))
        .then("cause")
        .when(told & pl.col("cause").is_in(code))
        .then(pl.lit(None, pl.String()))
        .when(pl.col("failed_step").is_not_null())
        .then(pl.concat_str(pl.lit(_BY_STEP), "failed_step"))
    )


def _struck(over: pl.DataFrame, shift: dt.timedelta, *, pool: bool) -> pl.DataFrame:
    """The failed attempts in hours that were outages; hours begin ``shift`` after the full hour."""
    hour = ["hour", "scope"]
    rows = over.with_columns(
        hour=(pl.col("at") - shift).dt.truncate("1h"), scope=pl.col("pool") if pool else pl.lit(_ALL)
    )
    # Re-runs hold little but what failed before: shares are those of first attempts.
    first = rows.filter("first")
    totals = first.group_by(hour).agg(pl.len().alias("all"), pl.col("sha").n_unique().alias("all_commits"))
    failed = rows.filter(pl.col("reason").is_not_null())
    counts = (
        failed.filter("first")
        .group_by(*hour, "reason")
        .agg(
            pl.len().alias("failures"),
            pl.col("family").n_unique().alias("families"),
            pl.col("sha").n_unique().alias("commits"),
        )
    )
    share = pl.col("failures") / pl.col("all")
    by_step = pl.col("reason").str.starts_with(_BY_STEP)
    bad = counts.join(totals, on=hour).filter(
        pl.col("failures") >= FAILURES,
        pl.col("families") >= (FAMILIES - 1 if pool else FAMILIES),
        pl.col("commits") >= pl.when(by_step).then(COMMITS_BY_STEP).otherwise(COMMITS),
        pl.col("commits") >= COMMIT_SHARE * pl.col("all_commits"),
        share >= (POOL_SHARE if pool else SHARE),
        ~by_step if pool else pl.lit(value=True),
    )
    told = failed.join(bad, on=[*hour, "reason"], how="semi")
    # Whose log told nothing was struck too where it failed in the same step.
    same = told.select(*hour, "failed_step", told="reason").unique([*hour, "failed_step"], maintain_order=True)
    untold = failed.filter(by_step).join(same, on=[*hour, "failed_step"]).with_columns(reason="told").drop("told")
    return pl.concat([told, untold]).unique("job_id", keep="first").sort("at", "job_id").drop("hour")


def _outages(found: pl.DataFrame, over: pl.DataFrame) -> list[Outage]:
    """Attempts that failed for one reason, no more than an hour apart, as one outage; the oldest first."""
    outages = []
    rows = found.sort("reason", "scope", "at", "job_id")
    apart = ((pl.col("at") - pl.col("at").shift(1)) > _HOUR).fill_null(value=False)
    new = apart | (pl.col("reason") != pl.col("reason").shift(1)) | (pl.col("scope") != pl.col("scope").shift(1))
    for part in rows.with_columns(new.fill_null(value=False).cum_sum().alias("part")).partition_by("part"):
        first, last, scope = part["at"].min(), part["at"].max(), part.item(0, "scope")
        inside = over.filter(pl.col("at").is_between(first, last))
        attempts = inside.height if scope == _ALL else inside.filter(pl.col("pool") == scope).height
        outages.append(
            Outage(
                reason=part.item(0, "reason"),
                pool=None if scope == _ALL else scope or None,
                first_at=part.item(0, "at"),
                last_at=part.item(-1, "at"),
                failures=part.height,
                attempts=attempts,
                share=rounded(part.height / max(attempts, 1)),
                jobs=part["job"].n_unique(),
                commits=part["sha"].n_unique(),
                example_url=part.item(-1, "url"),
            )
        )
    return sorted(outages, key=lambda one: (one.first_at, one.reason, one.pool or ""))
