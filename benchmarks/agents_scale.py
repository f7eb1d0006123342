"""Measure the statistics of agent operations at 30,000 runs, 300,000 jobs and 3.9 M steps.

    python benchmarks/agents_scale.py [--runs 30000] [--markdown]

The frames are generated (the same seed gives the same rows): twelve workflows over 90 days, ten jobs a run, thirteen
steps a job, one run in three attributed to one of six agents. Each figure is a process of its own; ``frames`` is one
that only makes them: subtract it from the others.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import polars as pl

from benchmarks.figures import Figure, as_table
from benchmarks.process_tree import measure
from trackside.agents.bands import aggregates_of, detail_of
from trackside.agents.frames import AGENT_RUN_COLUMNS, STEP_COLUMNS, AgentHistory
from trackside.agents.statistics import statistics_of
from trackside.history.frames import (
    FAILURE_COLUMNS,
    JOB_COLUMNS,
    RUN_COLUMNS,
    TEST_FILE_COLUMNS,
    History,
    empty_frame,
)
from trackside.records.agent_rules import AgentRules, Bands, CostRate

START: Final = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
DAYS, WORKFLOWS, JOBS, STEPS, RUNS = 90, 12, 10, 13, 30_000
SEED: Final = 41
AGENTS: Final = ("copilot", "claude", "codex", "gemini", "cursor", "devin")
_ENDS: Final = ("success", "failure", "cancelled", "skipped")
_SHARES: Final = (0.84, 0.09, 0.04, 0.03)
LABELS: Final[tuple[tuple[str, ...], ...]] = (
    ("ubuntu-latest",),
    ("ubuntu-latest",),
    ("self-hosted", "gpu"),
    ("macos-14",),
)
RATES: Final = (CostRate(per_minute=0.008, labels=("ubuntu-*",)), CostRate(per_minute=0.05, labels=("gpu",)))


def made_history(runs: int) -> AgentHistory:
    """The frames; a column that no statistic reads is null."""
    rng = np.random.default_rng(SEED)
    run_frame = _runs(rng, runs)
    jobs = _jobs(rng, run_frame)
    history = History(
        repo="octo/engine",
        runs=run_frame.select(list(RUN_COLUMNS)),
        jobs=jobs,
        failures=empty_frame(FAILURE_COLUMNS),
        test_files=empty_frame(TEST_FILE_COLUMNS),
    )
    labels = {job: LABELS[job % len(LABELS)] for job in jobs["job_id"]}
    return AgentHistory(
        history=history, runs=run_frame, steps=_steps(rng, jobs), labels=labels, rules=AgentRules(rates=RATES)
    )


def _runs(rng: np.random.Generator, runs: int) -> pl.DataFrame:
    number = np.arange(runs)
    workflow = pl.Series(rng.integers(0, WORKFLOWS, runs)).cast(pl.String)
    at = pl.Series((rng.random(runs) * DAYS * 86_400).astype(np.int64)).sort()
    agent = pl.Series([AGENTS[one % len(AGENTS)] if one % 3 == 0 else None for one in range(runs)], dtype=pl.String)
    told = pl.DataFrame(
        {
            "run_id": 10_000_000 + number,
            "run_attempt": np.ones(runs, dtype=np.int64),
            "workflow": "Workflow " + workflow,
            "workflow_file": ".github/workflows/w" + workflow + ".yml",
            "conclusion": rng.choice(_ENDS, runs, p=_SHARES),
            "created_at": START + pl.Series(at * 1_000_000).cast(pl.Duration("us")),
            "duration_s": np.round(rng.lognormal(6, 0.5, runs)),
            "queue_s": np.round(rng.lognormal(2, 1, runs)),
            "active_s": np.round(rng.lognormal(7, 0.5, runs)),
            "agent": agent,
        }
    )
    told = told.with_columns(
        pl.lit("completed").alias("status"),
        pl.lit(value=True).alias("is_read"),
        pl.col("created_at").alias("started_at"),
        pl.when(pl.col("agent").is_not_null()).then(pl.lit("ran")).alias("agent_role"),
    )
    return whole_frame(told, AGENT_RUN_COLUMNS)


def _jobs(rng: np.random.Generator, runs: pl.DataFrame) -> pl.DataFrame:
    every = runs.select("run_id", "run_attempt", "workflow", "status", "started_at", "created_at")
    rows = every.join(pl.DataFrame({"place": np.arange(JOBS)}), how="cross")
    n = rows.height
    name = "job " + (pl.col("place") // 2).cast(pl.String)
    told = rows.with_columns(
        name.alias("family"),
        pl.concat_str(name, pl.lit(" ("), pl.col("place"), pl.lit(")")).alias("name"),
        job_id=pl.int_range(n, dtype=pl.Int64),
        conclusion=pl.Series(rng.choice(_ENDS, n, p=_SHARES)),
        duration_s=pl.Series(np.round(rng.lognormal(5.5, 0.7, n))),
        queue_s=pl.Series(np.round(rng.lognormal(2, 1, n))),
        completed_at=pl.col("started_at") + pl.duration(minutes=5),
        is_ignored=pl.lit(value=False),
    )
    return whole_frame(told.with_columns(job="name"), JOB_COLUMNS)


def _steps(rng: np.random.Generator, jobs: pl.DataFrame) -> pl.DataFrame:
    every = jobs.select("job_id", "run_id", "run_attempt", "workflow", "job", "status", "started_at", "completed_at")
    rows = every.join(pl.DataFrame({"number": np.arange(1, STEPS + 1)}), how="cross")
    n = rows.height
    told = rows.with_columns(
        step=pl.concat_str(pl.lit("step "), pl.col("number")),
        conclusion=pl.Series(rng.choice(_ENDS, n, p=_SHARES)),
        duration_s=pl.Series(np.round(rng.lognormal(2.5, 1.2, n))),
    )
    return whole_frame(told, STEP_COLUMNS)


def whole_frame(rows: pl.DataFrame, columns: pl.Schema) -> pl.DataFrame:
    """``rows`` with all columns, those that it has not being null."""
    missing = [pl.lit(None).alias(name) for name in columns if name not in rows.columns]
    return rows.with_columns(missing).select(list(columns)).cast(columns)


def _ask_bands(history: AgentHistory) -> None:
    detail = detail_of(history, Bands())
    aggregates_of(history, detail.filter(pl.col("detail") == "aggregate"))


QUESTIONS: Final[dict[str, Callable[[AgentHistory], object]]] = {
    "frames": lambda _history: None,
    "statistics": statistics_of,
    "bands and aggregates": _ask_bands,
}


def _figures(given: argparse.Namespace) -> list[Figure]:
    found: list[Figure] = []
    for name in QUESTIONS:
        cost = measure([sys.executable, __file__, "--do", name, "--runs", str(given.runs)])
        if cost.exit_code:
            raise SystemExit(f"{name} failed:\n{cost.output}")
        found.append(Figure(name, cost.cpu_s, "CPU-s", note=f"wall {cost.wall_s:.1f} s"))
        found.append(Figure(f"memory of it, {name}", cost.peak_bytes / 1e6, "MB"))
    return found


def main(argv: list[str] | None = None) -> None:
    """Measures, or with ``--do`` does one thing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    parser.add_argument("--do", choices=QUESTIONS, help=argparse.SUPPRESS)
    given = parser.parse_args(argv)
    if given.do:
        QUESTIONS[given.do](made_history(given.runs))
    else:
        print(as_table(_figures(given), markdown=given.markdown))


if __name__ == "__main__":
    main()
