"""Faults that come from outside: kills, company, permissions, full disks. The next parse is right all the same."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.build_logs import decode_text, prefill_text, write_log
from trackside.engine.run import Run, open_run

SRTLOG = str(Path(sys.executable).parent / "srtlog")


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A job with three workers of 4,000 lines each."""
    logs = tmp_path / "77" / "logs"
    for number in range(3):
        lines = [prefill_text(n, f"16:{n // 60 % 60:02d}:{n % 60:02d}") for n in range(4000)]
        write_log(logs / f"n1_prefill_w{number}.out", *lines)
    return logs.parent


def srtlog(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SRTLOG, *map(str, arguments)], capture_output=True, text=True)


def assert_same(run: Run, wanted: Run) -> None:
    assert run.workers == wanted.workers
    assert run.ledger == wanted.ledger
    assert_frame_equal(run.rows(), wanted.rows())


def test_a_parse_that_was_killed_at_any_moment_leaves_a_cache_that_is_right(job: Path) -> None:
    wanted = open_run(job, cache=False)
    took = time.monotonic()
    srtlog("parse", job)
    took = time.monotonic() - took
    shutil.rmtree(job / "logs" / "cached_assets")
    moments = random.Random(20)
    for turn in range(20):
        with subprocess.Popen([SRTLOG, "parse", str(job)], stdout=subprocess.DEVNULL, start_new_session=True) as parse:
            time.sleep(moments.uniform(0.3, 1.0) * took)
            if parse.poll() is None:
                os.killpg(parse.pid, signal.SIGKILL)
        if turn % 4 == 3:
            assert_same(open_run(job), wanted)
            (job / "logs" / "cached_assets" / "node_metrics.manifest.json").unlink()
    assert_same(open_run(job), wanted)
    assert open_run(job).from_cache


