"""The two frames that every analysis of CI starts from: run attempts and job attempts of a window."""

from __future__ import annotations

from typing import Final

import msgspec
import polars as pl

from trackside.records.ci_rules import CiRules

_TIME: Final = pl.Datetime("us", "UTC")

RUN_COLUMNS: Final = pl.Schema(
    {
        "run_id": pl.Int64(),
        "run_attempt": pl.Int64(),
        "is_latest": pl.Boolean(),
        "is_read": pl.Boolean(),
        "run_number": pl.Int64(),
        "workflow": pl.String(),
        "workflow_file": pl.String(),
        "event": pl.String(),
        "status": pl.String(),
        "conclusion": pl.String(),
        "outcome": pl.String(),
        "created_at": _TIME,
        "started_at": _TIME,
        "updated_at": _TIME,
        "duration_s": pl.Float64(),
        "branch": pl.String(),
        "line": pl.String(),
        "is_default_line": pl.Boolean(),
        "sha": pl.String(),
        "actor": pl.String(),
        "author": pl.String(),
        "title": pl.String(),
        "pull_number": pl.Int64(),
        "pull_url": pl.String(),
        "url": pl.String(),
    }
)
"""One row for each attempt of a run; times UTC.

``workflow`` is the workflow's name, else its file, else ``?``. ``outcome`` is a ``history.outcomes.Outcome``.
``is_read`` says that its jobs are in the store as they were when it was over. ``created_at`` is that of the run,
``started_at`` that of the attempt. ``line`` is the branch line: ``main`` for the default branch of the repository
itself, ``owner:branch`` for a branch of another repository, else the branch; null where no branch is told.
``pull_number`` is the pull request that the run is of, or that its commit was merged by; null where there is none or
none is known. ``author`` is who wrote the head commit, ``actor`` who caused the run. ``url`` is the page of the run.
"""

JOB_COLUMNS: Final = pl.Schema(
    {
        "job_id": pl.Int64(),
        "run_id": pl.Int64(),
        "run_attempt": pl.Int64(),
        "name": pl.String(),
        "job": pl.String(),
        "family": pl.String(),
        "shard": pl.String(),
        "category": pl.String(),
        "is_ignored": pl.Boolean(),
        "is_latest": pl.Boolean(),
        "status": pl.String(),
        "conclusion": pl.String(),
        "outcome": pl.String(),
        "created_at": _TIME,
        "started_at": _TIME,
        "completed_at": _TIME,
        "queue_s": pl.Float64(),
        "duration_s": pl.Float64(),
        "runner_name": pl.String(),
        "runner_group": pl.String(),
        "pool": pl.String(),
        "url": pl.String(),
        "failed_step": pl.String(),
        "failed_step_number": pl.Int64(),
        "failed_steps": pl.List(pl.String()),
        "run_number": pl.Int64(),
        "workflow": pl.String(),
        "event": pl.String(),
        "run_conclusion": pl.String(),
        "run_created_at": _TIME,
        "branch": pl.String(),
        "line": pl.String(),
        "is_default_line": pl.Boolean(),
        "sha": pl.String(),
        "author": pl.String(),
        "actor": pl.String(),
        "title": pl.String(),
        "pull_number": pl.Int64(),
        "run_url": pl.String(),
    }
)
"""One row for each attempt of a job that really ran in its attempt; times UTC.

``name`` is as GitHub tells it, ``job`` the same with renames applied (the identity of the job within its workflow),
``family`` is ``job`` without matrix indices and ``shard`` those indices. ``category`` is null where no rule matches.
``is_ignored`` marks jobs that the settings leave out. ``is_latest`` marks the newest attempt in which the job of that
name ran, within its run. A job that a re-run only lists again (same name and times as in an earlier attempt) is left
out. ``pool`` is its labels joined with ``+`` in the order of the alphabet, null where they are not told.
``failed_step`` is the first step that failed, ``failed_steps`` are all; null and empty where none is told. The columns
from ``run_number`` on are those of its run attempt. A run attempt that failed without any job (an invalid workflow
file, a run that waits for approval) is no row here: see ``History.jobless_failures``.
"""

FAILURE_COLUMNS: Final = pl.Schema(
    {
        "job_id": pl.Int64(),
        "cause": pl.String(),
        "source": pl.String(),
        "rule": pl.String(),
        "line_text": pl.String(),
        "line_number": pl.Int64(),
        "context": pl.List(pl.String()),
        "test": pl.String(),
        "tests": pl.List(pl.String()),
        "fingerprint": pl.String(),
        "truncated": pl.Boolean(),
        "observed_at": _TIME,
    }
)
"""One row for each failed job attempt: why (``records.failures.Failure``); ``source`` log, or steps for a guess.

``truncated`` says that the middle of the log is missing, and ``line_number`` that of what was kept.
"""

TEST_FILE_COLUMNS: Final = pl.Schema(
    {
        "job_id": pl.Int64(),
        "file": pl.String(),
        "suite": pl.Int64(),
        "outcome": pl.String(),
        "attempts": pl.Int64(),
        "elapsed_s": pl.Float64(),
        "estimated_s": pl.Float64(),
        "reason": pl.String(),
    }
)
"""One row for each test file that the log of a job tells of (``records.failures.TestFile``)."""


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a repository's CI in a window.

    ``runs``, ``jobs``, ``failures`` and ``test_files`` have the columns above; ``failures`` and ``test_files`` are of
    the jobs in ``jobs``. ``default_branch`` is None where nothing tells it. ``rules`` are the repository's.
    ``unread`` counts run attempts whose jobs are not in the store. ``logs`` counts failed jobs by the state of their
    log (``ready``, ``expired``, …; ``not asked`` where it was never asked for).

    Where only some jobs were asked for, ``jobs`` holds these and ``every_job`` all: whether a run had jobs, a job is
    gone, or many failed together is told by all. ``failures`` and ``test_files`` are then of all.
    """

    repo: str
    runs: pl.DataFrame
    jobs: pl.DataFrame
    failures: pl.DataFrame
    test_files: pl.DataFrame
    rules: CiRules = CiRules()
    default_branch: str | None = None
    unread: int = 0
    logs: dict[str, int] = {}
    every_job: pl.DataFrame | None = None

    @property
    def whole(self) -> History:
        """The same with every job in ``jobs``."""
        if self.every_job is None:
            return self
        return msgspec.structs.replace(self, jobs=self.every_job, every_job=None)

    @property
    def asked_for(self) -> frozenset[tuple[str, str]] | None:
        """The (workflow, job) of the jobs that were asked for; None where all are."""
        if self.every_job is None:
            return None
        return frozenset(self.jobs.select("workflow", "job").unique().iter_rows())

    @property
    def counted_jobs(self) -> pl.DataFrame:
        """The jobs that are not ignored."""
        return self.jobs.filter(~pl.col("is_ignored")) if self.jobs["is_ignored"].any() else self.jobs

    @property
    def jobless_failures(self) -> pl.DataFrame:
        """The run attempts that failed and are known to have no job: rows of ``runs``."""
        failed = self.runs.filter(pl.col("outcome") == "failed", pl.col("is_read"))
        jobs = self.whole.jobs
        return failed.join(jobs.select("run_id", "run_attempt").unique(), on=["run_id", "run_attempt"], how="anti")


def empty_frame(columns: pl.Schema) -> pl.DataFrame:
    """A frame of these columns without a row."""
    return pl.DataFrame(schema=columns)
