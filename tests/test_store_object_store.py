"""A store in an object store: a server that speaks S3 on a real socket, in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.build_github import NOON, REPO, at, attempt, job, job_log, marker
from tests.test_store_processes import WRITER, finish, start
from trackside.errors import TracksideError
from trackside.store.store import open_store

SERVER = "from moto.server import main; main(['-H', '127.0.0.1', '-p', '0'])"


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What the environment of a store in S3 is."""
    log = tmp_path_factory.mktemp("s3") / "server.log"
    with log.open("w") as stream:
        server = subprocess.Popen([sys.executable, "-u", "-c", SERVER], stdout=stream, stderr=subprocess.STDOUT)
    url = address(server, log)
    urllib.request.urlopen(urllib.request.Request(f"{url}/bucket", method="PUT")).close()
    yield {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }
    server.kill()
    server.wait()


def address(server: subprocess.Popen[bytes], log: Path) -> str:
    while (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())) is None:
        if server.poll() is not None:
            pytest.fail(log.read_text())
    return found[0]


@pytest.fixture
def environ(s3: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    return s3


def test_a_store_lives_in_s3_as_in_a_directory(environ: dict[str, str]) -> None:
    store = open_store("s3://bucket/one store/é")
    for minute in range(2):
        store.add_runs([attempt(1), attempt(2)], at(minute))
        store.add_jobs([job(10)], [marker()], at(minute))
    store.add_logs([job_log()], NOON)
    assert [one.fetched for one in store.sync_state(REPO, NOON).attempts] == [True, False]
    assert store.newest("runs").collect().height == 2
    store.compact()
    store.prune(at(-60))
    assert store.history("runs").collect().height == 2
    assert store.vacuum(at_once=True) > 0
    assert store.newest("runs").collect().height == 2
    assert store.sql("SELECT count(*) AS n FROM steps").rows() == [(1,)]
    assert {one.table: one.keys for one in store.info()}["jobs"] == 1
    assert open_store("s3://bucket/one store/é", create=False).newest("job_logs").collect()["content"].to_list() == [
        b"log"
    ]


def test_four_writers_and_a_reader_at_once_keep_every_row(environ: dict[str, str]) -> None:
    place = "s3://bucket/shared"
    writers = [start(WRITER, place, 1000 * number, 5) for number in range(1, 5)]
    seen = 0
    while any(writer.poll() is None for writer in writers):
        marked = open_store(place).newest("fetched").collect()["run_id"].to_list()
        there = open_store(place).newest("jobs").collect()["run_id"].to_list()
        assert seen <= len(marked) == len(set(marked))
        assert set(marked) <= set(there)
        seen = len(marked)
    finish(*writers)
    store = open_store(place)
    wanted = sorted(1000 * number + turn for number in range(1, 5) for turn in range(5))
    assert sorted(store.newest("runs").collect()["run_id"].to_list()) == wanted
    assert sorted(store.newest("fetched").collect()["run_id"].to_list()) == wanted
    assert store.history("jobs").collect().height == 60


def test_a_bucket_that_is_not_there_is_one_sentence(environ: dict[str, str]) -> None:
    with pytest.raises(TracksideError, match="Table runs of the store s3://nobody/x cannot be") as caught:
        open_store("s3://nobody/x").add_runs([attempt()], NOON)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
