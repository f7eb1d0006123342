"""The tables of a store: for each its key, its columns and the version of its schema.

A row is one record of ``trackside.records`` as it was observed; its columns have the names of the record's fields.
Columns that were not told are null. To add a table is to add an entry to ``TABLES``. A new column does not raise a
table's version: files without it read as null. A column whose meaning changes does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from trackside.store.agent_tables import ALERTS, KNOWLEDGE, OCCURRENCES
from trackside.store.artifact_tables import ARTIFACT_FILES, ARTIFACT_LISTS, ARTIFACTS
from trackside.store.bench_tables import BENCH_RUNS
from trackside.store.columns import NUMBERS, REPO, RUN, STAMP_NAMES, STAMPS, TEXTS, TIME, Column, Table
from trackside.store.delivery_tables import DELIVERIES
from trackside.store.log_tables import FAILURES, JOB_LOGS, LOGS_READ, NOTICES, REPORTED, TEST_FILES
from trackside.store.perf_tables import CHANGES, MEASURED_LOGS, MEASUREMENTS

__all__ = [
    "ALERTS", "ARTIFACTS", "ARTIFACT_FILES", "ARTIFACT_LISTS", "BENCH_RUNS", "CHANGES", "COMMIT_PULLS", "DELIVERIES",
    "FAILURES", "FETCHED", "JOBS", "JOB_LOGS", "KNOWLEDGE", "LOGS_READ", "MEASURED_LOGS", "MEASUREMENTS", "NOTICES",
    "OCCURRENCES", "PULLS", "REPORTED", "RUNS", "STAMPS", "STAMP_NAMES", "SYNCS", "TABLES", "TEST_FILES", "TIME",
    "Column", "Table",
]  # fmt: skip

_SOURCE: Final = Column("source", pl.String, "", "rest, graphql, webhook, file, or jobs: worked out from its jobs")
_URL: Final = Column("html_url", pl.String, "", "page on GitHub")

RUNS: Final = Table(
    "runs",
    1,
    "one attempt of a workflow run",
    key=("repo", "run_id", "run_attempt"),
    order=("repo", "run_id", "run_attempt"),
    about="created_at",
    columns=(
        REPO,
        *RUN,
        _SOURCE,
        Column("run_number", pl.Int64, "", "number of the run within its workflow"),
        Column("workflow_id", pl.Int64, "", "id of the workflow"),
        Column("workflow_name", pl.String, "", "name of the workflow"),
        Column("workflow_file", pl.String, "", "path of the workflow in the repository, or dynamic/…"),
        Column("display_title", pl.String, "", "title that GitHub shows"),
        Column("event", pl.String, "", "what triggered the run: push, pull_request, schedule, …"),
        Column("status", pl.String, "", "queued, in_progress, completed, …; open-ended"),
        Column("conclusion", pl.String, "", "success, failure, cancelled, …; open-ended, null until completed"),
        Column("created_at", TIME, "", "when the run was first created"),
        Column("run_started_at", TIME, "", "when this attempt was started"),
        Column("updated_at", TIME, "", "when GitHub last touched it"),
        Column("duration_s", pl.Float64, "s", "updated − started of a completed attempt, never negative"),
        Column("head_branch", pl.String, "", "branch of the head commit"),
        Column("head_sha", pl.String, "", "head commit"),
        Column("head_repository", pl.String, "", "owner/name that the head commit is of; another one for forks"),
        Column("actor", pl.String, "", "login of who the run is of"),
        Column("actor_id", pl.Int64, "", "id of the actor"),
        Column("triggering_actor", pl.String, "", "login of who started this attempt"),
        Column("triggering_actor_id", pl.Int64, "", "id of the triggering actor"),
        Column("head_commit_message", pl.String, "", "message of the head commit"),
        Column("head_commit_author", pl.String, "", "name of its author"),
        Column("head_commit_email", pl.String, "", "e-mail address of its author"),
        Column("head_commit_committer", pl.String, "", "name of its committer"),
        Column("head_commit_committer_email", pl.String, "", "e-mail address of its committer"),
        Column("pull_numbers", NUMBERS, "", "open pull requests that GitHub named with the run; never the whole truth"),
        Column("referenced_workflows", TEXTS, "", "paths of the reusable workflows it called"),
        Column("check_suite_id", pl.Int64, "", "id of its check suite"),
        Column("node_id", pl.String, "", "id in the GraphQL API"),
        _URL,
    ),
)

STEP: Final = pl.Struct(
    {
        "number": pl.Int64,
        "name": pl.String,
        "status": pl.String,
        "conclusion": pl.String,
        "started_at": TIME,
        "completed_at": TIME,
        "duration_s": pl.Float64,
    }
)
JOBS: Final = Table(
    "jobs",
    1,
    "one job of an attempt, with its steps",
    key=("repo", "job_id"),
    order=("repo", "run_id", "run_attempt", "job_id"),
    about="created_at",
    columns=(
        REPO,
        Column("job_id", pl.Int64, "", "id of the job, and of its check run"),
        *RUN,
        _SOURCE,
        Column("name", pl.String, "", "name of the job, with the values of its matrix"),
        Column("workflow_name", pl.String, "", "name of the workflow"),
        Column("head_branch", pl.String, "", "branch of the head commit"),
        Column("head_sha", pl.String, "", "head commit"),
        Column("status", pl.String, "", "queued, in_progress, completed, …; open-ended"),
        Column(
            "conclusion", pl.String, "", "success, failure, cancelled, skipped, …; open-ended, null until completed"
        ),
        Column("created_at", TIME, "", "when the job was created"),
        Column("started_at", TIME, "", "when a runner began; null while it waits"),
        Column("completed_at", TIME, "", "when it was over"),
        Column("queue_s", pl.Float64, "s", "started − created, never negative"),
        Column("duration_s", pl.Float64, "s", "completed − started; null for a skipped job"),
        Column("runner_id", pl.Int64, "", "id of the runner"),
        Column("runner_name", pl.String, "", "name of the runner"),
        Column("runner_group", pl.String, "", "name of the runner's group"),
        Column("labels", TEXTS, "", "labels that the job asked its runner for"),
        _URL,
        Column("steps", pl.List(STEP), "", "the steps; the view `steps` has one row for each"),
    ),
    part=150_000,
)

FETCHED: Final = Table(
    "fetched",
    1,
    "the marker that the jobs of an attempt are in the store",
    key=("repo", "run_id", "run_attempt"),
    order=("repo", "run_id", "run_attempt"),
    about="observed_at",
    columns=(
        REPO,
        *RUN,
        Column("status", pl.String, "", "status of the attempt when its jobs were read"),
        Column("updated_at", TIME, "", "updated_at of the attempt when its jobs were read"),
        Column("jobs", pl.Int64, "jobs", "how many of its jobs are stored"),
        Column("jobs_listed", pl.Int64, "jobs", "how many GitHub said there are; null where it did not"),
        _SOURCE,
    ),
)

PULLS: Final = Table(
    "pulls",
    1,
    "one pull request",
    key=("repo", "number"),
    order=("repo", "number"),
    about="created_at",
    columns=(
        REPO,
        Column("number", pl.Int64, "", "number of the pull request"),
        Column("title", pl.String, "", "its title"),
        Column("state", pl.String, "", "open or closed"),
        Column("author", pl.String, "", "login of its author"),
        Column("author_id", pl.Int64, "", "id of its author"),
        Column("head_branch", pl.String, "", "branch that is to be merged"),
        Column("head_sha", pl.String, "", "newest commit of that branch"),
        Column("head_repository", pl.String, "", "owner/name that the branch is of"),
        Column("base_branch", pl.String, "", "branch that it is to be merged into"),
        Column("merge_commit_sha", pl.String, "", "the merge commit; of an open pull request GitHub's trial merge"),
        Column("created_at", TIME, "", "when it was opened"),
        Column("updated_at", TIME, "", "when GitHub last touched it"),
        Column("merged_at", TIME, "", "when it was merged; null where it was not"),
        _URL,
        Column("body", pl.String, "", "its text, at most 10,000 characters"),
    ),
)

COMMIT_PULLS: Final = Table(
    "commit_pulls",
    1,
    "the pull requests of a commit, as asked for once",
    key=("repo", "sha"),
    order=("repo", "sha"),
    about="observed_at",
    columns=(
        REPO,
        Column("sha", pl.String, "", "the commit"),
        Column("numbers", NUMBERS, "", "its pull requests in this repository; empty where it has none"),
    ),
)


_CALLS: Final = pl.Struct(
    {
        "endpoint": pl.String,
        "calls": pl.Int64,
        "billed": pl.Int64,
        "failed": pl.Int64,
        "retried": pl.Int64,
        "bytes": pl.Int64,
    }
)
_FAILED: Final = pl.Struct({"endpoint": pl.String, "url": pl.String, "status": pl.Int64, "reason": pl.String})
_LIMIT: Final = pl.Struct(
    {
        "resource": pl.String,
        "limit": pl.Int64,
        "remaining_start": pl.Int64,
        "remaining_end": pl.Int64,
        "reset_at": TIME,
    }
)
_MISSING: Final = pl.Struct({"what": pl.String, "reason": pl.String, "count": pl.Int64, "samples": TEXTS})
_INTERVAL: Final = pl.Struct({"start": TIME, "stop": TIME})
_PHASE: Final = pl.Struct({"name": pl.String, "seconds": pl.Float64})
SYNCS: Final = Table(
    "syncs",
    1,
    "one sync: its ledger",
    key=("repo", "sync_id"),
    order=("repo", "started_at", "sync_id"),
    about="started_at",
    columns=(
        REPO,
        Column("sync_id", pl.String, "", "id of the sync"),
        Column("started_at", TIME, "", "when it began"),
        Column("ended_at", TIME, "", "when it ended"),
        Column("status", pl.String, "", "ok, partial (something is missing) or failed"),
        Column("api", pl.String, "", "how jobs were read: rest or graphql"),
        Column("window_start", TIME, "", "begin of the window that was asked for"),
        Column("window_stop", TIME, "", "end of the window that was asked for"),
        Column("scope", pl.String, "", "the list that `listed` is about"),
        Column("listed", pl.List(_INTERVAL), "", "runs created from start to stop were listed completely"),
        Column("swept", pl.Boolean, "", "the whole window was looked through for re-runs"),
        Column("calls", pl.Int64, "calls", "API calls, each attempt of a call counted"),
        Column("billed", pl.Int64, "calls", "those that count against the rate limit"),
        Column("waited_s", pl.Float64, "s", "time waited for limits and before retries"),
        Column("bytes", pl.Int64, "bytes", "bytes of all answers"),
        Column("endpoints", pl.List(_CALLS), "", "calls by endpoint"),
        Column("failed_calls", pl.List(_FAILED), "", "calls that were given up"),
        Column("limits", pl.List(_LIMIT), "", "the rate limits as the answers told them"),
        Column("runs_listed", pl.Int64, "runs", "runs in the lists"),
        Column("runs_new", pl.Int64, "attempts", "attempts that were not known before"),
        Column("runs_changed", pl.Int64, "attempts", "attempts that were known and have changed"),
        Column("runs_unchanged", pl.Int64, "attempts", "attempts that have not changed"),
        Column("attempts_selected", pl.Int64, "attempts", "attempts whose jobs are wanted"),
        Column("attempts_fetched", pl.Int64, "attempts", "attempts whose jobs were read by this sync"),
        Column("attempts_complete", pl.Int64, "attempts", "attempts wanted whose jobs are all in the store"),
        Column("jobs_listed", pl.Int64, "jobs", "jobs that GitHub said there are"),
        Column("jobs_new", pl.Int64, "jobs", "jobs read by this sync"),
        Column("steps_new", pl.Int64, "steps", "steps of those jobs"),
        Column("pulls_new", pl.Int64, "pull requests", "pull requests read by this sync"),
        Column("logs_new", pl.Int64, "logs", "logs read by this sync"),
        Column("artifacts_new", pl.Int64, "artifacts", "artifacts read by this sync"),
        Column("missing", pl.List(_MISSING), "", "what the window holds and the store does not, with the reason"),
        Column("parse_errors", pl.Int64, "items", "items that could not be read"),
        Column("parse_error_samples", TEXTS, "", "some of them"),
        Column("completeness", pl.Float64, "0-1", "attempts complete over attempts wanted; null where none were"),
        Column("phases_s", pl.List(_PHASE), "s", "how long each phase took"),
        Column("default_branch", pl.String, "", "the default branch, where the list of pull requests told it"),
        Column("notes", TEXTS, "", "what else is good to know"),
    ),
)

TABLES: Final[Mapping[str, Table]] = {
    table.name: table
    for table in (
        RUNS,
        JOBS,
        FETCHED,
        PULLS,
        COMMIT_PULLS,
        JOB_LOGS,
        FAILURES,
        TEST_FILES,
        LOGS_READ,
        ARTIFACTS,
        ARTIFACT_FILES,
        ARTIFACT_LISTS,
        MEASUREMENTS,
        MEASURED_LOGS,
        CHANGES,
        BENCH_RUNS,
        OCCURRENCES,
        KNOWLEDGE,
        ALERTS,
        REPORTED,
        NOTICES,
        DELIVERIES,
        SYNCS,
    )
}
