"""What the store knows of pull requests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
import polars as pl

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
