"""Where a sync reads what is known and writes what it learns; the store is one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

from trackside.records.artifacts import Artifact, ArtifactFile, ArtifactList, KnownArtifacts
from trackside.records.job_logs import AskedLog, JobLog
from trackside.records.jobs import Job, Step
from trackside.records.knowledge import Occurrence
from trackside.records.pulls import CommitPulls, PullRequest
from trackside.records.runs import Fetched, RunAttempt
from trackside.records.sync_state import SyncState
from trackside.records.syncs import SyncRecord


class Destination(Protocol):
    """Every ``add`` is on disk when it returns. Adding the same thing twice changes nothing that is read."""

    def sync_state(self, repo: str, since: dt.datetime) -> SyncState:
        """What is known of a repository."""

    def finished_jobs(self, repo: str, since: dt.datetime, conclusions: Collection[str] | None = None) -> Iterable[Job]:
        """The jobs that ended since, and so where conclusions are given; without their steps."""

    def steps_of(self, repo: str, jobs: Collection[int]) -> Mapping[int, tuple[Step, ...]]:
        """The steps of jobs, by id."""

    def known_failures(self, repo: str, since: dt.datetime) -> Sequence[Occurrence]:
        """What is known of jobs that failed, or whose logs were asked for, since; and of all that were read or wait."""

    def asked_logs(self, repo: str, jobs: Collection[int]) -> Sequence[AskedLog]:
        """What became of the logs of jobs, of those that were asked for."""

    def known_artifacts(self, repo: str, runs: Collection[int], wants: Callable[[str], bool]) -> KnownArtifacts:
        """What is known of the artifacts of these runs whose name is wanted."""

    def add_runs(self, runs: Sequence[RunAttempt], observed_at: dt.datetime) -> None:
        """Adds attempts."""

    def add_jobs(self, jobs: Sequence[Job], fetched: Sequence[Fetched], observed_at: dt.datetime) -> None:
        """Adds jobs, and when they are safe the markers of the attempts that they complete."""

    def add_pulls(self, pulls: Sequence[PullRequest], commits: Sequence[CommitPulls], observed_at: dt.datetime) -> None:
        """Adds pull requests and what is known of commits."""

    def add_logs(self, logs: Sequence[JobLog], observed_at: dt.datetime) -> None:
        """Adds logs of jobs."""

    def add_occurrences(self, occurrences: Sequence[Occurrence], observed_at: dt.datetime) -> None:
        """Adds failed jobs with what was decided of their logs."""

    def add_artifacts(
        self,
        artifacts: Sequence[Artifact],
        files: Sequence[ArtifactFile],
        lists: Sequence[ArtifactList],
        observed_at: dt.datetime,
    ) -> None:
        """Adds files of artifacts, and when they are safe the artifacts, and then the markers of the lists."""

    def add_sync(self, record: SyncRecord) -> None:
        """Adds the ledger of a sync."""
