"""Commands beside the server: bounded, one of a kind at a time, and gone when the server is."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
import time
from pathlib import Path

import pytest

from tests.build_github import at, attempt, ledger
from tests.serving import FILES, is_alive, python, server_here, write_site
from trackside.server.children import Ended, last_sentence, run_child
from trackside.store.store import open_store


def run(*command: str, limit_s: float = 20, most_bytes: int = 1_000) -> Ended:
    return asyncio.run(run_child(command, {"GREETING": "hello"}, limit_s=limit_s, most_bytes=most_bytes))


def gone(pid: int, within_s: float = 10) -> bool:
    end_s = time.monotonic() + within_s
    while is_alive(pid) and time.monotonic() < end_s:
        time.sleep(0.02)
    return not is_alive(pid)


def test_what_a_child_wrote_and_how_it_ended_is_told() -> None:
    code = "import os, sys; print(os.environ['GREETING'], os.environ.get('HOME')); sys.stderr.write('why'); sys.exit(3)"
    ended = run(*python(code))
    assert (ended.code, ended.out, ended.said) == (3, b"hello None\n", "why")


def test_more_than_may_be_written_is_read_and_not_kept() -> None:
    ended = run(*python("import sys; sys.stdout.write('x' * 500_000); sys.stderr.write('y' * 500_000 + 'end')"))
    assert (ended.code, ended.out) == (0, None)
    assert ended.said.endswith("yend")
    assert len(ended.said) <= 16 * 1024


def test_a_child_whose_time_is_over_is_ended_with_its_own_children(tmp_path: Path) -> None:
    code = (
        "import pathlib, signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "below = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"pathlib.Path({str(tmp_path / 'pids')!r}).write_text(str(below.pid))\n"
        "time.sleep(60)"
    )
    ended = run(*python(code), limit_s=1.0)
    assert ended.code is None
    assert "longer than 1 s" in ended.said
    assert gone(int((tmp_path / "pids").read_text()))


def test_a_command_that_is_not_there_is_said() -> None:
    ended = run("/no/such/program")
    assert ended.code is None
    assert ended.said == "/no/such/program cannot be started: No such file or directory."


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("note\nError: There is no store.\n\n", "There is no store."),
        ("There is no store.", "There is no store."),
        ("Error: The disk is full.\nTraceback:\nOSError: [Errno 9] Bad file descriptor\n", "The disk is full."),
        ("Error: One.\nError: Two.\nException ignored in: x", "Two."),
        (" \n", "It said nothing of why."),
    ],
)
def test_the_last_sentence_is_why(said: str, expected: str) -> None:
    assert last_sentence(said) == expected


def slow_build(folder: Path) -> tuple[str, ...]:
    """A build that writes down when it began and ended, and waits between for a moment."""
    log = folder / "builds"
    code = (
        "import os, pathlib, shutil, time\n"
        f"log, source, built = {str(log)!r}, {str(folder / 'source')!r}, {str(folder / 'built')!r}\n"
        "open(log, 'a').write(f'begin {os.getpid()}\\n')\n"
        "time.sleep(0.3)\n"
        "shutil.copytree(source, built, dirs_exist_ok=True)\n"
        "open(log, 'a').write(f'end {os.getpid()}\\n')\n"
    )
    return python(code)


def test_many_changes_make_few_builds_and_never_two_at_once(tmp_path: Path) -> None:
    with server_here(tmp_path, build=slow_build(tmp_path)) as served:
        served.until_ready()
        for number in range(1, 31):
            served.store.add_runs([attempt(number)], at(number))
        write_site(served.source, {**FILES, "index.html": "the last"})
        served.store.add_runs([attempt(31)], at(31))
        served.until(lambda: served.get("/").body == b"the last")
        words = [line.split()[0] for line in (tmp_path / "builds").read_text().splitlines()]
        assert words == ["begin", "end"] * (len(words) // 2)
        assert 2 <= len(words) // 2 <= 10


def test_nothing_is_built_where_nothing_changed(tmp_path: Path) -> None:
    with server_here(tmp_path, build=slow_build(tmp_path)) as served:
        served.until_ready()
        served.store.add_alerts([], at(0))
        time.sleep(1.0)
        assert (tmp_path / "builds").read_text().count("begin") == 1


def sleeping(folder: Path, name: str) -> tuple[str, ...]:
    return python(f"import os, time\nopen({str(folder / name)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)")


def test_no_child_outlives_the_server(tmp_path: Path) -> None:
    build, sync = sleeping(tmp_path, "build"), sleeping(tmp_path, "sync")
    with server_here(tmp_path, build=build, sync=sync, sync_every_s=3600.0) as served:
        served.until(lambda: all((tmp_path / name).exists() for name in ("build", "sync")))
        served.until(lambda: all((tmp_path / name).read_text() for name in ("build", "sync")))
        pids = [int((tmp_path / name).read_text()) for name in ("build", "sync")]
        assert all(is_alive(pid) for pid in pids)
        began_s = time.monotonic()
    assert all(gone(pid, 1) for pid in pids)
    assert time.monotonic() - began_s < 15


def test_a_sync_is_made_at_once_where_none_was_and_the_site_is_looked_at_after_it(tmp_path: Path) -> None:
    sync = python(f"import pathlib; pathlib.Path({str(tmp_path / 'synced')!r}).touch()")
    with server_here(tmp_path, sync=sync, sync_every_s=3600.0) as served:
        served.until((tmp_path / "synced").exists)
        served.until(lambda: served.metric('trackside_syncs_total{result="ok"}') == 1)


def test_no_sync_is_made_before_the_last_one_is_old(tmp_path: Path) -> None:
    sync = python(f"import pathlib; pathlib.Path({str(tmp_path / 'synced')!r}).touch()")
    open_store(tmp_path / "store").add_sync(ledger(ended_at=dt.datetime.now(dt.UTC)))
    with server_here(tmp_path, sync=sync, sync_every_s=3600.0) as served:
        served.until_ready()
        time.sleep(0.5)
        assert not (tmp_path / "synced").exists()


def test_a_build_that_is_killed_leaves_the_old_site_and_is_made_again(tmp_path: Path) -> None:
    with server_here(tmp_path, build=slow_build(tmp_path)) as served:
        served.until_ready()
        write_site(served.source, {**FILES, "index.html": "new"})
        served.store.add_runs([attempt(1)], at(1))
        served.until(lambda: (tmp_path / "builds").read_text().count("begin") == 2)
        os.kill(int((tmp_path / "builds").read_text().split()[-1]), signal.SIGKILL)
        served.until(lambda: served.get("/healthz").status == 503)
        assert served.get("/").body == FILES["index.html"].encode()
        served.until(lambda: served.get("/").body == b"new")
        assert served.get("/healthz").status == 200
