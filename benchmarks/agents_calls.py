"""What keeping agent operations up to date costs in calls, with the arrival times of a real repository of agents.

``python benchmarks/agents_calls.py`` serves the recorded runs from a fake GitHub whose clock goes on by two hours
between syncs, and prints calls a day for each way of syncing, beside what asking for everything again would cost. The
runs are not part of this repository: they are looked for in ``$TRACKSIDE_REAL_DATA``, else beside the checkout. Then it
measures how long the jobs of 300 runs take with so many calls at once, where each answer takes 100 ms.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.fake_github import Clock, FakeGitHub, Kind, World, job
from tests.fake_github.scenarios import RecordedRun, agentops, recorded_runs
from tests.syncing import sync_once
from trackside.records.syncs import SyncRecord
from trackside.store.store import Store, open_store

DATA: Final = Path(os.environ.get("TRACKSIDE_REAL_DATA", "../shared/data")).resolve()
RUNS: Final = DATA / "agentops" / "runs_before_2025-11-19.jsonl"
BEGIN: Final = dt.datetime(2025, 11, 11, tzinfo=dt.UTC)
END: Final = dt.datetime(2025, 11, 19, tzinfo=dt.UTC)
BUSY_DAYS: Final = ("2025-11-16", "2025-11-17", "2025-11-18")
EVERY: Final = dt.timedelta(hours=2)
NEWEST: Final = 50
"""Runs of each workflow that are looked at again and again where nothing is kept."""


@dataclass
class Replayed:
    """What came of a replay: the ledgers of its syncs, and calls by day and endpoint. The fake and the store go on."""

    github: FakeGitHub
    store: Store
    repo: str
    records: list[SyncRecord] = field(default_factory=list)
    calls: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    @property
    def endpoints(self) -> Counter[str]:
        """Calls by endpoint, of all days."""
        return sum(self.calls.values(), Counter())

    def a_day(self, *endpoints: str) -> float:
        """Calls a day on the busy days, of these endpoints, of all where none is named."""
        counts = [self.calls[day] for day in BUSY_DAYS]
        return sum(sum(one[name] for name in endpoints or one) for one in counts) / len(counts)


def replay(
    github: FakeGitHub, place: Path, arrange: Callable[[World], None] = lambda _: None, **request: Any
) -> Replayed:
    """Syncs every two hours through the whole record; ``arrange`` adds to the world what was not recorded.

    ``github`` must stand at BEGIN. ``request`` are fields of the sync request.
    """
    repo = agentops(github.world, RUNS)
    arrange(github.world)
    told = Replayed(github, open_store(place), repo.full_name)
    while github.clock.now() <= END:
        github.journal.clear()
        told.records.append(sync_once(github, told.store, repo=told.repo, **request))
        told.calls[f"{github.clock.now():%Y-%m-%d}"] += github.journal.by_endpoint()
        github.clock.advance(EVERY.total_seconds())
        if github.clock.now().hour == 0:
            told.store.compact()
    return told


def asked_again(runs: Sequence[RecordedRun]) -> tuple[float, float]:
    """Calls on a busy day of whoever asks for the newest 50 runs of each workflow anew at every sync.

    Of lists and jobs, and of the logs of all failed runs among them.
    """
    lists = jobs = logs = 0
    moment = BEGIN
    while moment <= END:
        seen: dict[str, list[RecordedRun]] = defaultdict(list)
        for run in runs:
            if run.created_at <= moment:
                seen[run.workflow_file].append(run)
        window = [run for mine in seen.values() for run in sorted(mine, key=lambda one: one.created_at)[-NEWEST:]]
        if f"{moment:%Y-%m-%d}" in BUSY_DAYS:
            lists += len({run.workflow_file for run in runs})
            jobs += len(window)
            logs += sum(run.conclusion == "failure" and run.updated_at <= moment for run in window)
        moment += EVERY
    days = len(BUSY_DAYS)
    return (lists + jobs) / days, logs / days


def measure(title: str, **request: Any) -> None:
    """Replays once, and prints what it cost."""
    with FakeGitHub(clock=Clock(BEGIN)) as github, tempfile.TemporaryDirectory() as room:
        told = replay(github, Path(room) / "store", **request)
        each = ", ".join(f"{name} {told.a_day(name):.1f}" for name in sorted(told.endpoints))
        logs = told.endpoints["job log"]
        print(f"| {title} | {told.a_day():.1f} | {each} | {logs} |")


def measure_workers(workers: int, runs: int = 300) -> None:
    """Syncs so many runs, the jobs of each with one call, and prints how long that took."""
    with FakeGitHub() as github, tempfile.TemporaryDirectory() as room:
        for index in range(runs):
            github.world.add_run([job("unit")], at=github.clock.now() - dt.timedelta(minutes=index))
        github.faults.add(Kind.SLOW, endpoint="jobs", delay_s=0.1)
        began = time.monotonic()
        sync_once(github, open_store(Path(room) / "store"), pulls="none", client={"workers": workers})
        print(f"| {workers} | {time.monotonic() - began:.1f} |")


def main() -> None:
    """Prints a table."""
    runs = recorded_runs(RUNS)
    print(f"{len(runs)} runs, {sum(run.conclusion == 'failure' for run in runs)} of them failed")
    print("| sync every two hours | calls a day | of these | logs in all |\n| --- | --- | --- | --- |")
    measure("REST", pulls="none")
    measure("GraphQL", pulls="none", api="graphql")
    measure("GraphQL, pull requests by list", pulls="list", api="graphql")
    measure("REST, logs of new failures", pulls="none", logs="new")
    measure("GraphQL, pull requests by list, logs of new failures", pulls="list", api="graphql", logs="new")
    jobs, logs = asked_again(runs)
    print(f"| everything again: lists and jobs | {jobs:.0f} | | |")
    print(f"| everything again: lists, jobs and logs of failed runs | {jobs + logs:.0f} | | |")
    print("| calls at once | seconds for the jobs of 300 runs |\n| --- | --- |")
    for workers in (1, 5, 10):
        measure_workers(workers)


if __name__ == "__main__":
    main()
