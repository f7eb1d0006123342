"""One run with its jobs and their logs, from GitHub or from the store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from trackside.agents.run_records import JobText
from trackside.errors import GitHubError, NoDataError
from trackside.evidence.selection import same_repository
from trackside.github.job_lists import fetch_jobs
from trackside.github.log_text import LogText, unpack_log
from trackside.github.logs import run_logs
from trackside.github.one_run import fetch_run
from trackside.github.run_links import RunReference
from trackside.github.whole_downloads import FOR_ALL
from trackside.records.job_logs import JobLog, LogState
from trackside.records.jobs import Job
from trackside.records.runs import RunAttempt
from trackside.store.store import Store

if TYPE_CHECKING:
    from trackside.github.client import GitHub

MOST_TOGETHER: Final = 1024 * 1024 * 1024
"""Bytes of all logs of a run together that are read; those of failed jobs come first."""
_TOO_MUCH: Final = (
    f"the logs of the run are larger than {MOST_TOGETHER // 1024**2:,} MiB together: choose jobs with --job"
)
_NOT_STORED: Final = "it is not in the store: trackside sync --logs failed brings those of failed jobs"
Wants = Callable[[Job], bool]


class KnownRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run attempt and all of its jobs, by id."""

    run: RunAttempt
    jobs: tuple[Job, ...]


class RunLogs(msgspec.Struct, frozen=True, kw_only=True):
    """The logs of a run. ``run`` is None where nothing but the logs is known.

    ``named`` are the logs by the name of their job where the jobs are not known, else ``jobs`` and ``logs`` are those
    of the jobs that were asked for, side by side. ``every_job`` are all jobs of the run.
    """

    run: RunAttempt | None = None
    every_job: tuple[Job, ...] = ()
    jobs: tuple[Job, ...] = ()
    logs: tuple[JobLog, ...] = ()
    named: tuple[tuple[str, JobLog], ...] = ()

    def texts(self) -> Iterator[JobText]:
        """Each job with the text of its log, which is unpacked only then."""
        jobs: list[tuple[str, Job | None, JobLog]] = [(name, None, log) for name, log in self.named]
        jobs += [(job.name, job, log) for job, log in zip(self.jobs, self.logs, strict=True)]
        fitting = _fitting(jobs)
        for place, (name, job, log) in enumerate(jobs):
            if place not in fitting:
                yield JobText(name=name, job=job, state=LogState.UNREADABLE, note=_TOO_MUCH)
            else:
                content = unpack_log(log.content) if log.state is LogState.READY else None
                yield JobText(
                    name=name, job=job, state=log.state, note=log.note, content=content, is_truncated=log.truncated
                )


def _fitting(jobs: Sequence[tuple[str, Job | None, JobLog]]) -> set[int]:
    """The places of the logs that are read: those of failed jobs first, as long as there is room."""
    order = sorted(range(len(jobs)), key=lambda place: (not _has_failed(jobs[place][1]), place))
    fitting, room = set[int](), MOST_TOGETHER
    for place in order:
        room -= jobs[place][2].size_bytes
        if room >= 0:
            fitting.add(place)
    return fitting


def _has_failed(job: Job | None) -> bool:
    return job is None or job.conclusion not in ("success", "skipped", "neutral")


def facts_from_github(github: GitHub, repo: str, asked: RunReference) -> KnownRun:
    """The run and its jobs, as GitHub tells them. Raises NoDataError where there is no such run or attempt."""
    run = fetch_run(github, repo, asked.run_id, attempt=asked.attempt)
    known = range(1, run.run_attempt) if run.run_attempt > 1 else ()
    jobs = fetch_jobs(github, run, known).jobs
    if run.run_attempt == 1:
        jobs = tuple(job for job in jobs if job.run_attempt == 1)
    return KnownRun(run=run, jobs=jobs)


def facts_from_store(store: Store, repo: str, asked: RunReference) -> KnownRun:
    """The same out of the store; its newest attempt where none is named. Raises NoDataError where it is not there."""
    mine = (same_repository(repo), pl.col("run_id") == asked.run_id)
    runs = store.newest("runs").filter(*mine).collect(engine="streaming").sort("run_attempt", "observed_at")
    if asked.attempt is not None:
        runs = runs.filter(pl.col("run_attempt") == asked.attempt)
    if runs.is_empty():
        msg = (
            f"The store has no {_named(asked)} of {repo}: trackside sync brings it, without --offline GitHub is asked."
        )
        raise NoDataError(msg)
    run = msgspec.convert(_told(runs, RunAttempt)[-1], RunAttempt)
    rows = store.newest("jobs").filter(*mine, pl.col("run_attempt") == run.run_attempt)
    stored = rows.collect(engine="streaming").sort("observed_at").unique("job_id", keep="last").sort("job_id")
    return KnownRun(run=run, jobs=tuple(msgspec.convert(row, Job) for row in _told(stored, Job)))


