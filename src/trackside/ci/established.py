"""The arithmetic of the monitor that came before, for who compares with its old reports: counts, categories, patterns.

It knew only the latest attempt of a run, counted a job as failed only where its run had failed as well, and told
patterns by the names of jobs and steps alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

import polars as pl

from trackside.ci.patterns import OTHER
from trackside.history.frames import History
from trackside.history.outcomes import Outcome

_IGNORED: Final = ("check-changes", "pr-test-finish", "pr-test-h20-finish", "lint")
_CATEGORIES: Final = (
    ("sgl-kernel", ("sgl-kernel-build-wheels", "sgl-kernel-unit-test", "sgl-kernel-mla-test")),
    ("unit-test", ("unit-test-frontend", *(f"unit-test-backend-{gpus}-gpu" for gpus in (1, 2, 4, 8)))),
    ("performance", ("performance-test-1-gpu-part-1", "performance-test-1-gpu-part-2", "performance-test-2-gpu")),
    ("accuracy", ("accuracy-test-1-gpu", "accuracy-test-2-gpu")),
    ("deepep", ("unit-test-deepep-4-gpu", "unit-test-deepep-8-gpu")),
    ("b200", ("unit-test-backend-4-gpu-b200",)),
)
RUN_OUTCOMES: Final = {
    "failure": Outcome.FAILED,
    "success": Outcome.PASSED,
    "cancelled": Outcome.CANCELLED,
    "skipped": Outcome.SKIPPED,
}
"""The conclusions of runs that were counted; every other one was counted in the total only."""


def established_category(name: str) -> str | None:
    """The first category that has a string which is a part of ``name``; a job on B200 counts as a unit test."""
    return next((category for category, parts in _CATEGORIES if any(part in name for part in parts)), None)


def established_pattern(job_name: str, step_name: str) -> str:
    """The pattern of one failed step by the first of seven rules that holds for the two names, any case."""
    job, step = job_name.lower(), step_name.lower()
    rules = (
        ("Timeout", "timeout" in step),
        ("Unit Test Failure", "test" in step and "unit" in job),
        ("Performance Test Failure", "performance" in job),
        ("Accuracy Test Failure", "accuracy" in job),
        ("Build Failure", "build" in step),
        ("Dependency Installation Failure", "install" in step),
        ("GPU Related Failure", "gpu" in job),
    )
    return next((pattern for pattern, holds in rules if holds), OTHER)


def established_patterns(rows: Iterable[tuple[str, list[str]]]) -> Counter[str]:
    """The patterns of failed jobs, each with its name and its failed steps: one for each failed step."""
    return Counter(established_pattern(name, step) for name, steps in rows for step in steps)


def established_jobs(history: History) -> pl.DataFrame:
    """The jobs in which they were counted: the latest attempt of each, under the names that GitHub tells.

    Columns are those of ``history.frames.JOB_COLUMNS``. ``outcome`` is failed where job and run both concluded with
    failure, passed where the job succeeded, else other; ``run_conclusion`` is that of the run's latest attempt.
    """
    ends = history.runs.filter("is_latest").select("run_id", latest="conclusion")
    jobs = history.jobs.filter("is_latest").join(ends, on="run_id", how="left", maintain_order="left")
    failed = (pl.col("conclusion") == "failure") & (pl.col("latest") == "failure")
    outcome = (
        pl.when(failed)
        .then(pl.lit(Outcome.FAILED.value))
        .when(pl.col("conclusion") == "success")
        .then(pl.lit(Outcome.PASSED.value))
        .otherwise(pl.lit(Outcome.OTHER.value))
    )
    categories = {name: established_category(name) for name in jobs["name"].unique()}
    category = pl.col("name").replace_strict(categories, return_dtype=pl.String) if categories else pl.lit(None)
    told = jobs.with_columns(
        outcome=outcome,
        run_conclusion="latest",
        job="name",
        category=category.cast(pl.String),
        is_ignored=pl.col("name").is_in(_IGNORED),
    )
    return told.drop("latest")
