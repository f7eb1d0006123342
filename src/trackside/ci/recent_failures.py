"""The newest runs of a history that hold so many failures: where each failure costs, all of them may be too many."""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec
import polars as pl

from trackside.history.frames import History
from trackside.history.outcomes import Outcome
from trackside.history.subsets import history_of_runs

MOST_FAILURES: Final = 5_000
"""So many failed attempts of jobs a report looks at one by one."""


class LookedAt(msgspec.Struct, frozen=True, kw_only=True):
    """What verdicts and groups are of: the newest ``runs`` of ``of_runs``, the first of them created ``since``.

    They hold ``failures`` of the ``of_failures`` failed attempts of jobs. ``whole`` says that these are all runs.
    """

    whole: bool
    runs: int
    of_runs: int
    failures: int
    of_failures: int
    since: dt.datetime | None


def newest_failures(history: History, most: int = MOST_FAILURES) -> tuple[History, LookedAt]:
    """The newest runs that hold ``most`` failed attempts of jobs together, or fewer, and what they are of all.

    At least one run is kept. A history without more failures is given back as it is.
    """
    failed = history.counted_jobs.filter(pl.col("outcome") == Outcome.FAILED.value).select("run_id")
    counts = failed.group_by("run_id").len("failures")
    runs = history.runs.group_by("run_id").agg(pl.col("created_at").min())
    runs = runs.join(counts, on="run_id", how="left").with_columns(pl.col("failures").fill_null(0).cast(pl.Int64))
    runs = runs.sort("created_at", "run_id", descending=True, nulls_last=True)
    kept = runs.filter((pl.col("failures").cum_sum() <= most) | (pl.int_range(pl.len()) == 0))
    looked_at = LookedAt(
        whole=kept.height == runs.height,
        runs=kept.height,
        of_runs=runs.height,
        failures=sum(kept["failures"].to_list()),
        of_failures=failed.height,
        since=min(kept["created_at"].drop_nulls().to_list(), default=None),
    )
    return (history if looked_at.whole else history_of_runs(history, kept.select("run_id"))), looked_at
