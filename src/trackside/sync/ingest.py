"""Runs and jobs out of files and streams into a store, without a call to GitHub."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import BinaryIO, Final, Protocol, TypeVar

import msgspec
import polars as pl

from trackside.github.json_documents import MOST_DOCUMENT, documents
from trackside.github.json_items import DecodeProblem
from trackside.github.webhooks import Delivery, read_payload
from trackside.records.ingests import Counts, IngestRecord
from trackside.records.jobs import Job
from trackside.records.runs import Fetched, RunAttempt

BATCH: Final = 5_000
"""Records of one commit."""
MOST_SAMPLES: Final = 20
_PROGRESS: Final = {"completed": 2, "in_progress": 1}
_EARLIEST: Final = dt.datetime.min.replace(tzinfo=dt.UTC)

R = TypeVar("R", RunAttempt, Job)


class Shelf(Protocol):
    """Where records are put; the store is one."""

    def newest_of_runs(self, table: str, runs: Collection[int]) -> pl.LazyFrame:
        """The newest row of each key of a table, of the runs with these ids; its columns are the records' fields."""
        ...

    def add_runs(self, runs: Sequence[RunAttempt], observed_at: dt.datetime) -> None:
        """Adds attempts."""
        ...

    def add_jobs(self, jobs: Sequence[Job], fetched: Sequence[Fetched], observed_at: dt.datetime) -> None:
        """Adds jobs."""
        ...


def ingest(
    file: BinaryIO,
    shelf: Shelf,
    *,
    repo: str | None,
    now: dt.datetime,
    most: int = MOST_DOCUMENT,
    on_bytes: Callable[[int], None] | None = None,
) -> IngestRecord:
    """Puts the runs and jobs in ``file`` on ``shelf``; ``repo`` is the repository of those that do not tell theirs.

    No jobs are marked as all of their attempt: of a webhook nobody knows. The next sync asks once.
    """
    work = _Ingest(shelf, repo, now)
    seen = 0
    for document in documents(file, most):
        work.counts["documents"] += 1
        if document.data is None:
            work.lose(document.line, f"longer than {most:,} bytes")
            continue
        try:
            work.take(document.line, read_payload(document.data, repo=repo))
        except DecodeProblem as problem:
            work.lose(document.line, str(problem))
        seen += len(document.data)
        if on_bytes is not None:
            on_bytes(seen)
    work.flush()
    return work.record()


def ingest_deliveries(deliveries: Iterable[Delivery], shelf: Shelf, repo: str, now: dt.datetime) -> IngestRecord:
    """Puts what was read of payloads on ``shelf`` in one commit for runs and one for jobs.

    ``repo`` is how the repository is spelled where the store does not know the run yet.
    Raises UnreadableInputError where one of them holds a number that cannot be stored; then none is.
    """
    work = _Ingest(shelf, repo, now)
    for place, delivery in enumerate(deliveries, 1):
        work.counts["documents"] += 1
        work.take(place, delivery)
    work.flush()
    return work.record()


