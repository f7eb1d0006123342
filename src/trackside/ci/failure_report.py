"""The failure report of a window: how runs ended, which jobs fail how often, when they last worked, and why."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
import polars as pl

from trackside.ci.established import RUN_OUTCOMES, established_jobs, established_patterns
from trackside.ci.failed_attempts import failed_attempts
from trackside.ci.failure_records import (
    Completeness,
    FailedAttempt,
    FailureReport,
    JobFigures,
    JoblessFailure,
    PullInfo,
    ReportWindow,
    RunReference,
)
from trackside.ci.patterns import pattern_of
from trackside.ci.recent_failures import MOST_FAILURES
from trackside.history.frames import History
from trackside.history.outcomes import Outcome
from trackside.records.failures import Cause, Source

RECENT_RUNS: Final = 3
"""So many of a job's newest runs with a failure are linked."""
_NOBODY: Final = "Unknown"
_SAME: Final = (
    "job", "name", "category", "workflow", "event", "job_id", "run_id", "run_number", "run_attempt", "url",
    "ended_at", "conclusion", "run_conclusion", "runner_name", "pool", "failed_step", "cause", "source", "rule",
    "line_number", "test", "fingerprint",
)  # fmt: skip
_PULL_INFO: Final = ("pull_number", "author", "sha", "branch")
_TOLD: Final = (*_SAME, *_PULL_INFO, "run_url", "run_created_at", "line_text", "context", "tests", "truncated")
_LINKED: Final = ("job", "run_id", "run_number", "run_created_at", "run_url", *_PULL_INFO)
_NEWEST_FIRST: Final = ("run_created_at", "run_id", "run_attempt", "job_id")


class _Counted(msgspec.Struct, frozen=True):
    """The jobs of one arithmetic: all that count, those that failed with why, and the failures left out."""

    jobs: pl.DataFrame
    failed: pl.DataFrame
    ignored: pl.DataFrame
    patterns: Counter[str]


def failure_report(
    history: History,
    *,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    strict_compat: bool = False,
) -> FailureReport:
    """What failed in the history; ``since`` and ``until`` are the window that it was asked for.

    Where only some jobs were asked for, runs without any job are left out. ``strict_compat`` counts as the monitor did
    that came before: see ``established``.
    """
    counted = _by_established_arithmetic(history) if strict_compat else _by_right_arithmetic(history)
    failed_jobs = counted.failed.sort(_NEWEST_FIRST, descending=True, nulls_last=True).select(_TOLD)
    told = failed_jobs.head(MOST_FAILURES).iter_rows(named=True)
    outcomes = _run_outcomes(history, strict_compat=strict_compat)
    succeeded, failed = outcomes[Outcome.PASSED], outcomes[Outcome.FAILED]
    return FailureReport(
        repository=history.repo,
        strict_compat=strict_compat,
        window=_window(history, since, until),
        total_runs=outcomes.total(),
        failed_runs=failed,
        successful_runs=succeeded,
        cancelled_runs=outcomes[Outcome.CANCELLED],
        skipped_runs=outcomes[Outcome.SKIPPED],
        unfinished_runs=outcomes[Outcome.UNFINISHED],
        other_runs=outcomes[Outcome.OTHER],
        success_rate=_share(succeeded, outcomes.total()),
        decided_success_rate=_share(succeeded, succeeded + failed),
        category_failures=_count(failed_jobs["category"].drop_nulls()),
        job_failures=_count(failed_jobs["job"]),
        workflow_failures=_workflow_failures(history, strict_compat=strict_compat),
        failure_patterns=_ranked(counted.patterns),
        causes=_count(failed_jobs["cause"]),
        job_failure_links=_failure_links(failed_jobs, history.repo),
        job_last_success=_last_successes(counted.jobs, history.repo, newest=not strict_compat),
        job_failures_in_cancelled_runs=_count(failed_jobs.filter(pl.col("run_conclusion") == "cancelled")["job"]),
        job_figures=_job_figures(counted),
        uncategorised_jobs=_count(failed_jobs.filter(pl.col("category").is_null())["job"]),
        unmatched_jobs=_count(failed_jobs.filter(pl.col("cause") == Cause.OTHER.value)["job"]),
        ignored_jobs=_ranked(Counter(counted.ignored["job"].to_list())),
        jobless_failures=() if history.every_job is not None else _jobless_failures(history),
        failures=tuple(_failed_attempt(row, history.repo) for row in told),
        failures_left_out=max(failed_jobs.height - MOST_FAILURES, 0),
        completeness=_completeness(history, counted),
    )


