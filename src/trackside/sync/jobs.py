"""The part of a sync that reads jobs and steps, and has them in the store before it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trackside.errors import CallsStoppedError, GitHubError, TracksideError
from trackside.github.attempts import earlier_attempts
from trackside.github.client import GitHub
from trackside.github.clock import Clock
from trackside.github.graphql_batches import GraphQLReader
from trackside.github.job_lists import RunJobs, fetch_jobs
from trackside.records.runs import Fetched, RunAttempt
from trackside.sync.destination import Destination
from trackside.sync.ledger import SyncLedger
from trackside.sync.plan import Key, Work, mark_gone
from trackside.sync.progress import OnCount
from trackside.sync.request import Api

ENOUGH_FOR_GRAPHQL: Final = 10
"""With more new attempts than this, ``auto`` asks for them in batches."""
FLUSH_RUNS: Final = 100
FLUSH_JOBS: Final = 5_000
FLUSH_AFTER_S: Final = 10.0
GONE: Final = frozenset({404, 410})


class JobsPhase:
    """Reads the jobs of runs.

    ``fetched`` are the markers that are in the store, ``reasons`` says by run why others are not, ``gone`` are runs
    that were deleted on GitHub before their jobs were read.
    """

    def __init__(self, github: GitHub, store: Destination, ledger: SyncLedger, clock: Clock) -> None:
        self.fetched: dict[Key, Fetched] = {}
        self.reasons: dict[int, str] = {}
        self.gone: list[int] = []
        self._github = github
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._waiting: list[RunJobs] = []
        self._flushed_at = clock.monotonic()

    def read(self, works: Sequence[Work], api: Api, progress: OnCount) -> None:
        """Reads all of ``works``, as far as GitHub and the budget let it."""
        left = list(works)
        try:
            if self._uses_graphql(works, api):
                left = self._read_by_graphql(works, progress)
            done = len(works) - len(left)
            for outcome in self._github.each(self._fetch, left):
                done += 1
                if outcome.result is not None:
                    self._take(outcome.result)
                elif outcome.error is not None:
                    self._failed(outcome.item.run, outcome.error)
                else:
                    self._mark_gone(outcome.item)
                progress(done, len(works))
        finally:
            self._flush()

    def _uses_graphql(self, works: Sequence[Work], api: Api) -> bool:
        if api == "rest" or not self._github.has_token:
            if api == "graphql":
                self._ledger.notes.append("GraphQL answers nobody without a token: REST was used.")
            return False
        return api == "graphql" or len(works) > ENOUGH_FOR_GRAPHQL

    def _read_by_graphql(self, works: Sequence[Work], progress: OnCount) -> list[Work]:
        """Reads what can be read in batches; the rest is left to REST."""
        able = {work.run.run_id: work for work in works if work.run.run_attempt == 1 and work.run.node_id}
        left = [work for work in works if work.run.run_id not in able]
        reader = GraphQLReader(self._github)
        done = 0
        for batch in reader.read([work.run for work in able.values()]):
            for result in batch.read:
                self._take(result)
            left += [able[run.run_id] for run in batch.left]
            done += len(batch.read)
            progress(done, len(works))
        if reader.refused is not None:
            self._ledger.notes.append(f"GraphQL was given up ({reader.refused}): REST was used instead.")
        return left

    def _take(self, result: RunJobs) -> None:
        self._waiting.append(result)
        self._ledger.problem(result.problems)
        self._ledger.miss(result.missing)
        jobs = sum(len(item.jobs) for item in self._waiting)
        late = self._clock.monotonic() - self._flushed_at >= FLUSH_AFTER_S
        if len(self._waiting) >= FLUSH_RUNS or jobs >= FLUSH_JOBS or late:
            self._flush()

    def _fetch(self, work: Work) -> RunJobs | None:
        """The jobs of a run, None where the run is gone: its jobs alone may just not be there yet."""
        run = work.run
        try:
            return fetch_jobs(self._github, run, work.known)
        except GitHubError as error:
            if error.status not in GONE:
                raise
            try:
                self._github.get(f"/repos/{run.repo}/actions/runs/{run.run_id}", endpoint="run")
            except GitHubError as answer:
                if answer.status in GONE:
                    return None
            raise

    def _mark_gone(self, work: Work) -> None:
        run = work.run
        numbers = [number for number in range(1, run.run_attempt + 1) if number not in work.known]
        earlier = tuple(attempt for attempt in earlier_attempts(run, ()) if attempt.run_attempt in numbers)
        markers = tuple(mark_gone(run, run.repo, numbers))
        self._take(RunJobs(run=run, jobs=(), fetched=markers, attempts=earlier))
        self.gone.append(run.run_id)

    def _failed(self, run: RunAttempt, error: TracksideError) -> None:
        stopped = isinstance(error, CallsStoppedError)
        self.reasons[run.run_id] = f"not asked for: {error}" if stopped else str(error)

    def _flush(self) -> None:
        """Writes what has come: earlier attempts, then jobs, then the markers that make them count."""
        self._flushed_at = self._clock.monotonic()
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        now = self._clock.now()
        jobs = [job for item in waiting for job in item.jobs]
        fetched = [marker for item in waiting for marker in item.fetched]
        if attempts := [attempt for item in waiting for attempt in item.attempts]:
            self._store.add_runs(attempts, now)
        self._store.add_jobs(jobs, fetched, now)
        self.fetched.update({(marker.run_id, marker.run_attempt): marker for marker in fetched})
        self._ledger.took(jobs)
        self._ledger.counts["attempts_fetched"] += len(fetched)
        self._ledger.counts["jobs_listed"] += sum(marker.jobs_listed or marker.jobs for marker in fetched)