class _Ingest:
    """Gathers records and commits them in batches.

    A repository has one spelling: that of what is stored of a run, else ``repo``, else the first that was told.
    """

    def __init__(self, shelf: Shelf, repo: str | None, now: dt.datetime) -> None:
        self.counts: Counter[str] = Counter()
        self._samples: list[str] = []
        self._shelf = shelf
        self._observed_at = now
        self._runs: dict[tuple[object, ...], RunAttempt] = {}
        self._jobs: dict[tuple[object, ...], Job] = {}
        self._seen: set[tuple[str, int]] = set()
        self._spelled = {} if repo is None else {repo.lower(): repo}

    def take(self, line: int, delivery: Delivery) -> None:
        """Keeps what ``delivery`` holds; of two records of one thing the one that had come further."""
        self._say(line, delivery.problems)
        self.counts["lost"] += delivery.lost
        self.counts["ignored"] += delivery.ignored
        for run in delivery.runs:
            _keep(self._runs, _run_key(run), run)
        for job in delivery.jobs:
            _keep(self._jobs, _job_key(job), job)
        if max(len(self._runs), len(self._jobs)) >= BATCH:
            self.flush()

    def lose(self, line: int, problem: str) -> None:
        """Counts a document that cannot be read."""
        self.counts["lost"] += 1
        self._say(line, (problem,))

    def flush(self) -> None:
        """Commits what was gathered."""
        runs, jobs = list(self._runs.values()), list(self._jobs.values())
        self._runs, self._jobs = {}, {}
        self._seen |= {(run.repo.lower(), run.run_id) for run in runs}
        self._add(runs, RunAttempt, "runs", _run_key, lambda new: self._shelf.add_runs(new, self._observed_at))
        self._add(jobs, Job, "jobs", _job_key, lambda new: self._shelf.add_jobs(new, (), self._observed_at))
        # A later line is a later observation: between two that are equal in all else the store keeps the later.
        self._observed_at += dt.timedelta(microseconds=1)

    def record(self) -> IngestRecord:
        """What came of it."""
        counts = self.counts
        return IngestRecord(
            documents=counts["documents"],
            lost=counts["lost"],
            ignored=counts["ignored"],
            runs=len(self._seen),
            attempts=self._counts("attempts"),
            jobs=self._counts("jobs"),
            steps=self._counts("steps"),
            problems=counts["problems"],
            samples=tuple(self._samples),
        )

    def _counts(self, what: str) -> Counts:
        of = {name: self.counts[f"{what} {name}"] for name in Counts.__struct_fields__}
        return Counts(**of)

    def _add(
        self,
        records: list[R],
        shape: type[R],
        table: str,
        key: Callable[[R], tuple[object, ...]],
        add: Callable[[list[R]], None],
    ) -> None:
        known = self._known(records, shape, table, key)
        records = [self._as_known(record, known.get(key(record))) for record in records]
        fresh = [record for record in records if _is_news(record, known.get(key(record)))]
        if fresh:
            add(fresh)
        differing = [record for record in fresh if key(record) in known]
        after = self._known(differing, shape, table, key) if differing else known
        for record in records:
            self._count(record, key(record) not in known, known.get(key(record)) != after.get(key(record), record))

    def _known(
        self, records: Sequence[R], shape: type[R], table: str, key: Callable[[R], tuple[object, ...]]
    ) -> dict[tuple[object, ...], R]:
        """What is stored under the keys of ``records``."""
        rows = self._shelf.newest_of_runs(table, {record.run_id for record in records})
        frame = rows.select(shape.__struct_fields__).collect()
        wanted = {key(record) for record in records}
        known: dict[tuple[object, ...], R] = {}
        for record in (msgspec.convert(row, shape) for row in frame.iter_rows(named=True)):
            if (place := key(record)) in wanted:
                _keep(known, place, record)
        return known

    def _as_known(self, record: R, known: R | None) -> R:
        """``record`` with its repository as it is spelled already: another spelling would be another row."""
        told = record.repo
        repo = known.repo if known is not None else self._spelled.setdefault(told.lower(), told)
        return record if repo == told else msgspec.structs.replace(record, repo=repo)

    def _count(self, record: RunAttempt | Job, is_new: bool, is_changed: bool) -> None:
        what = "new" if is_new else "changed" if is_changed else "unchanged"
        if isinstance(record, RunAttempt):
            self.counts[f"attempts {what}"] += 1
        else:
            self.counts[f"jobs {what}"] += 1
            self.counts[f"steps {what}"] += len(record.steps)

    def _say(self, line: int, problems: Iterable[str]) -> None:
        for problem in problems:
            self.counts["problems"] += 1
            if len(self._samples) < MOST_SAMPLES:
                self._samples.append(f"line {line}: {problem}")


def _keep(kept: dict[tuple[object, ...], R], key: tuple[object, ...], record: R) -> None:
    known = kept.get(key)
    if known is None or _progress(known) <= _progress(record):
        kept[key] = record


def _is_news(record: R, known: R | None) -> bool:
    """Whether ``record`` says something else than what is known, whoever said that, and is not an older word of it."""
    if known is None:
        return True
    is_older = _progress(record) < _progress(known)
    return not is_older and msgspec.structs.replace(record, source=known.source) != known


def _progress(record: RunAttempt | Job) -> tuple[int, dt.datetime]:
    """How far a thing had come when it was told of."""
    far = _PROGRESS.get(record.status or "", 0)
    if isinstance(record, RunAttempt):
        return far, record.updated_at or _EARLIEST
    times = [record.created_at, record.started_at, record.completed_at]
    for step in record.steps:
        times += [step.started_at, step.completed_at]
    return far, max((moment for moment in times if moment is not None), default=_EARLIEST)


def _run_key(run: RunAttempt) -> tuple[object, ...]:
    return run.repo.lower(), run.run_id, run.run_attempt


def _job_key(job: Job) -> tuple[object, ...]:
    return job.repo.lower(), job.job_id
