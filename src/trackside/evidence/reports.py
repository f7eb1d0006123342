"""What was reported before: when, what was told, and which errors were known then."""

from __future__ import annotations

import datetime as dt

import msgspec
import polars as pl

from trackside.evidence.diagnoses import rules_version
from trackside.evidence.selection import same_repository
from trackside.records.ci_rules import CiRules
from trackside.records.failures import Notice
from trackside.store.store import Store


def last_report(store: Store, repo: str, kind: str) -> dt.datetime | None:
    """When the report ``kind`` was made last, None where it never was."""
    rows = store.newest("reported").filter(same_repository(repo), pl.col("kind") == kind)
    told: dt.datetime | None = rows.select(pl.col("reported_at").max()).collect().item()
    return told


def last_sync(store: Store, repo: str) -> dt.datetime | None:
    """When the newest sync of ``repo`` ended, None where there was none."""
    syncs = store.newest("syncs").filter(same_repository(repo))
    told: dt.datetime | None = syncs.select(pl.col("ended_at").max()).collect().item()
    return told


def attempts_read_since(store: Store, repo: str, since: dt.datetime) -> pl.DataFrame:
    """The run attempts whose jobs were read after ``since``: columns run_id, run_attempt."""
    marked = store.newest("fetched").filter(same_repository(repo), pl.col("observed_at") > since)
    return marked.select("run_id", "run_attempt").unique().collect()


def newest_read(store: Store, repo: str) -> dt.datetime | None:
    """When the jobs that are in the store were read last, None where none were."""
    marked = store.newest("fetched").filter(same_repository(repo))
    told: dt.datetime | None = marked.select(pl.col("observed_at").max()).collect().item()
    return told


def fingerprints_before(store: Store, repo: str, before: dt.datetime, rules: CiRules) -> frozenset[str] | None:
    """The fingerprints of failures that were read before ``before``.

    None where nothing had been read by then with the rules of today: what is new cannot be told.
    """
    rows = store.history("failures").filter(same_repository(repo), pl.col("version") == rules_version(rules))
    known = rows.filter(pl.col("observed_at") < before).select("fingerprint").collect(engine="streaming")
    return None if known.is_empty() else frozenset(known["fingerprint"].drop_nulls())


def past_notices(store: Store, repo: str) -> tuple[Notice, ...]:
    """What was last told of each subject, by kind and subject."""
    rows = store.newest("notices").filter(same_repository(repo)).sort("kind", "subject").collect()
    names = msgspec.structs.fields(Notice)
    return tuple(msgspec.convert(rows.select([one.name for one in names]).to_dicts(), list[Notice]))
