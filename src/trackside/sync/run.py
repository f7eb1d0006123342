"""One sync: the window's runs, their attempts, jobs and steps, into the store, for as few calls as possible."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

import msgspec

from trackside.errors import GitHubError
from trackside.github.client import GitHub
from trackside.github.clock import Clock, SystemClock
from trackside.github.decode import run_object
from trackside.github.run_lists import RunList, RunLister
from trackside.history.names import is_workflow
from trackside.records.runs import RunAttempt
from trackside.records.sync_state import KnownAttempt, SyncState
from trackside.records.syncs import Interval, Missing, SyncRecord
from trackside.sync.artifacts import ArtifactsPhase
from trackside.sync.destination import Destination
from trackside.sync.jobs import GONE, JobsPhase
from trackside.sync.ledger import SyncLedger
from trackside.sync.logs import LogsPhase
from trackside.sync.new_logs import NewLogsPhase
from trackside.sync.plan import (
    Key,
    find_changes,
    forget_graphql,
    mark_gone,
    measure,
    plan_jobs,
    select_runs,
    unfinished,
)
from trackside.sync.progress import OnPhase, silent
from trackside.sync.pulls import PullsPhase
from trackside.sync.request import SyncRequest
from trackside.sync.windows import plan_lists
from trackside.sync.workflows import list_newest_of_each

STATE_REACH: Final = dt.timedelta(days=36)
"""How far back a sync looks at what it knows, however short its window: unfinished runs may be that old."""

_LONG_AGO: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_SHARED: Final = tuple(name for name in KnownAttempt.__struct_fields__ if name in RunAttempt.__struct_fields__)


def sync(
    github: GitHub,
    store: Destination,
    request: SyncRequest,
    *,
    clock: Clock | None = None,
    on_phase: OnPhase = silent,
) -> SyncRecord:
    """Brings the store up to date and gives the ledger, which is in the store too.

    What could not be had is in ``missing`` with the reason, and the next sync goes on from there. Raises GitHubError
    where GitHub refuses the repository as a whole; the failure is then in the store's ledger all the same.
    """
    return _Sync(github, store, request, clock or SystemClock(), on_phase).run()


class _Sync:
    def __init__(
        self, github: GitHub, store: Destination, request: SyncRequest, clock: Clock, on_phase: OnPhase
    ) -> None:
        self._github = github
        self._store = store
        self._request = request
        self._clock = clock
        self._on_phase = on_phase
        self._now = clock.now().replace(microsecond=0)
        # GitHub tells times in whole seconds, and takes both ends of a stretch as whole seconds.
        stop = min(request.until or self._now, self._now).replace(microsecond=0)
        self._window = Interval(start=request.since.replace(microsecond=0), stop=stop)
        self._ledger = SyncLedger(request.repo, request.api, request.scope, self._window, clock)
        self._runs: dict[int, RunAttempt] = {}
        self._late: list[int] = []
        self._unlisted = False

    def run(self) -> SyncRecord:
        failed = True
        try:
            self._go()
            failed = False
        except KeyboardInterrupt:
            failed = False
            self._ledger.miss([Missing(what="rest of the sync", reason="interrupted", count=1)])
            raise
        finally:
            record = self._ledger.record(self._github.meter(), failed=failed)
            self._store.add_sync(record)
        return record

    def _go(self) -> None:
        ledger = self._ledger
        with ledger.phase("state"):
            state = self._store.sync_state(self._request.repo, self._reach())
            known = {
                (attempt.run_id, attempt.run_attempt): forget_graphql(attempt) if self._request.runners else attempt
                for attempt in state.attempts
            }
            self._know(state)
        request = self._request
        pulls = PullsPhase(self._github, self._store, ledger, self._clock, request.repo)
        if request.pulls != "none":
            with ledger.phase("pulls"):
                pulls.read_list(state, self._window.start)
            ledger.default_branch = pulls.default_branch
        with ledger.phase("runs"):
            pulls.repository = self._list_runs(state, known, pulls.default_branch) or pulls.repository
        selected = self._select()
        self._note_absent_workflows()
        jobs = JobsPhase(self._github, self._store, ledger, self._clock)
        if request.jobs:
            with ledger.phase("jobs"):
                works = plan_jobs(selected, known, self._now)
                jobs.read(works, request.api, self._on_phase("jobs"))
            self._measure(selected, known, jobs)
        else:
            ledger.notes.append("Jobs were not asked for.")
        if request.pulls != "none":
            with ledger.phase("commits"):
                ask = request.pulls == "all"
                pulls.explain_commits(selected, state, ask=ask, progress=self._on_phase("pull requests of commits"))
        if request.logs != "none":
            with ledger.phase("logs"):
                self._read_logs(selected, state)
        if request.artifacts:
            with ledger.phase("artifacts"):
                artifacts = ArtifactsPhase(self._github, self._store, ledger, self._clock, request)
                artifacts.read(selected, self._on_phase)

    def _read_logs(self, selected: list[RunAttempt], state: SyncState) -> None:
        whole = (self._github, self._store, self._ledger, self._clock, self._request)
        if self._request.logs == "new":
            NewLogsPhase(*whole).read(selected, self._runs, state, self._window.start, self._on_phase("logs"))
        else:
            LogsPhase(*whole).read(selected, state, self._window.start, self._on_phase("logs"))

    def _reach(self) -> dt.datetime:
        """From when on the sync must know what is known: the newest runs of a workflow may be of any age."""
        if self._request.max_runs_per_workflow is not None:
            return _LONG_AGO
        return min(self._window.start, self._now - STATE_REACH)

    def _know(self, state: SyncState) -> None:
        """Begins with the runs that are known, under the name that is known: the lists add what changed."""
        if state.repo is not None:
            self._request = msgspec.structs.replace(self._request, repo=state.repo)
            self._ledger.repo = state.repo
        for attempt in state.attempts:
            self._newest(_as_run(attempt, self._request.repo))
        for run in state.waiting:
            self._newest(run)

    def _newest(self, run: RunAttempt) -> None:
        before = self._runs.get(run.run_id)
        if before is None or run.run_attempt >= before.run_attempt:
            self._runs[run.run_id] = run

    def _list_runs(self, state: SyncState, known: dict[Key, KnownAttempt], default_branch: str | None) -> str | None:
        """Brings the list of runs up to date; gives what GitHub calls the repository now."""
        request, progress = self._request, self._on_phase("runs")
        plan = plan_lists(state.listed, request.scope, self._window.start, self._window.stop, sweep=request.sweep)

        def enough(found: RunList) -> bool:
            progress(len(found.runs), 0)
            return self._are_enough(found.runs.values(), self._window.start)

        lister = RunLister(
            self._github, request.repo, request.list_filters, default_branch=default_branch, enough=enough
        )
        stopped = False
        for window in reversed(plan.intervals):
            # What lies between the stretches was listed before: of that, the runs are known.
            if self._are_enough({**self._runs, **lister.found.runs}.values(), window.stop):
                stopped = True
                break
            lister.list_window(window)
            stopped = lister.found.stop is not None or lister.is_enough
            if stopped:
                break
        if request.max_runs_per_workflow is not None and lister.found.stop is None:
            list_newest_of_each(self._github, lister, request, self._runs.values(), self._ledger)
        if lister.found.stop is None:
            self._ask_unfinished(known, lister, default_branch)
        self._ledger.listed = lister.found.complete
        self._ledger.swept = plan.sweeps and not stopped and not lister.found.missing
        self._ledger.miss(lister.found.missing)
        self._unlisted = bool(lister.found.missing)
        self._ledger.problem(lister.found.problems)
        self._take_runs(lister.found.runs.values(), known)
        if lister.found.repository and lister.found.repository.casefold() != request.repo.casefold():
            self._ledger.notes.append(f"GitHub calls the repository {lister.found.repository} now.")
        return lister.found.repository

    def _are_enough(self, runs: Iterable[RunAttempt], start: dt.datetime) -> bool:
        """Whether a limit is reached by those of ``runs`` that are selected and were created from ``start`` on."""
        limit = self._request.limit
        return limit is not None and len(select_runs(runs, self._request, start, self._window.stop)) >= limit

    def _ask_unfinished(self, known: dict[Key, KnownAttempt], lister: RunLister, default_branch: str | None) -> None:
        """Runs that were not over when last seen and are too old for the lists, each by its id."""
        repo = self._request.repo
        latest = {attempt.run_id: attempt for _, attempt in sorted(known.items())}
        ids = unfinished(known.values(), lister.found.runs, self._now)

        def ask(run_id: int) -> RunAttempt:
            answer = self._github.get(f"/repos/{repo}/actions/runs/{run_id}", endpoint="run")
            return run_object(answer.body, repo, default_branch=default_branch)

        for outcome in self._github.each(ask, ids):
            error = outcome.error
            if outcome.result is not None:
                lister.found.runs[outcome.item] = outcome.result
                self._late.append(outcome.item)
            elif isinstance(error, GitHubError) and error.status in GONE:
                gone = latest[outcome.item]
                self._store.add_jobs((), mark_gone(gone, repo, [gone.run_attempt]), self._clock.now())
                known[gone.run_id, gone.run_attempt] = msgspec.structs.replace(
                    gone, fetched=True, fetched_status="completed"
                )
                self._ledger.notes.append(f"Run {outcome.item} was not over and is gone from GitHub.")
            elif error is not None:
                sample = str(outcome.item)
                missing = Missing(what="unfinished runs", reason=str(error), count=1, samples=(sample,))
                self._ledger.miss([missing])

    def _select(self) -> list[RunAttempt]:
        """The runs that the request is about, and older ones that were not over when they were read last."""
        request, start = self._request, self._window.start
        chosen = select_runs(self._runs.values(), request, start, self._window.stop)
        late = {run_id for run_id in self._late if (at := self._runs[run_id].created_at) is not None and at < start}
        late -= {run.run_id for run in chosen}
        unbounded = msgspec.structs.replace(request, limit=None, max_runs_per_workflow=None)
        return [
            *chosen,
            *select_runs([self._runs[run_id] for run_id in late], unbounded, _LONG_AGO, self._window.stop),
        ]

    def _note_absent_workflows(self) -> None:
        """A name that no run bears is most often misspelt, and says nothing by itself."""
        for name in self._request.workflows:
            if not any(is_workflow(name, run.workflow_file, run.workflow_name) for run in self._runs.values()):
                self._ledger.notes.append(f"No run that is known is of the workflow {name}.")

    def _take_runs(self, listed: Iterable[RunAttempt], known: dict[Key, KnownAttempt]) -> None:
        runs = list(listed)
        changes = find_changes(runs, known)
        if changes.new or changes.changed:
            self._store.add_runs([*changes.new, *changes.changed], self._clock.now())
        for run in runs:
            self._newest(run)
        self._ledger.counts.update(
            runs_listed=len(runs),
            runs_new=len(changes.new),
            runs_changed=len(changes.changed),
            runs_unchanged=changes.unchanged,
        )

    def _measure(self, selected: list[RunAttempt], known: dict[Key, KnownAttempt], jobs: JobsPhase) -> None:
        coverage = measure(selected, known, jobs.fetched, self._now)
        urls = {run.run_id: run.html_url or str(run.run_id) for run in selected}
        self._ledger.counts.update(attempts_selected=coverage.selected, attempts_complete=coverage.complete)
        if coverage.selected and not self._unlisted:
            self._ledger.completeness = coverage.complete / coverage.selected
        for run_id, _ in coverage.lacking:
            if run_id in jobs.reasons:
                missing = Missing(what="attempts", reason=jobs.reasons[run_id], count=1, samples=(urls[run_id],))
                self._ledger.miss([missing])
        if jobs.gone:
            self._ledger.notes.append(f"{len(jobs.gone)} runs were deleted on GitHub before their jobs were read.")


def _as_run(attempt: KnownAttempt, repo: str) -> RunAttempt:
    shared = {name: getattr(attempt, name) for name in _SHARED}
    return RunAttempt(repo=repo, **shared)
