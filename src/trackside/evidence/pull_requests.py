"""What the store knows of pull requests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
import polars as pl

from trackside.agents.frames import AgentHistory
from trackside.evidence.selection import same_repository
from trackside.records.pulls import PullRequest
from trackside.store.store import Store

_COLUMNS: Final = ("number", "title", "state", "merged_at", "html_url")


def known_pulls(store: Store, repo: str, numbers: Iterable[int]) -> dict[int, PullRequest]:
    """Title, state, merge and address of each of these pull requests of ``repo`` that is in the store, by number."""
    wanted = pl.Series(sorted(set(numbers)), dtype=pl.Int64).implode()
    mine = store.newest("pulls").filter(same_repository(repo), pl.col("number").is_in(wanted))
    rows = mine.select("observed_at", *_COLUMNS).sort("observed_at").collect().drop("observed_at")
    return {row["number"]: msgspec.convert({"repo": repo, **row}, PullRequest) for row in rows.iter_rows(named=True)}


def pulls_of(store: Store, agents: AgentHistory) -> dict[int, PullRequest]:
    """The same of those that runs are of, and of those that brought their commits."""
    numbers = agents.runs["pull_numbers"].explode().drop_nulls()
    merged = agents.runs["last_merged_pull"].drop_nulls()
    return known_pulls(store, agents.history.repo, {*numbers, *merged})
