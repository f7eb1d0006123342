"""Jobs and steps of one run over its time: when each began, and how long it took."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from trackside.ci.failed_attempts import line_link
from trackside.report.agents_run_records import DataJob, DataRun, DataStep
from trackside.report.ledger import counted
from trackside.site.durations import length
from trackside.site.run_words import run_words
from trackside.site.waterfalls import Bar, Waterfall, place

MOST_JOBS: Final = 30
MOST_STEPS: Final = 60
_FEW_JOBS: Final = 3
"""So few jobs are shown with their steps; of more, those that failed."""
_NEVER: Final = dt.datetime.max.replace(tzinfo=dt.UTC)


def waterfall(run: DataRun, home: str) -> Waterfall | None:
    """The jobs of a run, or None where none of them has a time."""
    jobs = sorted(run.jobs or (), key=lambda job: (job.started_at or _NEVER, job.id or 0))
    began = min((job.started_at for job in jobs if job.started_at), default=None)
    ended = max((job.completed_at for job in jobs if job.completed_at), default=None)
    if began is None:
        return None
    span = max(1.0, (ended - began).total_seconds()) if ended is not None else 1.0
    return Waterfall(
        title=run.workflow_name or run.workflow_file or "?",
        run=run_words(run.run_number, run.id),
        state=run.conclusion or run.status or "unknown",
        url=f"{home}/actions/runs/{run.id}",
        began=began,
        length=length(span),
        bars=tuple(
            _job_bar(job, job_page(home, run.id, job.id), began, span, is_open=len(jobs) <= _FEW_JOBS)
            for job in jobs[:MOST_JOBS]
        ),
        left_out=max(0, len(jobs) - MOST_JOBS),
    )


def job_page(home: str, run_id: int | None, job_id: int | None) -> str:
    """The page of a job, which has its log."""
    return f"{home}/actions/runs/{run_id}/job/{job_id}"


def _job_bar(job: DataJob, url: str, began: dt.datetime, span: float, *, is_open: bool) -> Bar:
    told = [f"waited {length(job.queue_seconds)}" if job.queue_seconds else None]
    told.append(f"failed at {job.failed_step}" if job.failed_step else None)
    told.append(job.cause)
    steps: Sequence[DataStep] = job.steps or ()
    more = counted(len(steps) - MOST_STEPS, "step") + " more" if len(steps) > MOST_STEPS else None
    left, width = place(job.started_at, job.duration_seconds, began, span)
    return Bar(
        name=job.name or "?",
        state=job.conclusion or job.status or "unknown",
        left=left,
        width=width,
        length=length(job.duration_seconds),
        note="; ".join(filter(None, (*told, more))) or None,
        url=None if steps else url,
        log=url,
        is_open=is_open or job.failed_step is not None,
        steps=tuple(_step_bar(step, url, began, span) for step in steps[:MOST_STEPS]),
    )


def _step_bar(step: DataStep, job_url: str, began: dt.datetime, span: float) -> Bar:
    left, width = place(step.started_at, step.duration_seconds, began, span)
    return Bar(
        name=step.name or "?",
        state=step.conclusion or step.status or "unknown",
        left=left,
        width=width,
        length=length(step.duration_seconds),
        url=line_link(job_url, step.number),
    )
