"""What is kept between two parses: it costs nothing, it is never wrong, and it is made again where it is damaged."""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.build_logs import prefill_text, varied_log, write_log
from trackside.bench.scan import PARSER_VERSION
from trackside.engine.run import Run, open_run
from trackside.errors import NoDataError
from trackside.records.engine_rows import ESTABLISHED_COLUMNS, SCHEMA_VERSION


def tokens(run: Run) -> list[int]:
    """The new tokens of all rows: the tests number their lines by them."""
    return run.rows(["new_token"])["new_token"].to_list()


def cached(logs: Path) -> Path:
    return logs / "cached_assets"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """The logs directory of job 77: two prefill workers, with the lines 1, 2 and 11."""
    logs = tmp_path / "77" / "logs"
    write_log(logs / "n1_prefill_w0.out", prefill_text(1), prefill_text(2))
    write_log(logs / "n1_prefill_w1.out", prefill_text(11))
    return logs


def test_an_unchanged_directory_is_loaded_without_reading_a_log(logs: Path) -> None:
    first = open_run(logs)
    read: list[tuple[int, int]] = []
    second = open_run(logs, on_progress=lambda done, total: read.append((done, total)))
    assert not first.from_cache
    assert second.from_cache
    assert read == []
    assert second.workers == first.workers
    assert second.ledger == first.ledger
    assert second.notes == first.notes
    assert_frame_equal(second.rows(), first.rows())


def test_an_appended_line_costs_only_itself(logs: Path) -> None:
    open_run(logs)
    text = prefill_text(3) + "\n"
    with (logs / "n1_prefill_w0.out").open("a") as log:
        log.write(text)
    read: list[tuple[int, int]] = []
    run = open_run(logs, on_progress=lambda done, total: read.append((done, total)))
    assert not run.from_cache
    assert read[-1] == (len(text), len(text))
    assert tokens(run) == [1, 2, 3, 11]
    assert open_run(logs).from_cache


def test_a_half_written_last_line_is_read_again_when_it_is_complete(tmp_path: Path) -> None:
    log = tmp_path / "n1_prefill_w0.out"
    whole = prefill_text(2) + "\n"
    log.write_text(prefill_text(1) + "\n" + whole[:70])
    first = open_run(tmp_path)
    assert first.rows().height == 2
    assert first.rows()["torn"].to_list() == [False, True]
    log.write_text(prefill_text(1) + "\n" + whole)
    run = open_run(tmp_path)
    assert run.ledger[0].torn == 0
    assert tokens(run) == [1, 2]


def test_a_last_line_without_its_end_counts_and_may_be_the_only_one(tmp_path: Path) -> None:
    (tmp_path / "engine.log").write_text(prefill_text(5))
    assert tokens(open_run(tmp_path)) == [5]
    assert tokens(open_run(tmp_path)) == [5]


def test_a_last_line_without_its_end_may_be_the_first_of_its_writer(tmp_path: Path) -> None:
    (tmp_path / "engine.log").write_text(f"0: {prefill_text(1)}\n1: {prefill_text(2)}")
    run = open_run(tmp_path)
    assert [worker.worker_id for worker in run.workers] == ["0", "1"]
    assert tokens(run) == [1, 2]


LOG = varied_log()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, len(LOG)), max_size=4))
@example(cuts=[len(LOG) - 1])
@example(cuts=[1, 2])
def test_a_log_that_grows_in_any_steps_ends_like_one_read_whole(tmp_path: Path, cuts: list[int]) -> None:
    grown, whole = tmp_path / "grown", tmp_path / "whole"
    for folder in (grown, whole):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    (whole / "engine.log").write_bytes(LOG)
    for cut in sorted(cuts):
        (grown / "engine.log").write_bytes(LOG[:cut])
        with contextlib.suppress(NoDataError):
            open_run(grown)
    (grown / "engine.log").write_bytes(LOG)
    assert_same(open_run(whole), open_run(grown))


def assert_same(wanted: Run, run: Run) -> None:
    """Equal but for how many lines took the slow way: what was learned is not kept between passes."""
    assert run.workers == wanted.workers
    assert [msgspec.structs.replace(entry, slow_path=0) for entry in run.ledger] == [
        msgspec.structs.replace(entry, slow_path=0) for entry in wanted.ledger
    ]
    assert_frame_equal(run.rows(), wanted.rows())


def test_of_an_overlong_line_that_grows_the_rest_is_skipped(tmp_path: Path) -> None:
    log = tmp_path / "n1_prefill_w0.out"
    log.write_text(prefill_text(1) + "\n" + "x" * 3_000_000)
    open_run(tmp_path)
    for more in ("y" * 100, prefill_text(7) + "\n" + prefill_text(2), "\n" + prefill_text(3) + "\n"):
        with log.open("a") as grown:
            grown.write(more)
        run = open_run(tmp_path)
    assert tokens(run) == [1, 2, 3]
    assert (run.ledger[0].lines, run.ledger[0].overlong) == (4, 1)
    assert_same(open_run(tmp_path, cache=False), run)


