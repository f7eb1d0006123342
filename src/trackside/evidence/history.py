"""The history of a window: the tables of the store as the frames that the analyses start from."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Final

import polars as pl

from trackside.ci.categories import category_of
from trackside.evidence.diagnoses import failures_frame, log_states, test_files_frame
from trackside.evidence.selection import Selection, same_repository
from trackside.history.frames import History
from trackside.history.jobs import failed_steps, jobs_frame
from trackside.history.outcomes import FAILURES
from trackside.history.runs import Pulls, guess_default_branch, runs_frame
from trackside.records.ci_rules import CiRules
from trackside.store.store import Store

_ATTEMPT: Final = ["run_id", "run_attempt"]
_JOB_COLUMNS: Final = (
    "job_id",
    *_ATTEMPT,
    "name",
    "status",
    "conclusion",
    "created_at",
    "started_at",
    "completed_at",
    "queue_s",
    "duration_s",
    "runner_name",
    "runner_group",
    "labels",
    "html_url",
)
_RUN_COLUMNS: Final = (
    *_ATTEMPT,
    "run_number",
    "workflow_name",
    "workflow_file",
    "event",
    "status",
    "conclusion",
    "created_at",
    "run_started_at",
    "updated_at",
    "duration_s",
    "head_branch",
    "head_sha",
    "head_repository",
    "head_commit_author",
    "actor",
    "display_title",
    "pull_numbers",
    "html_url",
)
_PULL_COLUMNS: Final = (
    "number",
    "head_branch",
    "head_sha",
    "head_repository",
    "base_branch",
    "merge_commit_sha",
    "merged_at",
    "html_url",
)
_WITH_STEPS: Final = (*FAILURES, "cancelled")


def load_history(store: Store, selection: Selection, rules: CiRules) -> History:
    """What the store holds of the selection. Frames without a row where it holds nothing."""
    rows = selection.runs(store.newest("runs")).select("repo", *_RUN_COLUMNS).collect(engine="streaming")
    rows = selection.chosen(once(rows, _ATTEMPT))
    pulls = load_pulls(store, selection.repo)
    branch = guess_default_branch(rules.default_branch or told_branch(store, selection.repo), rows, pulls.pulls)
    runs = runs_frame(rows, _read(store, selection), selection.repo, branch, pulls)
    every = _jobs(store, selection, runs, rules)
    jobs = _chosen(every, selection)
    failed = every.filter(pl.col("outcome").is_in(["failed", "cancelled"]))
    failures = failures_frame(store, selection.repo, failed)
    return History(
        repo=selection.repo,
        runs=runs,
        jobs=jobs,
        failures=failures,
        test_files=test_files_frame(store, selection.repo, every),
        rules=rules,
        default_branch=branch,
        unread=runs.filter(~pl.col("is_read") & (pl.col("outcome") != "unfinished")).height,
        logs=log_states(store, selection.repo, jobs),
        every_job=every if selection.jobs else None,
    )


def load_pulls(store: Store, repo: str) -> Pulls:
    """What the store holds of pull requests of ``repo`` and of the commits that belong to them, without texts."""
    same = same_repository(repo)
    return Pulls(
        store.newest("pulls").filter(same).select(_PULL_COLUMNS).collect(),
        store.newest("commit_pulls").filter(same).select("sha", "numbers").collect(),
    )


def among(ids: pl.Series) -> pl.Expr:
    """Whether a row is of one of these runs; the range lets whole files be passed over."""
    if ids.is_empty():
        return pl.lit(value=False)
    return pl.col("run_id").is_between(ids.min(), ids.max()) & pl.col("run_id").is_in(ids.implode())


def once(rows: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Each key once, where the repository is stored in more than one spelling; without the column ``repo``."""
    spellings = rows["repo"].n_unique()
    own = rows.drop("repo")
    return own if spellings <= 1 else own.unique(key, keep="last", maintain_order=True)


def _chosen(jobs: pl.DataFrame, selection: Selection) -> pl.DataFrame:
    if not selection.jobs:
        return jobs
    names = [name for name in jobs["name"].unique() if selection.wants_job(name)]
    return jobs.filter(pl.col("name").is_in(names))


def _jobs(store: Store, selection: Selection, runs: pl.DataFrame, rules: CiRules) -> pl.DataFrame:
    """The jobs of the run attempts; steps are read of those that did not end well."""
    mine = (same_repository(selection.repo), among(runs["run_id"].unique()))
    every = store.newest("jobs").filter(*mine)
    bad = every.filter(pl.col("conclusion").is_in(_WITH_STEPS)).select("job_id", "steps")
    # Before the other columns are there: decoding steps takes most memory.
    failed = failed_steps(bad.collect(engine="streaming"))
    rows = every.select("repo", *_JOB_COLUMNS)
    category = partial(category_of, rules=rules.categories)
    return jobs_frame(once(rows.collect(engine="streaming"), ["job_id"]), failed, runs, rules, category)


def default_branch_of(store: Store, repo: str, rules: CiRules) -> str | None:
    """The default branch as the settings or a sync told it, else as every run and pull request in the store hints."""
    runs = Selection(repo=repo).runs(store.newest("runs")).select("event", "head_branch").collect(engine="streaming")
    return guess_default_branch(rules.default_branch or told_branch(store, repo), runs, load_pulls(store, repo).pulls)


def last_touched(store: Store, repo: str, before: dt.datetime) -> dt.datetime | None:
    """When the newest run of ``repo`` was touched last, at ``before`` at the latest; None where there is no run."""
    touched = pl.coalesce("updated_at", "created_at")
    rows = store.newest("runs").filter(same_repository(repo)).select(touched.alias("touched"))
    told: dt.datetime | None = rows.filter(pl.col("touched") <= before).max().collect(engine="streaming").item()
    return told


def told_branch(store: Store, repo: str) -> str | None:
    """The default branch as the newest sync that knew it told it."""
    syncs = store.newest("syncs").filter(same_repository(repo), pl.col("default_branch").is_not_null())
    told = syncs.select("ended_at", "default_branch").sort("ended_at").select("default_branch").tail(1).collect()
    return None if told.is_empty() else str(told.item())


def _read(store: Store, selection: Selection) -> pl.DataFrame:
    """The keys of the run attempts that were over when their jobs were read."""
    marked = store.newest("fetched").filter(same_repository(selection.repo), pl.col("status") == "completed")
    return marked.select(_ATTEMPT).unique().collect()
