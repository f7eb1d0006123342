"""Records of GitHub data with as little said as a test needs."""

from __future__ import annotations

import datetime as dt
from typing import Any

from trackside.records.artifacts import Artifact, ArtifactState
from trackside.records.job_logs import JobLog, LogState
from trackside.records.jobs import Job, Step
from trackside.records.pulls import CommitPulls, PullRequest
from trackside.records.runs import Fetched, RunAttempt, Source
from trackside.records.syncs import Interval, SyncRecord

REPO = "octo/engine"
NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)


def at(minutes: float) -> dt.datetime:
    """So many minutes after noon of 2026-11-01 UTC."""
    return NOON + dt.timedelta(minutes=minutes)


def attempt(run_id: int = 1, run_attempt: int = 1, **fields: Any) -> RunAttempt:
    """A completed attempt that REST told of, created at noon."""
    told: Any = {"status": "completed", "conclusion": "success", "created_at": NOON, "updated_at": NOON} | fields
    key: Any = {"repo": REPO, "source": Source.REST, "run_id": run_id, "run_attempt": run_attempt}
    return RunAttempt(**key | told)


def job(job_id: int = 10, run_id: int = 1, **fields: Any) -> Job:
    """A completed job of the first attempt, with a step."""
    told: Any = {"name": "test", "status": "completed", "conclusion": "success", "created_at": NOON, "steps": (step(),)}
    key: Any = {"repo": REPO, "source": Source.REST, "job_id": job_id, "run_id": run_id, "run_attempt": 1}
    return Job(**key | told | fields)


def step(number: int = 1, **fields: Any) -> Step:
    """A step that succeeded."""
    told: Any = {"name": "Run tests", "status": "completed", "conclusion": "success", "started_at": NOON}
    return Step(**{"number": number} | told | fields)


def marker(run_id: int = 1, run_attempt: int = 1, **fields: Any) -> Fetched:
    """The marker of a completed attempt with one job."""
    told: Any = {"status": "completed", "updated_at": NOON, "jobs": 1, "jobs_listed": 1, "source": Source.REST} | fields
    return Fetched(**{"repo": REPO, "run_id": run_id, "run_attempt": run_attempt} | told)


def pull(number: int = 7, **fields: Any) -> PullRequest:
    """A pull request that was touched at noon."""
    told: Any = {"repo": REPO, "number": number, "updated_at": NOON} | fields
    return PullRequest(**told)


def commit_pulls(sha: str = "c0ffee", *numbers: int) -> CommitPulls:
    """The pull requests of a commit."""
    return CommitPulls(repo=REPO, sha=sha, numbers=numbers)


def job_log(job_id: int = 10, state: LogState = LogState.READY, **fields: Any) -> JobLog:
    """A log of a job of the first attempt."""
    told: Any = {"content": b"log" if state is LogState.READY else None} | fields
    return JobLog(**{"repo": REPO, "job_id": job_id, "run_id": 1, "run_attempt": 1, "state": state} | told)


def an_artifact(artifact_id: int = 70, **fields: Any) -> Artifact:
    """An artifact of the first run that a list named."""
    told: Any = {"name": "bench-results", "state": ArtifactState.LISTED} | fields
    return Artifact(**{"repo": REPO, "artifact_id": artifact_id, "run_id": 1} | told)


def ledger(sync_id: str = "s1", ended_at: dt.datetime = NOON, **fields: Any) -> SyncRecord:
    """A sync of an hour that listed the hour before."""
    start = ended_at - dt.timedelta(hours=1)
    told: Any = {
        "status": "ok",
        "api": "rest",
        "scope": "all",
        "listed": (Interval(start=start, stop=ended_at),),
    } | fields
    window = {"started_at": start, "ended_at": ended_at, "window_start": start, "window_stop": ended_at}
    return SyncRecord(**{"repo": REPO, "sync_id": sync_id} | window | told)
