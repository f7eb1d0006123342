"""What goes wrong with a store is one sentence, and nothing that was stored is damaged."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from tests.build_github import NOON, REPO, at, attempt, job, marker
from trackside.errors import OutputError, TracksideError, UnreadableInputError, UsageError
from trackside.store.location import find_location
from trackside.store.schema import FETCHED, JOBS, RUNS, TABLES
from trackside.store.store import Store, open_store
from trackside.store.tables import VERSION_KEY, open_table


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_store(tmp_path / "store")
    store.add_runs([attempt(1), attempt(2)], NOON)
    return store


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A directory on a disk of half a megabyte."""
    mount = tmp_path / "small"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(mount)]
    if subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("no small disk can be mounted here")
    yield mount
    subprocess.run(["umount", "--lazy", str(mount)], check=True)


def test_a_full_disk_is_said_and_what_was_stored_stays(small_disk: Path) -> None:
    store = open_store(small_disk / "store")
    store.add_runs([attempt(number) for number in range(10)], NOON)
    (small_disk / "filler").write_bytes(b"")
    room = os.statvfs(small_disk)
    (small_disk / "filler").write_bytes(b"x" * (room.f_bavail * room.f_frsize - 4096))
    with pytest.raises(OutputError, match=r"runs of the store .* cannot be written: no space is left"):
        store.add_runs([attempt(number, head_sha=os.urandom(20).hex()) for number in range(2000)], at(1))
    with pytest.raises(OutputError, match=r"no space is left|cannot be made"):
        store.add_jobs([job()], [marker()], NOON)
    assert store.newest("runs").collect().height == 10
    (small_disk / "filler").unlink()
    store.add_jobs([job()], [marker()], at(2))
    assert store.sync_state(REPO, NOON).attempts[1].fetched


def test_a_compaction_on_a_full_disk_leaves_the_store_as_it_was(small_disk: Path) -> None:
    store = open_store(small_disk / "store")
    for minute in range(3):
        store.add_runs([attempt(number, head_sha=os.urandom(20).hex()) for number in range(1500)], at(minute))
    before = store.newest("runs").sort("run_id").collect()
    room = os.statvfs(small_disk)
    (small_disk / "filler").write_bytes(b"x" * (room.f_bavail * room.f_frsize - 4096))
    with pytest.raises(OutputError, match="no space is left"):
        store.compact()
    assert store.newest("runs").sort("run_id").collect().equals(before)
    assert list((small_disk / "store" / "runs").glob("folded-*")) == []


def test_a_store_that_may_not_be_written_is_said_and_can_be_read(small_disk: Path) -> None:
    store = open_store(small_disk / "store")
    store.add_runs([attempt()], NOON)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for work in (lambda: store.add_runs([attempt(2)], NOON), store.compact):
        with pytest.raises(OutputError, match=r"runs of the store .* cannot be written: no permission"):
            work()
    with pytest.raises(OutputError, match=r"jobs of the store .* cannot be written: no permission"):
        store.add_jobs([job()], [], NOON)
    assert store.newest("runs").collect().height == 1


def test_a_file_where_the_store_should_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="a file is where its directory should be"):
        open_store(tmp_path / "file")
    with pytest.raises(OutputError, match="a file is where its directory should be"):
        open_store(tmp_path / "file" / "below")
    with pytest.raises(UnreadableInputError, match="is a file, not a directory"):
        open_store(tmp_path / "file", create=False)
    assert (tmp_path / "file").read_text() == "x"


@pytest.mark.parametrize("content", ["", "{", "null", "\x00\x00", '{"add": 5}'])
def test_a_log_that_cannot_be_read_is_one_sentence(store: Store, tmp_path: Path, content: str) -> None:
    log = tmp_path / "store" / "runs" / "_delta_log" / f"{1:020}.json"
    log.write_text(content)
    for work in (lambda: store.newest("runs"), lambda: store.add_runs([attempt(3)], NOON), store.info):
        with pytest.raises(TracksideError, match=r"^Table runs of the store .* cannot be read: .*\.$") as caught:
            work()
        assert "\n" not in str(caught.value)
    assert log.read_text() == content


def test_a_data_file_that_is_gone_is_said(store: Store, tmp_path: Path) -> None:
    for file in (tmp_path / "store" / "runs").glob("*.parquet"):
        file.unlink()
    with pytest.raises(UnreadableInputError, match=r"Table runs of the store .* cannot be read"):
        store.sync_state(REPO, NOON)
    with pytest.raises(UnreadableInputError, match=r"Table runs of the store .* cannot be read"):
        store.sql("SELECT count(display_title) FROM runs")


