"""Syncs against the fake GitHub, and what came of them beside what there is in the fake's world."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tests.fake_github import FakeGitHub, Job, Run, World, job, matrix
from trackside.cli.app import run as run_app
from trackside.cli.app import trackside_app
from trackside.errors import TracksideError
from trackside.github.client import GitHub
from trackside.github.tokens import StaticToken
from trackside.records.syncs import SyncRecord
from trackside.store.store import Store, open_store
from trackside.sync.request import SyncRequest
from trackside.sync.run import sync

REPO = "octo/engine"
TOKEN = "ghp_" + "Q7w" * 12
STAMPS = ("observed_at", "precedence", "digest")
KEYS = {
    "runs": ("run_id", "run_attempt"),
    "jobs": ("job_id",),
    "fetched": ("run_id", "run_attempt"),
    "pulls": ("number",),
    "commit_pulls": ("sha",),
}
GRAPHQL_DOES_NOT_TELL = ("source", "created_at", "queue_s", "runner_id", "runner_name", "runner_group", "labels")
Row = tuple[Any, ...]


class FakeTime:
    """The clock of the fake, for the client and the sync: a sleep moves it."""

    def __init__(self, github: FakeGitHub, chance: float = 0.5) -> None:
        self._clock = github.clock
        self._start_s = github.clock.epoch_s()
        self._chance = chance

    def now(self) -> dt.datetime:
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.epoch_s() - self._start_s

    def sleep(self, seconds: float, wake: threading.Event) -> None:
        if not wake.is_set():
            self._clock.advance(seconds)

    def random(self) -> float:
        return self._chance


def silent(_sentence: str) -> None:
    """Nobody listens."""


def sync_once(
    github: FakeGitHub,
    store: Store,
    *,
    repo: str = REPO,
    days: float = 7,
    token: str | None = TOKEN,
    client: dict[str, Any] | None = None,
    **request: Any,
) -> SyncRecord:
    """One sync of the last ``days`` by the fake's clock, with REST unless told otherwise.

    ``client`` are arguments of the GitHub client, the others those of the request.
    """
    clock = FakeTime(github)
    since = request.pop("since", None) or clock.now().replace(microsecond=0) - dt.timedelta(days=days)
    source = None if token is None else StaticToken(token)
    asked = SyncRequest(repo=repo, since=since, **{"api": "rest"} | request)
    with GitHub(api_url=github.api_url, token=source, clock=clock, say=silent, **(client or {})) as one:
        return sync(one, store, asked, clock=clock)


def sync_until_complete(github: FakeGitHub, store: Store, most: int, **options: Any) -> list[SyncRecord]:
    """Syncs until nothing is missing, an hour apart; fails where ``most`` are not enough."""
    records: list[SyncRecord] = []
    while not records or records[-1].missing:
        assert len(records) < most, [record.missing for record in records]
        records.append(sync_once(github, store, **options))
        if records[-1].missing:
            github.clock.advance(3601)
    return records


def outcome(action: Callable[[], SyncRecord]) -> int:
    """The exit code of a sync, as the command gives it."""
    try:
        return 4 if action().missing else 0
    except TracksideError as error:
        return error.exit_code


def a_week(github: FakeGitHub, runs: int = 20, most_jobs: int = 4) -> list[Run]:
    """Runs of the last three days in all states: re-runs, failures, skipped, cancelled, going on, without jobs."""
    world, now = github.world, github.clock.now()
    made = []
    for index in range(runs):
        at = now - dt.timedelta(minutes=90 * (runs - index) * 40 / runs)
        bad = index % 3 == 0
        jobs = [*matrix("unit", 1 + index % most_jobs, ["failure"] if bad else [], n_steps=3), job("gate", "skipped")]
        name = "PR Test" if index % 2 else "Nightly"
        end = "failure" if bad else "success"
        event = "pull_request" if index % 2 else "push"
        branch = f"feature-{index}" if index % 2 else None
        made.append(world.add_run(jobs, conclusion=end, workflow=name, at=at, event=event, branch=branch))
    world.rerun(made[0], at=now - dt.timedelta(hours=2))
    world.rerun(made[3], failed_only=False, conclusion="failure", at=now - dt.timedelta(hours=1))
    world.add_run([], conclusion="startup_failure", at=now - dt.timedelta(minutes=50))
    world.add_run([job("slow", None), job("waits", None, wait_s=-1)], conclusion=None, at=now - dt.timedelta(minutes=9))
    for index, run in enumerate(made[1::2]):
        merged = run.head_sha if index % 3 == 2 else None
        if index % 4:
            world.add_pull(
                f"Pull {index}", branch=run.head_branch or "", sha=run.head_sha, at=run.created_at, merged_as=merged
            )
    return made


def rows(store: Store, table: str, leave_out: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The newest rows by key, without the stamps and without ``leave_out``."""
    frame = store.newest(table).sort(KEYS[table]).drop(STAMPS).drop(leave_out, strict=False)
    return frame.collect().to_dicts()


def everything(store: Store, leave_out: Sequence[str] = ()) -> dict[str, list[dict[str, Any]]]:
    """All that a store holds but its ledgers."""
    return {table: rows(store, table, leave_out) for table in KEYS}