def test_a_packed_log_that_grew_is_read_anew_and_counted_once(tmp_path: Path) -> None:
    log = tmp_path / "n1_prefill_w0.out.gz"
    log.write_bytes(gzip.compress(f"{prefill_text(1)}\n".encode()))
    open_run(tmp_path)
    with log.open("ab") as more:
        more.write(gzip.compress(f"{prefill_text(2)}\n".encode()))
    assert tokens(open_run(tmp_path)) == [1, 2]


def test_rows_move_to_their_day_when_the_log_without_dates_grows_into_the_next(tmp_path: Path) -> None:
    log = write_log(tmp_path / "n1_prefill_w0.out", prefill_text(1, "23:59:00", day="").replace("[ ", "["))
    noon = dt.datetime(2026, 1, 31, 23, 59, tzinfo=dt.UTC).timestamp()
    os.utime(log, (noon, noon))
    assert open_run(tmp_path).rows()["timestamp"].to_list() == ["2026-01-31 23:59:00"]
    with log.open("a") as more:
        more.write(prefill_text(2, "00:01:00", day="").replace("[ ", "[") + "\n")
    os.utime(log, (noon + 120, noon + 120))
    assert open_run(tmp_path).rows()["timestamp"].to_list() == ["2026-01-31 23:59:00", "2026-02-01 00:01:00"]
    with log.open("a") as more:
        more.write(prefill_text(3, "23:00:00", day="").replace("[ ", "[") + "\n")
        more.write(prefill_text(4, "01:00:00", day="").replace("[ ", "[") + "\n")
    os.utime(log, (noon + 180, noon + 180))
    grown = open_run(tmp_path).rows()
    shutil.rmtree(cached(tmp_path))
    assert_frame_equal(grown, open_run(tmp_path).rows())


def test_a_truncated_log_is_noticed(logs: Path) -> None:
    open_run(logs)
    write_log(logs / "n1_prefill_w0.out", prefill_text(7))
    run = open_run(logs)
    assert tokens(run) == [7, 11]
    assert pl.read_parquet(cached(logs) / "node_metrics.parquet")["new_token"].to_list() == [7, 11]


def test_a_rotated_log_is_read_under_its_new_name_before_the_new_one(logs: Path) -> None:
    open_run(logs)
    live = logs / "n1_prefill_w0.out"
    live.rename(logs / "n1_prefill_w0.out.1")
    write_log(live, prefill_text(3))
    run = open_run(logs)
    assert len(run.workers) == 2
    assert tokens(run) == [1, 2, 3, 11]


def test_a_log_that_was_written_again_with_the_same_size_is_noticed(logs: Path) -> None:
    open_run(logs)
    log = write_log(logs / "n1_prefill_w0.out", prefill_text(8), prefill_text(9))
    assert tokens(open_run(logs)) == [8, 9, 11]
    os.utime(log, (1, 1))
    assert not open_run(logs).from_cache


def test_files_come_and_go(logs: Path) -> None:
    open_run(logs)
    write_log(logs / "n0_prefill_w0.out", prefill_text(21))
    assert tokens(open_run(logs)) == [21, 1, 2, 11]
    (logs / "n1_prefill_w0.out").unlink()
    assert tokens(open_run(logs)) == [21, 11]
    assert pl.read_parquet(cached(logs) / "node_metrics.parquet")["new_token"].to_list() == [21, 11]


def test_a_new_file_does_not_take_the_rows_of_another(tmp_path: Path) -> None:
    (tmp_path / "n2_prefill_w0.out").write_text(prefill_text(7))
    open_run(tmp_path)
    (tmp_path / "n1_prefill_w0.out").write_text(prefill_text(1))
    assert tokens(open_run(tmp_path)) == [1, 7]


def test_one_log_that_is_named_leaves_the_cache_of_its_directory(logs: Path) -> None:
    open_run(logs)
    one = open_run(logs / "n1_prefill_w1.out")
    assert one.cache_path == cached(logs) / "n1_prefill_w1.out.node_metrics.parquet"
    assert tokens(one) == [11]
    assert open_run(logs / "n1_prefill_w1.out").from_cache
    assert open_run(logs).from_cache
    assert pl.read_parquet(cached(logs) / "node_metrics.parquet").height == 3


def test_another_version_of_the_parser_reads_again(logs: Path) -> None:
    open_run(logs)
    manifest = cached(logs) / "node_metrics.manifest.json"
    content = json.loads(manifest.read_text())
    content["version"][0] += 1
    manifest.write_text(json.dumps(content))
    assert not open_run(logs).from_cache
    assert open_run(logs).from_cache


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def overwrite(path: Path) -> None:
    path.write_bytes(b"{}")