def test_parses_at_once_while_logs_grow_end_right(job: Path) -> None:
    log = job / "logs" / "n1_prefill_w1.out"
    running = [subprocess.Popen([SRTLOG, "parse", str(job)], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for turn in range(6):
        with log.open("a") as more:
            text = prefill_text(5000 + turn, "17:59:00") + "\n"
            more.write(text[:50])
            more.flush()
            time.sleep(0.1)
            more.write(text[50:])
        for at, parse in enumerate(running):
            if parse.poll() is not None:
                assert parse.returncode == 0
                running[at] = subprocess.Popen([SRTLOG, "parse", str(job)], stdout=subprocess.PIPE, text=True)
    for parse in running:
        assert "Prefill     │     3" in parse.communicate()[0]
        assert parse.returncode == 0
    run = open_run(job)
    wanted = open_run(job, cache=False)
    assert run.rows(["new_token"]).filter(pl.col("new_token") >= 5000).height == 6
    assert run.workers == wanted.workers
    assert_frame_equal(run.rows(), wanted.rows())


def test_a_run_whose_cache_is_removed_meanwhile_reads_again(job: Path) -> None:
    open_run(job)
    with (job / "logs" / "n1_prefill_w1.out").open("a") as more:
        more.write(prefill_text(5000, "17:59:00"))
    run = open_run(job)
    shutil.rmtree(job / "logs" / "cached_assets")
    assert_frame_equal(run.rows(), open_run(job, cache=False).rows())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if os.geteuid() or not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_one_sentence_and_damages_nothing(small_disk: Path) -> None:
    lines = [prefill_text(n, f"16:{n // 60 % 60:02d}:{n % 60:02d}") for n in range(2000)]
    write_log(small_disk / "n1_prefill_w0.out", *lines)
    assert srtlog("parse", small_disk).returncode == 0
    wanted = open_run(small_disk, cache=False)
    manifest = small_disk / "cached_assets" / "node_metrics.manifest.json"
    kept = manifest.read_bytes()
    write_log(small_disk / "n1_prefill_w1.out", *lines)
    free = os.statvfs(small_disk)
    (small_disk / "ballast").write_bytes(bytes(free.f_bavail * free.f_bsize - 8192))
    done = srtlog("parse", small_disk)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "No space left on device (make room there, or give --no-cache)" in " ".join(done.stderr.split())
    assert len(done.stderr.splitlines()) == 1
    assert manifest.read_bytes() == kept
    (small_disk / "n1_prefill_w1.out").unlink()
    assert open_run(small_disk).from_cache
    assert_same(open_run(small_disk), wanted)
    (small_disk / "ballast").unlink()
    write_log(small_disk / "n1_prefill_w1.out", *lines[:100])
    assert srtlog("parse", small_disk).returncode == 0


def bound_by_modes(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command run by a user whom file modes bind, which they do not where root runs the tests."""
    drop = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-all"]
    if os.geteuid():
        drop = []
    elif not shutil.which("setpriv") or subprocess.run([*drop, "true"], capture_output=True).returncode:
        pytest.skip("root cannot be bound by file modes here")
    return subprocess.run([*drop, SRTLOG, *map(str, arguments)], capture_output=True, text=True)


def test_a_read_only_directory_is_read_and_nothing_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    write_log(folder / "n1_prefill_w0.out", prefill_text(1))
    folder.chmod(0o555)
    done = bound_by_modes("parse", folder)
    assert done.returncode == 0
    assert "│ Prefill     │     1 │" in done.stdout
    assert "Cached to" not in done.stdout
    assert f"{folder} cannot be written (Permission denied): nothing was cached" in done.stderr
    assert [path.name for path in folder.iterdir()] == ["n1_prefill_w0.out"]
    folder.chmod(0o755)


def test_the_cache_of_a_read_only_directory_is_used_until_a_log_changes(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    log = write_log(folder / "n1_prefill_w0.out", prefill_text(1))
    open_run(folder)
    assets = folder / "cached_assets"
    assets.chmod(0o555)
    folder.chmod(0o555)
    done = bound_by_modes("parse", folder)
    with log.open("a") as grown:
        grown.write(prefill_text(2, "16:20:00") + "\n")
    again = bound_by_modes("parse", folder)
    folder.chmod(0o755)
    assets.chmod(0o755)

    assert done.stdout.endswith("Loaded from cache\n")
    assert "cannot be written" not in done.stderr
    assert "(9m 23s)" in again.stdout
    assert "cache" not in again.stdout
    assert "nothing was cached" in again.stderr


def test_a_log_that_may_not_be_read_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    write_log(tmp_path / "n1_prefill_w0.out", prefill_text(1))
    write_log(tmp_path / "n1_decode_w0.out", decode_text(1)).chmod(0)
    done = bound_by_modes("parse", tmp_path)
    assert done.returncode == 0
    assert "│ Prefill     │     1 │" in done.stdout
    assert "cannot be read: Permission denied" in " ".join(done.stderr.split())
    (tmp_path / "n1_decode_w0.out").chmod(0o644)
    assert "│ Decode      │     1 │" in bound_by_modes("parse", tmp_path).stdout


def test_a_directory_that_may_not_be_listed_is_one_sentence(tmp_path: Path) -> None:
    write_log(tmp_path / "closed" / "n1_prefill_w0.out", prefill_text(1))
    (tmp_path / "closed").chmod(0)
    done = bound_by_modes("parse", tmp_path / "closed")
    (tmp_path / "closed").chmod(0o755)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Error: {tmp_path / 'closed'} cannot be read: Permission denied\n"


def test_links_to_logs_are_followed(job: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    linked.mkdir()
    for log in (job / "logs").iterdir():
        (linked / log.name).symlink_to(log)
    (tmp_path / "link-to-job").symlink_to(job)
    assert_same(open_run(linked), open_run(job))
    assert open_run(tmp_path / "link-to-job").from_cache
    with (job / "logs" / "n1_prefill_w0.out").open("a") as log_file:
        log_file.write(prefill_text(1, "17:00:00") + "\n")
    assert open_run(linked).workers[0].batch_rows == 4001
