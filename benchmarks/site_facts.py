"""Generated GitHub data of a busy repository as its site shows them: CI, performance and agents. Always the same.

Eight workflows with ten jobs each, one run in three on the default branch, one in four of an agent. A twentieth of the
runs is tried again. Two jobs are broken in the last days, some are flaky, all fail now and then. Logs of failed jobs
were read: a few hundred errors, few of them often. One job of the first workflow prints performance.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import numpy as np
import polars as pl

from benchmarks.ci_facts import REPO, START, stamped, steps_of, times
from trackside.evidence.diagnoses import rules_version
from trackside.perf.reading import version_of
from trackside.presets.grammar_files import load_grammars
from trackside.records.ci_rules import CiRules
from trackside.records.syncs import SyncRecord
from trackside.store.schema import (
    FAILURES,
    FETCHED,
    JOBS,
    LOGS_READ,
    MEASURED_LOGS,
    MEASUREMENTS,
    PULLS,
    RUNS,
    Table,
)
from trackside.store.store import Store
from trackside.store.write import append

DAYS: Final = 30
SEED: Final = 23
JOBS_PER_RUN: Final = 10
SERIES: Final = (40, 6)
"""Tests and metrics of each."""
_PART: Final = 3_000
_URL: Final = f"https://github.com/{REPO}"
_WORKFLOWS: Final = ("PR test", "Nightly", "Release", "Docs", "Wheel", "AMD", "NPU", "Copilot coding agent")
_STAGES: Final = ("lint", "build", "unit-test (0)", "unit-test (1)", "unit-test (2)", "accuracy", "kernel", "router")
_RUNNERS: Final = ("h100-1-gpu", "h200", "mi300x", "ubuntu-latest")
_CAUSES: Final = ("test", "timeout", "gpu_memory", "network", "runner_lost", "dependency", "build")
_ENDS: Final = np.array(["success", "failure", "cancelled", "skipped"])
_ERRORS: Final = 300
_DAY_US: Final = 86_400_000_000


def fill(store: Store, runs: int, first: int = 0) -> None:
    """Adds so many runs to ``store``, those from number ``first`` on, with all that is known of them, and a sync."""
    rng = np.random.default_rng((SEED, first))
    for start in range(first, first + runs, _PART):
        numbers = np.arange(start, min(start + _PART, first + runs))
        _fill_part(store, rng, numbers, max(runs, first))
    ended = START + dt.timedelta(days=DAYS, hours=1, seconds=first)
    ledger = SyncRecord(
        repo=REPO,
        sync_id=f"s{first}",
        started_at=ended,
        ended_at=ended,
        status="ok",
        api="rest",
        window_start=START,
        window_stop=ended,
        scope="all",
        runs_listed=runs,
        completeness=1.0,
        default_branch="main",
    )
    store.add_sync(ledger)


def _fill_part(store: Store, rng: np.random.Generator, numbers: np.ndarray, runs: int) -> None:
    told = _runs(rng, numbers, runs)
    jobs = _jobs(rng, told, runs)
    keys = ("run_id", "run_attempt")
    bad = jobs.group_by(keys).agg(bad=(pl.col("conclusion") == "failure").any())
    ends = pl.when("bad").then(pl.lit("failure")).otherwise(pl.lit("success"))
    told = told.join(bad, on=keys, how="left", maintain_order="left").with_columns(conclusion=ends).drop("bad")
    marks = told.select(*keys, "status", "updated_at", "source", jobs=pl.lit(10), jobs_listed=pl.lit(10))
    failed = jobs.filter(pl.col("conclusion") == "failure")
    version = pl.lit(rules_version(CiRules()))
    read = failed.select("job_id", *keys, version=version, test_files=pl.lit(0))
    for rows, table in (
        (told, RUNS),
        (jobs, JOBS),
        (marks, FETCHED),
        (_failures(rng, failed).with_columns(version=version), FAILURES),
        (read, LOGS_READ),
        (_pulls(told), PULLS),
        *_measured(rng, jobs, runs),
    ):
        _add(store, table, rows)


def _add(store: Store, table: Table, rows: pl.DataFrame) -> None:
    append(store.location, table, stamped(rows.with_columns(repo=pl.lit(REPO)), table, 23, 0))


def _runs(rng: np.random.Generator, numbers: np.ndarray, runs: int) -> pl.DataFrame:
    again = np.where(rng.random(len(numbers)) < 0.05, 2, 1)
    number = np.repeat(numbers, again)
    attempt = np.where(np.append(False, number[1:] == number[:-1]), 2, 1)
    flow, place = number % len(_WORKFLOWS), number // len(_WORKFLOWS)
    on_main, is_agent = number % 3 == 0, number % 4 == 1
    created = number * (DAYS * _DAY_US // runs)
    begun = created + (attempt - 1) * 3_600_000_000
    branch = np.where(
        is_agent, np.char.add("copilot/fix-", (place % 700).astype(str)), np.char.add("dev/", (place % 900).astype(str))
    )
    return pl.DataFrame(
        {
            "run_id": 10_000_000_000 + number,
            "run_attempt": attempt,
            "run_number": number,
            "workflow_id": 900_000 + flow,
            "workflow_name": np.array(_WORKFLOWS)[flow],
            "workflow_file": np.char.add(np.char.add(".github/workflows/flow-", flow.astype(str)), ".yml"),
            "display_title": np.char.add("Speed up the attention kernel, part ", (place % 900).astype(str)),
            "event": np.where(on_main, np.array(["push", "schedule"])[number % 2], "pull_request"),
            "head_branch": np.where(on_main, "main", branch),
            "head_sha": [f"{one:040x}" for one in number // 24 * 24 + on_main],
            "actor": np.where(is_agent, "Copilot", np.char.add("dev-", (place % 200).astype(str))),
            "actor_id": np.where(is_agent, 198_982_749, place % 200),
            "head_commit_message": np.char.add("Speed it up, part ", (place % 900).astype(str)),
            "created_at": times(created),
            "run_started_at": times(begun),
            "updated_at": times(begun + 3_000_000_000),
            "html_url": np.char.add(f"{_URL}/actions/runs/", (10_000_000_000 + number).astype(str)),
        }
    ).with_columns(
        source=pl.lit("rest"),
        status=pl.lit("completed"),
        duration_s=3000.0,
        head_repository=pl.lit(REPO),
        triggering_actor="actor",
        triggering_actor_id="actor_id",
    )


def _jobs(rng: np.random.Generator, runs: pl.DataFrame, total: int) -> pl.DataFrame:
    rows = runs.select(
        "run_id", "run_attempt", "workflow_name", "head_branch", "head_sha", number="run_number",
        begun=pl.col("run_started_at").dt.epoch("us") - int(START.timestamp() * 1e6),
    ).join(pl.DataFrame({"place": np.arange(JOBS_PER_RUN)}), how="cross")  # fmt: skip
    count, place, number = rows.height, rows["place"].to_numpy(), rows["number"].to_numpy()
    flow = number % len(_WORKFLOWS)
    chance = 0.01 + 0.05 * ((place + flow) % 5 == 0)
    broken = (rows["head_branch"].to_numpy() == "main") & (number > total * 0.9) & (flow < 2) & (place == 3)
    drawn = rng.random(count)
    outcome = np.where(broken | (drawn < chance), 1, np.where(drawn > 0.97, 2, np.where(drawn > 0.93, 3, 0)))
    stage = np.array([*_STAGES, "performance-test", "report"])[place]
    created = rows["begun"].to_numpy()
    begun = created + rng.integers(0, 1800, count) * 1_000_000
    length = rng.integers(30, 1200, count)
    kind = np.array(_RUNNERS)[(place + flow) % len(_RUNNERS)]
    job_id = rows["run_id"].to_numpy() * 100 + rows["run_attempt"].to_numpy() * 20 + place
    return rows.select("run_id", "run_attempt", "workflow_name", "head_branch", "head_sha").with_columns(
        job_id=pl.Series(job_id),
        name=pl.Series(stage),
        source=pl.lit("rest"),
        status=pl.lit("completed"),
        conclusion=pl.Series(_ENDS[outcome]),
        created_at=times(created),
        started_at=times(begun),
        completed_at=times(begun + length * 1_000_000),
        queue_s=pl.Series((begun - created) / 1e6),
        duration_s=pl.Series(length.astype(float)),
        runner_name=pl.Series(np.char.add(np.char.add(kind, "-"), rng.integers(1, 60, count).astype(str))),
        runner_group=pl.lit("Default"),
        labels=pl.Series(kind).to_frame().select(pl.concat_list(pl.all())).to_series(),
        steps=steps_of(rng, begun, length, outcome),
        html_url=pl.Series(np.char.add(f"{_URL}/actions/runs/1/job/", job_id.astype(str))),
    )


def _failures(rng: np.random.Generator, failed: pl.DataFrame) -> pl.DataFrame:
    """What the logs of four in five failed jobs told: the error that a job mostly has, or any."""
    weights = 1 / np.arange(1, _ERRORS + 1)
    error = rng.choice(_ERRORS, failed.height, p=weights / weights.sum())
    cause = np.array(_CAUSES)[error % len(_CAUSES)]
    line = np.char.add("RuntimeError: the kernel gave up at shape ", error.astype(str))
    told = failed.select("job_id", "run_id", "run_attempt").with_columns(
        cause=pl.Series(cause),
        source=pl.lit("log"),
        rule=pl.lit("python-error"),
        line=pl.Series(line),
        line_number=pl.lit(4211),
        context=pl.concat_list(pl.lit("before it"), pl.Series(line), pl.lit("after it")),
        test=pl.Series(np.char.add("test_kernels.py::test_shape_", (error % 90).astype(str))),
        fingerprint=pl.Series([f"{one:016x}" for one in error]),
        log_lines=pl.lit(9000),
    )
    return told.filter(pl.Series(rng.random(failed.height) < 0.8))


def _pulls(runs: pl.DataFrame) -> pl.DataFrame:
    """A pull request for each branch."""
    own = runs.filter(pl.col("head_branch") != "main").unique("head_branch", maintain_order=True)
    number = own["head_branch"].str.extract(r"(\d+)$").cast(pl.Int64) + 1_000 * own["head_branch"].str.starts_with(
        "c"
    ).cast(pl.Int64)
    return own.select("run_id", "head_branch", "head_sha", "created_at", head_repository=pl.lit(REPO)).with_columns(
        number=number,
        title=pl.format("Speed it up, part {}", number),
        state=pl.lit("open"),
        author=pl.lit("dev-1"),
        base_branch=pl.lit("main"),
        updated_at="created_at",
        html_url=pl.format(_URL + "/pull/{}", number),
        body=pl.lit("Fixes #7."),
    )


def _measured(rng: np.random.Generator, jobs: pl.DataFrame, runs: int) -> list[tuple[pl.DataFrame, Table]]:
    """The values of performance jobs of some runs on the default branch, with a step up in every tenth series."""
    version, (tests, metrics) = version_of(load_grammars(())), SERIES
    is_mine = (pl.col("name") == "performance-test") & ((pl.col("run_id") - 10_000_000_000) % 96 == 0)
    own = jobs.filter(is_mine, pl.col("conclusion") == "success").select("job_id", "run_id", "run_attempt")
    series = pl.DataFrame({"place": np.arange(tests * metrics)})
    rows = own.join(series, how="cross")
    at, place = rows["run_id"].to_numpy() - 10_000_000_000, rows["place"].to_numpy()
    value = (
        (100 + place) * (1 + rng.normal(0, 0.01, rows.height)) * (1 + 0.06 * ((place % 10 == 0) & (at > runs * 0.7)))
    )
    values = rows.drop("place").with_columns(
        version=pl.lit(version),
        test=pl.Series(np.char.add("test_bench_", (place // metrics).astype(str))),
        metric=pl.Series(np.char.add("median_ttft_", (place % metrics).astype(str))),
        value=pl.Series(value),
        unit=pl.lit("ms"),
        better=pl.lit("lower"),
        try_number=pl.lit(1),
        is_final=pl.lit(value=True),
        test_outcome=pl.lit("passed"),
        grammar=pl.lit("any"),
        is_established=pl.lit(value=True),
    )
    marks = own.with_columns(version=pl.lit(version), tests=pl.lit(tests), measurements=pl.lit(tests * metrics))
    return [(values, MEASUREMENTS), (marks, MEASURED_LOGS)]
