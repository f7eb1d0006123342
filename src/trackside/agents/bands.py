"""How much is kept of each run, by its place among the newest of its workflow, and exact sums of what is not kept."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
import polars as pl

from trackside.agents.attempts import ATTEMPT, JOB_KEY, STEP_KEY, WORKFLOW_KEY, attempts_of
from trackside.agents.frames import AgentHistory
from trackside.agents.group_records import Outcomes
from trackside.agents.outcome_counts import FAILED, counts, is_any, kind_of, merged, outcomes_in
from trackside.agents.shown_names import with_shown_names
from trackside.records.agent_rules import Bands

FULL, SUMMARY, AGGREGATE = "full", "summary", "aggregate"
DETAIL_COLUMNS: Final = pl.Schema({"run_id": pl.Int64(), "run_attempt": pl.Int64(), "detail": pl.String()})
"""One row for each attempt of a run, in the order of the history. ``detail`` is ``full`` (the run with its jobs and
steps), ``summary`` (the run only) or ``aggregate`` (it counts in the aggregates only)."""
ERROR_SHARE: Final = 0.05
"""A quantile of an aggregate is off by at most this share of it, or by LEAST_ERROR_S where that is more."""
LEAST_ERROR_S: Final = 1.0
_RATIO: Final = (1 + ERROR_SHARE) / (1 - ERROR_SHARE)
_MS: Final = 1000


class Aggregate(msgspec.Struct, frozen=True, kw_only=True):
    """Attempts of a workflow (``job`` None), of a job of it (``step`` None), or of a step, added up.

    ``n`` of them took a time that is known, ``total_ms`` together and at most ``max_ms``. ``buckets`` counts these by
    length as pairs of a bucket and a count, in rising order: bucket 0 is below a second, bucket k from 1.1053^(k-1) to
    1.1053^k seconds (the ratio is 1.05 / 0.95). All fields of two aggregates add up to those of their union.
    """

    workflow: str
    file: str | None = None
    job: str | None = None
    step: str | None = None
    outcomes: Outcomes
    n: int = 0
    total_ms: int = 0
    max_ms: int | None = None
    buckets: tuple[tuple[int, int], ...] = ()

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What it is of; aggregates of one key can be merged."""
        return (self.workflow, self.file or "", self.job or "", self.step or "")


def detail_of(history: AgentHistory, bands: Bands) -> pl.DataFrame:
    """How much is kept of each run attempt, with the columns DETAIL_COLUMNS.

    Attempts are numbered from 1 within their workflow, the one that was created last first: up to ``bands.full`` is
    full, up to ``bands.summary`` a summary, the rest is aggregated; what failed is full up to ``bands.failed``.
    """
    rows = history.runs.select(*ATTEMPT, *WORKFLOW_KEY, "created_at", kind=kind_of()).with_row_index("place")
    newest = rows.sort("created_at", *ATTEMPT, descending=True, nulls_last=True)
    rank = pl.int_range(1, pl.len() + 1).over(WORKFLOW_KEY)
    failed = is_any(FAILED) & (pl.col("rank") <= bands.failed)
    detail = (
        pl.when((pl.col("rank") <= bands.full) | failed)
        .then(pl.lit(FULL))
        .when(pl.col("rank") <= bands.summary)
        .then(pl.lit(SUMMARY))
        .otherwise(pl.lit(AGGREGATE))
    )
    told = newest.with_columns(rank=rank).with_columns(detail=detail)
    return told.sort("place").select(DETAIL_COLUMNS.names()).cast(DETAIL_COLUMNS)


def aggregates_of(history: AgentHistory, keys: pl.DataFrame) -> tuple[Aggregate, ...]:
    """The aggregates of the run attempts in ``keys`` (``run_id``, ``run_attempt``): workflows, jobs, steps, by name.

    Workflows are told apart by name and file, their jobs and steps by the name of the workflow.
    """
    attempts = attempts_of(_among(history, keys.select(ATTEMPT).unique()))
    made = [
        *_aggregates(attempts.runs, WORKFLOW_KEY),
        *_aggregates(attempts.jobs, JOB_KEY),
        *_aggregates(attempts.steps, STEP_KEY),
    ]
    return with_shown_names(sorted(made, key=lambda one: one.key))


