"""Runs by workflow and by agent: outcomes, times, trends, roles, runner minutes and cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from trackside.agents.attempts import WORKFLOW_KEY, Attempts
from trackside.agents.costs import costs
from trackside.agents.group_records import GroupRow, Trend
from trackside.agents.outcome_counts import counts, outcomes_in, success_of
from trackside.agents.times import times_in, timings
from trackside.agents.trends import duration_trends, success_trends
from trackside.records.attribution import Role

_RUN: Final = "duration_s"
_TIMES: Final = (_RUN, "queue_s", "active_s")
_WORKED: Final = pl.col("agent").is_null() | (pl.col("agent_role") == Role.RAN.value)
"""Runs that count as the work of an agent, or of nobody that is known."""
_NOT_TOLD: Final = "unknown"
_Key = tuple[Any, ...]


def all_runs(attempts: Attempts) -> GroupRow:
    """Every attempt of a run as one group, also where there is none."""
    whole = pl.lit("all").alias("group")
    rows = attempts._replace(runs=attempts.runs.with_columns(whole), jobs=attempts.jobs.with_columns(whole))
    return _Groups(rows, rows, ["group"]).row(("all",), name=None)


def workflow_rows(attempts: Attempts) -> tuple[GroupRow, ...]:
    """The workflows, the one with the most runs first."""
    groups = _Groups(attempts, attempts, WORKFLOW_KEY)
    rows = [groups.row(key, name=key[0], file=key[1]) for key in groups.keys]
    return tuple(sorted(rows, key=lambda row: (-row.outcomes.total, row.name or "", row.file or "")))


def agent_rows(attempts: Attempts) -> tuple[GroupRow, ...]:
    """The agents, the one that worked in the most runs first; the runs that no agent is known of last."""
    worked = attempts._replace(runs=attempts.runs.filter(_WORKED), jobs=attempts.jobs.filter(_WORKED))
    groups = _Groups(attempts, worked, ["agent"])
    rows = [groups.row(key, name=key[0]) for key in groups.keys]
    return tuple(sorted(rows, key=_by_work))


class _Groups:
    """What is told of each group of ``counted``, by its key; roles and sources are those of all ``attempts``."""

    def __init__(self, attempts: Attempts, counted: Attempts, keys: Sequence[str]) -> None:
        figures = [*counts(), *(one for column in _TIMES for one in timings(column)), *_SUMS]
        self._nothing = counted.runs.clear().select(figures).row(0, named=True)
        self._figures = _by_key(counted.runs.group_by(keys).agg(figures), keys)
        self._beside = _by_key(attempts.runs.group_by(keys, maintain_order=True).agg(_BESIDE), keys)
        self._spent = _by_key(counted.jobs.group_by(keys).agg(costs()), keys)
        self._durations = duration_trends(counted.runs, keys, _RUN)
        self._successes = success_trends(counted.runs, keys)
        self.keys = tuple(self._beside)

    def row(self, key: _Key, *, name: str | None, file: str | None = None) -> GroupRow:
        """The row of one group; zeros where no attempt counts."""
        figures = self._figures.get(key, self._nothing)
        beside, spent = self._beside.get(key, {}), self._spent.get(key, {})
        outcomes = outcomes_in(figures)
        run, queue, active = (times_in(figures, column) for column in _TIMES)
        return GroupRow(
            name=name,
            file=file,
            outcomes=outcomes,
            success=success_of(outcomes),
            run=run,
            queue=queue,
            active=active,
            duration_trend=self._durations.get(key, Trend()),
            success_trend=self._successes.get(key, Trend()),
            # Runs that are known to have no job took none; of those that were not read nothing is known.
            runner_minutes=spent.get("runner_minutes", 0.0 if figures["read"] else None),
            unread=figures["unread"],
            cost=spent.get("cost"),
            jobs_without_rate=spent.get("jobs_without_rate", 0),
            roles=dict(Counter(beside.get("roles", ())).most_common()),
            sources=dict(Counter(beside.get("sources", ())).most_common()),
            confidence_min=beside.get("confidence_min"),
            confidence_max=beside.get("confidence_max"),
            last_run_at=figures["last_run_at"],
        )


_SUMS: Final = (
    pl.col("unread").sum(),
    pl.col("is_read").sum().alias("read"),
    pl.col("began").max().alias("last_run_at"),
)
_BESIDE: Final = (
    pl.col("agent_role").filter(pl.col("agent").is_not_null()).fill_null(_NOT_TOLD).alias("roles"),
    pl.col("agent_source").filter(pl.col("agent").is_not_null()).fill_null(_NOT_TOLD).alias("sources"),
    pl.col("agent_confidence").filter(pl.col("agent").is_not_null()).min().alias("confidence_min"),
    pl.col("agent_confidence").filter(pl.col("agent").is_not_null()).max().alias("confidence_max"),
)


def _by_key(rows: pl.DataFrame, keys: Sequence[str]) -> dict[_Key, dict[str, Any]]:
    return {tuple(row[key] for key in keys): row for row in rows.iter_rows(named=True)}


def _by_work(row: GroupRow) -> tuple[object, ...]:
    return (row.name is None, -row.outcomes.total, -sum(row.roles.values()), row.name or "")
