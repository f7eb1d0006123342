"""What a sync costs: calls, processor time and wall time, against the fake GitHub on this machine.

``python benchmarks/sync_cost.py [--runs 1000] [--most-jobs 120]`` syncs that many runs from nothing by REST and by
GraphQL, then once more with nothing new, and prints each beside the fewest calls that REST can do with. Then a sync of
the last two hours of a repository with 300 runs in two hours, day and night.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import multiprocessing
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.commands import trackside_command
from tests.fake_github import Clock, FakeGitHub, matrix

REPO: Final = "octo/engine"
TOKEN: Final = "ghp_" + "0" * 36


def serve(runs: int, most_jobs: int, days: float, told: Connection) -> None:
    """Serves a repository with ``runs`` finished runs of the last ``days``; tells the URL and the numbers."""
    chance = random.Random(20261101)
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    fake = FakeGitHub(clock=Clock(now))
    fake.settings.rate_limits = False  # the calls are counted; what 5,000 an hour makes of them is arithmetic
    jobs = pages = 0
    for index in range(runs):
        count = chance.randint(1, most_jobs)
        created_at = now - dt.timedelta(days=days) + dt.timedelta(days=days * index / runs)
        fake.world.add_run(
            matrix("unit-test", count, n_steps=15), conclusion="success", workflow="PR Test", at=created_at
        )
        jobs += count
        pages += -(-count // 100)
    with fake:
        told.send((fake.api_url, jobs, pages))
        told.recv()


def sync(url: str, store: Path, *options: str) -> tuple[dict[str, Any], float, float, int]:
    """The ledger of one ``trackside sync``, its CPU and wall seconds and its peak memory in MB."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    environment = {**os.environ, "GITHUB_API_URL": url, "GITHUB_TOKEN": TOKEN, "TRACKSIDE_STORE": str(store)}
    command = [*trackside_command(), "sync", "--repo", REPO, "--pulls", "none", "--format", "json", *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    wall_s = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout)["sync"], cpu_s, wall_s, after.ru_maxrss // 1024


@contextmanager
def served(runs: int, most_jobs: int, days: float) -> Iterator[tuple[str, int, int]]:
    """The URL of a fake GitHub, how many jobs it has and how many pages they fill."""
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(runs, most_jobs, days, there))
    server.start()
    try:
        yield here.recv()
    finally:
        here.send("done")
        server.join()


def measure_from_nothing(runs: int, most_jobs: int) -> None:
    """A cold sync and one with nothing new, by REST and by GraphQL."""
    with served(runs, most_jobs, 6) as (url, jobs, pages), tempfile.TemporaryDirectory() as room:
        fewest = -(-runs // 100) + pages
        print(f"{runs:,} runs, {jobs:,} jobs; REST needs {fewest:,} calls at least")
        for api in ("rest", "graphql"):
            for what in ("cold", "nothing new"):
                record, cpu_s, wall_s, peak_mb = sync(url, Path(room) / api, "--api", api)
                share = f"{record['calls'] / fewest:.1%} of the fewest"
                print(
                    f"{api:8} {what:12} {record['calls']:6,} calls ({share}), {record['jobs_new']:7,} jobs, "
                    f"{cpu_s:5.1f} CPU-s, {wall_s:5.1f} s, {peak_mb:,} MB, "
                    f"missing {sum(item['count'] for item in record['missing'])}"
                )


def measure_two_hours() -> None:
    """The sync of two hours with 300 new runs, after one of the two days before."""
    with served(7_200, 3, 2) as (url, _, _), tempfile.TemporaryDirectory() as room:
        earlier = (dt.datetime.now(dt.UTC) - dt.timedelta(hours=2)).isoformat(timespec="seconds")
        for api in ("rest", "graphql"):
            sync(url, Path(room) / api, "--api", api, "--since", "3d", "--until", earlier)
            record, *_ = sync(url, Path(room) / api, "--api", api, "--since", "3d")
            by_endpoint = ", ".join(f"{item['endpoint']} {item['calls']}" for item in record["endpoints"])
            print(f"{api:8} two hours    {record['calls']:6,} calls for {record['runs_new']} new runs: {by_endpoint}")


def main() -> None:
    """Measures and prints one line for each sync."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--most-jobs", type=int, default=120)
    asked = parser.parse_args()
    measure_from_nothing(asked.runs, asked.most_jobs)
    measure_two_hours()


if __name__ == "__main__":
    main()