def merged_aggregates(parts: Iterable[Aggregate]) -> tuple[Aggregate, ...]:
    """The aggregates of all parts together: exactly those of the union of what they are of."""
    found: dict[tuple[str, str, str, str], Aggregate] = {}
    for part in parts:
        found[part.key] = _merged(found[part.key], part) if part.key in found else part
    return tuple(found[key] for key in sorted(found))


def quantile_s(aggregate: Aggregate, share: float) -> float | None:
    """The quantile of its times in seconds, 0.5 for the median; None where no time is known.

    It is off from the interpolated quantile of the times by at most ERROR_SHARE of it or LEAST_ERROR_S.
    """
    if not aggregate.n:
        return None
    at = (aggregate.n - 1) * share
    low, high = (_value(aggregate, place) for place in (math.floor(at), math.ceil(at)))
    return low + (high - low) * (at - math.floor(at))


def _value(aggregate: Aggregate, place: int) -> float:
    """The middle of the bucket in which the value at this place, from 0, lies."""
    seen = 0
    for bucket, count in aggregate.buckets:
        seen += count
        if seen > place:
            return 2 * _RATIO**bucket / (_RATIO + 1) if bucket else 0.0
    raise ValueError(f"{aggregate.key} has no value at {place}")


def _among(history: AgentHistory, keys: pl.DataFrame) -> AgentHistory:
    """The history of these run attempts only."""
    told = history.history
    return msgspec.structs.replace(
        history,
        history=msgspec.structs.replace(told, jobs=told.jobs.join(keys, on=ATTEMPT, how="semi")),
        runs=history.runs.join(keys, on=ATTEMPT, how="semi"),
        steps=history.steps.join(keys, on=ATTEMPT, how="semi"),
    )


def _aggregates(rows: pl.DataFrame, keys: list[str]) -> Iterator[Aggregate]:
    seconds = pl.col("duration_s")
    # Logarithms fit a bucket's ends to a rounding error, which the bound of the error is not told so finely to show.
    bucket = pl.when(seconds < 1).then(0).otherwise(seconds.log(_RATIO).floor().cast(pl.Int64) + 1).alias("bucket")
    known = rows.lazy().filter(seconds.is_not_null())
    histograms = known.group_by([*keys, bucket]).agg(pl.len()).sort("bucket").group_by(keys, maintain_order=True)
    buckets = histograms.agg("bucket", "len").collect()
    counted = {row[: len(keys)]: tuple(zip(*row[len(keys) :], strict=True)) for row in buckets.iter_rows()}
    ms = (seconds * _MS).round().cast(pl.Int64)
    sums = [ms.count().alias("n"), ms.sum().alias("total_ms"), ms.max().alias("max_ms")]
    for row in rows.lazy().group_by(keys).agg(*counts(), *sums).collect().iter_rows(named=True):
        yield Aggregate(
            workflow=row["workflow"],
            file=row.get("workflow_file"),
            job=row.get("family"),
            step=row.get("step"),
            outcomes=outcomes_in(row),
            n=row["n"],
            total_ms=row["total_ms"],
            max_ms=row["max_ms"],
            buckets=counted.get(tuple(row[key] for key in keys), ()),
        )


def _merged(one: Aggregate, other: Aggregate) -> Aggregate:
    buckets = Counter(dict(one.buckets))
    buckets.update(dict(other.buckets))
    return msgspec.structs.replace(
        one,
        outcomes=merged(one.outcomes, other.outcomes),
        n=one.n + other.n,
        total_ms=one.total_ms + other.total_ms,
        max_ms=max((most for most in (one.max_ms, other.max_ms) if most is not None), default=None),
        buckets=tuple(sorted(buckets.items())),
    )
