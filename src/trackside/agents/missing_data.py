"""Which run attempts of a window lack something that should be known of them."""

from __future__ import annotations

from typing import Final

import polars as pl

from trackside.agents.frames import AgentHistory
from trackside.records.sync_health import MissingData, RunGap

MOST_GAPS: Final = 50
NOT_TOLD: Final = (
    "run_number", "workflow_file", "title", "event", "status", "created_at", "started_at", "updated_at", "branch",
    "sha", "triggering_actor", "url",
)  # fmt: skip
"""What GitHub tells of every run; where it did not, a run is not whole."""
JOBS_NOT_READ: Final = "its jobs are not in the store"


def missing_data(history: AgentHistory) -> MissingData:
    """The run attempts whose jobs were not read though they are over, or of which GitHub did not tell a field."""
    unread = ~pl.col("is_read") & (pl.col("outcome") != "unfinished")
    ended = pl.col("status").eq_missing("completed") & pl.col("conclusion").is_null()
    reasons = [
        pl.when(unread).then(pl.lit(JOBS_NOT_READ)),
        *(pl.when(pl.col(name).is_null()).then(pl.lit(f"{name} was not told")) for name in NOT_TOLD),
        pl.when(ended).then(pl.lit("conclusion was not told")),
    ]
    told = history.runs.with_columns(reasons=pl.concat_list(reasons).list.drop_nulls())
    lacking = told.filter(pl.col("reasons").list.len() > 0)
    counts = lacking.select(pl.col("reasons").explode()).to_series().value_counts()
    newest = lacking.sort("created_at", "run_id", "run_attempt", descending=True, nulls_last=True).head(MOST_GAPS)
    return MissingData(
        count=lacking.height,
        of=history.runs.height,
        by_reason=dict(counts.sort("count", "reasons", descending=[True, False]).iter_rows()),
        gaps=tuple(
            RunGap(
                run_id=row["run_id"],
                run_attempt=row["run_attempt"],
                workflow=row["workflow"],
                reason="; ".join(row["reasons"]),
                url=row["url"],
            )
            for row in newest.iter_rows(named=True)
        ),
    )
