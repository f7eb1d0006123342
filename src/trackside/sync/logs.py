"""The part of a sync that downloads logs, each once in its lifetime."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from trackside.github.client import GitHub
from trackside.github.clock import Clock
from trackside.github.logs import run_logs
from trackside.records.job_logs import JobLog, LogState
from trackside.records.jobs import Job
from trackside.records.runs import RunAttempt, Source
from trackside.records.sync_state import SyncState
from trackside.records.syncs import Missing
from trackside.sync.destination import Destination
from trackside.sync.ledger import SyncLedger
from trackside.sync.progress import OnCount
from trackside.sync.request import SyncRequest
from trackside.sync.windows import oldest_of

SETTLED: Final = frozenset({LogState.READY, LogState.NEVER, LogState.EXPIRED})
"""States after which a log is never asked for again."""
FLUSH_LOGS: Final = 50
FLUSH_BYTES: Final = 32 * 1024 * 1024


class _Wanted(msgspec.Struct, frozen=True):
    """The jobs of one attempt, and which of their logs are asked for."""

    run: RunAttempt
    jobs: tuple[Job, ...]
    job_ids: frozenset[int]


class LogsPhase:
    """Reads the logs that the request wants and the store has not."""

    def __init__(
        self, github: GitHub, store: Destination, ledger: SyncLedger, clock: Clock, request: SyncRequest
    ) -> None:
        self._github = github
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._request = request
        self._waiting: list[JobLog] = []

    def read(self, selected: Sequence[RunAttempt], state: SyncState, start: dt.datetime, progress: OnCount) -> None:
        """Reads the wanted logs of the ``selected`` runs, newest first; some may be older than the window's start."""
        oldest = oldest_of(selected, start)
        jobs = self._store.finished_jobs(self._request.repo, oldest)
        wanted = self._choose(jobs, {run.run_id: run for run in selected}, state)
        try:
            for done, outcome in enumerate(self._github.each(self._of_attempt, wanted), 1):
                if outcome.result is not None:
                    self._take(outcome.result)
                else:
                    self._miss(len(outcome.item.job_ids), str(outcome.error), outcome.item.run.html_url)
                progress(done, len(wanted))
        finally:
            self._flush()

    def _choose(self, jobs: Iterable[Job], runs: dict[int, RunAttempt], state: SyncState) -> list[_Wanted]:
        attempts: dict[tuple[int, int], list[Job]] = defaultdict(list)
        for job in jobs:
            if job.run_id in runs:
                attempts[job.run_id, job.run_attempt].append(job)
        chosen = []
        for (run_id, number), mine in sorted(attempts.items(), reverse=True):
            ids = frozenset(
                job.job_id for job in mine if state.logs.get(job.job_id) not in SETTLED and self._request.wants_log(job)
            )
            if ids:
                chosen.append(_Wanted(_attempt(runs[run_id], number), tuple(mine), ids))
        return chosen

    def _of_attempt(self, item: _Wanted) -> tuple[JobLog, ...]:
        cap = self._request.log_cap_bytes
        return run_logs(self._github, item.run, item.jobs, wanted=item.job_ids, now=self._clock.now(), most=cap)

    def _take(self, logs: Sequence[JobLog]) -> None:
        for log in logs:
            if log.state is LogState.UNREADABLE:
                self._miss(1, log.note or "unknown", str(log.job_id))
            self._ledger.counts["logs_new"] += log.state is LogState.READY
        self._waiting += logs
        size = sum(len(log.content or b"") for log in self._waiting)
        if len(self._waiting) >= FLUSH_LOGS or size >= FLUSH_BYTES:
            self._flush()

    def _miss(self, count: int, reason: str, sample: str | None) -> None:
        samples = (sample,) if sample else ()
        self._ledger.miss([Missing(what="logs", reason=reason, count=count, samples=samples)])

    def _flush(self) -> None:
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._store.add_logs(waiting, self._clock.now())


def _attempt(run: RunAttempt, number: int) -> RunAttempt:
    """The attempt ``number`` of ``run``, as far as the address of its logs needs it: earlier ones are over."""
    if number == run.run_attempt:
        return run
    return RunAttempt(
        repo=run.repo,
        run_id=run.run_id,
        run_attempt=number,
        source=Source.JOBS,
        status="completed",
        html_url=run.html_url,
    )