def exported(store: Path) -> dict[str, bytes]:
    """The files of ``trackside store export``, byte by byte."""
    folder = store.with_name(f"{store.name} exported")
    assert run_app(trackside_app(), ["store", "export", str(folder), "--store", str(store)]) == 0
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def jobs_of_world(world: World) -> dict[int, Row]:
    """What there is to know of each job: of its attempt, its times, its runner and its steps."""
    return {number: _job_of_world(run, one) for number, (_, run, one) in world.jobs.items()}


def _job_of_world(run: Run, one: Job) -> Row:
    begin = one.started_at
    steps = tuple(
        (
            step.number,
            step.name,
            step.conclusion if step.length_s is not None else None,
            None if step.start_s is None or begin is None else begin + dt.timedelta(seconds=step.start_s),
        )
        for step in one.steps
    )
    times = (one.created_at, begin, one.completed_at)
    runner = (one.runner_id, one.runner_name, one.runner_group, tuple(one.labels))
    return (run.id, one.attempt, one.name, one.status, one.conclusion, *times, *runner, steps)


def jobs_of_store(store: Store) -> dict[int, Row]:
    """The same out of the store."""
    told = ("run_id", "run_attempt", "name", "status", "conclusion", "created_at", "started_at", "completed_at")
    runner = ("runner_id", "runner_name", "runner_group")
    return {
        row["job_id"]: (
            *(row[name] for name in (*told, *runner)),
            tuple(row["labels"]),
            tuple((step["number"], step["name"], step["conclusion"], step["started_at"]) for step in row["steps"]),
        )
        for row in rows(store, "jobs")
    }


def attempts_of_world(world: World) -> set[Row]:
    """Every attempt of every run, how it stands and when it began."""
    return {
        (run.id, one.number, one.status, one.conclusion, run.workflow.path, run.head_sha, run.event)
        for _, run in world.runs.values()
        for one in run.attempts
    }


def attempts_of_store(store: Store) -> set[Row]:
    """The same out of the store."""
    told = ("run_id", "run_attempt", "status", "conclusion", "workflow_file", "head_sha", "event")
    return {tuple(row[name] for name in told) for row in rows(store, "runs")}


def assert_whole(store: Store, github: FakeGitHub) -> None:
    """The store holds the world: every run, attempt, job and step, each once, and a marker for each attempt."""
    assert attempts_of_store(store) == attempts_of_world(github.world)
    assert jobs_of_store(store) == jobs_of_world(github.world)
    markers = {(row["run_id"], row["run_attempt"]): row["jobs"] for row in rows(store, "fetched")}
    assert markers == {
        (run.id, one.number): len(one.jobs) for _, run in github.world.runs.values() for one in run.attempts
    }


def pages(count: int) -> int:
    """Pages of 100 for so many things; an empty list is a page too."""
    return max(1, -(-count // 100))


def environment(github: FakeGitHub, token: str | None = TOKEN) -> dict[str, str]:
    """The environment of a command that talks to the fake."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "GH_"))}
    return {**own, "GITHUB_API_URL": github.api_url, **({"GITHUB_TOKEN": token} if token else {})}


# Waits of a command take no time: what it sleeps is added to its clock.
_HURRIED = """
import datetime as dt, time
from trackside.github.clock import SystemClock
slept = [0.0]
SystemClock.now = lambda self: dt.datetime.now(dt.UTC) + dt.timedelta(seconds=slept[0])
SystemClock.monotonic = lambda self: time.monotonic() + slept[0]
def sleep(self, seconds, wake):
    slept[0] += 0 if wake.is_set() else seconds
SystemClock.sleep = sleep
from trackside.cli.app import main
main()
"""


def begin_command(
    github: FakeGitHub, store: Path, *arguments: str, token: str | None = TOKEN, repo: str = REPO
) -> subprocess.Popen[str]:
    """``trackside sync`` as a process of its own, whose waits take no time."""
    words = [sys.executable, "-c", _HURRIED, "sync", "--repo", repo, "--store", str(store), *arguments]
    return subprocess.Popen(
        words, env=environment(github, token), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run_command(
    github: FakeGitHub, store: Path, *arguments: str, token: str | None = TOKEN, repo: str = REPO
) -> subprocess.CompletedProcess[str]:
    """The same, to its end."""
    process = begin_command(github, store, *arguments, token=token, repo=repo)
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@contextlib.contextmanager
def fake_and_store(folder: Path) -> Iterator[tuple[FakeGitHub, Store]]:
    """A fake GitHub and an empty store."""
    with FakeGitHub() as github:
        yield github, open_store(folder)


def scalar(frame: pl.LazyFrame, expression: pl.Expr) -> Any:
    """One value of a frame."""
    return frame.select(expression).collect().item()


def run_script(
    script: Path, github: FakeGitHub, folder: Path, *arguments: str, timeout_s: float = 120
) -> subprocess.CompletedProcess[str]:
    """An established script as a process, with addresses as GitHub has them."""
    words = [sys.executable, str(script), "--token", "ghp_" + "x" * 36, *arguments]
    told = environment(github, None)
    done = subprocess.run(words, cwd=folder, env=told, capture_output=True, text=True, timeout=timeout_s)
    done.stdout = done.stdout.replace(github.html_url, "https://github.com")
    return done
