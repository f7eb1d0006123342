"""Measure the store at the size of a large repository: 30 k runs, 1.8 M jobs, 27 M steps.

    python benchmarks/store_scale.py [--runs 30000] [--attempts 400000] [--markdown] [--work-dir DIR]

Each figure is a process of its own, measured as a whole; what it does is in ``QUESTIONS``. The store is generated
anew. ``--attempts`` is for what a sync needs to know, which does not depend on jobs.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import datetime as dt

import polars as pl

from benchmarks.ci_facts import REPO, START, generate
from benchmarks.figures import Figure, as_table
from benchmarks.process_tree import measure
from trackside.cli.app import run as run_command
from trackside.cli.app import trackside_app
from trackside.store.schema import FETCHED, JOBS, RUNS
from trackside.store.store import Store, open_store
from trackside.store.write import append

JOBS_PER_RUN: Final = 60
GB: Final = 2_000_000_000
_RECENT: Final = START + dt.timedelta(days=83)


def _write(store: Store, runs: int) -> None:
    _fill(store, runs, JOBS_PER_RUN, runs // 300)


def _write_runs(store: Store, runs: int) -> None:
    _fill(store, runs, 1, 200, jobs=False)


def _fill(store: Store, runs: int, jobs_per_run: int, parts: int, *, jobs: bool = True) -> None:
    for part in generate(runs, jobs_per_run, max(1, parts)):
        append(store.location, RUNS, part.runs)
        if jobs:
            append(store.location, JOBS, part.jobs)
        append(store.location, FETCHED, part.fetched)


def _failures(store: Store, _: int) -> None:
    failed = store.newest("jobs").filter(pl.col("conclusion") == "failure")
    print(failed.group_by("name").agg(pl.len(), pl.col("duration_s").median()).collect(engine="streaming").height)


def _failed_steps(store: Store, _: int) -> None:
    failed = store.newest("jobs").filter(pl.col("conclusion") == "failure").select("name", "steps")
    steps = failed.explode("steps").unnest("steps", separator=" ").filter(pl.col("steps conclusion") == "failure")
    print(steps.group_by("name", "steps name").len().collect(engine="streaming").height)


def _every_row(store: Store, _: int) -> None:
    columns = ("run_id", "job_id", "name", "conclusion", "queue_s", "duration_s", "runner_name")
    print(store.newest("jobs").select(columns).collect(engine="streaming").height)


def _steps(store: Store, _: int) -> None:
    print(store.sql("SELECT name, count(*) AS n, avg(duration_s) AS s FROM steps GROUP BY name").height)


def _sql(store: Store, _: int) -> None:
    query = """
        SELECT r.workflow_name, j.conclusion, count(*) AS n, avg(j.queue_s) AS queue_s
        FROM jobs j JOIN runs r ON j.repo = r.repo AND j.run_id = r.run_id AND j.run_attempt = r.run_attempt
        GROUP BY r.workflow_name, j.conclusion
    """
    print(store.sql(query).height)


def _sync_state(store: Store, _: int) -> None:
    print(len(store.sync_state(REPO, _RECENT).attempts))


def _compact(store: Store, _: int) -> None:
    print(*store.compact(), sep="\n")


def _export(store: Store, _: int) -> None:
    for table in store.facts():
        print(table.name, sum(frame.height for frame in table.frames))


def _report(store: Store, runs: int) -> None:
    """The failure report of the newest runs, as the command makes it without asking GitHub."""
    words = ["ci", "failures", "--repo", REPO, "--store", store.location.name, "--offline", "--since", "2026-06-01"]
    code = run_command(trackside_app(), [*words, "--limit", str(runs)])
    if code:
        raise SystemExit(code)


QUESTIONS: Final[dict[str, Callable[[Store, int], None]]] = {
    "write": _write,
    "write runs": _write_runs,
    "open": lambda store, _: None,
    "failures by job name": _failures,
    "failed steps by job": _failed_steps,
    "7 columns of every job": _every_row,
    "all steps by name (SQL)": _steps,
    "jobs joined to runs (SQL)": _sql,
    "what a sync needs to know": _sync_state,
    "failure report": _report,
    "compact": _compact,
    "every row in order": _export,
}
_ASKED: Final = tuple(QUESTIONS)[3:8]


def _figures(given: argparse.Namespace) -> list[Figure]:
    folder = given.work_dir / "scale"
    shutil.rmtree(folder, ignore_errors=True)
    store, other = folder / "store", folder / "runs only"
    figures = _measured("write", store, given.runs, note="with generating the rows")
    figures.append(_size("size before compacting", store))
    figures += _measured("open", store, 0, note="an empty process: subtract it from the others")
    for name in _ASKED:
        figures += _measured(name, store, 0, limit_s=10)
    figures += _measured("what a sync needs to know", store, 0)
    figures += _measured("failure report", store, 1000, limit_s=5, after=", 1,000 runs")
    figures += _measured("failure report", store, given.runs, limit_s=10, after=f", {given.runs:,} runs")
    figures += _measured("compact", store, 0)
    open_store(store).vacuum(at_once=True)
    figures.append(_size("size after compacting", store))
    for name in _ASKED:
        figures += _measured(name, store, 0, limit_s=10, after=", compacted")
    figures += _measured("every row in order", store, 0, after=", compacted")
    _measured("write runs", other, given.attempts)
    figures += _measured("what a sync needs to know", other, 0, limit_s=2, after=f", {given.attempts:,} attempts")
    shutil.rmtree(folder)
    return figures


def _measured(
    name: str, store: Path, runs: int, *, limit_s: float | None = None, after: str = "", note: str = ""
) -> list[Figure]:
    cost = measure([sys.executable, __file__, "--do", name, "--runs", str(runs), "--work-dir", str(store)])
    if cost.exit_code:
        raise SystemExit(f"{name} failed:\n{cost.output}")
    bar = "" if limit_s is None else f"{limit_s:g} CPU-s"
    memory = Figure(f"memory of it{after}", cost.peak_bytes / 1e6, "MB", GB / 1e6, "2 GB")
    wall = f"wall {cost.wall_s:.1f} s"
    return [Figure(name + after, cost.cpu_s, "CPU-s", limit_s, bar, f"{wall}; {note}" if note else wall), memory]


def _size(name: str, store: Path) -> Figure:
    size = sum(file.stat().st_size for file in store.rglob("*.parquet"))
    files = sum(1 for _ in store.rglob("*.parquet"))
    return Figure(name, size / 1e6, "MB", note=f"{files:,} files")


def main(argv: list[str] | None = None) -> None:
    """Measures, or with ``--do`` does one thing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=30_000, help="runs, of 60 jobs with 15 steps each")
    parser.add_argument("--attempts", type=int, default=400_000, help="attempts of the store without jobs")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    parser.add_argument("--work-dir", type=Path, default=Path(tempfile.gettempdir()) / "trackside-bench")
    parser.add_argument("--do", choices=QUESTIONS, help=argparse.SUPPRESS)
    given = parser.parse_args(argv)
    if given.do:
        QUESTIONS[given.do](open_store(given.work_dir), given.runs)
    else:
        print(as_table(_figures(given), markdown=given.markdown))


if __name__ == "__main__":
    main()
