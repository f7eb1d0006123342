"""The parse on a Dask cluster: a real scheduler, two worker processes, the same table to the byte."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal

from tests.build_logs import decode_text, prefill_text, varied_log, write_log
from trackside.engine.run import open_run
from trackside.errors import TracksideError, UnreadableInputError

distributed = pytest.importorskip("distributed", reason="the extra [dask] is not installed")

SRTLOG = str(Path(sys.executable).parent / "srtlog")


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a scheduler with two workers, each a process of its own."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A job of three workers, one without a last line end, and a log with all sorts of lines."""
    logs = tmp_path / "77" / "logs"
    write_log(logs / "n1_prefill_w0.out", *(prefill_text(n, f"16:{n // 60:02d}:{n % 60:02d}") for n in range(3000)))
    write_log(logs / "n2_decode_w0.out", *(decode_text(n, f"16:{n // 60:02d}:{n % 60:02d}") for n in range(3000)))
    (logs / "n1_prefill_w1.out").write_text(prefill_text(1) + "\n" + prefill_text(2))
    (logs / "n3_agg_w0.out").write_bytes(varied_log())
    (logs / "n3_agg_w1.out").touch()
    return logs.parent


def test_a_cluster_gives_the_same_table_to_the_byte(job: Path, scheduler: str) -> None:
    seen: list[tuple[int, int]] = []
    table = job / "logs" / "cached_assets" / "node_metrics.parquet"
    run = open_run(job, engine="dask", scheduler=scheduler, on_progress=lambda done, total: seen.append((done, total)))
    theirs, rows = table.read_bytes(), run.rows()
    shutil.rmtree(table.parent)
    here = open_run(job)
    assert theirs == table.read_bytes()
    assert run.workers == here.workers
    assert run.ledger == here.ledger
    assert_frame_equal(rows, here.rows())
    assert seen[-1][0] == seen[-1][1] == sum(entry.size_bytes for entry in here.ledger)


def test_what_one_engine_cached_the_other_goes_on_with(job: Path, scheduler: str) -> None:
    open_run(job, engine="dask", scheduler=scheduler)
    assert open_run(job).from_cache
    with (job / "logs" / "n1_prefill_w1.out").open("a") as log:
        log.write("\n" + prefill_text(3) + "\n")
    run = open_run(job, engine="dask", scheduler=scheduler)
    assert_frame_equal(run.rows(), open_run(job, cache=False).rows())
    assert open_run(job).from_cache


def test_without_an_address_a_cluster_is_started_and_ended(job: Path) -> None:
    run = open_run(job, engine="dask", cache=False)
    assert_frame_equal(run.rows(), open_run(job, cache=False).rows())


def test_the_command_parses_on_a_cluster(job: Path, scheduler: str) -> None:
    command = [SRTLOG, "parse", str(job)]
    done = subprocess.run([*command, "--engine", "dask", "--scheduler", scheduler], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Cached to: " in done.stdout
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.stdout.splitlines()[:-1] == done.stdout.splitlines()[:-1]
    assert again.stdout.endswith("Loaded from cache\n")


def test_a_scheduler_that_does_not_answer_is_one_sentence(job: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
    command = [SRTLOG, "parse", str(job), "--scheduler", address]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: No Dask scheduler answers at {address}: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("address", ["nowhere", "ftp://x:1", "tcp://"])
def test_an_address_that_is_none_is_one_sentence(job: Path, address: str) -> None:
    with pytest.raises(UnreadableInputError, match=r"^No Dask scheduler answers at"):
        open_run(job, engine="dask", scheduler=address)


def test_workers_that_die_are_one_sentence(job: Path) -> None:
    """A cluster whose workers go away while it is at work, as when a batch system ends them."""
    cluster = _small_cluster()
    try:
        with distributed.Client(cluster) as client:
            client.register_plugin(_Leaving())
        with pytest.raises(TracksideError, match=r"^The Dask cluster did not finish"):
            open_run(job, engine="dask", scheduler=cluster.scheduler_address)
    finally:
        # The cluster starts its workers again and again: one that is not started yet cannot be joined.
        with contextlib.suppress(AssertionError):
            cluster.close()


def _small_cluster() -> Any:
    """A cluster of one process. Its thread has ten seconds to start, which a busy machine may not give it at once."""
    told = {"n_workers": 1, "processes": True, "threads_per_worker": 1, "dashboard_address": None, "silence_logs": 50}
    try:
        return distributed.LocalCluster(**told)
    except AssertionError:
        return distributed.LocalCluster(**told)


class _Leaving(distributed.WorkerPlugin):  # type: ignore[misc, name-defined]
    """Ends the process of a worker as soon as it is given work."""

    def setup(self, worker: object) -> None:
        pass

    def transition(self, key: object, start: str, finish: str, **more: object) -> None:
        import os

        if finish == "executing":
            os._exit(1)
