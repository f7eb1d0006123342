"""Made-up CI histories whose truth is known: what is broken, flaky, an outage or a bad runner. The same for a seed.

Two weeks of a repository with some thirty jobs: pushes to main and to pull requests, re-runs, sibling runs of a commit,
cancelled and skipped runs. Every failed attempt has a true reason.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from trackside.history.frames import FAILURE_COLUMNS, JOB_COLUMNS, RUN_COLUMNS, TEST_FILE_COLUMNS, History
from trackside.history.names import family_of, shard_of

START: Final = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
DAYS: Final = 14
HOUR: Final = dt.timedelta(hours=1)
DAY: Final = dt.timedelta(days=1)
URL: Final = "https://github.com/octo/engine"
GPU: Final = tuple(f"unit-gpu ({index})" for index in range(12))
AMD: Final = tuple(f"unit-amd ({index})" for index in range(8))
PLAIN: Final = ("lint", "build", "docs", "accuracy", "perf", "unit-cpu", "router", "kernel")
NEW: Final = "multimodal"
RENAMED: Final = ("frontend", "frontend-v2")
VANISHING: Final = "legacy"


@dataclass(frozen=True)
class Break:
    """A job that is broken on main from one moment to another; the breakage may move to another shard."""

    job: str
    start: dt.datetime
    stop: dt.datetime
    moves_to: str | None = None
    moves_at: dt.datetime | None = None

    def job_at(self, at: dt.datetime) -> str:
        """The job, or the shard it is in by then."""
        return self.moves_to if self.moves_to and self.moves_at and at >= self.moves_at else self.job

    def holds(self, job: str, at: dt.datetime) -> bool:
        """Whether ``job`` is broken at that moment."""
        return self.start <= at < self.stop and self.job_at(at) == job


@dataclass
class Truth:
    """What was planted. ``reasons`` are those of failed attempts, by job id.

    ``first_bad`` is, of the jobs that are broken at the end, the first run in which they were (by the newest attempt);
    ``moved`` says of these whether the breakage came from another shard.
    """

    breaks: list[Break] = field(default_factory=list)
    flaky: dict[str, float] = field(default_factory=dict)
    outages: list[tuple[dt.datetime, dt.datetime]] = field(default_factory=list)
    bad_runner: str | None = None
    born_red: bool = False
    reasons: dict[int, str] = field(default_factory=dict)
    first_bad: dict[str, int] = field(default_factory=dict)
    moved: dict[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Push:
    """A commit and the run that it starts."""

    at: dt.datetime
    line: str
    sha: str
    broken: frozenset[str] = frozenset()

    @property
    def on_main(self) -> bool:
        """Whether it is a commit of the default branch."""
        return self.line == "main"


class Maker:
    """Makes one history."""

    def __init__(self, seed: int, *, logs: bool) -> None:
        self.rng = random.Random(f"history {seed}")
        self.logs = logs
        self.truth = Truth()
        self.runs: list[dict[str, Any]] = []
        self.jobs: list[dict[str, Any]] = []
        self.failures: list[dict[str, Any]] = []
        self.end = START + DAYS * DAY
        self._plant()

    def make(self) -> tuple[History, Truth]:
        """The history and its truth."""
        number = 0
        for push in sorted(self._pushes(), key=lambda push: push.at):
            for again in range(2 if self.rng.random() < 0.03 else 1):
                number += 1
                late = self.rng.randrange(1, 5 if push.on_main else 300) * HOUR / 60
                self._run(number, push, push.at + again * late)
        self._ends()
        history = History(
            repo="octo/engine",
            runs=pl.DataFrame(self.runs, schema=RUN_COLUMNS),
            jobs=pl.DataFrame(self.jobs, schema=JOB_COLUMNS),
            failures=pl.DataFrame(self.failures, schema=FAILURE_COLUMNS),
            test_files=pl.DataFrame(schema=TEST_FILE_COLUMNS),
            default_branch="main",
        )
        return history, self.truth

    def _plant(self) -> None:
        rng, truth = self.rng, self.truth
        plain = rng.sample([*GPU, *AMD, *PLAIN], 11)
        for job in plain[:5]:
            start = START + rng.uniform(1, DAYS - 1) * DAY
            lasts = rng.random() < 0.5
            stop = self.end + DAY if lasts else start + rng.uniform(0.15, 2.5) * DAY
            truth.breaks.append(Break(job, start, stop))
        one, other = rng.sample([job for job in GPU if job not in plain[:5]], 2)
        start = START + rng.uniform(4, 9) * DAY
        moved = start + rng.uniform(0.6, 3) * DAY
        truth.breaks.append(Break(one, start, self.end + DAY, other, moved))
        if rng.random() < 0.5:
            truth.born_red = True
            truth.breaks.append(Break(NEW, START, self.end + DAY))
        if rng.random() < 0.5:
            truth.breaks.append(Break(RENAMED[1], START + rng.uniform(4, 7) * DAY, self.end + DAY))
        for job in plain[5:9]:
            if job not in (one, other):
                truth.flaky[job] = rng.uniform(0.02, 0.2)
        for _ in range(2):
            start = START + rng.uniform(0.5, DAYS - 0.5) * DAY
            truth.outages.append((start, start + rng.uniform(0.7, 3) * HOUR))
        truth.bad_runner = "amd-3" if rng.random() < 0.7 else None
        self.appears = START + rng.uniform(5, 9) * DAY
        self.renamed = START + rng.uniform(6, 9) * DAY
        self.vanishes = START + rng.uniform(5, 10) * DAY

    def _pushes(self) -> Iterator[Push]:
        rng = self.rng
        for index in range(DAYS * 12):
            yield Push(self._moment(), "main", f"main{index:05}")
        for pull in range(DAYS * 12):
            at, line, broken = self._moment(), f"pull-{pull}", frozenset[str]()
            for index in range(rng.choice((1, 1, 2, 3, 4))):
                if rng.random() < 0.12:
                    broken = frozenset(rng.sample([*GPU, *AMD, *PLAIN], rng.choice((1, 1, 2, 3))))
                elif rng.random() < 0.6:
                    broken = frozenset()
                yield Push(at, line, f"{line}-{index}", broken)
                at += rng.uniform(0.3, 20) * HOUR
                if at >= self.end:
                    break

    def _moment(self) -> dt.datetime:
        return START + self.rng.random() * DAYS * DAY

    def _names(self, at: dt.datetime) -> list[str]:
        names = [*PLAIN, *GPU, *AMD, RENAMED[at >= self.renamed]]
        names += [NEW] if at >= self.appears else []
        return names + ([VANISHING] if at < self.vanishes else [])

    def _run(self, number: int, push: Push, at: dt.datetime) -> None:
        """A run with its attempts: failed ones are often repeated, some later than what broke them was mended."""
        rng = self.rng
        fate = rng.random()
        cut = "cancelled" if fate < 0.1 else "skipped" if fate < 0.17 and not push.on_main else None
        names = self._names(at)
        stale = not push.on_main and rng.random() < 0.2
        attempt, began = 1, at
        while names:
            failed = self._attempt(number, push, at, attempt, began, names, cut, stale=stale)
            if not failed or cut or attempt == 3 or rng.random() > 0.35:
                return
            attempt, names = attempt + 1, failed
            began += rng.choice((0.4, 1, 3, 9, 26)) * HOUR * rng.uniform(0.7, 1.3) + HOUR / 2
            if began > self.end:
                return

    def _attempt(
        self, number: int, push: Push, at: dt.datetime, attempt: int, began: dt.datetime, names: list[str],
        cut: str | None, *, stale: bool,
    ) -> list[str]:  # fmt: skip
        """Adds an attempt of a run; the names of the jobs that failed come back."""
        failed = []
        run = _run_row(number, attempt, push, at, began)
        for place, name in enumerate(names):
            reason = self._reason(name, push, began, stale=stale)
            runner = self._runner(name)
            if reason is None and runner == self.truth.bad_runner and self.rng.random() < 0.25:
                reason = "runner"
            end = "failure" if reason else "success"
            if cut == "skipped" or (cut == "cancelled" and self.rng.random() < 0.7):
                end = cut
            row = _job_row(run, number * 1000 + attempt * 100 + place, name, end, runner, self.rng.randrange(60, 1500))
            self.jobs.append(row)
            if end == "failure" and reason:
                failed.append(name)
                self._note(row, push, reason)
        end = "failure" if failed else cut or "success"
        outcome = {"failure": "failed", "success": "passed"}.get(end, end)
        self.runs.append({**run, "conclusion": end, "outcome": outcome})
        return failed

    def _reason(self, name: str, push: Push, began: dt.datetime, *, stale: bool) -> str | None:
        rng, truth = self.rng, self.truth
        job = RENAMED[1] if name in RENAMED else name
        for broken in truth.breaks:
            # A commit on main stays as it is; a pull request runs with main as it is when it is run.
            moment = push.at if push.on_main else began
            if broken.holds(job, moment) and not stale:
                return "broken"
        if name in push.broken:
            return "pull"
        for start, stop in truth.outages:
            if start <= began < stop and rng.random() < 0.6:
                return "outage"
        return "flaky" if rng.random() < truth.flaky.get(name, 0.0) else None

    def _runner(self, name: str) -> str:
        pool = "amd" if name in AMD else "gpu"
        return f"{pool}-{self.rng.randrange(6 if pool == 'amd' else 20)}"

    def _note(self, row: dict[str, Any], push: Push, reason: str) -> None:
        self.truth.reasons[row["job_id"]] = reason
        row |= {"failed_step": "Install" if reason == "outage" else "Run tests", "failed_step_number": 4}
        row["failed_steps"] = [row["failed_step"]]
        if not self.logs or self.rng.random() < 0.1:
            return
        cause = {"outage": "dependency", "runner": "gpu_fault"}.get(reason, "test")
        word = {"pull": f"pull {push.line}", "broken": f"broken {self._break_of(row['job'])}"}.get(
            reason, f"{reason} {row['job']}"
        )
        self.failures.append(
            {
                "job_id": row["job_id"], "cause": cause, "source": "log", "rule": "made up", "line_text": word,
                "line_number": 1, "context": [word], "test": None, "tests": [], "fingerprint": f"{word:_>16}",
                "observed_at": row["completed_at"],
            }
        )  # fmt: skip

    def _break_of(self, job: str) -> int:
        return next((place for place, one in enumerate(self.truth.breaks) if job in (one.job, one.moves_to)), -1)

    def _ends(self) -> None:
        """By the newest attempts on main: which jobs are broken now, and since which run."""
        newest: dict[tuple[int, str], dict[str, Any]] = {}
        for row in self.jobs:
            if row["line"] == "main":
                newest[row["run_id"], row["job"]] = row
        results = sorted(newest.values(), key=lambda row: (row["run_created_at"], row["run_id"]))
        for broken in self.truth.breaks:
            inside = [
                row for row in results
                if row["job"] in (broken.job, broken.moves_to) and self.truth.reasons.get(row["job_id"]) == "broken"
            ]  # fmt: skip
            if not inside:
                continue
            job = inside[-1]["job"]
            last = [row for row in results if row["job"] == job and row["outcome"] in ("passed", "failed")][-1]
            if last["job_id"] == inside[-1]["job_id"]:
                self.truth.first_bad[job] = inside[0]["run_id"]
                self.truth.moved[job] = broken.moves_to == job


def _run_row(number: int, attempt: int, push: Push, at: dt.datetime, began: dt.datetime) -> dict[str, Any]:
    return {
        "run_id": number, "run_attempt": attempt, "is_latest": True, "run_number": number, "workflow": "PR Test",
        "workflow_file": ".github/workflows/test.yml", "event": "push" if push.on_main else "pull_request",
        "status": "completed", "created_at": at, "started_at": began, "updated_at": began + HOUR / 2,
        "duration_s": 1800.0, "branch": push.line, "line": push.line, "is_default_line": push.on_main, "sha": push.sha,
        "actor": "dev", "author": f"Author of {push.sha}", "title": push.sha, "url": f"{URL}/actions/runs/{number}",
    }  # fmt: skip


def _job_row(run: dict[str, Any], job_id: int, name: str, conclusion: str, runner: str, took_s: int) -> dict[str, Any]:
    job = RENAMED[1] if name in RENAMED else name
    began = run["started_at"] + dt.timedelta(seconds=20 + job_id % 300)
    same = ("run_number", "workflow", "event", "branch", "line", "is_default_line", "sha", "author", "actor", "title")
    return {
        **{column: run[column] for column in ("run_id", "run_attempt", *same)},
        "job_id": job_id, "name": name, "job": job, "family": family_of(job), "shard": shard_of(job),
        "is_ignored": False, "is_latest": True, "status": "completed", "conclusion": conclusion,
        "outcome": {"failure": "failed", "success": "passed"}.get(conclusion, conclusion),
        "created_at": run["started_at"], "started_at": began, "completed_at": began + dt.timedelta(seconds=took_s),
        "duration_s": float(took_s), "runner_name": runner, "pool": runner.partition("-")[0],
        "url": f"{URL}/actions/runs/{run['run_id']}/job/{job_id}", "failed_steps": [],
        "run_created_at": run["created_at"], "run_url": run["url"],
    }  # fmt: skip


def make_history(seed: int, *, logs: bool) -> tuple[History, Truth]:
    """The history of a seed and what is planted in it; with ``logs`` nine of ten failures have a log."""
    return Maker(seed, logs=logs).make()
