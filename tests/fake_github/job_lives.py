"""How jobs come to be, go on and end, and which of several attempts counts."""

from __future__ import annotations

import base64
import datetime as dt

from tests.fake_github.plans import JobPlan, usual_steps
from tests.fake_github.things import Attempt, Job, Run


def made_job(number: int, plan: JobPlan, attempt: Attempt) -> Job:
    """A job as its plan says, in the time of its attempt."""
    created = attempt.created_at
    queued = plan.conclusion is None and plan.wait_s < 0
    skipped = plan.conclusion == "skipped"
    started = created if skipped else created + dt.timedelta(seconds=max(0, plan.wait_s))
    done = started + dt.timedelta(seconds=0 if skipped else plan.took_s)
    steps = plan.steps if plan.steps is not None else usual_steps(plan.n_steps, plan.took_s, plan.conclusion)
    status = "queued" if queued else "in_progress" if plan.conclusion is None else "completed"
    runs = not (skipped or queued)
    return Job(
        id=number,
        name=plan.name,
        attempt=attempt.number,
        created_at=created,
        status=status,
        conclusion=plan.conclusion,
        started_at=None if queued else started,
        completed_at=None if plan.conclusion is None else done,
        steps=steps if runs else (),
        labels=plan.labels,
        runner_id=1_000_000_000 + number % 997 if runs else None,
        runner_name=(plan.runner or f"runner-{number % 17}") if runs else None,
        runner_group=plan.group if runs else None,
        log=plan.log,
        log_state=plan.log_state,
        annotations=plan.annotations,
    )


def plan_of(old: Job, conclusion: str | None) -> JobPlan:
    """The plan of the same job for a further attempt."""
    took = dt.timedelta(seconds=60)
    if old.completed_at is not None and old.started_at is not None:
        took = old.completed_at - old.started_at
    log = old.log if conclusion == old.conclusion else None
    return JobPlan(
        old.name, conclusion, 5, int(took.total_seconds()), old.labels, old.runner_name, old.runner_group, log=log
    )


def end_job(job_: Job, conclusion: str, at: dt.datetime) -> None:
    """Let a job that waits or runs come to its end."""
    job_.started_at = min(job_.started_at or at, at)
    took = int((at - job_.started_at).total_seconds())
    job_.status, job_.conclusion, job_.completed_at = "completed", conclusion, at
    job_.steps = usual_steps(max(len(job_.steps), 5), took, conclusion)
    if job_.runner_name is None:
        job_.runner_id, job_.runner_name, job_.runner_group = 1, "runner-1", "Default"


def newest_jobs(run: Run) -> list[Job]:
    """The newest job of each name, over all attempts."""
    newest: dict[str, list[Job]] = {}
    for attempt in run.attempts:
        named: dict[str, list[Job]] = {}
        for each in attempt.jobs:
            named.setdefault(each.name, []).append(each)
        newest.update(named)
    return sorted((each for group in newest.values() for each in group), key=lambda each: each.id)


def forget_json(run: Run) -> None:
    """Drop what is kept of a run and its attempts and jobs."""
    run.kept_json = None
    for attempt in run.attempts:
        attempt.kept_json = None
        for each in attempt.jobs:
            each.kept_json = None


def node_id(kind: str, *numbers: int) -> str:
    """An opaque id in the manner of GitHub's."""
    packed = b"\x93" + b"".join(n.to_bytes(8, "big") for n in numbers)
    return f"{kind}_{base64.urlsafe_b64encode(packed).decode().rstrip('=')}"
