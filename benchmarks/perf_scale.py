"""Measure the commands on performance at the size of SGLang's CI: 1,000 runs of three performance jobs.

    python benchmarks/perf_scale.py [--runs 1000] [--metrics 25] [--markdown] [--work-dir DIR]

The store is generated: 18 tests with ``--metrics`` metrics each, 450 series of 1,000 points at the defaults, a third of
the runs on the default branch, two machines, and a step of 3 % in every tenth series. Each figure is a process of its
own, measured as a whole, that asks GitHub for nothing. Reading logs is measured on one log of 50 MB.
"""

from __future__ import annotations

import argparse
import datetime as dt
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from benchmarks.figures import Figure, as_table
from benchmarks.process_tree import measure
from trackside.cli.app import run as run_command
from trackside.cli.app import trackside_app
from trackside.perf.reading import read_measurements, version_of
from trackside.presets.grammar_files import load_grammars
from trackside.records.jobs import Job
from trackside.records.measurements import Better, MeasuredLog, Measurement
from trackside.records.runs import Fetched, RunAttempt, Source
from trackside.store.store import Store, open_store

REPO: Final = "octo/engine"
START: Final = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
JOBS: Final = ("performance-test-1-gpu-part-1", "performance-test-1-gpu-part-2", "performance-test-2-gpu")
TESTS: Final = 6
EVERY: Final = dt.timedelta(minutes=40)
LOG_MB: Final = 50


def _write(store: Store, runs: int, metrics: int) -> None:
    rng = np.random.default_rng(11)
    version = version_of(load_grammars(()))
    for first in range(0, runs, 100):
        numbers = range(first, min(first + 100, runs))
        made = [(run := _run(number), _jobs(run, rng)) for number in numbers]
        now = START + dt.timedelta(days=60)
        store.add_runs([run for run, _ in made], now)
        store.add_jobs([job for _, jobs in made for job in jobs], [_marker(run) for run, _ in made], now)
        values = [one for run, jobs in made for job in jobs for one in _values(job, run, runs, metrics, version, rng)]
        read = [
            MeasuredLog(**_keys(job), version=version, tests=TESTS, measurements=TESTS * metrics)  # type: ignore[arg-type]
            for _, jobs in made
            for job in jobs
        ]
        store.add_measurements(values, read, now)


def _run(number: int) -> RunAttempt:
    at = START + number * EVERY
    on_main = number % 3 == 0
    return RunAttempt(
        repo=REPO,
        run_id=10_000_000 + number,
        run_attempt=1,
        source=Source.REST,
        run_number=number,
        workflow_name="PR Test",
        workflow_file=".github/workflows/pr-test.yml",
        event="push" if on_main else "pull_request",
        status="completed",
        conclusion="success",
        created_at=at,
        run_started_at=at,
        updated_at=at + EVERY / 2,
        head_branch="main" if on_main else f"change-{number % 90}",
        head_sha=f"{number:040x}",
        head_repository=REPO,
        head_commit_author="alice",
        html_url=f"https://github.com/{REPO}/actions/runs/{10_000_000 + number}",
    )


def _jobs(run: RunAttempt, rng: np.random.Generator) -> list[Job]:
    assert run.created_at is not None
    return [
        Job(
            repo=REPO,
            job_id=run.run_id * 10 + place,
            run_id=run.run_id,
            run_attempt=1,
            source=Source.REST,
            name=name,
            workflow_name="PR Test",
            head_branch=run.head_branch,
            head_sha=run.head_sha,
            status="completed",
            conclusion="success",
            created_at=run.created_at,
            started_at=run.created_at,
            completed_at=run.created_at + EVERY / 4,
            duration_s=600.0,
            runner_name=f"h100-{rng.integers(2)}",
            labels=("1-gpu-h100",),
        )
        for place, name in enumerate(JOBS)
    ]


def _marker(run: RunAttempt) -> Fetched:
    return Fetched(
        repo=REPO,
        run_id=run.run_id,
        run_attempt=1,
        status="completed",
        updated_at=run.updated_at,
        jobs=len(JOBS),
        jobs_listed=len(JOBS),
        source=Source.REST,
    )


def _keys(job: Job) -> dict[str, object]:
    return {"repo": REPO, "job_id": job.job_id, "run_id": job.run_id, "run_attempt": 1}


