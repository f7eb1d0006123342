"""A report that is killed leaves data files that can be read: those of before, or those of now."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.agent_data import every_run, write_history
from tests.test_agents_files import SMALL, a_large_history

WRITE = """
import sys
from pathlib import Path
from tests.agent_data import a_content
from tests.test_agents_files import NOW, SMALL, a_large_history
from trackside.report.agents_files import write_data
contents = [a_content(a_large_history(120, title=f"{sys.argv[2]} {n}"), most_bytes=SMALL) for n in range(3)]
print("ready", flush=True)
for content in contents:
    write_data(Path(sys.argv[1]), content, NOW)
print("done", flush=True)
"""
RUNS = [(1000 + n, 1) for n in range(119, -1, -1)]
KILLS = 5


def begin(path: Path, title: str = "News") -> subprocess.Popen[str]:
    """A process that is about to write the data files three times, each time other ones."""
    words = [sys.executable, "-c", WRITE, str(path), title]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def state(folder: Path) -> list[tuple[str, int]]:
    """The files that can be seen in a folder, those that go meanwhile left out."""
    found = []
    for one in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append((one.name, one.stat().st_ino))
    return sorted(told for told in found if not told[0].startswith("."))


def kill_at_write(process: subprocess.Popen[str], folder: Path, changes: int, delay_s: float) -> None:
    """Kills it a moment after the folder was seen to change so many times."""

    def watch() -> None:
        before, left = None, changes
        while process.poll() is None:
            now = state(folder)
            if before is not None and now != before:
                left -= 1
            before = now
            if left <= 0:
                time.sleep(delay_s)
                process.kill()
                return

    threading.Thread(target=watch, daemon=True).start()


def test_after_a_kill_at_any_moment_the_files_are_whole_and_the_next_report_tidies(tmp_path: Path) -> None:
    dice = random.Random(7)
    start = tmp_path / "start" / "agentops-runs.json"
    write_history(start, a_large_history(120), most_bytes=SMALL)
    killed = 0
    for number in range(KILLS):
        path = tmp_path / str(number) / start.name
        shutil.copytree(start.parent, path.parent)
        process = begin(path)
        kill_at_write(process, path.parent, 1 + 2 * number, dice.choice((0.0, 0.0005, 0.002)))
        process.communicate(timeout=60)
        killed += process.returncode == -9
        assert every_run(path) == RUNS
        done = write_history(path, a_large_history(120, title="The last"), most_bytes=SMALL)
        assert every_run(path) == RUNS
        visible = {one.name for one in path.parent.iterdir() if not one.name.startswith(".")}
        assert visible == {one.file for one in done.files}
    assert killed >= 1  # the others had ended before they could be killed


def test_two_reports_at_once_leave_a_whole_set(tmp_path: Path) -> None:
    path = tmp_path / "data" / "agentops-runs.json"
    write_history(path, a_large_history(120), most_bytes=SMALL)
    both = [begin(path, title) for title in ("One", "Another")]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    assert every_run(path) == RUNS
    main = json.loads(path.read_bytes())
    for one in (*main["segments"], main["days"]):
        assert hashlib.sha256(path.with_name(one["file"]).read_bytes()).hexdigest() == one["sha256"]
    named = {path.name, main["days"]["file"], *(one["file"] for one in main["segments"])}
    assert {one.name for one in path.parent.iterdir()} == named