def overwrite_unseen(path: Path) -> None:
    """Damage that size and time of change do not show."""
    status = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 3 : -8] = bytes(len(content) - len(content) // 3 - 8)
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("damage", [cut_in_half, overwrite, overwrite_unseen, Path.unlink])
@pytest.mark.parametrize("what", ["node_metrics.manifest.json", "node_metrics.parquet", "node_metrics.pieces/*/*.npz"])
def test_a_damaged_cache_is_made_again(logs: Path, what: str, damage: Callable[[Path], None]) -> None:
    with (logs / "n1_prefill_w1.out").open("a") as log:
        log.write(prefill_text(12))
    open_run(logs)
    with (logs / "n1_prefill_w0.out").open("a") as log:
        log.write(prefill_text(3) + "\n")
    open_run(logs)
    found = list(cached(logs).glob(what))
    assert found
    for path in found:
        damage(path)
    assert tokens(open_run(logs)) == [1, 2, 3, 11, 12]
    run = open_run(logs)
    assert run.from_cache
    assert tokens(run) == [1, 2, 3, 11, 12]


def test_a_table_that_another_tool_wrote_is_replaced(logs: Path) -> None:
    open_run(logs)
    pl.DataFrame({"node": ["theirs"]}).write_parquet(cached(logs) / "node_metrics.parquet")
    assert tokens(open_run(logs)) == [1, 2, 11]
    assert pl.read_parquet(cached(logs) / "node_metrics.parquet").height == 3


def test_a_run_that_stays_open_keeps_its_rows_while_the_cache_is_replaced(logs: Path) -> None:
    open_run(logs)
    run = open_run(logs)
    write_log(logs / "n0_prefill_w0.out", prefill_text(21), prefill_text(22))
    write_log(logs / "n1_prefill_w0.out", prefill_text(9))
    open_run(logs).refresh_table()
    assert tokens(run) == [1, 2, 11]


def test_launch_settings_are_the_same_from_the_cache(tmp_path: Path) -> None:
    launch = "[2026-01-31 16:00:00] server_args=ServerArgs(seed=99999999999999999999, a=1e999, b=(1, 2), c={1: 2})"
    write_log(tmp_path / "n1_prefill_w0.out", launch, prefill_text(1))
    fresh, again = open_run(tmp_path), open_run(tmp_path)
    assert again.from_cache
    assert again.workers[0].config == fresh.workers[0].config
    assert fresh.workers[0].config["seed"] == 99999999999999999999


def test_where_nothing_may_be_written_the_run_is_read_and_that_is_said(logs: Path) -> None:
    cached(logs).write_text("a file stands where the cache should be")
    run = open_run(logs)
    assert run.cache_path is None
    assert tokens(run) == [1, 2, 11]
    assert run.notes == (f"{logs} cannot be written (File exists): nothing was cached",)


def test_without_a_cache_nothing_is_left(logs: Path) -> None:
    run = open_run(logs, cache=False)
    assert tokens(run) == [1, 2, 11]
    assert run.cache_path is None
    assert not cached(logs).exists()


def test_pieces_are_gone_once_they_are_in_the_table(logs: Path) -> None:
    run = open_run(logs)
    assert sorted(path.name for path in cached(logs).iterdir()) == [
        "node_metrics.manifest.json",
        "node_metrics.parquet",
        "node_metrics.pieces",
    ]
    assert list((cached(logs) / "node_metrics.pieces").iterdir()) == []
    assert tokens(run) == [1, 2, 11]


def test_what_a_killed_parse_left_goes_after_an_hour(logs: Path) -> None:
    old, young = cached(logs) / "node_metrics.pieces" / "old", cached(logs) / "node_metrics.pieces" / "young"
    for folder in (old, young):
        folder.mkdir(parents=True)
        (folder / "00000-00000000000001.npz").write_bytes(b"left")
    left = cached(logs) / ".node_metrics.left"
    left.write_bytes(b"left")
    for path in (left, old / "00000-00000000000001.npz", old):
        os.utime(path, (1, 1))
    open_run(logs)
    assert not old.exists()
    assert not left.exists()
    assert young.exists()


def test_the_table_has_the_established_columns_in_their_order(logs: Path) -> None:
    open_run(logs)
    path = cached(logs) / "node_metrics.parquet"
    table = pl.read_parquet(path)
    assert table.columns[: len(ESTABLISHED_COLUMNS)] == [column.name for column in ESTABLISHED_COLUMNS]
    assert table["timestamp"].to_list() == ["2026-01-31 16:10:37"] * 3
    assert table.schema["timestamp"] == pl.String
    metadata = pl.read_parquet_metadata(path)
    assert metadata["trackside.parser_version"] == str(PARSER_VERSION)
    assert metadata["trackside.schema_version"] == str(SCHEMA_VERSION)
    assert b"\x28\xb5\x2f\xfd" in path.read_bytes()
