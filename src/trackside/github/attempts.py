"""Earlier attempts of a run, worked out from their jobs: lists of runs show only the latest one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from trackside.github.times import between
from trackside.records.jobs import Job
from trackside.records.runs import RunAttempt, Source

_WORST_FIRST: Final = ("failure", "startup_failure", "timed_out", "cancelled", "action_required", "stale")
_HARMLESS: Final = ("success", "neutral", "skipped")


def earlier_attempts(latest: RunAttempt, jobs: Sequence[Job]) -> tuple[RunAttempt, ...]:
    """The attempts before ``latest``, oldest first, as far as ``jobs`` of all attempts of the run tell them.

    They are complete: GitHub re-runs only what has ended. The conclusion is that of the worst job, which for a job
    that was allowed to fail is too harsh. An attempt without jobs has no conclusion and no times of its own.
    """
    own = [job for job in jobs if job.run_id == latest.run_id and job.repo == latest.repo]
    first = first_listings(own)
    ran = _jobs_where_they_ran(latest, first)
    listed: dict[int, list[Job]] = {}
    for job in first:
        listed.setdefault(job.run_attempt, []).append(job)
    # A re-run runs some job: where the times of all that an attempt brings are older, they tell nothing.
    return tuple(
        _attempt(latest, number, ran.get(number) or listed.get(number, [])) for number in range(1, latest.run_attempt)
    )


def first_listings(jobs: Iterable[Job]) -> list[Job]:
    """Each job where it is listed first, by attempt: a re-run lists those again that it takes over."""
    seen: dict[object, int] = {}
    return [
        job
        for job in sorted(jobs, key=lambda job: job.run_attempt)
        if min([seen.setdefault(key, job.run_attempt) for key in _identities(job)]) == job.run_attempt
    ]


def _jobs_where_they_ran(latest: RunAttempt, jobs: Iterable[Job]) -> dict[int, list[Job]]:
    """Jobs, in the order of their attempts, by the attempt they ran in."""
    ran: dict[int, list[Job]] = {}
    ends: dict[int, dt.datetime] = {}
    for job in jobs:
        attempt = _where_it_ran(job, latest, ends)
        ran.setdefault(attempt, []).append(job)
        if job.completed_at is not None:
            ends[attempt] = max(job.completed_at, ends.get(attempt, job.completed_at))
    return ran


def _identities(job: Job) -> list[object]:
    times = (job.name, job.started_at, job.completed_at)
    return [job.job_id] if None in times else [job.job_id, times]


def _where_it_ran(job: Job, latest: RunAttempt, ends: dict[int, dt.datetime]) -> int:
    """The attempt of ``job``; an older one where the job began before its own attempt can have begun."""
    own, began = job.run_attempt, job.started_at
    if began is None:
        return own
    begin = latest.run_started_at if own == latest.run_attempt else None
    if begin is not None and began >= begin:
        return own
    older = {number: end for number, end in ends.items() if number < own}
    if over := [number for number, end in older.items() if began < end]:
        return min(over)
    return min(max(older, default=0) + 1, own) if begin is not None else own


def _attempt(latest: RunAttempt, number: int, jobs: Sequence[Job]) -> RunAttempt:
    began = [moment for job in jobs for moment in (job.created_at, job.started_at) if moment is not None]
    started = latest.created_at if number == 1 else min(began, default=None)
    updated = max((job.completed_at for job in jobs if job.completed_at is not None), default=None)
    return msgspec.structs.replace(
        latest,
        run_attempt=number,
        source=Source.JOBS,
        status="completed",
        conclusion=_conclusion(jobs),
        run_started_at=started,
        updated_at=updated,
        duration_s=between(started, updated),
        triggering_actor=latest.actor if number == 1 else None,
        triggering_actor_id=latest.actor_id if number == 1 else None,
    )


def _conclusion(jobs: Iterable[Job]) -> str | None:
    found = {job.conclusion for job in jobs if job.conclusion is not None}
    unknown = sorted(found - {*_WORST_FIRST, *_HARMLESS})
    return next((value for value in (*_WORST_FIRST, *unknown, *_HARMLESS) if value in found), None)
