"""Files parsed side by side on this machine give what they give one by one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from tests.build_logs import prefill_text, write_log
from trackside.engine.fingerprints import Fingerprint
from trackside.engine.local import available_cores, map_files
from trackside.engine.parse_file import FileTask, Scanned

# Prints what the mapper says in a process that has no Polars yet, where it forks; 400 MB are claimed to be read.
FORKING = """
import sys
from pathlib import Path
import msgspec
from trackside.engine import local
from trackside.engine.parse_file import FileTask
folder = Path(sys.argv[1])
tasks = [FileTask(str(p), p.name, n, None) for n, p in enumerate(sorted(folder.iterdir()))]
seen = []
found = local.map_files(tasks, [400 << 20] * len(tasks), lambda done, total: seen.append((done, total)))
assert "polars" not in sys.modules
assert seen[-1] == (len(tasks) * 400 << 20,) * 2, seen
sys.stdout.buffer.write(msgspec.json.encode(found))
"""

# The same where the processes are killed when the first file is given to them, before the others are.
KILLED = """
import concurrent.futures
class Killed(concurrent.futures.ProcessPoolExecutor):
    def submit(self, *told):
        future = super().submit(*told)
        for process in self._processes.values():
            process.kill()
        concurrent.futures.wait([future])
        return future
concurrent.futures.ProcessPoolExecutor = Killed
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(5):
        write_log(tmp_path / f"n1_prefill_w{number}.out", *(prefill_text(n) for n in range(number * 3)))
    return tmp_path


def here(folder: Path) -> list[Scanned]:
    paths = sorted(folder.iterdir())
    return map_files([FileTask(str(p), p.name, n, None) for n, p in enumerate(paths)], [0] * len(paths))


def test_results_come_in_the_order_of_the_tasks(folder: Path) -> None:
    assert [s.file for s in here(folder)] == [f"n1_prefill_w{number}.out" for number in range(5)]
    assert [s.counts.lines for s in here(folder)] == [0, 3, 6, 9, 12]


def test_processes_give_what_one_gives(folder: Path) -> None:
    code = [sys.executable, "-c", FORKING, str(folder)]
    done = subprocess.run(code, capture_output=True, check=True)
    assert msgspec.json.decode(done.stdout, type=list[Scanned]) == here(folder)


@pytest.mark.skipif(available_cores() < 2, reason="one core: nothing is started")
def test_processes_started_afresh_give_what_one_gives(folder: Path) -> None:
    paths = sorted(folder.iterdir())
    tasks = [FileTask(str(p), p.name, n, None) for n, p in enumerate(paths)]
    assert map_files(tasks, [600 << 20] * len(paths)) == here(folder)


@pytest.mark.skipif(available_cores() < 2, reason="one core: nothing is started")
@pytest.mark.skipif(sys.platform == "darwin", reason="this file system takes no such name")
def test_paths_that_are_no_text_are_parsed_too(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/j\xff"))
    paths = [write_log(folder / f"n1_prefill_w{number}.out", prefill_text(1)) for number in range(2)]
    tasks = [FileTask(str(p), p.name, n, None) for n, p in enumerate(paths)]
    assert [s.counts.lines for s in map_files(tasks, [600 << 20] * 2)] == [1, 1]


@pytest.mark.skipif(sys.platform != "linux" or available_cores() < 2, reason="nothing is forked")
def test_a_process_that_is_killed_is_one_sentence(folder: Path) -> None:
    os.mkfifo(folder / "n1_prefill_w9.out")  # reading it waits for a writer: none comes
    with subprocess.Popen([sys.executable, "-c", FORKING, str(folder)], stderr=subprocess.PIPE, text=True) as parent:
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
        while parent.poll() is None and len(children.read_text().split()) < 2:
            time.sleep(0.02)
        for child in children.read_text().split():
            os.kill(int(child), signal.SIGKILL)
        last = parent.communicate()[1].splitlines()[-1]
    assert last.endswith("A process that parsed logs was killed: there may be too little memory")


@pytest.mark.skipif(sys.platform != "linux" or available_cores() < 2, reason="nothing is forked")
def test_a_process_that_is_killed_before_all_files_are_given_out_is_the_same_sentence(folder: Path) -> None:
    os.mkfifo(folder / "n0_prefill_w0.out")
    done = subprocess.run(
        [sys.executable, "-c", KILLED + FORKING, str(folder)], stderr=subprocess.PIPE, text=True, check=False
    )
    assert done.stderr.endswith("A process that parsed logs was killed: there may be too little memory\n")


def test_progress_ends_at_the_whole(folder: Path) -> None:
    paths = sorted(folder.iterdir())
    sizes = [path.stat().st_size for path in paths]
    seen: list[tuple[int, int]] = []
    tasks = [FileTask(str(p), p.name, n, None) for n, p in enumerate(paths)]
    map_files(tasks, sizes, lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (sum(sizes), sum(sizes))


def test_a_file_that_is_gone_does_not_stop_the_others(folder: Path) -> None:
    paths = [*sorted(folder.iterdir()), folder / "gone.out"]
    found = map_files([FileTask(str(p), p.name, n, None) for n, p in enumerate(paths)], [0] * len(paths))
    assert [s.state for s in found] == ["empty", "ok", "ok", "ok", "ok", "unreadable"]
    assert found[-1].fingerprint == Fingerprint()


def test_no_files_are_no_work() -> None:
    assert map_files([], []) == []
