"""What a sync needs to know of a repository before it asks GitHub for anything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final, TypeVar

import msgspec
import polars as pl

from trackside.records.artifacts import Artifact, KnownArtifacts
from trackside.records.job_logs import AskedLog, LogState
from trackside.records.jobs import Job, Step
from trackside.records.knowledge import LogChoice, Occurrence
from trackside.records.pulls import PullRequest
from trackside.records.runs import RunAttempt
from trackside.records.sync_state import KnownAttempt, Listed, SyncState
from trackside.store.location import Location
from trackside.store.read import newest
from trackside.store.schema import (
    ARTIFACT_LISTS,
    ARTIFACTS,
    COMMIT_PULLS,
    DELIVERIES,
    FETCHED,
    JOB_LOGS,
    JOBS,
    OCCURRENCES,
    PULLS,
    RUNS,
    STAMP_NAMES,
    SYNCS,
)
from trackside.store.tables import Snapshot, open_table, readable_errors

LISTED_FOR: Final = dt.timedelta(days=400)
"""How long back the lists of earlier syncs are told: GitHub keeps runs for 400 days at most."""
_ATTEMPT: Final = ["run_id", "run_attempt"]
_RUN_COLUMNS: Final = (
    *_ATTEMPT,
    "source",
    "status",
    "conclusion",
    "created_at",
    "updated_at",
    "workflow_file",
    "workflow_id",
    "head_branch",
    "head_sha",
    "event",
    "workflow_name",
    "run_number",
    "head_repository",
)
_COLUMNS: Final[dict[str, Sequence[str]]] = {
    "runs": _RUN_COLUMNS,
    "fetched": (*_ATTEMPT, "status", "updated_at", "jobs", "jobs_listed", "source"),
    "pulls": ("number", "updated_at"),
    "commit_pulls": ("sha",),
    "job_logs": ("job_id", "state"),
    "artifact_lists": _ATTEMPT,
    "syncs": ("scope", "listed", "ended_at", "swept"),
}
_Record = TypeVar("_Record")


def sync_state(location: Location, repo: str, since: dt.datetime, now: dt.datetime) -> SyncState:
    """What is known of ``repo``, whatever the case of its name; SyncState(repo=None) where nothing is.

    ``attempts`` are those created or updated at ``since`` or later, those that are not completed and those whose
    jobs were never read, by run and attempt; ``listed`` holds syncs of the last 400 days before ``now``, oldest
    first. Jobs are not read.
    """
    tables = {
        table.name: open_table(location, table) for table in (RUNS, FETCHED, PULLS, COMMIT_PULLS, JOB_LOGS, SYNCS)
    }
    frames = {name: _rows_of(snapshot, repo) for name, snapshot in tables.items()}
    name = _stored_name(list(frames.values()))
    if name is None:
        return SyncState(repo=None)
    attempts = _attempts(frames["runs"], frames["fetched"])
    recent = ((pl.col("created_at") >= since) | (pl.col("updated_at") >= since)).fill_null(value=False)
    unfinished = pl.col("status").ne_missing("completed") | ~pl.col("fetched")
    unread = pl.col("fetched_status").ne_missing("completed")
    changed = frames["pulls"].filter(pl.col("updated_at") >= since)
    logs = frames["job_logs"].select("job_id", "state").iter_rows()
    return SyncState(
        repo=name,
        attempts=tuple(
            msgspec.convert(attempts.filter(recent | unfinished).sort(_ATTEMPT).to_dicts(), list[KnownAttempt])
        ),
        listed=_listed(frames["syncs"], now - LISTED_FOR),
        commits_asked=frozenset(frames["commit_pulls"]["sha"].to_list()),
        pulls_updated_at=frames["pulls"].select(pl.col("updated_at").max()).item(),
        logs={job: LogState(state) for job, state in logs},
        waiting=_records(tables["runs"], repo, attempts.filter(recent & unread).select(_ATTEMPT), RunAttempt),
        pulls=_records(tables["pulls"], repo, changed.select("number"), PullRequest),
    )


def finished_jobs(
    location: Location, repo: str, since: dt.datetime, conclusions: Collection[str] | None = None
) -> Iterator[Job]:
    """The newest rows of the jobs of ``repo`` that ended at ``since`` or later, by run, attempt and id; no steps.

    With ``conclusions`` only those that ended so.
    """
    snapshot = open_table(location, JOBS)
    over = pl.col("status").eq("completed") & (pl.col("completed_at") >= since)
    ended = pl.lit(value=True) if conclusions is None else pl.col("conclusion").is_in(list(conclusions))
    with readable_errors(location, JOBS, "read"):
        rows = newest(snapshot).filter(_same(repo), over, ended).drop(*STAMP_NAMES, "steps")
        found = rows.sort(*_ATTEMPT, "job_id").collect()
    return (msgspec.convert(row, Job) for row in found.iter_rows(named=True))


def steps_of(location: Location, repo: str, jobs: Collection[int]) -> dict[int, tuple[Step, ...]]:
    """The steps of the jobs of ``repo`` with these ids; those that are not in the store are left out."""
    if not jobs:
        return {}
    snapshot = open_table(location, JOBS)
    # The range lets whole files be passed over: ids grow with time.
    mine = pl.col("job_id").is_between(min(jobs), max(jobs)) & pl.col("job_id").is_in(sorted(jobs))
    with readable_errors(location, JOBS, "read"):
        found = newest(snapshot).filter(_same(repo), mine).select("job_id", "steps").collect(engine="streaming")
    return {job: msgspec.convert(steps or (), tuple[Step, ...]) for job, steps in found.iter_rows()}


def known_failures(location: Location, repo: str, since: dt.datetime) -> tuple[Occurrence, ...]:
    """The occurrences of ``repo`` that failed, or whose log was asked for, at ``since`` or later.

    All whose log was read, or waits to be, are among them, however old. By run, attempt and job.
    """
    snapshot = open_table(location, OCCURRENCES)
    recent = (pl.col("failed_at") >= since) | (pl.col("asked_at") >= since).fill_null(value=False)
    lasting = pl.col("choice").is_in([LogChoice.READ.value, LogChoice.DEFERRED.value])
    with readable_errors(location, OCCURRENCES, "read"):
        rows = newest(snapshot).filter(_same(repo), recent | lasting).sort("observed_at", "repo").collect()
    once = rows.unique("job_id", keep="last").sort(*_ATTEMPT, "job_id").drop(STAMP_NAMES)
    return tuple(msgspec.convert(once.to_dicts(), list[Occurrence]))


def asked_logs(location: Location, repo: str, jobs: Collection[int]) -> tuple[AskedLog, ...]:
    """What became of the logs of the jobs of ``repo`` with these ids, of those that were asked for; by id."""
    if not jobs:
        return ()
    snapshot = open_table(location, JOB_LOGS)
    with readable_errors(location, JOB_LOGS, "read"):
        mine = newest(snapshot).filter(_same(repo), pl.col("job_id").is_in(sorted(jobs)))
        rows = mine.select("job_id", "state", "size_bytes", "precedence", asked_at="observed_at").collect()
    once = rows.sort("precedence", "asked_at").unique("job_id", keep="last").sort("job_id").drop("precedence")
    return tuple(msgspec.convert(once.to_dicts(), list[AskedLog]))


def known_artifacts(
    location: Location, repo: str, runs: Collection[int], wants: Callable[[str], bool]
) -> KnownArtifacts:
    """Of the runs of ``repo`` with these ids: the attempts after which their artifacts were listed, and the artifacts.

    Only those whose name ``wants`` says yes to, by id, each once.
    """
    mine = pl.Series(sorted(runs), dtype=pl.Int64).implode()
    lists = _rows_of(open_table(location, ARTIFACT_LISTS), repo).filter(pl.col("run_id").is_in(mine))
    snapshot = open_table(location, ARTIFACTS)
    with readable_errors(location, ARTIFACTS, "read"):
        rows = newest(snapshot).filter(_same(repo), pl.col("run_id").is_in(mine)).collect(engine="streaming")
    wanted = rows.filter(pl.col("name").is_in([name for name in rows["name"].unique() if wants(name)]))
    found = wanted.sort("artifact_id", "precedence", "observed_at").drop(STAMP_NAMES)
    once = found.unique("artifact_id", keep="last", maintain_order=True)
    return KnownArtifacts(
        listed=dict(lists.sort(_ATTEMPT).select(_ATTEMPT).iter_rows()),
        artifacts=tuple(msgspec.convert(once.to_dicts(), list[Artifact])),
    )


def known_deliveries(
    location: Location, ids: Collection[str], digests: Collection[str], since: dt.datetime
) -> frozenset[str]:
    """Of ``ids`` and of ``digests`` of bodies those of deliveries that were taken at ``since`` or later."""
    named = pl.col("delivery_id").is_in(sorted(ids)) | pl.col("body_sha256").is_in(sorted(digests))
    rows = open_table(location, DELIVERIES).scan().filter(pl.col("received_at") >= since, named)
    with readable_errors(location, DELIVERIES, "read"):
        found = rows.select("delivery_id", "body_sha256").collect(engine="streaming")
    return frozenset({*found["delivery_id"], *found["body_sha256"]} & {*ids, *digests})


def _rows_of(snapshot: Snapshot, repo: str) -> pl.DataFrame:
    """The newest rows of the repository: ``repo``, ``observed_at`` and the columns that a sync needs."""
    with readable_errors(snapshot.location, snapshot.table, "read"):
        rows = newest(snapshot).filter(_same(repo))
        return rows.select("repo", "observed_at", *_COLUMNS[snapshot.table.name]).collect()


def _records(snapshot: Snapshot, repo: str, keys: pl.DataFrame, record: type[_Record]) -> tuple[_Record, ...]:
    """The records of the repository with one of ``keys``, sorted by them."""
    if keys.is_empty():
        return ()
    with readable_errors(snapshot.location, snapshot.table, "read"):
        rows = newest(snapshot).filter(_same(repo)).join(keys.unique().lazy(), on=keys.columns, how="semi")
        found = rows.drop(STAMP_NAMES).sort(*keys.columns, "repo").collect()
    return tuple(msgspec.convert(found.to_dicts(), list[record]))  # type: ignore[valid-type]


def _same(repo: str) -> pl.Expr:
    return pl.col("repo").str.to_lowercase() == repo.lower()


def _stored_name(frames: list[pl.DataFrame]) -> str | None:
    """The name as it was stored last; of several at the same time the last one by text."""
    names = pl.concat([frame.group_by("repo").agg(pl.col("observed_at").max()) for frame in frames])
    return None if names.is_empty() else str(names.sort("observed_at", "repo")["repo"][-1])


def _attempts(runs: pl.DataFrame, fetched: pl.DataFrame) -> pl.DataFrame:
    """Attempts with their markers; one that is stored under two spellings of the name counts once."""
    markers = _once(fetched).select(
        *_ATTEMPT,
        fetched=pl.lit(value=True),
        fetched_status="status",
        fetched_updated_at="updated_at",
        fetched_jobs="jobs",
        fetched_jobs_listed="jobs_listed",
        fetched_source="source",
    )
    joined = _once(runs).select(_RUN_COLUMNS).join(markers, on=_ATTEMPT, how="left")
    return joined.with_columns(pl.col("fetched").fill_null(value=False))


def _once(rows: pl.DataFrame) -> pl.DataFrame:
    """Each attempt once: the one observed last, where the name is stored in more than one spelling."""
    if rows["repo"].n_unique() <= 1:
        return rows
    return rows.sort("observed_at", "repo").unique(_ATTEMPT, keep="last")


def _listed(syncs: pl.DataFrame, start: dt.datetime) -> tuple[Listed, ...]:
    rows = syncs.filter(pl.col("ended_at") >= start).sort("ended_at")
    told = rows.select("scope", pl.col("listed").alias("intervals"), pl.col("ended_at").alias("at"), "swept")
    return tuple(msgspec.convert(told.to_dicts(), list[Listed]))
