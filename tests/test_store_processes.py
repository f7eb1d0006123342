"""Several processes at one store, some of them killed: every row that was committed is there, once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.build_github import NOON, REPO, attempt, job, marker
from trackside.store.store import open_store

ROOT = Path(__file__).parent.parent
WRITER = """
    import sys
    from tests.build_github import *
    from trackside.store.store import open_store
    place, first, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    store = open_store(place)
    for turn in range(rounds):
        run = first + turn
        store.add_runs([attempt(run)], NOON)
        store.add_jobs([job(10 * run + one, run_id=run) for one in range(3)], [marker(run, jobs=3)], NOON)
        print(run, flush=True)
"""
COMPACTOR = """
    import sys
    from trackside.store.store import open_store
    store = open_store(sys.argv[1])
    for turn in range(int(sys.argv[2])):
        store.compact()
"""


def start(code: str, *arguments: object, **environ: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environ}, stdout=subprocess.PIPE, text=True)


def finish(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        process.communicate(timeout=120)
        assert process.returncode == 0


def test_writers_a_compaction_and_a_reader_at_once_lose_nothing(tmp_path: Path) -> None:
    place = tmp_path / "store"
    writers = [start(WRITER, place, 1000 * number, 15) for number in (1, 2)]
    compactor = start(COMPACTOR, place, 6)
    seen = 0
    while any(writer.poll() is None for writer in writers):
        marked = open_store(place).newest("fetched").collect()["run_id"].to_list()
        there = open_store(place).newest("jobs").collect()
        assert len(marked) == len(set(marked)) >= seen
        assert set(marked) <= set(there["run_id"].to_list())
        assert there["job_id"].is_unique().all()
        seen = len(marked)
    finish(*writers, compactor)
    wanted = sorted(1000 * number + turn for number in (1, 2) for turn in range(15))
    for table, rows in (("runs", 30), ("fetched", 30), ("jobs", 90)):
        found = open_store(place).newest(table).collect()
        assert found.height == rows
        assert sorted(found["run_id"].unique().to_list()) == wanted


def test_processes_that_make_the_same_tables_at_once_all_end_well(tmp_path: Path) -> None:
    finish(*(start(WRITER, tmp_path / "store", 1000 * number, 1) for number in range(1, 5)))
    assert open_store(tmp_path / "store").newest("runs").collect().height == 4
    assert open_store(tmp_path / "store").history("jobs").collect().height == 12


def test_a_killed_writer_leaves_what_was_committed_and_a_second_try_completes_it(tmp_path: Path) -> None:
    place = tmp_path / "store"
    for stop_after in (1, 3, 2):
        writer = start(WRITER, place, 1, 50)
        assert writer.stdout is not None
        for _ in range(stop_after):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        marked = set(open_store(place).newest("fetched").collect()["run_id"].to_list())
        jobs = open_store(place).newest("jobs").collect()
        assert marked >= set(range(1, stop_after + 1))
        assert marked <= set(jobs["run_id"].to_list())
        assert jobs["job_id"].is_unique().all()
    finish(start(WRITER, place, 1, 8))
    assert {*range(1, 9)} <= set(open_store(place).newest("fetched").collect()["run_id"].to_list())


def test_being_killed_between_jobs_and_markers_loses_and_doubles_nothing(tmp_path: Path) -> None:
    code = """
        import os, signal, sys
        from tests.build_github import *
        from trackside.store import store as shelf
        original = shelf.append
        def append(location, table, rows):
            if table.name == "fetched":
                os.kill(os.getpid(), signal.SIGKILL)
            original(location, table, rows)
        shelf.append = append
        store = shelf.open_store(sys.argv[1])
        store.add_runs([attempt()], NOON)
        store.add_jobs([job()], [marker()], NOON)
    """
    killed = start(code, tmp_path / "store")
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    store = open_store(tmp_path / "store")
    assert [one.fetched for one in store.sync_state(REPO, NOON).attempts] == [False]
    store.add_runs([attempt()], NOON)
    store.add_jobs([job()], [marker()], NOON)
    assert [one.fetched for one in store.sync_state(REPO, NOON).attempts] == [True]
    assert store.newest("jobs").collect().height == 1
