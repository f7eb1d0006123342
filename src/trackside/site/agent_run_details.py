"""What the page of agents shows of a run when it is opened: its jobs and steps in few bytes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from trackside.agents.knowledge import Entry
from trackside.agents.signatures import signature_of
from trackside.report.agents_run_records import DataArtifact, DataJob, DataRun, DataStep
from trackside.site.agent_run_rows import run_key

MOST_BYTES: Final = 800_000
"""Bytes of the jobs of runs that a page carries."""


def run_details(runs: Iterable[DataRun], most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """The jobs of the first of ``runs`` by ``run_key``, as many as fit into so many bytes.

    ``{"j": [[name, state, offset_s, duration_s, queue_s, job id, runner, failed step, cause, signature, steps]],
    "a": [[name, bytes, state, url]]}``; a step is ``[number, name, state, offset_s, duration_s]``, and ``steps`` null
    where they are not in the data. Offsets are from the start of the first job. Unknown is null.
    """
    told: dict[str, Any] = {}
    for run in runs:
        if run.jobs is None:
            continue
        one = details_of(run)
        most_bytes -= len(msgspec.json.encode(one)) + len(run_key(run)) + 4
        if most_bytes < 0:
            break
        told[run_key(run)] = one
    return told


def details_of(run: DataRun) -> dict[str, Any]:
    """The jobs and artifacts of a run."""
    began = min((job.started_at for job in run.jobs or () if job.started_at), default=None)
    return {
        "j": [_job(job, run, began) for job in run.jobs or ()],
        "a": [_artifact(one) for one in run.artifacts or ()],
    }


def entries_by_signature(entries: Iterable[Entry]) -> Mapping[str, Sequence[int]]:
    """The places, from 1, of the known failures that each signature belongs to."""
    places: dict[str, list[int]] = {}
    for place, entry in enumerate(entries, 1):
        for signature in dict.fromkeys(one.signature for one in entry.signatures):
            places.setdefault(signature, []).append(place)
    return places


def entries_by_job(entries: Iterable[Entry]) -> Mapping[int, int]:
    """The place, from 1, of the known failure of each failed job that is among the newest of one."""
    return {run.job_id: place for place, entry in enumerate(entries, 1) for run in entry.runs}


def _job(job: DataJob, run: DataRun, began: dt.datetime | None) -> list[Any]:
    state = job.conclusion or job.status
    failed = state if state in ("failure", "timed_out", "startup_failure") else None
    workflow = run.workflow_path or run.workflow_name or "?"
    return [
        job.name,
        state,
        _offset(job.started_at, began),
        job.duration_seconds,
        job.queue_seconds,
        job.id,
        job.runner,
        job.failed_step,
        job.cause,
        signature_of(workflow, job.name or "?", job.failed_step, failed) if failed else None,
        None if job.steps is None else [_step(step, began) for step in job.steps],
    ]


def _step(step: DataStep, began: dt.datetime | None) -> list[Any]:
    state = step.conclusion or step.status
    return [step.number, step.name, state, _offset(step.started_at, began), step.duration_seconds]


def _artifact(one: DataArtifact) -> list[Any]:
    return [one.name, one.size_bytes, one.state, one.url]


def _offset(moment: dt.datetime | None, began: dt.datetime | None) -> float | None:
    return None if moment is None or began is None else (moment - began).total_seconds()
