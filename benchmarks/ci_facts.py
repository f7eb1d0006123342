"""Generated GitHub data of a busy inference repository, as the frames that a store takes. The same seed, the same rows.

Names are as uneven as real ones: few jobs run often, many rarely; failures gather on some of them. A share of the
attempts is seen twice, first in progress and then completed, so that there is a history to fold.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from trackside.store.schema import FETCHED, JOBS, RUNS, STEP, Table

START: Final = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
REPO: Final = "octo/engine"
_SEEN_TWICE: Final = 0.05
_WORKFLOWS: Final = tuple(f"{word} test" for word in ("PR", "Nightly", "Release", "Docs", "Wheel", "AMD", "NPU", "CPU"))
_STAGES: Final = ("unit-test", "stage-a-test", "stage-b-test-large", "accuracy-test", "performance-test", "build-wheel")
_RUNNERS: Final = ("h100-1-gpu", "h100-8-gpu", "h200", "b200", "mi300x", "ubuntu-latest", "910b")
_JOBS: Final = tuple(f"{stage}-{kind} ({part})" for stage in _STAGES for kind in _RUNNERS for part in range(10))
_STEPS: Final = (
    "Set up job", "Checkout code", "Download artifacts", "Install dependencies", "Cache models", "Start server",
    "Warm up", "Run test", "Collect results", "Upload results", "Stop server", "Clean up", "Post Cache models",
    "Post Checkout code", "Complete job",
)  # fmt: skip
_CONCLUSIONS: Final = np.array(["success", "failure", "cancelled", "skipped"])


class Part(NamedTuple):
    """What one sync brings: rows of three tables, in the order in which they are added."""

    runs: pl.DataFrame
    jobs: pl.DataFrame
    fetched: pl.DataFrame


def generate(runs: int, jobs_per_run: int, parts: int, seed: int = 7) -> Iterator[Part]:
    """``parts`` parts of ``runs`` runs in all, over 90 days."""
    rng = np.random.default_rng(seed)
    size = -(-runs // parts)
    for first in range(0, runs, size):
        count = min(size, runs - first)
        run_ids = 10_000_000_000 + 1_000 * np.arange(first, first + count)
        created = np.arange(first, first + count) * (90 * 86_400_000_000 // runs)
        told = _runs(rng, run_ids, created)
        jobs = _jobs(rng, np.repeat(run_ids, jobs_per_run), np.repeat(created, jobs_per_run), jobs_per_run)
        marks = told.select(
            *FETCHED.key, "status", "updated_at", "source", jobs=pl.lit(jobs_per_run), jobs_listed=pl.lit(jobs_per_run)
        )
        early = told["run_id"].to_numpy()[rng.random(count) < _SEEN_TWICE]
        yield Part(*(_twice(rows, table, early) for rows, table in ((told, RUNS), (jobs, JOBS), (marks, FETCHED))))


def _runs(rng: np.random.Generator, run_ids: np.ndarray, created: np.ndarray) -> pl.DataFrame:
    count = len(run_ids)
    flow = _zipf(rng, len(_WORKFLOWS), count)
    branch = rng.integers(0, 900, count)
    return pl.DataFrame(
        {
            "run_id": run_ids,
            "run_attempt": 1,
            "run_number": run_ids // 1_000 % 10_000_000,
            "workflow_id": 900_000 + flow,
            "workflow_name": np.array(_WORKFLOWS)[flow],
            "workflow_file": np.char.add(np.char.add(".github/workflows/flow-", flow.astype(str)), ".yml"),
            "display_title": np.char.add("Speed up the attention kernel, part ", branch.astype(str)),
            "event": np.array(["pull_request", "push", "schedule"])[_zipf(rng, 3, count)],
            "conclusion": _CONCLUSIONS[rng.choice(4, count, p=[0.6, 0.3, 0.08, 0.02])],
            "head_branch": np.char.add("feature/", branch.astype(str)),
            "head_sha": _hex(rng, count),
            "actor": np.char.add("dev-", (branch % 200).astype(str)),
            "actor_id": branch % 200,
            "created_at": times(created),
            "run_started_at": times(created),
            "updated_at": times(created + 3_600_000_000),
            "duration_s": 3600.0,
        }
    ).with_columns(repo=pl.lit(REPO), source=pl.lit("rest"), status=pl.lit("completed"))


def _jobs(rng: np.random.Generator, run_ids: np.ndarray, created: np.ndarray, per_run: int) -> pl.DataFrame:
    count = len(run_ids)
    name = _zipf(rng, len(_JOBS), count)
    failing = 0.02 + 0.3 * (name % 17 == 3)
    drawn = rng.random(count)
    outcome = np.where(drawn < failing, 1, np.where(drawn < failing + 0.05, 2, np.where(drawn > 0.9, 3, 0)))
    begun = created + rng.integers(0, 1800, count) * 1_000_000
    length = rng.integers(30, 3600, count)
    kind = np.array(_RUNNERS)[name // 10 % len(_RUNNERS)]
    return pl.DataFrame(
        {
            "job_id": run_ids * 100 + np.tile(np.arange(per_run), count // per_run),
            "run_id": run_ids,
            "run_attempt": 1,
            "name": np.array(_JOBS)[name],
            "workflow_name": np.array(_WORKFLOWS)[run_ids // 1_000 % len(_WORKFLOWS)],
            "head_branch": np.char.add("feature/", (run_ids // 1_000 % 900).astype(str)),
            "conclusion": _CONCLUSIONS[outcome],
            "created_at": times(created),
            "started_at": times(begun),
            "completed_at": times(begun + length * 1_000_000),
            "queue_s": (begun - created) / 1e6,
            "duration_s": length.astype(float),
            "runner_id": rng.integers(1, 400, count),
            "runner_name": np.char.add(np.char.add(kind, "-"), rng.integers(1, 60, count).astype(str)),
            "runner_group": "Default",
            "labels": pl.Series(kind).to_frame().select(pl.concat_list(pl.all())).to_series(),
            "steps": steps_of(rng, begun, length, outcome),
        }
    ).with_columns(repo=pl.lit(REPO), source=pl.lit("rest"), status=pl.lit("completed"))


def steps_of(rng: np.random.Generator, begun: np.ndarray, length: np.ndarray, outcome: np.ndarray) -> pl.Series:
    """15 steps of each job, the tests the longest; the step that failed is one of the middle."""
    each, count = len(_STEPS), len(begun)
    share = np.sort(rng.random((count, each)), axis=1)
    share[:, 0] = 0
    starts = begun[:, None] + (share * length[:, None]).astype(np.int64) * 1_000_000
    ends = np.concatenate([starts[:, 1:], (begun + length * 1_000_000)[:, None]], axis=1)
    failed = (rng.integers(3, 9, count)[:, None] == np.arange(each)) & (outcome == 1)[:, None]
    flat = pl.DataFrame(
        {
            "number": np.tile(np.arange(1, each + 1), count),
            "name": np.tile(np.array(_STEPS), count),
            "status": "completed",
            "conclusion": _CONCLUSIONS[failed.astype(int).ravel()],
            "started_at": times(starts.ravel()),
            "completed_at": times(ends.ravel()),
            "duration_s": ((ends - starts) / 1e6).ravel(),
        },
        schema_overrides={field.name: field.dtype for field in STEP.fields},
    )
    items = flat.select(pl.struct(pl.all()).alias("step"))["step"]
    return items.reshape((count, each)).arr.to_list()


def _twice(rows: pl.DataFrame, table: Table, early: np.ndarray) -> pl.DataFrame:
    """``rows`` with every column and its stamps; those of the runs ``early`` also as they were in progress."""
    before = rows.filter(pl.col("run_id").is_in(early.tolist())).with_columns(status=pl.lit("in_progress"))
    return pl.concat([stamped(before, table, 13, -1), stamped(rows, table, 23, 0)])


def stamped(rows: pl.DataFrame, table: Table, precedence: int, hours: int) -> pl.DataFrame:
    """``rows`` with the columns and stamps of ``table``, as they were seen so many ``hours`` after the 91st day."""
    seen = (START + dt.timedelta(days=91, hours=hours)).astimezone(dt.UTC)
    rest = {name: pl.lit(None, dtype) for name, dtype in table.schema.items() if name not in rows.columns}
    stamps = {
        "observed_at": pl.lit(seen),
        "precedence": pl.lit(precedence),
        "digest": pl.col("run_id") * 7_919 % 1_000_003,
    }
    return rows.with_columns(**rest).with_columns(**stamps).select(*table.schema).cast(table.schema)  # type: ignore[arg-type]


def _zipf(rng: np.random.Generator, kinds: int, count: int) -> np.ndarray:
    weights = 1 / np.arange(1, kinds + 1)
    return rng.choice(kinds, count, p=weights / weights.sum())


def _hex(rng: np.random.Generator, count: int) -> list[str]:
    return [rng.bytes(20).hex() for _ in range(count)]


def times(since_start_us: np.ndarray) -> pl.Series:
    """The times of these microseconds since the start."""
    start = int(START.timestamp() * 1e6)
    return pl.Series(since_start_us + start, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