def logs_from_github(github: GitHub, facts: KnownRun, wants: Wants, most: int, now: dt.datetime) -> RunLogs:
    """The logs of the jobs that are wanted; where a token may not read them they are UNREADABLE, and the note says so.

    Raises CallsStoppedError where no more calls may be made before one is there.
    """
    chosen = tuple(job for job in facts.jobs if wants(job))
    try:
        wanted = frozenset(job.job_id for job in chosen)
        logs = run_logs(github, facts.run, facts.jobs, wanted=wanted, now=now, most=most)
    except GitHubError as error:
        if error.status not in FOR_ALL:
            raise
        logs = tuple(log_without_text(job, str(error)) for job in chosen)
    return RunLogs(run=facts.run, every_job=facts.jobs, jobs=chosen, logs=logs)


def logs_from_store(store: Store, facts: KnownRun, wants: Wants) -> RunLogs:
    """The logs that the store holds of the jobs that are wanted."""
    chosen = tuple(job for job in facts.jobs if wants(job))
    ids = pl.Series([job.job_id for job in chosen], dtype=pl.Int64).implode()
    mine = (same_repository(facts.run.repo), pl.col("job_id").is_in(ids))
    rows = store.newest("job_logs").filter(*mine).collect(engine="streaming").sort("observed_at")
    found = {row["job_id"]: msgspec.convert(row, JobLog) for row in _told(rows, JobLog)}
    return RunLogs(
        run=facts.run,
        every_job=facts.jobs,
        jobs=chosen,
        logs=tuple(found.get(job.job_id) or log_without_text(job, _NOT_STORED) for job in chosen),
    )


def with_stored(logs: RunLogs, store: Store) -> RunLogs:
    """The logs, and in the place of those that GitHub has no longer, or does not give, what the store kept of them."""
    if logs.run is None or all(log.state is LogState.READY for log in logs.logs):
        return logs
    lacking = {log.job_id for log in logs.logs if log.state is not LogState.READY}
    facts = KnownRun(run=logs.run, jobs=logs.every_job)
    kept = logs_from_store(store, facts, lambda job: job.job_id in lacking)
    stored = {log.job_id: log for log in kept.logs if log.state is LogState.READY}
    return msgspec.structs.replace(logs, logs=tuple(stored.get(log.job_id, log) for log in logs.logs))


def ready_log(job: Job | None, text: LogText) -> JobLog:
    """A log that is there; ``job`` is None where nothing but the log is known."""
    return msgspec.structs.replace(
        log_without_text(job, None),
        state=LogState.READY,
        content=text.content,
        size_bytes=text.size_bytes,
        truncated=text.truncated,
    )


def log_without_text(job: Job | None, note: str | None) -> JobLog:
    """A log that could not be read; ``note`` says why."""
    keys = ("repo", "job_id", "run_id", "run_attempt")
    own = {key: getattr(job, key) for key in keys} if job is not None else dict(zip(keys, ("", 0, 0, 1), strict=True))
    return JobLog(state=LogState.UNREADABLE, note=note, **own)


def _told(rows: pl.DataFrame, record: type[msgspec.Struct]) -> list[dict[str, object]]:
    """The rows with the fields of the record alone; what a column does not tell is what the record says by default."""
    names = [field.name for field in msgspec.structs.fields(record)]
    return [{name: row[name] for name in names if row.get(name) is not None} for row in rows.iter_rows(named=True)]


def _named(asked: RunReference) -> str:
    return f"run {asked.run_id}" + (f", attempt {asked.attempt}" if asked.attempt is not None else "")


def wanted_jobs(asked: RunReference, facts: KnownRun, globs: Collection[str], matches: Callable[[str], bool]) -> Wants:
    """Which jobs are wanted: the one that the address names, those that the globs choose, all where there are none.

    Raises NoDataError where none is: an analysis of nothing would say that nothing is wrong.
    """

    def wants(job: Job) -> bool:
        return (asked.job_id is None or job.job_id == asked.job_id) and (not globs or matches(job.name))

    if facts.jobs and not any(wants(job) for job in facts.jobs):
        names = ", ".join(sorted({job.name for job in facts.jobs})[:8])
        words = f"job {asked.job_id}" if asked.job_id is not None else f"job that matches {' '.join(globs)}"
        msg = f"{_named(asked).capitalize()} has no {words}. There are {names}."
        raise NoDataError(msg)
    return wants
