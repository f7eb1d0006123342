"""The part of a sync that looks into failures that are new: one log of each kind, inside a budget."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from trackside.agents.signatures import SIGNATURE_VERSION, failed_step_of, signature_of
from trackside.errors import GitHubError
from trackside.github.attempts import first_listings
from trackside.github.client import GitHub
from trackside.github.clock import Clock
from trackside.github.logs import job_log
from trackside.history.names import family_of
from trackside.records.job_logs import AskedLog, JobLog, LogState
from trackside.records.jobs import Job, Step
from trackside.records.knowledge import LogChoice, Occurrence
from trackside.records.runs import RunAttempt
from trackside.records.sync_state import SyncState
from trackside.records.syncs import Missing, SyncRecord
from trackside.sync.destination import Destination
from trackside.sync.ledger import SyncLedger
from trackside.sync.log_choices import DAY, SETTLED, Downloads, LogChoices, current_signature, in_turn
from trackside.sync.logs import SETTLED as SETTLED_LOGS
from trackside.sync.progress import OnCount
from trackside.sync.request import SyncRequest
from trackside.sync.windows import oldest_of

_DEFERRED: Final = "Logs of failed jobs wait for the next sync "
_CHOICES: Final = {
    LogState.READY: LogChoice.READ,
    LogState.NEVER: LogChoice.GONE,
    LogState.EXPIRED: LogChoice.GONE,
    LogState.NOT_YET: LogChoice.DEFERRED,
    LogState.UNREADABLE: LogChoice.DEFERRED,
}


def deferred_note(record: SyncRecord) -> str | None:
    """What the ledger of a sync says of logs that wait for the next one, None where none does."""
    return next((note for note in record.notes if note.startswith(_DEFERRED)), None)


class NewLogsPhase:
    """Reads the logs of failures of kinds that are unknown or due, job by job, and keeps what was decided of each.

    A log is in the store before what was decided of it: who is killed in between finds it there, and asks no more.
    """

    def __init__(
        self, github: GitHub, store: Destination, ledger: SyncLedger, clock: Clock, request: SyncRequest
    ) -> None:
        self._github = github
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._request = request
        self._jobs: dict[int, Job] = {}
        self._before: dict[int, Occurrence] = {}
        self._decided: list[Occurrence] = []
        self._refused: GitHubError | None = None

    def read(
        self,
        selected: Sequence[RunAttempt],
        runs: Mapping[int, RunAttempt],
        state: SyncState,
        start: dt.datetime,
        progress: OnCount,
    ) -> None:
        """Looks into the failures of the ``selected`` runs, and into those of ``runs`` that wait from earlier syncs."""
        now, rules = self._clock.now(), self._request.log_budget
        oldest = oldest_of(selected, start)
        reach = min(oldest, now - DAY, now - dt.timedelta(days=rules.recheck_days))
        earlier = self._store.known_failures(self._request.repo, reach)
        self._before = {one.job_id: one for one in earlier}
        choices = LogChoices(rules, earlier, now)
        try:
            failures = self._settle(self._failures(selected, runs, oldest), state, choices)
            downloads = Downloads(rules, [*earlier, *self._decided], now)
            left = self._work_off(in_turn(failures), choices, downloads, progress)
            self._defer(left, downloads)
        finally:
            self._store.add_occurrences(self._decided, self._clock.now())

    def _failures(
        self, selected: Sequence[RunAttempt], runs: Mapping[int, RunAttempt], oldest: dt.datetime
    ) -> list[Occurrence]:
        """The failed jobs of which nothing final was decided yet."""
        mine = {run.run_id: run for run in selected}
        waiting = {
            one.job_id: runs[one.run_id]
            for one in self._before.values()
            if one.choice is LogChoice.DEFERRED and one.run_id not in mine and self._is_wanted(runs.get(one.run_id))
        }
        since = oldest_of(waiting.values(), oldest)
        found = self._store.finished_jobs(self._request.repo, since, self._request.log_budget.conclusions)
        of_run: dict[int, list[Job]] = defaultdict(list)
        for job in found:
            if job.run_id in mine or job.job_id in waiting:
                of_run[job.run_id].append(job)
        once = [job for jobs in of_run.values() for job in first_listings(jobs)]
        self._jobs = {job.job_id: job for job in once if self._request.wants_log(job) and self._is_open(job)}
        steps = self._store.steps_of(self._request.repo, self._jobs.keys())
        return [
            self._failure(job, mine.get(job.run_id) or runs[job.run_id], steps.get(job.job_id, ()))
            for job in self._jobs.values()
        ]

    def _is_wanted(self, run: RunAttempt | None) -> bool:
        return run is not None and self._request.selects(
            workflow_file=run.workflow_file, workflow_name=run.workflow_name, branch=run.head_branch, event=run.event
        )

    def _is_open(self, job: Job) -> bool:
        before = self._before.get(job.job_id)
        return before is None or before.choice not in SETTLED

    def _failure(self, job: Job, run: RunAttempt, steps: Sequence[Step]) -> Occurrence:
        before = self._before.get(job.job_id)
        if before is not None and before.version == SIGNATURE_VERSION:
            return before
        workflow = run.workflow_file or run.workflow_name or job.workflow_name or "?"
        step, conclusion = failed_step_of(steps), job.conclusion or "failure"
        assert job.completed_at is not None  # it was chosen by its end
        made = Occurrence(
            repo=self._request.repo,
            job_id=job.job_id,
            run_id=job.run_id,
            run_attempt=job.run_attempt,
            version=SIGNATURE_VERSION,
            signature=signature_of(workflow, job.name, step, conclusion),
            workflow=workflow,
            job=family_of(job.name),
            step=step,
            conclusion=conclusion,
            failed_at=job.completed_at,
            choice=LogChoice.NOT_ASKED,
            url=job.html_url,
            branch=run.head_branch,
        )
        if before is None:
            return made
        return msgspec.structs.replace(made, choice=before.choice, agent=before.agent, asked_at=before.asked_at)

    def _settle(self, failures: Iterable[Occurrence], state: SyncState, choices: LogChoices) -> list[Occurrence]:
        """Decides of those whose log was asked for before, for other reasons or by a sync that was killed."""
        every = list(failures)
        ids = [one.job_id for one in every if state.logs.get(one.job_id) in SETTLED_LOGS]
        asked = {log.job_id: log for log in self._store.asked_logs(self._request.repo, ids)}
        for one in every:
            if (log := asked.get(one.job_id)) is not None:
                self._take(one, log, choices)
        return [one for one in every if one.job_id not in asked]

    def _work_off(
        self, failures: Sequence[Occurrence], choices: LogChoices, downloads: Downloads, progress: OnCount
    ) -> Sequence[Occurrence]:
        """Asks for logs until each failure is decided or must wait; gives those that must."""
        done = 0
        while failures:
            turn = choices.turn(failures, downloads.left)
            self._decided += [msgspec.structs.replace(one, choice=LogChoice.KNOWN) for one in turn.known]
            if not turn.ask:
                return turn.rest
            unasked: list[Occurrence] = []
            for outcome in self._github.each(lambda one: self._log_of(one, downloads), turn.ask):
                if outcome.result is not None:
                    self._keep(outcome.item, outcome.result, choices)
                else:
                    unasked.append(outcome.item)
                    choices.give_up(outcome.item)
                if outcome.error is not None:
                    self._miss(str(outcome.error), outcome.item)
                done += 1
                progress(done, done + len(turn.rest))
            failures = [*unasked, *turn.rest]
        return failures

    def _log_of(self, failure: Occurrence, downloads: Downloads) -> JobLog | None:
        """The log, None where the budget is used up."""
        if self._refused is not None:
            raise GitHubError(str(self._refused), status=self._refused.status)
        if not downloads.take():
            return None
        job, cap = self._jobs[failure.job_id], self._request.log_cap_bytes
        try:
            log = job_log(self._github, job, now=self._clock.now(), most=cap)
        except GitHubError as error:
            # A token that may not read one log may read none: the others would each cost a call to say so.
            self._refused = error
            raise
        downloads.came(log.size_bytes)
        return log

    def _keep(self, failure: Occurrence, log: JobLog, choices: LogChoices) -> None:
        # At once: there are few, and one that was asked for is not to be asked for again by whoever goes on.
        self._store.add_logs([log], self._clock.now())
        self._ledger.counts["logs_new"] += log.state is LogState.READY
        if log.state is LogState.UNREADABLE:
            self._miss(log.note or "unknown", failure)
        asked = AskedLog(job_id=log.job_id, state=log.state, size_bytes=log.size_bytes, asked_at=self._clock.now())
        self._take(failure, asked, choices)

    def _take(self, failure: Occurrence, log: AskedLog, choices: LogChoices) -> None:
        choice = _CHOICES[log.state]
        found = msgspec.structs.replace(failure, choice=choice, asked_at=log.asked_at, log_bytes=log.size_bytes)
        self._decided.append(found)
        if choice is LogChoice.READ:
            choices.came(found)
        elif choice is LogChoice.DEFERRED:
            choices.give_up(found)

    def _defer(self, left: Sequence[Occurrence], downloads: Downloads) -> None:
        deferred = [msgspec.structs.replace(one, choice=LogChoice.DEFERRED) for one in left]
        waiting = [*deferred, *(one for one in self._decided if one.choice is LogChoice.DEFERRED)]
        self._decided += [one for one in deferred if one != self._before.get(one.job_id)]
        if waiting:
            kinds = len({current_signature(one) for one in waiting})
            spent = downloads.used_up
            why = f"{spent} of [agents.logs] is used up" if spent else "GitHub did not give them"
            self._ledger.notes.append(f"{_DEFERRED}(jobs: {len(waiting):,}, kinds: {kinds:,}): {why}.")

    def _miss(self, reason: str, failure: Occurrence) -> None:
        samples = (failure.url or str(failure.job_id),)
        self._ledger.miss([Missing(what="logs", reason=reason, count=1, samples=samples)])
