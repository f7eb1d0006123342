"""How well the collection of a repository goes, out of the ledgers of its syncs and of what the store lacks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from trackside.agents.frames import AgentHistory
from trackside.agents.missing_data import missing_data
from trackside.evidence.selection import same_repository
from trackside.records.knowledge import LogChoice
from trackside.records.sync_health import (
    CallFailure,
    FetchRate,
    ParserRate,
    SyncHealth,
    SyncSummary,
    WaitingLog,
)
from trackside.records.syncs import EndpointCalls, FailedCall, Missing, RateLimit, SyncRecord
from trackside.store.store import Store

LAST_SYNCS: Final = 20
MOST_LISTED: Final = 50
NO_ANSWER: Final = "none"
_NOT_ASKED: Final = "not asked for: "
_RUN: Final = re.compile(r"/actions/runs/(\d{1,18})(?![\d])")
_JOB: Final = re.compile(r"/actions/jobs/(\d{1,18})(?![\d])")
_WORKFLOW: Final = re.compile(r"/actions/workflows/([^/?#]{1,200})/")
_ITEMS: Final = ("runs_listed", "jobs_new", "steps_new", "pulls_new", "artifacts_new")


def load_sync_health(store: Store, history: AgentHistory) -> SyncHealth:
    """The health of the collection of the repository of ``history``; what is missing is told of its runs."""
    repo = history.history.repo
    rows = _last_syncs(store, repo)
    total, waiting = _waiting_logs(store, repo)
    gaps = missing_data(history)
    if not rows:
        return SyncHealth(missing_data=gaps, waiting_logs_total=total, waiting_logs=waiting)
    newest = rows[0]
    failed = msgspec.convert(newest["failed_calls"] or [], list[FailedCall])
    missing = msgspec.convert(newest["missing"] or [], tuple[Missing, ...])
    return SyncHealth(
        newest=_summary(newest),
        last=tuple(_summary(row) for row in rows),
        endpoints=msgspec.convert(newest["endpoints"] or [], tuple[EndpointCalls, ...]),
        failures_by_class=dict(sorted(Counter(status_class(one.status) for one in failed).items())),
        failures=tuple(_failures(store, repo, failed[:MOST_LISTED])),
        limits=msgspec.convert(newest["limits"] or [], tuple[RateLimit, ...]),
        phases_s={phase["name"]: phase["seconds"] for phase in newest["phases_s"] or ()},
        missing=missing,
        notes=tuple(newest["notes"] or ()),
        jobs_fetch=_jobs_fetch(newest["attempts_fetched"] or 0, missing),
        parsers=(_answers(newest), _logs(history)),
        missing_data=gaps,
        waiting_logs_total=total,
        waiting_logs=waiting,
    )


def load_last_syncs(store: Store, repo: str) -> tuple[SyncRecord, ...]:
    """The ledgers of the last syncs of a repository in full, the newest first."""
    return tuple(_record(row) for row in _last_syncs(store, repo))


def status_class(status: int | None) -> str:
    """``4xx``, ``5xx``, … of an HTTP status; ``none`` where no answer came."""
    return NO_ANSWER if status is None else f"{status // 100}xx"


def sync_duration_s(sync: Mapping[str, Any]) -> float:
    """How long a sync took by a clock that nobody sets, which the phases are of; else by the two times."""
    took_s: float = sum(phase["seconds"] for phase in sync["phases_s"] or ())
    by_times_s: float = (sync["ended_at"] - sync["started_at"]).total_seconds()
    return took_s or max(by_times_s, 0.0)


def _last_syncs(store: Store, repo: str) -> list[dict[str, Any]]:
    syncs = store.newest("syncs").filter(same_repository(repo))
    newest = syncs.sort("ended_at", "sync_id", descending=True, nulls_last=True).head(LAST_SYNCS)
    return newest.collect().to_dicts()


def _record(row: Mapping[str, Any]) -> SyncRecord:
    told = {name: value for name, value in row.items() if value is not None}
    phases = {phase["name"]: phase["seconds"] for phase in told.get("phases_s", ())}
    return msgspec.convert({**told, "phases_s": phases}, SyncRecord)


def _summary(row: Mapping[str, Any]) -> SyncSummary:
    return SyncSummary(
        sync_id=row["sync_id"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        status=row["status"],
        api=row["api"],
        duration_s=sync_duration_s(row),
        waited_s=row["waited_s"] or 0.0,
        calls=row["calls"] or 0,
        billed=row["billed"] or 0,
        failed_calls=sum(one["failed"] or 0 for one in row["endpoints"] or ()),
        runs_new=row["runs_new"] or 0,
        runs_changed=row["runs_changed"] or 0,
        jobs_new=row["jobs_new"] or 0,
        logs_new=row["logs_new"] or 0,
        parse_errors=row["parse_errors"] or 0,
        completeness=row["completeness"],
    )


def _failures(store: Store, repo: str, failed: Sequence[FailedCall]) -> Iterable[CallFailure]:
    """The calls with what their addresses name, and the workflows of the runs that these are of."""
    jobs = dict(_known(store, "jobs", repo, "job_id", _ids(_JOB, failed), "run_id"))
    runs = {*_ids(_RUN, failed), *jobs.values()}
    files = dict(_known(store, "runs", repo, "run_id", runs, "workflow_file"))
    for one in failed:
        job_id = _id(_JOB, one.url)
        run_id = _id(_RUN, one.url) or jobs.get(job_id or 0)
        named = _WORKFLOW.search(one.url)
        yield CallFailure(
            endpoint=one.endpoint,
            status_class=status_class(one.status),
            status=one.status,
            url=one.url,
            reason=one.reason,
            workflow=named[1] if named else files.get(run_id or 0),
            run_id=run_id,
            job_id=job_id,
        )


def _known(store: Store, table: str, repo: str, key: str, ids: Iterable[int], column: str) -> Iterable[tuple[int, Any]]:
    wanted = pl.Series(sorted(ids), dtype=pl.Int64).implode()
    rows = store.newest(table).filter(same_repository(repo), pl.col(key).is_in(wanted)).select(key, column)
    return rows.collect().iter_rows()


def _ids(pattern: re.Pattern[str], failed: Iterable[FailedCall]) -> set[int]:
    return {found for one in failed if (found := _id(pattern, one.url)) is not None}


def _id(pattern: re.Pattern[str], url: str) -> int | None:
    found = pattern.search(url)
    return int(found[1]) if found else None


def _jobs_fetch(ok: int, missing: Iterable[Missing]) -> FetchRate:
    """Attempts whose jobs were read over those that were asked for them."""
    lacking = [one for one in missing if one.what == "attempts"]
    not_asked = sum(one.count for one in lacking if one.reason.startswith(_NOT_ASKED))
    attempted = ok + sum(one.count for one in lacking) - not_asked
    return FetchRate(attempted=attempted, ok=ok, not_asked=not_asked, rate=ok / attempted if attempted else None)


def _answers(newest: Mapping[str, Any]) -> ParserRate:
    errors, items = newest["parse_errors"] or 0, sum(newest[name] or 0 for name in _ITEMS)
    return _rate("answers", items, errors, tuple(newest["parse_error_samples"] or ()))


def _logs(history: AgentHistory) -> ParserRate:
    read = history.history.failures.filter(pl.col("source") == "log")
    unknown = read.filter(pl.col("rule").is_null())
    return _rate("logs", read.height, unknown.height, tuple(str(one) for one in unknown["job_id"].head(5)))


def _rate(parser: str, items: int, errors: int, samples: tuple[str, ...]) -> ParserRate:
    whole = max(items, errors)
    return ParserRate(
        parser=parser, items=items, errors=errors, rate=errors / whole if whole else None, samples=samples
    )


def _waiting_logs(store: Store, repo: str) -> tuple[int, tuple[WaitingLog, ...]]:
    """How many logs wait for a later sync, and the first of them in the order of their failures."""
    waiting = store.newest("occurrences").filter(same_repository(repo), pl.col("choice") == LogChoice.DEFERRED.value)
    rows = waiting.select(WaitingLog.__struct_fields__).sort("failed_at", "job_id").collect()
    return rows.height, tuple(msgspec.convert(rows.head(MOST_LISTED).to_dicts(), list[WaitingLog]))
