"""The store: what a command opens, adds to and asks. One object for each command; it holds no connection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import polars as pl

from trackside.errors import UsageError
from trackside.records.alerts import Alert
from trackside.records.artifacts import Artifact, ArtifactFile, ArtifactList, KnownArtifacts
from trackside.records.bench_runs import BenchRun
from trackside.records.deliveries import TakenDelivery
from trackside.records.failures import Failure, LogRead, Notice, Reported, TestFile
from trackside.records.job_logs import AskedLog, JobLog
from trackside.records.jobs import Job, Step
from trackside.records.knowledge import KnowledgeEdit, Occurrence
from trackside.records.measurements import MeasuredLog, Measurement
from trackside.records.perf_rules import KnownChange
from trackside.records.pulls import CommitPulls, PullRequest
from trackside.records.runs import Fetched, RunAttempt
from trackside.records.store_tables import StoredTable
from trackside.records.sync_state import SyncState
from trackside.records.syncs import SyncRecord
from trackside.store import fold, info, known, read, sql
from trackside.store.location import Location, find_location, make_directory
from trackside.store.rows import frame_of
from trackside.store.schema import (
    ALERTS,
    ARTIFACT_FILES,
    ARTIFACT_LISTS,
    ARTIFACTS,
    BENCH_RUNS,
    CHANGES,
    COMMIT_PULLS,
    DELIVERIES,
    FAILURES,
    FETCHED,
    JOB_LOGS,
    JOBS,
    KNOWLEDGE,
    LOGS_READ,
    MEASURED_LOGS,
    MEASUREMENTS,
    NOTICES,
    OCCURRENCES,
    PULLS,
    REPORTED,
    RUNS,
    STAMP_NAMES,
    SYNCS,
    TABLES,
    TEST_FILES,
    Table,
)
from trackside.store.tables import open_table, readable_errors, require_any_table, version_of
from trackside.store.write import append


class Facts(NamedTuple):
    """The newest rows of a table, some at a time, with its columns and the version of its schema."""

    name: str
    schema: dict[str, pl.DataType]
    frames: Iterator[pl.DataFrame]
    version: int


MOST_FILES: Final = 100
"""Every commit is a file or more, and each costs every later look at the table some time."""


class Store:
    """A store. Every call reads or writes the tables as they are then; several processes may use one at once.

    What cannot be written raises OutputError, what cannot be read UnreadableInputError.
    """

    def __init__(self, location: Location) -> None:
        self.location = location

    def add_runs(self, runs: Sequence[RunAttempt], observed_at: dt.datetime) -> None:
        """Adds attempts in one commit."""
        self._add(RUNS, runs, observed_at)

    def add_jobs(self, jobs: Sequence[Job], fetched: Sequence[Fetched], observed_at: dt.datetime) -> None:
        """Adds jobs in one commit, then the markers of their attempts in another.

        Whoever is killed in between has added jobs of attempts that do not count as fetched: they are read again.
        """
        self._add(JOBS, jobs, observed_at)
        self._add(FETCHED, fetched, observed_at)

    def add_pulls(self, pulls: Sequence[PullRequest], commits: Sequence[CommitPulls], observed_at: dt.datetime) -> None:
        """Adds pull requests in one commit, then the pull requests of commits in another."""
        self._add(PULLS, pulls, observed_at)
        self._add(COMMIT_PULLS, commits, observed_at)

    def add_logs(self, logs: Sequence[JobLog], observed_at: dt.datetime) -> None:
        """Adds logs of jobs in one commit."""
        self._add(JOB_LOGS, logs, observed_at)

    def add_artifacts(
        self,
        artifacts: Sequence[Artifact],
        files: Sequence[ArtifactFile],
        lists: Sequence[ArtifactList],
        observed_at: dt.datetime,
    ) -> None:
        """Adds files of artifacts, then the artifacts that count as read by them, then the markers of lists."""
        self._add(ARTIFACT_FILES, files, observed_at)
        self._add(ARTIFACTS, artifacts, observed_at)
        self._add(ARTIFACT_LISTS, lists, observed_at)

    def add_diagnoses(
        self,
        failures: Sequence[Failure],
        test_files: Sequence[TestFile],
        read: Sequence[LogRead],
        observed_at: dt.datetime,
    ) -> None:
        """Adds what logs told: failures, then test files, then the markers of the logs that were read."""
        self._add(FAILURES, failures, observed_at)
        self._add(TEST_FILES, test_files, observed_at)
        self._add(LOGS_READ, read, observed_at)

    def add_measurements(
        self, measurements: Sequence[Measurement], read: Sequence[MeasuredLog], observed_at: dt.datetime
    ) -> None:
        """Adds performance numbers, then the markers of the logs that were read for them."""
        self._add(MEASUREMENTS, measurements, observed_at)
        self._add(MEASURED_LOGS, read, observed_at)

    def add_changes(self, changes: Sequence[KnownChange], observed_at: dt.datetime) -> None:
        """Adds what is known of changes in performance series, in one commit."""
        self._add(CHANGES, changes, observed_at)

    def add_bench_runs(self, runs: Sequence[BenchRun], observed_at: dt.datetime) -> None:
        """Adds benchmark runs as they were read, in one commit."""
        self._add(BENCH_RUNS, runs, observed_at)

    def add_occurrences(self, occurrences: Sequence[Occurrence], observed_at: dt.datetime) -> None:
        """Adds failed jobs with what was decided of their logs, in one commit."""
        self._add(OCCURRENCES, occurrences, observed_at)

    def add_knowledge(self, edits: Sequence[KnowledgeEdit], observed_at: dt.datetime) -> None:
        """Adds what people said of errors, in one commit."""
        self._add(KNOWLEDGE, edits, observed_at)

    def add_alerts(self, alerts: Sequence[Alert], observed_at: dt.datetime) -> None:
        """Adds how alerts stand, in one commit."""
        self._add(ALERTS, alerts, observed_at)

    def add_reported(self, reported: Reported, notices: Sequence[Notice]) -> None:
        """Adds that a report was made, and what was told with it."""
        self._add(NOTICES, notices, reported.reported_at)
        self._add(REPORTED, [reported], reported.reported_at)

    def add_deliveries(self, deliveries: Sequence[TakenDelivery], observed_at: dt.datetime) -> None:
        """Adds that deliveries of webhooks were taken, in one commit. What they told is to be in the store before."""
        self._add(DELIVERIES, deliveries, observed_at)

    def known_deliveries(self, ids: Collection[str], digests: Collection[str], since: dt.datetime) -> frozenset[str]:
        """Which deliveries were taken before: see ``trackside.store.known.known_deliveries``."""
        return known.known_deliveries(self.location, ids, digests, since)

    def forget_deliveries(self, before: dt.datetime) -> fold.Folded:
        """Removes the deliveries of webhooks that came before ``before``."""
        return fold.forget_deliveries(self.location, before)

    def add_sync(self, record: SyncRecord) -> None:
        """Adds the ledger of a sync."""
        self._add(SYNCS, [record], record.ended_at)

    def sync_state(self, repo: str, since: dt.datetime) -> SyncState:
        """What is known of ``repo``: see ``trackside.store.known.sync_state``."""
        return known.sync_state(self.location, repo, since, since)

    def finished_jobs(self, repo: str, since: dt.datetime, conclusions: Collection[str] | None = None) -> Iterator[Job]:
        """The jobs of ``repo`` that ended at ``since`` or later, and as ``conclusions`` say; without their steps."""
        return known.finished_jobs(self.location, repo, since, conclusions)

    def steps_of(self, repo: str, jobs: Collection[int]) -> dict[int, tuple[Step, ...]]:
        """The steps of the jobs of ``repo`` with these ids."""
        return known.steps_of(self.location, repo, jobs)

    def known_failures(self, repo: str, since: dt.datetime) -> tuple[Occurrence, ...]:
        """What is known of failed jobs of ``repo``: see ``trackside.store.known.known_failures``."""
        return known.known_failures(self.location, repo, since)

    def asked_logs(self, repo: str, jobs: Collection[int]) -> tuple[AskedLog, ...]:
        """What became of the logs of these jobs of ``repo``, of those that were asked for."""
        return known.asked_logs(self.location, repo, jobs)

    def known_artifacts(self, repo: str, runs: Collection[int], wants: Callable[[str], bool]) -> KnownArtifacts:
        """What is known of artifacts of runs of ``repo``: see ``trackside.store.known.known_artifacts``."""
        return known.known_artifacts(self.location, repo, runs, wants)

    def newest(self, table: str) -> pl.LazyFrame:
        """The newest row of each key: the columns of the table as ``schema.TABLES`` has them, in no order.

        Collect it with ``engine="streaming"`` where many columns of many rows are wanted, as for all steps.
        """
        with readable_errors(self.location, _table(table), "read"):
            return read.newest(open_table(self.location, _table(table)))

    def newest_of_runs(self, table: str, runs: Collection[int]) -> pl.LazyFrame:
        """The same of the runs with these ids alone, of a table that has them; no other row is looked at."""
        with readable_errors(self.location, _table(table), "read"):
            return read.newest_of_runs(open_table(self.location, _table(table)), runs)

    def versions(self, tables: Collection[str]) -> tuple[int | None, ...]:
        """The number of the newest commit of each of ``tables``; another one means that it was written to."""
        return tuple(version_of(self.location, _table(table)) for table in tables)

    def history(self, table: str) -> pl.LazyFrame:
        """Every row that was ever added and not folded away, in no order."""
        return read.history(open_table(self.location, _table(table)))

    def info(self) -> list[StoredTable]:
        """What each table holds."""
        return info.tell(self.location)

    def compact(self) -> list[fold.Folded]:
        """Folds the history of every table; others may read and write meanwhile."""
        return [fold.compact(self.location, table) for table in TABLES.values()]

    def tidy(self, most_files: int = MOST_FILES) -> list[fold.Folded]:
        """Folds the tables that got more than so many files since they were folded last.

        Files that were replaced over a week ago are deleted.
        """
        scattered = [
            table
            for table in TABLES.values()
            if sum(file.fold is None for file in open_table(self.location, table).files) > most_files
        ]
        folded = [fold.compact(self.location, table) for table in scattered]
        for table in scattered:
            fold.vacuum(self.location, table)
        return folded

    def prune(self, before: dt.datetime) -> list[fold.Folded]:
        """Removes runs that were created before ``before``, with their jobs, markers, logs and artifacts."""
        return fold.prune(self.location, before)

    def vacuum(self, *, at_once: bool = False) -> int:
        """Deletes files that were replaced more than seven days ago, or all ``at_once``; how many that were."""
        return sum(fold.vacuum(self.location, table, at_once=at_once) for table in TABLES.values())

    def facts(self) -> Iterator[Facts]:
        """The tables of facts: their newest rows in their order, without the stamps. Equal stores, equal facts.

        Not ``syncs``, ``reported``, ``notices``, ``changes``, ``occurrences``, ``knowledge``, ``alerts`` and
        ``deliveries``: they tell what was done, decided and said here, and when.
        """
        for table in TABLES.values():
            if table not in (SYNCS, REPORTED, NOTICES, CHANGES, OCCURRENCES, KNOWLEDGE, ALERTS, DELIVERIES):
                schema = {one.name: table.schema[one.name] for one in table.columns}
                yield Facts(table.name, schema, self._sorted(table), table.version)

    def sql(self, query: str, *, every_row: bool = False) -> pl.DataFrame:
        """The answer to a question in SQL: see ``trackside.store.sql.ask``."""
        return sql.ask(self.location, query, every_row=every_row)

    def _sorted(self, table: Table) -> Iterator[pl.DataFrame]:
        with readable_errors(self.location, table, "read"):
            for rows in read.sorted_parts(open_table(self.location, table)):
                yield rows.drop(STAMP_NAMES)

    def _add(self, table: Table, records: Sequence[msgspec.Struct], observed_at: dt.datetime) -> None:
        if records:
            append(self.location, table, frame_of(table, records, observed_at))


def open_store(location: str | Path, *, create: bool = True) -> Store:
    """The store at a directory or URL (``s3://…``, ``gs://…``, ``abfss://…``); tables are made when rows come.

    Raises UsageError for a location that cannot hold one, OutputError where it cannot be made and, where ``create``
    is false, NoDataError where there is none.
    """
    place = find_location(location)
    if create:
        make_directory(place)
    else:
        require_any_table(place, tuple(TABLES.values()))
    return Store(place)


def _table(name: str) -> Table:
    if name not in TABLES:
        msg = f"There is no table {name}: the tables are {', '.join(TABLES)}."
        raise UsageError(msg)
    return TABLES[name]