def _by_right_arithmetic(history: History) -> _Counted:
    """Every attempt of a job counts, whatever came of its run; one that ran out of time though it says cancelled too.

    The pattern of an attempt is that of its cause.
    """
    failed = _with_cause(failed_attempts(history))
    ignored = history.jobs.filter(pl.col("is_ignored") & (pl.col("outcome") == Outcome.FAILED.value))
    patterns: Counter[str] = Counter()
    for cause, number in Counter(failed["cause"]).items():
        patterns[pattern_of(Cause(cause))] += number
    return _Counted(history.counted_jobs, failed, ignored, patterns)


def _by_established_arithmetic(history: History) -> _Counted:
    jobs = established_jobs(history)
    ignored = jobs.filter("is_ignored", pl.col("outcome") == Outcome.FAILED.value)
    jobs = jobs.filter(~pl.col("is_ignored"))
    failed = jobs.filter(pl.col("outcome") == Outcome.FAILED.value)
    told = failed.join(history.failures.unique("job_id", keep="last"), on="job_id", how="left", maintain_order="left")
    patterns = established_patterns(failed.select("name", "failed_steps").iter_rows())
    return _Counted(jobs, _with_cause(told.with_columns(ended_at="completed_at")), ignored, patterns)


def _with_cause(failed: pl.DataFrame) -> pl.DataFrame:
    return failed.with_columns(pl.col("cause").fill_null(Cause.OTHER.value))


def _run_outcomes(history: History, *, strict_compat: bool) -> Counter[Outcome]:
    """How the runs ended, each once."""
    latest = history.runs.filter("is_latest")
    if strict_compat:
        return Counter(RUN_OUTCOMES.get(conclusion, Outcome.OTHER) for conclusion in latest["conclusion"])
    return Counter(Outcome(outcome) for outcome in latest["outcome"])


def _workflow_failures(history: History, *, strict_compat: bool) -> dict[str, int]:
    failed = pl.col("conclusion") == "failure" if strict_compat else pl.col("outcome") == Outcome.FAILED.value
    return _count(history.runs.filter("is_latest", failed)["workflow"])


def _failure_links(failed: pl.DataFrame, repo: str) -> dict[str, tuple[RunReference, ...]]:
    """Of each job the newest runs in which it failed; ``failed`` comes newest first."""
    runs = failed.select(*_LINKED).unique(["job", "run_id"], keep="first", maintain_order=True)
    found: dict[str, list[RunReference]] = {}
    for row in runs.group_by("job", maintain_order=True).head(RECENT_RUNS).iter_rows(named=True):
        found.setdefault(row["job"], []).append(_reference(row, repo))
    return {job: tuple(several) for job, several in sorted(found.items())}


def _last_successes(jobs: pl.DataFrame, repo: str, *, newest: bool) -> dict[str, RunReference]:
    """Of each job the newest run in which it passed, or the oldest."""
    created = pl.col("run_created_at")
    end = (created.max() if newest else created.min()).over("job")
    passed = jobs.select("job", "outcome", *_NEWEST_FIRST).with_row_index("place")
    passed = passed.filter(pl.col("outcome") == Outcome.PASSED.value).filter(created.eq_missing(end))
    last = passed.sort(_NEWEST_FIRST).unique("job", keep="last" if newest else "first", maintain_order=True)
    last = jobs.select(_LINKED)[last["place"]].sort("job")
    return {row["job"]: _reference(row, repo) for row in last.iter_rows(named=True)}


