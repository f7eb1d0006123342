"""Many runs through the GraphQL API in batches: halved where one is refused, left to REST where that does not help."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from trackside.errors import CallsStoppedError
from trackside.github.client import GitHub
from trackside.github.graphql_jobs import (
    PAGES_A_CALL,
    RUNS_A_CALL,
    Gathered,
    GraphQLRefusedError,
    ask_more,
    ask_runs,
)
from trackside.github.job_lists import RunJobs
from trackside.records.runs import Fetched, RunAttempt, Source

TRIES_OF_ONE: Final = 3
"""A lone run that is refused this often is left to REST."""

HOPELESS: Final = 12
"""So many refusals in a row, and REST is asked for everything."""
SIZES: Final = (50, 20, 10, 5, 2, 1)


class Batch(msgspec.Struct, frozen=True):
    """What came of some runs: those that were read, those that REST must be asked for."""

    read: tuple[RunJobs, ...] = ()
    left: tuple[RunAttempt, ...] = ()


class GraphQLReader:
    """Reads runs in batches over the client's pool. ``refused`` says why GraphQL cannot be used any more."""

    def __init__(self, github: GitHub) -> None:
        self._github = github
        self._sizes = _Sizes()
        self.refused: str | None = None

    def read(self, runs: Sequence[RunAttempt]) -> Iterator[Batch]:
        """Batches as they come. Every run is in exactly one of them, read or left."""
        batches = [tuple(runs[at : at + RUNS_A_CALL]) for at in range(0, len(runs), RUNS_A_CALL)]
        for outcome in self._github.each(self._read_batch, batches):
            if outcome.result is None:
                self.refused = self.refused or str(outcome.error)
            yield outcome.result or Batch(left=outcome.item)

    def _read_batch(self, runs: tuple[RunAttempt, ...]) -> Batch:
        gathered = [Gathered(run, {}, whole=self.refused is None) for run in runs]
        try:
            self._ask_first(gathered)
            self._ask_for_the_rest(gathered)
        except CallsStoppedError as stop:
            self._refuse(str(stop), [item for item in gathered if item.cursor is not None or item.unasked])
        return Batch(
            read=tuple(_result(item) for item in gathered if item.whole),
            left=tuple(item.run for item in gathered if not item.whole),
        )

    def _ask_first(self, gathered: list[Gathered]) -> None:
        while items := [item for item in gathered if item.whole and item.unasked][: self._sizes.best(RUNS_A_CALL)]:
            self._try(ask_runs, items)

    def _ask_for_the_rest(self, gathered: list[Gathered]) -> None:
        while items := [item for item in gathered if item.whole and item.cursor][: self._sizes.best(PAGES_A_CALL)]:
            self._try(ask_more, items)

    def _try(self, ask: Callable[[GitHub, Sequence[Gathered]], None], items: list[Gathered]) -> None:
        if self.refused is not None:
            self._refuse(self.refused, items)
            return
        try:
            ask(self._github, items)
        except GraphQLRefusedError as error:
            self._sizes.failed(len(items))
            for item in items:
                item.refusals += len(items) == 1
            if error.fatal or self._sizes.in_a_row >= HOPELESS:
                self._refuse(str(error), items)
            elif items[0].refusals >= TRIES_OF_ONE:
                items[0].whole = False
        else:
            self._sizes.worked(len(items))

    def _refuse(self, why: str, items: Sequence[Gathered]) -> None:
        self.refused = self.refused or why
        for item in items:
            item.whole = False


class _Sizes:
    """How many runs a query may ask for: the largest size that has not failed twice more than it has worked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = dict.fromkeys(SIZES, 0)
        self.in_a_row = 0

    def best(self, most: int) -> int:
        """The size to try next, at most ``most``."""
        with self._lock:
            return next((size for size in SIZES if size <= most and self._failures[size] < 2), 1)

    def failed(self, size: int) -> None:
        """A query for ``size`` runs was refused: the next smaller size comes sooner."""
        self._count(size, 1)
        with self._lock:
            self.in_a_row += 1

    def worked(self, size: int) -> None:
        """A query for ``size`` runs was answered."""
        self._count(size, -1)
        with self._lock:
            self.in_a_row = 0

    def _count(self, size: int, change: int) -> None:
        step = next(step for step in reversed(SIZES) if step >= size)
        with self._lock:
            self._failures[step] = max(0, self._failures[step] + change)


def _result(item: Gathered) -> RunJobs:
    run = item.run
    marker = Fetched(
        repo=run.repo,
        run_id=run.run_id,
        run_attempt=run.run_attempt,
        status=run.status,
        updated_at=run.updated_at,
        jobs=len(item.jobs),
        jobs_listed=item.listed - item.foreign,
        source=Source.GRAPHQL,
    )
    return RunJobs(run=run, jobs=tuple(item.jobs[job_id] for job_id in sorted(item.jobs)), fetched=(marker,))
