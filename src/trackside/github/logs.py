"""Logs of jobs: what became of each, and its text where there is one.

``GET /repos/{repo}/actions/jobs/{id}/logs`` answers with a link to another host that is good for a minute. A 404 of the
API in JSON says that there is no log yet, a 404 of that host in XML that there will be none, 410 that it was deleted.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from trackside.errors import CallsStoppedError, GitHubError, UnreadableInputError
from trackside.github.log_text import MOST_TEXT, LogText, pack_log
from trackside.github.run_archive import RunArchive
from trackside.github.whole_downloads import FOR_ALL, read_whole, save_archive
from trackside.records.job_logs import JobLog, LogState
from trackside.records.jobs import Job
from trackside.records.runs import RunAttempt

if TYPE_CHECKING:
    from trackside.github.client import Download, GitHub

FEW: Final = 3
"""So many logs are asked for one by one: a run-log ZIP holds all jobs of the run, wanted or not."""
SETTLED: Final = dt.timedelta(days=1)
"""A finished job whose log GitHub does not have after so long will have none."""
MOST_ARCHIVE: Final = 512 * 1024 * 1024
"""Bytes of a run-log ZIP that are downloaded; a larger one is left alone."""


def job_log(github: GitHub, job: Job, *, now: dt.datetime, most: int = MOST_TEXT) -> JobLog:
    """The log of ``job`` or why there is none, with one call; none at all where the job is not over or was skipped.

    Raises CallsStoppedError where no more calls may be made, GitHubError where the token may not read logs.
    """
    if (known := _without_a_call(job)) is not None:
        return known
    path = f"/repos/{job.repo}/actions/jobs/{job.job_id}/logs"

    def take(download: Download) -> JobLog:
        if download.status == 200:
            return _ready(job, pack_log(download.iter_bytes(), most))
        return _absent(job, download.status, download.host, now)

    try:
        return read_whole(github, path, "job log", take)
    except GitHubError as error:
        if error.status in FOR_ALL:
            raise
        return _none(job, LogState.UNREADABLE, str(error))


def run_logs(
    github: GitHub,
    run: RunAttempt,
    jobs: Sequence[Job],
    *,
    wanted: Collection[int] | None = None,
    now: dt.datetime,
    most: int = MOST_TEXT,
) -> tuple[JobLog, ...]:
    """The logs of the ``wanted`` jobs (ids; None: all) of the attempt ``run``, in the order of ``jobs``.

    ``jobs`` are all jobs of the attempt: two of them may share one name in the ZIP. More than FEW logs come out of
    the run-log ZIP with one call; what it lacks is asked for job by job. Raises as ``job_log`` does, but
    not once a log is there: then the others are UNREADABLE, and the note says why.
    """
    asked = [job for job in jobs if wanted is None or job.job_id in wanted]
    found = {job.job_id: log for job in asked if (log := _without_a_call(job)) is not None}
    if run.status == "completed" and len(asked) - len(found) > FEW:
        missing = [job for job in asked if job.job_id not in found]
        found |= {log.job_id: log for log in _from_archive(github, run, jobs, missing, most)}
    try:
        for job in asked:
            if job.job_id not in found:
                found[job.job_id] = job_log(github, job, now=now, most=most)
    except CallsStoppedError as stop:
        if not any(log.state is LogState.READY for log in found.values()):
            raise
        left = [job for job in asked if job.job_id not in found]
        found |= {job.job_id: _none(job, LogState.UNREADABLE, str(stop)) for job in left}
    return tuple(found[job.job_id] for job in asked)


def logs_in(archive: RunArchive, jobs: Sequence[Job], wanted: Collection[int], most: int) -> tuple[JobLog, ...]:
    """What ``archive`` has of the logs of the ``wanted`` jobs (ids), in the order of ``jobs``, without a call.

    ``jobs`` are all jobs of the attempt. A log that is not there, or that two jobs may have written, is UNREADABLE.
    """
    asked = [job for job in jobs if job.job_id in wanted]
    found = {job.job_id: log for job in asked if (log := _without_a_call(job)) is not None}
    found |= {log.job_id: log for log in archive_logs(archive, jobs, asked, most) if log.job_id not in found}
    lacking = "the ZIP has no log that is this job's alone: give the number of the run in place of the ZIP"
    return tuple(found.get(job.job_id) or _none(job, LogState.UNREADABLE, lacking) for job in asked)


def archive_logs(archive: RunArchive, jobs: Sequence[Job], wanted: Iterable[Job], most: int) -> Iterator[JobLog]:
    """The logs of the ``wanted`` jobs that ``archive`` has and that can be read."""
    names = archive.match(jobs)
    for job in wanted:
        if job.job_id in names:
            try:
                yield _ready(job, archive.read(names[job.job_id], most))
            except UnreadableInputError:
                # The log of the job itself, asked for next, says more than one file of an archive.
                continue


def _from_archive(
    github: GitHub, run: RunAttempt, jobs: Sequence[Job], wanted: Sequence[Job], most: int
) -> list[JobLog]:
    path = f"/repos/{run.repo}/actions/runs/{run.run_id}/attempts/{run.run_attempt}/logs"
    with tempfile.TemporaryFile() as file:
        try:
            status = read_whole(github, path, "run log", lambda download: save_archive(download, file, MOST_ARCHIVE))
            if status == 410:
                return [_none(job, LogState.EXPIRED, "the logs of the run were deleted") for job in wanted]
            return list(archive_logs(RunArchive(file, path), jobs, wanted, most)) if status == 200 else []
        except UnreadableInputError:
            return []
        except GitHubError as error:
            if error.status in FOR_ALL:
                raise
            return []


def _without_a_call(job: Job) -> JobLog | None:
    if job.conclusion == "skipped":
        return _none(job, LogState.NEVER, "the job was skipped")
    if job.status not in (None, "completed"):
        return _none(job, LogState.NOT_YET, f"the job is {job.status}")
    return None


def _absent(job: Job, status: int, host: str, now: dt.datetime) -> JobLog:
    if status == 410:
        return _none(job, LogState.EXPIRED, "GitHub has deleted it")
    if status != 404:
        return _none(job, LogState.UNREADABLE, f"GitHub answered {status}")
    if host == "blob" and job.status == "completed":
        return _none(job, LogState.NEVER, "the storage has none")
    if job.completed_at is not None and now - job.completed_at > SETTLED:
        return _none(job, LogState.NEVER, "GitHub has none a day after the job ended")
    return _none(job, LogState.NOT_YET, "GitHub has none yet")


def _ready(job: Job, text: LogText) -> JobLog:
    log = _none(job, LogState.READY, None)
    return msgspec.structs.replace(log, content=text.content, size_bytes=text.size_bytes, truncated=text.truncated)


def _none(job: Job, state: LogState, note: str | None) -> JobLog:
    return JobLog(
        repo=job.repo, job_id=job.job_id, run_id=job.run_id, run_attempt=job.run_attempt, state=state, note=note
    )
