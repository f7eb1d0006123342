"""A build of the site that is killed leaves whole files, and the next one ends as an undisturbed one does."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.test_site_files import write
from trackside.site.files import LIST

PAGES = 40
SIZE = 4_000
KILLS = 3
WRITE = """
import sys
from pathlib import Path
from tests.test_site_files import write
from tests.test_site_kill import site_of
print("ready", flush=True)
sys.stdin.readline()
write(Path(sys.argv[1]), site_of(sys.argv[2]))
"""


def site_of(word: str) -> dict[str, str]:
    """Pages that are the word many times; every second site has one page more."""
    pages = {f"ci/jobs/job-{number}.html": word * SIZE for number in range(PAGES + (word == "new"))}
    return {"assets/site.css": word, "data/ci.json": word * SIZE, **pages, "index.html": word}


def begin(folder: Path, word: str) -> subprocess.Popen[str]:
    """A process that is about to write the site."""
    words = [sys.executable, "-c", WRITE, str(folder), word]
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def written(folder: Path, word: str) -> dict[str, str]:
    write(folder, site_of(word))
    return read(folder)


def read(folder: Path) -> dict[str, str]:
    every = (one for one in folder.rglob("*") if one.is_file())
    found = {one.relative_to(folder).as_posix(): one.read_text() for one in every}
    return {name: text for name, text in found.items() if not name.startswith(".")}


def test_a_site_that_is_killed_at_any_moment_has_whole_files_and_the_next_build_mends_it(tmp_path: Path) -> None:
    dice, old, new = random.Random(3), site_of("old"), site_of("new")
    wanted = written(tmp_path / "wanted", "new")
    start = tmp_path / "start"
    untouched = written(start, "old")
    killed = 0
    for number in range(KILLS):
        folder = tmp_path / str(number)
        shutil.copytree(start, folder)
        process = begin(folder, "new")
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        time.sleep(dice.uniform(0, 0.03))
        process.kill()
        process.wait(timeout=60)
        killed += process.returncode == -9
        found = read(folder)
        assert found.keys() >= untouched.keys()
        assert {name for name in found if name != LIST and found[name] not in (old.get(name), new.get(name))} == set()
        assert written(folder, "new") == wanted
        assert [one.name for one in folder.iterdir() if one.name.startswith(".")] == []
    assert killed >= 1  # the others had ended before they could be killed


def test_a_first_site_that_is_killed_is_finished_by_the_next_build(tmp_path: Path) -> None:
    dice, wanted = random.Random(5), written(tmp_path / "wanted", "new")
    for number in range(KILLS // 2):
        folder = tmp_path / str(number)
        process = begin(folder, "new")
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        time.sleep(dice.uniform(0, 0.03))
        process.kill()
        process.wait(timeout=60)
        assert written(folder, "new") == wanted
