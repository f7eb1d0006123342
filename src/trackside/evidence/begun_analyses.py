"""Which runs were analysed unasked, and when: kept so that none is twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

import polars as pl

from trackside.evidence.selection import same_repository
from trackside.records.failures import Notice, Reported
from trackside.records.notices import ON
from trackside.store.store import Store

KIND: Final = "auto_analysis"
"""The kind of report that such an analysis is."""


def begun_analyses(store: Store, repo: str) -> dict[int, dt.datetime]:
    """When the analysis of a run was begun, by the id of the run."""
    rows = store.newest("notices").filter(same_repository(repo), pl.col("kind") == KIND)
    told = rows.select("subject", "observed_at").collect()
    return {int(run): at for run, at in told.iter_rows() if run.isdecimal()}


def begin_analyses(store: Store, repo: str, runs: Iterable[int], now: dt.datetime) -> None:
    """Keeps that the analyses of ``runs`` are begun now. Raises OutputError where it cannot be kept."""
    notices = [Notice(repo=repo, kind=KIND, subject=str(run), state=ON) for run in runs]
    if notices:
        store.add_reported(Reported(repo=repo, kind=KIND, reported_at=now), notices)