def _job_figures(counted: _Counted) -> dict[str, JobFigures]:
    in_cancelled = (pl.col("run_conclusion") == "cancelled").sum()
    failed = counted.failed.group_by("job").agg(
        pl.col("category").first(),
        pl.col("workflow").drop_nulls().unique().sort().alias("workflows"),
        pl.len().alias("failures"),
        in_cancelled.alias("failures_in_cancelled_runs"),
        pl.col("run_id").n_unique().alias("failed_runs"),
    )
    good = counted.jobs.select("job", "outcome").filter(pl.col("outcome") == Outcome.PASSED.value)
    passed = good.group_by("job").agg(passed=pl.len())
    told = failed.join(passed, on="job", how="left").with_columns(pl.col("passed").fill_null(0))
    figures = {}
    for row in told.sort(["failures", "job"], descending=[True, False]).iter_rows(named=True):
        decided = row.pop("passed") + row["failures"]
        rate = round(row["failures"] / decided, 4)
        job, workflows = row.pop("job"), tuple(row.pop("workflows"))
        figures[job] = JobFigures(**row, workflows=workflows, decided_attempts=decided, failure_rate=rate)
    return figures


def _jobless_failures(history: History) -> tuple[JoblessFailure, ...]:
    rows = history.jobless_failures.sort("created_at", "run_id", "run_attempt", descending=True, nulls_last=True)
    return tuple(
        JoblessFailure(
            workflow=row["workflow"],
            run_number=row["run_number"],
            run_attempt=row["run_attempt"],
            conclusion=row["conclusion"],
            created_at=row["created_at"],
            url=row["url"] or _page(history.repo, row["run_id"]),
            pr_info=_pull_info(row),
        )
        for row in rows.iter_rows(named=True)
    )


def _failed_attempt(row: Mapping[str, Any], repo: str) -> FailedAttempt:
    return FailedAttempt(
        **{name: row[name] for name in _SAME},
        run_url=row["run_url"] or _page(repo, row["run_id"]),
        created_at=row["run_created_at"],
        pr_info=_pull_info(row),
        pattern=pattern_of(Cause(row["cause"])),
        line=row["line_text"],
        context=tuple(row["context"] or ()),
        tests=tuple(row["tests"] or ()),
        truncated=bool(row["truncated"]),
    )


def _completeness(history: History, counted: _Counted) -> Completeness:
    by_log = counted.failed.filter(pl.col("source").eq_missing(Source.LOG.value)).height
    return Completeness(
        run_attempts=history.runs.height,
        unread_run_attempts=history.unread,
        job_attempts=counted.jobs.height,
        failed_job_attempts=counted.failed.height,
        causes_from_logs=by_log,
        causes_from_steps=counted.failed.height - by_log,
        logs=history.logs,
    )


def _window(history: History, since: dt.datetime | None, until: dt.datetime | None) -> ReportWindow:
    first, last = history.runs.select(first=pl.col("created_at").min(), last=pl.col("created_at").max()).row(0)
    return ReportWindow(since=since, until=until, first_run_at=first, last_run_at=last)


def _reference(row: Mapping[str, Any], repo: str) -> RunReference:
    return RunReference(
        url=row["run_url"] or _page(repo, row["run_id"]),
        run_number=row["run_number"],
        created_at=row["run_created_at"],
        pr_info=_pull_info(row),
    )


def _pull_info(row: Mapping[str, Any]) -> PullInfo:
    return PullInfo(
        pr_number=row["pull_number"],
        author=row["author"] or _NOBODY,
        head_sha=row["sha"],
        head_branch=row["branch"],
    )


def _page(repo: str, run_id: int) -> str:
    return f"https://github.com/{repo}/actions/runs/{run_id}"


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _count(names: Iterable[str]) -> dict[str, int]:
    return _ranked(Counter(names))


def _ranked(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
