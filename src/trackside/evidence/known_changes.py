"""What the store knows of changes in performance series."""

from __future__ import annotations

from typing import Final

import msgspec
import polars as pl

from trackside.evidence.selection import same_repository
from trackside.records.perf_rules import ChangeState, KnownChange
from trackside.store.store import Store

_COLUMNS: Final = tuple(one.name for one in msgspec.structs.fields(KnownChange))


def known_changes(store: Store, repo: str) -> tuple[KnownChange, ...]:
    """What is known of each change, by id; the newest row where the repository is stored in several spellings."""
    rows = store.newest("changes").filter(same_repository(repo)).sort("observed_at").collect()
    newest = rows.unique("change_id", keep="last", maintain_order=True).sort("change_id")
    newest = newest.with_columns(pl.col("others").fill_null(value=False))
    return tuple(msgspec.convert(newest.select(_COLUMNS).to_dicts(), list[KnownChange]))


def undecided_state(store: Store, repo: str, change_id: str) -> ChangeState:
    """The state of a change as the runs told it last; confirmed where the store was folded since."""
    mine = (same_repository(repo), pl.col("change_id") == change_id, pl.col("decided_at").is_null())
    rows = store.history("changes").filter(*mine).sort("observed_at").select("state").tail(1).collect()
    return ChangeState.CONFIRMED if rows.is_empty() else ChangeState(rows.item())
