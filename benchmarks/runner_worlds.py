"""A week of CI in which it is known which runner is bad: pools, queues, broken jobs, broken commits, flakes."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from trackside.history.frames import FAILURE_COLUMNS, JOB_COLUMNS, RUN_COLUMNS, TEST_FILE_COLUMNS, History

START = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
WEEK_S = 7 * 24 * 3600.0


@dataclass
class Machine:
    """A runner: the pools it serves, when it is there, and the share of jobs that fails because of it."""

    name: str
    pools: tuple[str, ...]
    extra: float = 0.0
    from_s: float = 0.0
    free_s: float = 0.0


@dataclass
class Work:
    """A job: its pool, its own rate of failures, how long it takes, and when it is broken for everybody."""

    name: str
    pool: str
    rate: float
    seconds: float
    broken: tuple[float, float] | None = None


@dataclass
class World:
    """The machines, and the history that they made."""

    machines: list[Machine]
    history: History
    bad: frozenset[str] = field(default_factory=frozenset)


def a_world(seed: int, *, runs: int = 300, extra: float = 0.0) -> World:
    """A week of ``runs`` runs; with ``extra`` one runner makes that share of its jobs fail."""
    chance = random.Random(seed)
    pools = [f"pool-{number}" for number in range(chance.randint(2, 4))]
    machines = _machines(chance, pools)
    if extra:
        victims = [one for one in machines if sum(one.pools[0] in other.pools for other in machines) > 2]
        chance.choice(victims or machines).extra = extra
    rows = _rows(chance, machines, _jobs(chance, pools), runs)
    history = History(
        repo="octo/engine",
        runs=pl.DataFrame(schema=RUN_COLUMNS),
        jobs=pl.DataFrame(rows, schema_overrides=JOB_COLUMNS).select(
            pl.col(name) if name in rows[0] else pl.lit(None, dtype=kind).alias(name)
            for name, kind in JOB_COLUMNS.items()
        ),
        failures=pl.DataFrame(schema=FAILURE_COLUMNS),
        test_files=pl.DataFrame(schema=TEST_FILE_COLUMNS),
    )
    return World(machines, history, frozenset(one.name for one in machines if one.extra))


def _machines(chance: random.Random, pools: Sequence[str]) -> list[Machine]:
    machines = []
    for pool in pools:
        for number in range(chance.randint(3, 12)):
            shared = chance.random() < 0.1
            served = (pool, chance.choice(pools)) if shared else (pool,)
            late = chance.uniform(0, WEEK_S) if chance.random() < 0.15 else 0.0
            machines.append(Machine(f"{pool}-runner-{number}", served, from_s=late))
    return machines


def _jobs(chance: random.Random, pools: Sequence[str]) -> list[Work]:
    jobs = []
    for pool in pools:
        for number in range(chance.randint(2, 10)):
            rate = chance.choice((0.0, 0.005, 0.01, 0.02, 0.05, 0.15, 0.5, 1.0) if chance.random() < 0.5 else (0.01,))
            begin = chance.uniform(0, WEEK_S)
            broken = (begin, begin + chance.uniform(3600, WEEK_S / 3)) if chance.random() < 0.2 else None
            seconds = chance.uniform(120, 2400)
            jobs.append(Work(f"{pool} test ({number})", pool, rate, seconds, broken))
    return jobs


def _rows(chance: random.Random, machines: Sequence[Machine], jobs: Sequence[Work], runs: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    arrivals = sorted(chance.uniform(0, WEEK_S) for _ in range(runs))
    commit, broken_commit, broken_jobs = 0, False, frozenset[str]()
    for number, arrival in enumerate(arrivals):
        if chance.random() < 0.8:
            # Else the same commit is run again: its failures come again.
            commit, broken_commit = commit + 1, chance.random() < 0.1
            broken_jobs = frozenset(job.name for job in jobs if chance.random() < chance.choice((0.1, 0.5, 1.0)))
        for job in jobs:
            machine = _next(chance, machines, job.pool, arrival)
            at = max(arrival, machine.free_s, machine.from_s)
            worn = broken_commit and job.name in broken_jobs
            down = job.broken is not None and job.broken[0] <= arrival < job.broken[1]
            failed = worn or down or chance.random() < job.rate or chance.random() < machine.extra
            took = job.seconds * chance.lognormvariate(0, 0.2) * (chance.uniform(0.1, 1.0) if failed else 1.0)
            machine.free_s = at + took
            rows.append(_row(len(rows), number, f"{commit:040x}", job, machine, (arrival, at, took), failed))
    return rows


def _next(chance: random.Random, machines: Sequence[Machine], pool: str, arrival: float) -> Machine:
    """The machine of the pool that is free first; among several that are free now, any."""
    serving = [one for one in machines if pool in one.pools]
    ready = [one for one in serving if max(one.free_s, one.from_s) <= arrival]
    return chance.choice(ready) if ready else min(serving, key=lambda one: max(one.free_s, one.from_s))


def _row(
    job_id: int, run: int, sha: str, job: Work, machine: Machine, times: tuple[float, float, float], failed: bool
) -> dict[str, Any]:
    created, started, took = times
    conclusion = "failure" if failed else "success"
    return {
        "job_id": job_id,
        "run_id": run,
        "run_attempt": 1,
        "name": job.name,
        "job": job.name,
        "family": job.name.partition(" (")[0],
        "is_ignored": False,
        "status": "completed",
        "conclusion": conclusion,
        "outcome": "failed" if failed else "passed",
        "created_at": START + dt.timedelta(seconds=created),
        "started_at": START + dt.timedelta(seconds=started),
        "queue_s": started - created,
        "duration_s": took,
        "runner_name": machine.name,
        "runner_group": "Default",
        "pool": job.pool,
        "workflow": "PR Test",
        "sha": sha,
    }
