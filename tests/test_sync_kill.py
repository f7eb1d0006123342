"""A sync that is killed loses nothing and leaves nothing half done; two at once and a reader do not mind each other."""

from __future__ import annotations

import datetime as dt
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.fake_github import Clock, FakeGitHub, Kind, matrix
from tests.syncing import KEYS, a_week, assert_whole, begin_command, exported, rows, sync_once
from trackside.store.store import Store, open_store

Process = subprocess.Popen[str]


def begin_world() -> FakeGitHub:
    """A fake at the present hour: a command knows no other."""
    github = FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC).replace(microsecond=0))).start()
    a_week(github, 24)
    for _ in range(3):
        github.world.add_run(matrix("many", 150, n_steps=3), at=github.clock.now() - dt.timedelta(hours=3))
    return github


def kill_after_calls(calls: int, delay_s: float) -> Callable[[FakeGitHub, Path, Process], None]:
    """Kill it so long after so many calls."""

    def arrange(github: FakeGitHub, store: Path, process: Process) -> None:
        def kill() -> None:
            threading.Timer(delay_s, process.kill).start()

        del store
        github.faults.add(Kind.CALL, nth=calls, call=kill)

    return arrange


def kill_after_commit(table: str) -> Callable[[FakeGitHub, Path, Process], None]:
    """Kill it as soon as the first commit of a table is there."""

    def arrange(github: FakeGitHub, store: Path, process: Process) -> None:
        def watch() -> None:
            while process.poll() is None:
                if any((store / table).glob("_delta_log/*.json")):
                    process.kill()
                time.sleep(0.001)

        del github
        threading.Thread(target=watch, daemon=True).start()

    return arrange


def moments() -> list[Callable[[FakeGitHub, Path, Process], None]]:
    dice = random.Random(20)
    tables = [kill_after_commit(table) for table in KEYS]
    return tables + [kill_after_calls(dice.randrange(1, 52), dice.choice([0, 0.03, 0.1])) for _ in range(15)]


def kill_and_go_on(folder: Path, arrangements: list[Callable[[FakeGitHub, Path, Process], None]]) -> list[int]:
    """Kills one sync after the other and finishes each; gives how they ended."""
    github = begin_world()
    try:
        sync_once(github, open_store(folder / "calm"))
        undisturbed = exported(folder / "calm")
        assert {name.partition(".")[0] for name in undisturbed} >= set(KEYS)
        ends = []
        for index, arrange in enumerate(arrangements):
            place = folder / str(index)
            process = begin_command(github, place, "--api", "rest")
            arrange(github, place, process)
            process.communicate(timeout=60)
            ends.append(process.returncode)
            github.faults.clear()
            store = open_store(place)
            assert sync_once(github, store).status == "ok"
            assert exported(place) == undisturbed
            assert_whole(store, github)
    finally:
        github.stop()
    return ends


def test_after_a_kill_at_any_moment_the_next_sync_makes_the_store_whole(tmp_path: Path) -> None:
    chosen = moments()
    for half in ("a", "b"):
        (tmp_path / half).mkdir()
    with ThreadPoolExecutor(2) as pool:
        halves = pool.map(kill_and_go_on, [tmp_path / "a", tmp_path / "b"], [chosen[::2], chosen[1::2]])
        ends = Counter(end for half in halves for end in half)
    assert ends.total() == 20
    assert ends[-9] >= 15  # the others had ended before they could be killed
    assert set(ends) <= {-9, 0}


@pytest.fixture
def github() -> Any:
    one = begin_world()
    yield one
    one.stop()


def test_two_syncs_at_once_lose_nothing_and_double_nothing(github: FakeGitHub, tmp_path: Path) -> None:
    place = tmp_path / "store"
    both = [begin_command(github, place, "--api", "rest") for _ in range(2)]
    ends = [(*process.communicate(timeout=60), process.returncode) for process in both]
    assert {code for _, _, code in ends} <= {0, 4}, ends
    store = open_store(place)
    for table, key in KEYS.items():
        found = [tuple(row[name] for name in key) for row in rows(store, table)]
        assert len(found) == len(set(found))
    assert_whole(store, github)
    assert store.newest("syncs").collect().height == 2


def test_a_reader_during_a_sync_sees_no_attempt_before_its_jobs(github: FakeGitHub, tmp_path: Path) -> None:
    store: Store = open_store(tmp_path / "store")
    process = begin_command(github, tmp_path / "store", "--api", "rest")
    reads = 0
    while process.poll() is None:
        markers = rows(store, "fetched")
        jobs = Counter((row["run_id"], row["run_attempt"]) for row in rows(store, "jobs"))
        assert all(jobs[row["run_id"], row["run_attempt"]] >= row["jobs"] for row in markers)
        reads += 1
    process.communicate()
    assert process.returncode == 0
    assert reads > 1
    assert_whole(store, github)


def test_an_interrupt_ends_with_130_and_keeps_what_came(github: FakeGitHub, tmp_path: Path) -> None:
    process = begin_command(github, tmp_path / "store", "--api", "rest")
    github.faults.add(Kind.CALL, nth=30, call=lambda: process.send_signal(signal.SIGINT))
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    store = open_store(tmp_path / "store")
    [ledger] = store.newest("syncs").collect().to_dicts()
    assert (ledger["status"], ledger["missing"][0]["reason"]) == ("partial", "interrupted")
    assert rows(store, "fetched")
    assert sync_once(github, store).status == "ok"
    assert_whole(store, github)
