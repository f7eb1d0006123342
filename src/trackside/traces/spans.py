"""Run attempts as traces: a span of the run, below it one of each job, below these one of each step."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import msgspec
import polars as pl

from trackside.agents.frames import AgentHistory
from trackside.history.commits import repository_page
from trackside.traces import conventions as names

MOST_TEXT: Final = 1_000
"""Characters of an attribute."""
_PART: Final = 500
_ATTEMPT: Final = ["run_id", "run_attempt"]
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
Attributes = dict[str, str | int | float]


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """One span. Ids are hexadecimal, times nanoseconds since 1970-01-01 UTC; GitHub tells whole seconds.

    ``kind`` is server for a run, internal for what is in it. ``error`` is what its status says, None where it is well.
    """

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    kind: Literal["server", "internal"]
    start_ns: int
    end_ns: int
    error: str | None
    attributes: Attributes


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """A run attempt: what is true of all its spans, and its spans, the run's first."""

    run_id: int
    run_attempt: int
    resource: Attributes
    spans: tuple[Span, ...]


class Traces(msgspec.Struct, frozen=True, kw_only=True):
    """Which attempts become traces: those that are over, whose jobs are known and whose times are told.

    ``runs`` are rows of ``AgentHistory.runs``, the oldest first. The others are counted.
    """

    runs: pl.DataFrame
    unfinished: int
    unread: int
    timeless: int


def traceable(runs: pl.DataFrame) -> Traces:
    """The rows of ``runs`` (columns ``agents.frames.AGENT_RUN_COLUMNS``) that become traces."""
    over = runs.filter(pl.col("status").eq_missing("completed"))
    read = over.filter(pl.col("is_read"))
    timed = read.filter(pl.col("started_at").is_not_null() | pl.col("created_at").is_not_null())
    return Traces(
        runs=timed.sort("created_at", *_ATTEMPT, nulls_last=False),
        unfinished=runs.height - over.height,
        unread=over.height - read.height,
        timeless=read.height - timed.height,
    )


def traces_of(history: AgentHistory, runs: pl.DataFrame) -> Iterator[Trace]:
    """The trace of each of ``runs``, rows of ``history.runs`` that can become one, in their order.

    Ids are made of the repository, the run, its attempt, the job and the step: the same run has the same ids each time.
    """
    causes = dict(history.history.failures.select("job_id", "cause").drop_nulls().iter_rows())
    for start in range(0, runs.height, _PART):
        part = runs.slice(start, _PART)
        keys = part.select(_ATTEMPT)
        steps = _by_job(history.steps.join(keys, on=_ATTEMPT, how="semi"))
        jobs = _by_attempt(history.history.whole.jobs.join(keys, on=_ATTEMPT, how="semi").sort("job_id"))
        for run in part.iter_rows(named=True):
            yield _Maker(history.history.repo, run, causes).trace(
                jobs.get((run["run_id"], run["run_attempt"]), ()), steps
            )


