"""What a day of syncs costs, with the arrival times of a real repository of agents.

The runs are not part of this repository: they are looked for in ``$TRACKSIDE_REAL_DATA``, else beside the checkout.
"""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from pathlib import Path

import pytest

from tests.fake_github import Clock, FakeGitHub
from tests.fake_github.scenarios import agentops
from tests.syncing import TOKEN, attempts_of_store, attempts_of_world, jobs_of_store, jobs_of_world, sync_once
from trackside.store.store import open_store

DATA = Path(os.environ.get("TRACKSIDE_REAL_DATA", "../shared/data")).resolve()
RUNS = DATA / "agentops" / "runs_before_2025-11-19.jsonl"
BEGIN = dt.datetime(2025, 11, 15, 22, tzinfo=dt.UTC)
END = dt.datetime(2025, 11, 19, tzinfo=dt.UTC)
DAYS = ("2025-11-16", "2025-11-17", "2025-11-18")


@pytest.mark.skipif(not RUNS.is_file(), reason=f"no real runs at {RUNS} (set TRACKSIDE_REAL_DATA)")
@pytest.mark.parametrize(("api", "most_a_day"), [("rest", 110), ("graphql", 40)])
def test_a_day_of_syncs_costs_little_and_brings_every_run(tmp_path: Path, api: str, most_a_day: float) -> None:
    calls: Counter[str] = Counter()
    with FakeGitHub(clock=Clock(BEGIN)) as github:
        repo = agentops(github.world, RUNS)
        store = open_store(tmp_path / "store")
        while github.clock.now() <= END:
            github.journal.clear()
            record = sync_once(github, store, repo=repo.full_name, api=api, pulls="none", token=TOKEN)
            assert (record.missing, record.parse_errors) == ((), 0)
            calls[f"{github.clock.now():%Y-%m-%d}"] += github.journal.count()
            github.clock.advance(2 * 3600)
            if github.clock.now().hour == 0:
                store.compact()
        assert sum(calls[day] for day in DAYS) / len(DAYS) <= most_a_day, calls
        assert attempts_of_store(store) == attempts_of_world(github.world)
        assert jobs_of_store(store).keys() == jobs_of_world(github.world).keys()
        assert len(github.world.runs) == len(RUNS.read_text().splitlines())