def _values(
    job: Job, run: RunAttempt, runs: int, metrics: int, version: str, rng: np.random.Generator
) -> Iterator[Measurement]:
    """Levels of 100 to 10,000 with noise of 1 %; machine 1 is 1.5 % faster, every tenth series steps at two thirds."""
    machine = 1.015 if job.runner_name == "h100-1" else 1.0
    late = (run.run_number or 0) > runs * 2 / 3
    for test in range(TESTS):
        for metric in range(metrics):
            stepped = late and (test * metrics + metric) % 10 == 0
            level = 100 * (1 + (7 * test + metric) % 100) * machine * (0.97 if stepped else 1.0)
            yield Measurement(
                **_keys(job),  # type: ignore[arg-type]
                version=version,
                test=f"test_{test}",
                metric=f"metric_{metric:02}_tok_s",
                value=round(level * float(rng.normal(1, 0.01)), 2),
                unit="tok/s",
                better=Better.HIGHER,
                is_established=metric < 2,
            )


def _ask(*words: str) -> Callable[[Store, int, int], None]:
    def ask(store: Store, _runs: int, _metrics: int) -> None:
        where = ["--repo", REPO, "--store", store.location.name, "--offline", "--since", "2026-05-31"]
        code = run_command(trackside_app(), ["perf", *words, *where])
        if code:
            raise SystemExit(code)

    return ask


def _report(store: Store, runs: int, metrics: int) -> None:
    tables = Path(store.location.name).parent / "tables"
    _ask("report", "--output-dir", str(tables))(store, runs, metrics)


def _read_log(_store: Store, _runs: int, _metrics: int) -> None:
    """A log of a server that says much, with one block of results at its end."""
    line = b"2026-06-01T08:00:00.0000000Z [2026-06-01 08:00:00 TP0] Decode batch. #running-req: 31, gen throughput: 1\n"
    block = (
        b"2026-06-01T08:00:00.0000000Z ##[group]Run python3 -m unittest test_bench_serving.TestBenchServing.test_x\n"
        b"2026-06-01T08:00:00.0000000Z Output token throughput (tok/s):         3830.10\n"
    )
    job = Job(repo=REPO, job_id=1, run_id=1, run_attempt=1, source=Source.REST, name=JOBS[0])
    found = read_measurements(line * (LOG_MB * 1_000_000 // len(line)) + block, job, load_grammars(()))
    assert len(found) == 1, found


QUESTIONS: Final[dict[str, Callable[[Store, int, int], None]]] = {
    "write": _write,
    "open": lambda _store, _runs, _metrics: None,
    "perf changes": _ask("changes", "--format", "csv"),
    "perf compare": _ask("compare", f"{0:040x}", f"{3:040x}", "--format", "csv"),
    "perf report": _report,
    f"reading a log of {LOG_MB} MB": _read_log,
}


def _figures(given: argparse.Namespace) -> list[Figure]:
    folder = given.work_dir / "perf-scale"
    shutil.rmtree(folder, ignore_errors=True)
    store = folder / "store"
    found: list[Figure] = []
    for name in QUESTIONS:
        words = ["--do", name, "--runs", str(given.runs), "--metrics", str(given.metrics), "--work-dir", str(store)]
        cost = measure([sys.executable, __file__, *words])
        if cost.exit_code:
            raise SystemExit(f"{name} failed:\n{cost.output}")
        found.append(Figure(name, cost.cpu_s, "CPU-s", note=f"wall {cost.wall_s:.1f} s"))
        found.append(Figure(f"memory of it, {name}", cost.peak_bytes / 1e6, "MB"))
    shutil.rmtree(folder)
    return found


def main(argv: list[str] | None = None) -> None:
    """Measures, or with ``--do`` does one thing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--metrics", type=int, default=25, help="metrics of each of the 18 tests")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    parser.add_argument("--work-dir", type=Path, default=Path(tempfile.gettempdir()) / "trackside-bench")
    parser.add_argument("--do", choices=QUESTIONS, help=argparse.SUPPRESS)
    given = parser.parse_args(argv)
    if given.do:
        QUESTIONS[given.do](open_store(given.work_dir), given.runs, given.metrics)
    else:
        print(as_table(_figures(given), markdown=given.markdown))


if __name__ == "__main__":
    main()