class _Maker:
    """Makes the spans of one run attempt."""

    def __init__(self, repo: str, run: Mapping[str, Any], causes: Mapping[int, str]) -> None:
        self._run, self._repo, self._causes = run, repo, causes
        self._key = f"{repo.lower()}/{run['run_id']}/{run['run_attempt']}"
        self._trace_id = _digest(self._key, 16)
        self._root_id = _digest(f"{self._key}/run", 8)

    def trace(self, jobs: tuple[Mapping[str, Any], ...], steps: Mapping[int, tuple[Mapping[str, Any], ...]]) -> Trace:
        below = [span for job in jobs for span in self._job_spans(job, steps.get(job["job_id"], ()))]
        return Trace(
            run_id=self._run["run_id"],
            run_attempt=self._run["run_attempt"],
            resource=self._resource(),
            spans=(self._run_span(below), *below),
        )

    def _run_span(self, below: list[Span]) -> Span:
        run = self._run
        start = _ns(run["started_at"] or run["created_at"])
        ends = [_ns(run["updated_at"] or run["started_at"] or run["created_at"]), *(span.end_ns for span in below)]
        result = names.result_of(run["conclusion"])
        attributes: Attributes = {
            **_told(
                {
                    names.PIPELINE_ACTION: names.RUN,
                    names.PIPELINE_RESULT: result,
                    names.ERROR_TYPE: run["conclusion"] if result in names.ERRORS else None,
                    names.VCS_CHANGE_ID: None if run["pull_number"] is None else str(run["pull_number"]),
                    names.AGENT_NAME: run["agent"],
                    names.OPERATION_NAME: names.INVOKE_AGENT if run["agent_role"] == "ran" else None,
                    "github.run_number": run["run_number"],
                    "github.run_attempt": run["run_attempt"],
                    "github.event": run["event"],
                    "github.actor": run["actor"],
                    "github.conclusion": run["conclusion"],
                    "github.title": run["title"],
                    "trackside.queue_s": run["queue_s"],
                    "trackside.agent.role": run["agent_role"],
                    "trackside.agent.source": run["agent_source"],
                    "trackside.agent.confidence": run["agent_confidence"],
                }
            )
        }
        name = f"{names.RUN} {run['workflow']}"
        return self._span(self._root_id, None, name, "server", (start, max(ends)), result, attributes)

    def _job_spans(self, job: Mapping[str, Any], steps: tuple[Mapping[str, Any], ...]) -> Iterator[Span]:
        if job["started_at"] is None or job["completed_at"] is None:
            return
        own_id = _digest(f"{self._key}/{job['job_id']}", 8)
        cause = self._causes.get(job["job_id"])
        result = names.result_of(job["conclusion"], cause)
        attributes = _told(
            {
                names.TASK_NAME: job["name"],
                names.TASK_RUN_ID: str(job["job_id"]),
                names.TASK_RUN_URL: job["url"],
                names.TASK_RESULT: result,
                names.ERROR_TYPE: (cause or job["conclusion"]) if result in names.ERRORS else None,
                names.WORKER_NAME: job["runner_name"],
                "github.conclusion": job["conclusion"],
                "github.job.failed_step": job["failed_step"],
                "trackside.queue_s": job["queue_s"],
            }
        )
        times = (_ns(job["started_at"]), _ns(job["completed_at"]))
        yield self._span(own_id, self._root_id, job["name"], "internal", times, result, attributes)
        for step in steps:
            if step["started_at"] is not None and step["completed_at"] is not None:
                yield self._step_span(job, step, own_id)

    def _step_span(self, job: Mapping[str, Any], step: Mapping[str, Any], parent_id: str) -> Span:
        task = f"{job['job_id']}.{step['number']}"
        result = names.result_of(step["conclusion"])
        attributes = _told(
            {
                names.TASK_NAME: step["step"],
                names.TASK_RUN_ID: task,
                names.TASK_RESULT: result,
                names.ERROR_TYPE: step["conclusion"] if result in names.ERRORS else None,
                "github.conclusion": step["conclusion"],
                "github.step.number": step["number"],
            }
        )
        times = (_ns(step["started_at"]), _ns(step["completed_at"]))
        own_id = _digest(f"{self._key}/{task}", 8)
        return self._span(own_id, parent_id, step["step"], "internal", times, result, attributes)

    def _span(
        self,
        span_id: str,
        parent_id: str | None,
        name: str | None,
        kind: Literal["server", "internal"],
        times: tuple[int, int],
        result: str | None,
        attributes: Attributes,
    ) -> Span:
        return Span(
            trace_id=self._trace_id,
            span_id=span_id,
            parent_id=parent_id,
            name=(name or "?")[:MOST_TEXT],
            kind=kind,
            start_ns=times[0],
            end_ns=max(times),
            error=result if result in names.ERRORS else None,
            attributes=attributes,
        )

    def _resource(self) -> Attributes:
        run = self._run
        owner, _, name = self._repo.partition("/")
        return _told(
            {
                names.SERVICE_NAME: self._repo,
                names.PIPELINE_NAME: run["workflow"],
                names.RUN_ID: str(run["run_id"]),
                names.RUN_URL: run["url"],
                names.VCS_PROVIDER: "github",
                names.VCS_OWNER: owner,
                names.VCS_REPOSITORY: name,
                names.VCS_REPOSITORY_URL: repository_page(self._repo, run["url"]),
                names.VCS_HEAD_NAME: run["branch"],
                names.VCS_HEAD_TYPE: "branch" if run["branch"] else None,
                names.VCS_HEAD_REVISION: run["sha"],
            }
        )


def _told(values: Mapping[str, Any]) -> Attributes:
    """Those that are known; a text is cut to MOST_TEXT characters."""
    known = {name: value for name, value in values.items() if value is not None}
    return {name: value[:MOST_TEXT] if isinstance(value, str) else value for name, value in known.items()}


def _by_job(steps: pl.DataFrame) -> dict[int, tuple[dict[str, Any], ...]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in steps.sort("job_id", "number").iter_rows(named=True):
        found.setdefault(row["job_id"], []).append(row)
    return {job_id: tuple(rows) for job_id, rows in found.items()}


def _by_attempt(jobs: pl.DataFrame) -> dict[tuple[int, int], tuple[dict[str, Any], ...]]:
    found: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for row in jobs.iter_rows(named=True):
        found.setdefault((row["run_id"], row["run_attempt"]), []).append(row)
    return {key: tuple(rows) for key, rows in found.items()}


def _digest(text: str, size: int) -> str:
    """``size`` bytes in hexadecimal, never all zero: such an id would say that there is none."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[: size - 1].hex() + "01"


def _ns(moment: dt.datetime) -> int:
    return int((moment - _EPOCH) / dt.timedelta(microseconds=1)) * 1_000
