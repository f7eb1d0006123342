"""Jobs and steps of one run over its time: when each began, and how long it took."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

import msgspec

from trackside.report.agents_run_records import DataJob, DataRun, DataStep
from trackside.report.ledger import counted
from trackside.site.agent_run_rows import run_key

MOST_JOBS: Final = 30
MOST_STEPS: Final = 60
_FEW_JOBS: Final = 3
"""So few jobs are shown with their steps; of more, those that failed."""
_SECONDS: Final = 120
_NEVER: Final = dt.datetime.max.replace(tzinfo=dt.UTC)


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A job or step: its place in per cent of the run's time (None where its times are not known), and its steps.

    ``length`` is its duration in words, ``note`` what else is to be told, ``url`` leads from its name to its lines in
    the log. A job with steps has its ``log`` below them, which are shown at once where it ``is_open``.
    """

    name: str
    state: str
    left: float | None = None
    width: float | None = None
    length: str = "–"
    note: str | None = None
    url: str | None = None
    log: str | None = None
    steps: tuple[Bar, ...] = ()
    is_open: bool = False


class Waterfall(msgspec.Struct, frozen=True, kw_only=True):
    """A run as bars. ``left_out`` counts jobs that are not drawn."""

    title: str
    key: str
    number: str
    state: str
    url: str | None
    began: dt.datetime
    length: str
    bars: tuple[Bar, ...]
    left_out: int = 0


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
        key=run_key(run),
        number=f"#{run.run_number if run.run_number is not None else run.id}",
        state=run.conclusion or run.status or "unknown",
        url=f"{home}/actions/runs/{run.id}",
        began=began,
        length=length_words(span),
        bars=tuple(
            _job_bar(job, job_page(home, run.id, job.id), began, span, is_open=len(jobs) <= _FEW_JOBS)
            for job in jobs[:MOST_JOBS]
        ),
        left_out=max(0, len(jobs) - MOST_JOBS),
    )


def job_page(home: str, run_id: int | None, job_id: int | None) -> str:
    """The page of a job, which has its log."""
    return f"{home}/actions/runs/{run_id}/job/{job_id}"


def step_log(url: str, number: int | None) -> str:
    """The lines of a step in the log of its job."""
    return url if number is None else f"{url}#step:{number}:1"


def length_words(seconds: float | None) -> str:
    """``45 s``, ``12.5 min``; – where it is not known."""
    if seconds is None:
        return "–"
    return f"{seconds:,.0f} s" if seconds < _SECONDS else f"{seconds / 60:,.1f} min"


def _job_bar(job: DataJob, url: str, began: dt.datetime, span: float, *, is_open: bool) -> Bar:
    told = [f"waited {length_words(job.queue_seconds)}" if job.queue_seconds else None]
    told.append(f"failed at {job.failed_step}" if job.failed_step else None)
    told.append(job.cause)
    steps: Sequence[DataStep] = job.steps or ()
    more = counted(len(steps) - MOST_STEPS, "step") + " more" if len(steps) > MOST_STEPS else None
    left, width = _place(job.started_at, job.duration_seconds, began, span)
    return Bar(
        name=job.name or "?",
        state=job.conclusion or job.status or "unknown",
        left=left,
        width=width,
        length=length_words(job.duration_seconds),
        note="; ".join(filter(None, (*told, more))) or None,
        url=None if steps else url,
        log=url,
        is_open=is_open or job.failed_step is not None,
        steps=tuple(_step_bar(step, url, began, span) for step in steps[:MOST_STEPS]),
    )


def _step_bar(step: DataStep, job_url: str, began: dt.datetime, span: float) -> Bar:
    left, width = _place(step.started_at, step.duration_seconds, began, span)
    return Bar(
        name=step.name or "?",
        state=step.conclusion or step.status or "unknown",
        left=left,
        width=width,
        length=length_words(step.duration_seconds),
        url=step_log(job_url, step.number),
    )


def _place(
    started: dt.datetime | None, seconds: float | None, began: dt.datetime, span: float
) -> tuple[float | None, float | None]:
    """Left edge and width in per cent, within the picture."""
    if started is None or seconds is None:
        return None, None
    left = min(100.0, max(0.0, 100 * (started - began).total_seconds() / span))
    return round(left, 2), round(min(100 - left, 100 * seconds / span), 2)
