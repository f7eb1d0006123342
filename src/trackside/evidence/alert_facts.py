"""What the store tells of the collection itself: how the last syncs went, and how alerts stood after them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
import polars as pl

from trackside.agents.alerts import FAILED, AlertFacts
from trackside.evidence.selection import same_repository
from trackside.evidence.sync_health import sync_duration_s
from trackside.records.alerts import Alert
from trackside.records.syncs import RateLimit
from trackside.store.store import Store

_LAST_SYNCS: Final = 1_000
"""So many of the newest syncs are looked at; more than anybody counts failures in a row."""
_COLUMNS: Final = tuple(one.name for one in msgspec.structs.fields(Alert))


def load_alert_facts(store: Store, repo: str, files: Mapping[str, int] | None = None) -> AlertFacts:
    """The facts that alerts on the collection of ``repo`` are told from; ``files`` are sizes in bytes by name.

    A sync that listed not one run because it was stopped before counts as failed: it brought nothing.
    """
    brought = (pl.col("status") == "ok") | (pl.col("listed").list.len() > 0) | (pl.col("runs_listed") > 0)
    status = pl.when(brought | (pl.col("status") == FAILED)).then(pl.col("status")).otherwise(pl.lit(FAILED))
    newest = (
        store.newest("syncs")
        .filter(same_repository(repo))
        .select("started_at", "ended_at", "sync_id", "limits", "phases_s", status=status)
        .sort("ended_at", "sync_id", descending=True, nulls_last=True)
        .head(_LAST_SYNCS)
        .collect()
    )
    if newest.is_empty():
        return AlertFacts(repo=repo, files=files)
    last = newest.row(0, named=True)
    worked = newest.filter(pl.col("status") != FAILED)
    return AlertFacts(
        repo=repo,
        limits=tuple(msgspec.convert(last["limits"] or [], list[RateLimit])),
        statuses=tuple(newest["status"]),
        duration_s=sync_duration_s(last),
        synced_at=last["ended_at"],
        data_at=None if worked.is_empty() else worked["ended_at"][0],
        files=files,
    )


def known_alerts(store: Store, repo: str) -> tuple[Alert, ...]:
    """How alerts on the collection of ``repo`` stood when they were looked at last, by kind."""
    rows = store.newest("alerts").filter(same_repository(repo)).sort("observed_at").collect()
    newest = rows.unique("kind", keep="last", maintain_order=True).sort("kind")
    newest = newest.with_columns(pl.col("is_warning").fill_null(value=False))
    return tuple(msgspec.convert(newest.select(_COLUMNS).to_dicts(), list[Alert]))