def test_a_table_of_a_newer_version_is_refused_and_left_alone(store: Store) -> None:
    delta = DeltaTable(store.location.of(RUNS))
    delta.alter.set_table_properties({VERSION_KEY: "99"}, raise_if_not_exists=False)
    for work in (lambda: store.newest("runs"), lambda: store.add_runs([attempt(3)], NOON), store.compact):
        with pytest.raises(UnreadableInputError, match="written by a newer trackside: its table runs has version 99"):
            work()
    assert DeltaTable(store.location.of(RUNS)).version() == delta.version()


def test_an_older_table_reads_as_null_where_columns_are_missing_and_is_brought_forward(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    old = pl.DataFrame(
        {
            "repo": [REPO],
            "job_id": [10],
            "run_id": [1],
            "run_attempt": [1],
            "name": ["build"],
            "status": ["completed"],
            "steps": [[{"number": 1, "name": "Set up job"}]],
            "observed_at": [NOON],
        },
        schema_overrides={"observed_at": pl.Datetime("us", "UTC")},
    )
    write_deltalake(store.location.of(JOBS), old, mode="append")
    [row] = store.newest("jobs").collect().to_dicts()
    assert (row["name"], row["runner_name"], row["precedence"]) == ("build", None, None)
    assert row["steps"] == [
        {"number": 1, "name": "Set up job"}
        | dict.fromkeys(("status", "conclusion", "started_at", "completed_at", "duration_s"))
    ]
    assert open_table(store.location, JOBS).version == 0

    store.add_jobs([job(11)], [], NOON)
    assert open_table(store.location, JOBS).version == 1
    assert [field.name for field in DeltaTable(store.location.of(JOBS)).schema().fields] == [
        *old.columns,
        *(name for name in JOBS.schema if name not in old.columns),
    ]
    store.add_jobs([job(10, name="build", runner_name="h100")], [], NOON)
    assert store.newest("jobs").sort("job_id").collect()["runner_name"].to_list() == ["h100", None]
    store.compact()
    assert store.newest("jobs").sort("job_id").collect()["runner_name"].to_list() == ["h100", None]


def test_an_older_table_can_be_compacted_as_it_is(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    keys = {"repo": [REPO] * 2, "run_id": [1, 1], "run_attempt": [1, 1], "jobs": [3, 4]}
    write_deltalake(store.location.of(FETCHED), pl.DataFrame(keys), mode="append")
    store.compact()
    assert store.newest("fetched").collect().schema == FETCHED.schema
    assert store.newest("fetched").collect().height == 1
    assert open_table(store.location, FETCHED).version == 1


@pytest.mark.parametrize("place", ["http://example.com/x", "ftp://x", "hdfs://x/y", "s3://", "s3:///x"])
def test_a_place_that_is_no_store_is_named(place: str) -> None:
    with pytest.raises(UsageError, match=r"no place for a store: name a directory, or a bucket after s3://"):
        open_store(place)


@pytest.mark.parametrize("name", ["50%", "a^b", "a|b", "[x]", "a\\b"])
def test_a_path_that_the_tables_cannot_be_under_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="A store cannot be kept at"):
        open_store(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["s3://bucket/50%", "s3://bucket/x?y", "gs://bucket/a#b", "s3://[bucket]/x"])
def test_so_is_such_a_url(place: str) -> None:
    with pytest.raises(UsageError, match="A store cannot be kept at"):
        open_store(place)


@pytest.mark.parametrize("name", ["a b", "é日", "*?", "#", "'\"", "a:b", "=+&;", "~"])
def test_any_other_path_holds_a_store(tmp_path: Path, name: str) -> None:
    store = open_store(tmp_path / name)
    store.add_runs([attempt()], at(0))
    store.add_runs([attempt()], at(1))
    assert store.newest("runs").collect().height == 1
    store.compact()
    assert store.newest("runs").collect().height == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_only_variables_of_object_stores_are_passed_on_and_none_is_shown() -> None:
    environ = {"AWS_SECRET_ACCESS_KEY": "hush", "GITHUB_TOKEN": "ghp_x", "AZURE_STORAGE_ACCOUNT_NAME": "a"}
    location = find_location("s3://bucket/prefix/", environ)
    assert location.options == {"AWS_SECRET_ACCESS_KEY": "hush", "AZURE_STORAGE_ACCOUNT_NAME": "a"}
    assert location.of(RUNS) == "s3://bucket/prefix/runs"
    assert "hush" not in repr(location)


def test_the_store_needs_no_pyarrow(tmp_path: Path) -> None:
    code = f"""
        import sys
        from tests.build_github import *
        from trackside.store.store import open_store
        store = open_store({str(tmp_path / "store")!r})
        store.add_jobs([job()], [marker()], NOON)
        store.compact(), store.info(), store.sql("SELECT * FROM steps"), [list(one.frames) for one in store.facts()]
        assert not {{"pyarrow", "pandas"}} & set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


def test_every_table_is_absent_until_it_has_rows(store: Store) -> None:
    told = {one.table: one.version for one in store.info()}
    assert told == {name: 1 if name == "runs" else None for name in TABLES}
