"""A run as it is opened: workers, ledger, notes and rows, on any clock and in any window."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.build import at
from tests.build_logs import decode_text, prefill_text, write_log
from trackside.engine.run import Run, open_run
from trackside.errors import NoDataError, PathNotFoundError, UsageError
from trackside.records.engine_rows import COLUMNS
from trackside.records.engine_run import Role


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A job of one prefill worker that wrote two files, and a decode worker."""
    logs = tmp_path / "77" / "logs"
    write_log(logs / "n2_prefill_w0.out", prefill_text(1, "16:10:00"), prefill_text(3, "16:12:00"))
    write_log(logs / "n2_prefill_w0.err", prefill_text(2, "16:11:00"), "warning: nothing")
    write_log(logs / "n1_decode_w0.out", decode_text(5, "16:10:30"))
    return logs.parent


def times(run: Run) -> list[str]:
    return run.rows(["timestamp"])["timestamp"].to_list()


def utc(run: Run) -> list[str]:
    moments = run.rows(["time_us"]).select(pl.col("time_us").cast(pl.Datetime("us")).dt.strftime("%d %H:%M"))
    return moments["time_us"].to_list()


def test_out_and_err_of_a_worker_are_one_worker(job: Path) -> None:
    run = open_run(job)
    assert [(w.name, w.batch_rows, w.files) for w in run.workers] == [
        ("n1_decode_w0", 1, ("n1_decode_w0.out",)),
        ("n2_prefill_w0", 3, ("n2_prefill_w0.err", "n2_prefill_w0.out")),
    ]
    assert (run.workers[1].first_us, run.workers[1].last_us) == (at("16:10:00"), at("16:12:00"))


def test_rows_have_every_column_and_lie_by_worker_and_time(job: Path) -> None:
    rows = open_run(job).rows()
    assert rows.schema == {column.name: getattr(pl, column.dtype)() for column in COLUMNS}
    assert rows["node"].to_list() == ["n1", "n2", "n2", "n2"]
    assert rows["new_token"].to_list() == [None, 1, 2, 3]
    assert rows.row(1, named=True) | {} == {
        **dict.fromkeys(rows.columns),
        "node": "n2",
        "worker_type": "prefill",
        "worker_id": "w0",
        "metric_type": "batch",
        "timestamp": "2026-01-31 16:10:00",
        "dp": 0,
        "tp": 0,
        "ep": 0,
        "batch_type": "prefill",
        "new_seq": 1,
        "new_token": 1,
        "cached_token": 28,
        "token_usage": 0.1,
        "running_req": 0,
        "queue_req": 2,
        "prealloc_req": 0,
        "inflight_req": 1,
        "input_throughput": 50.0,
        "file": "n2_prefill_w0.out",
        "line": 1,
        "time_us": at("16:10:00"),
        "tz_assumed": "unknown",
        "engine": "sglang",
        "kind": "prefill",
        "duplicate": False,
        "torn": False,
    }


def test_rows_of_one_time_keep_the_order_of_the_file(tmp_path: Path) -> None:
    write_log(tmp_path / "n1_prefill_w0.out", *(prefill_text(n) for n in (5, 3, 9, 1)))
    assert open_run(tmp_path).rows(["new_token"])["new_token"].to_list() == [5, 3, 9, 1]


def test_columns_may_be_chosen_in_any_order(job: Path) -> None:
    run = open_run(job)
    assert run.rows(["new_token", "node"]).columns == ["new_token", "node"]
    assert open_run(job).rows(["new_token"]).equals(run.rows().select("new_token"))


def test_batches_of_rows_are_the_rows(job: Path) -> None:
    run = open_run(job)
    together = pl.concat(run.row_batches())
    key = ["file", "line"]
    assert together.sort(key).equals(run.rows().sort(key))


def test_the_ledger_has_an_entry_for_every_file(job: Path) -> None:
    (job / "logs" / "n3_frontend_0.out").write_text("x\n")
    (job / "logs" / "n3_decode_w1.out").touch()
    ledger = {entry.file: entry for entry in open_run(job).ledger}
    assert {name: (entry.state, entry.lines, entry.batch_lines) for name, entry in ledger.items()} == {
        "n1_decode_w0.out": ("ok", 1, 1),
        "n2_prefill_w0.err": ("ok", 2, 1),
        "n2_prefill_w0.out": ("ok", 2, 2),
        "n3_decode_w1.out": ("empty", 0, 0),
        "n3_frontend_0.out": ("skipped", 0, 0),
    }


def test_lines_of_later_pipeline_ranks_are_marked(tmp_path: Path) -> None:
    lines = [prefill_text(100, tag=f" PP{rank}") for rank in (0, 1)]
    write_log(tmp_path / "n1_prefill_w0.out", *lines)
    for _ in range(2):
        rows = open_run(tmp_path).rows(["pp", "duplicate"])
        assert rows.rows() == [(0, False), (1, True)]


def test_several_labelled_workers_may_share_a_file(tmp_path: Path) -> None:
    write_log(tmp_path / "engine.log", f"0: {prefill_text(1)}", f"1: {decode_text(2)}", f"0: {prefill_text(3)}")
    run = open_run(tmp_path)
    assert [(w.worker_id, w.batch_rows) for w in run.workers] == [("1", 1), ("0", 2)]


def test_the_role_is_told_by_content_and_may_be_overruled(tmp_path: Path) -> None:
    write_log(tmp_path / "engine.log", decode_text(2))
    assert open_run(tmp_path).workers[0].role is Role.DECODE
    assert open_run(tmp_path, role=Role.AGG).workers[0].role is Role.AGG
    assert open_run(tmp_path, role=Role.AGG).rows()["worker_type"].to_list() == ["agg"]
    assert open_run(tmp_path).rows()["worker_type"].to_list() == ["decode"]


@pytest.mark.parametrize(
    ("start", "stop", "found"),
    [
        ("23:00", None, ["23:30", "00:30", "01:30"]),
        ("00:00", "01:00", ["00:30"]),
        (None, "23:30", ["22:30", "23:30"]),
        ("23:00:00", "00:30:00", ["23:30", "00:30"]),
        ("2026-02-01T00:00:00", None, ["00:30", "01:30"]),
        ("2026-02-01", "2026-02-01", ["00:30", "01:30"]),
        ("21:00", "03:00", ["22:30", "23:30", "00:30", "01:30"]),
    ],
)
def test_a_window_may_cross_midnight(tmp_path: Path, start: str | None, stop: str | None, found: list[str]) -> None:
    clocks = [("22:30:00", "2026-01-31"), ("23:30:00", "2026-01-31"), ("00:30:00", "2026-02-01")]
    lines = [prefill_text(1, clock, day) for clock, day in [*clocks, ("01:30:00", "2026-02-01")]]
    write_log(tmp_path / "n1_prefill_w0.out", *lines)
    run = open_run(tmp_path, start=start, stop=stop)
    assert [time[11:16] for time in times(run)] == found
    assert run.workers[0].batch_rows == len(found)
    assert sum(batch.height for batch in run.row_batches()) == len(found)


def test_the_end_of_a_window_on_the_next_day_of_a_long_run(tmp_path: Path) -> None:
    lines = [prefill_text(1, "10:00:00"), prefill_text(2, "23:00:00"), prefill_text(3, "06:00:00", "2026-02-01")]
    write_log(tmp_path / "n1_prefill_w0.out", *lines)
    assert times(open_run(tmp_path, start="22:00", stop="05:00")) == ["2026-01-31 23:00:00"]
    assert times(open_run(tmp_path, start="04:00")) == ["2026-02-01 06:00:00"]


def test_a_window_is_in_logged_time_also_where_stamps_name_an_offset(tmp_path: Path) -> None:
    lines = [prefill_text(1, clock, tag="+08:00 DP0") for clock in ("10:00:00", "11:00:00", "12:00:00")]
    write_log(tmp_path / "n1_prefill_w0.out", *(line.replace(" ", "T", 1) for line in lines))
    run = open_run(tmp_path, start="11:00", stop="11:30")
    if run.rows()["tz_assumed"][0] == "unknown":
        pytest.skip("offsets in brackets are not read as such")
    assert times(run) == ["2026-01-31 11:00:00"]
    assert utc(run) == ["31 03:00"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"start": "25:00"}, UsageError, "Not a time: 25:00"),
        ({"start": "yesterday"}, UsageError, "Not a time: yesterday"),
        ({"start": "17:00", "stop": "16:59"}, UsageError, "The window ends before it begins: 17:00 to 16:59"),
        ({"start": "20:00"}, NoDataError, "No lines between 20:00 and the end"),
        ({"tz": "Mars/Olympus"}, UsageError, "Unknown time zone: Mars/Olympus"),
        ({"tz": "localtime"}, UsageError, "Unknown time zone: localtime"),
    ],
)
def test_a_wrong_window_or_zone_is_one_sentence(
    job: Path, options: dict[str, str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{message}"):
        open_run(job, **options)  # type: ignore[arg-type]


def test_a_wrong_window_is_told_before_anything_is_read(job: Path) -> None:
    with pytest.raises(UsageError):
        open_run(job, stop="25:00")
    assert not (job / "logs" / "cached_assets").exists()


def test_a_zone_turns_stamps_without_one_into_utc(tmp_path: Path) -> None:
    write_log(tmp_path / "n1_prefill_w0.out", prefill_text(1, "16:00:00"))
    run = open_run(tmp_path, tz="America/Los_Angeles")
    assert utc(run) == ["01 00:00"]
    assert times(run) == ["2026-01-31 16:00:00"]
    assert run.rows()["tz_assumed"].to_list() == ["America/Los_Angeles"]
    assert run.workers[0].first_us == at("00:00:00", "2026-02-01")
    assert run.workers[0].rank_totals[0].last_us == at("00:00:00", "2026-02-01")


@pytest.mark.parametrize(
    ("day", "clocks", "expected"),
    [
        ("2026-03-08", ["01:30:00", "02:30:00", "03:30:00"], ["08 09:30", "08 10:30", "08 10:30"]),
        ("2026-11-01", ["00:30:00", "01:30:00", "02:30:00"], ["01 07:30", "01 08:30", "01 10:30"]),
    ],
)
def test_hours_that_a_zone_skips_or_repeats(tmp_path: Path, day: str, clocks: list[str], expected: list[str]) -> None:
    write_log(tmp_path / "n1_prefill_w0.out", *(prefill_text(1, clock, day) for clock in clocks))
    run = open_run(tmp_path, tz="America/Los_Angeles")
    assert utc(run) == expected
    assert (run.workers[0].first_us, run.workers[0].last_us) == (
        run.rows()["time_us"].min(),
        run.rows()["time_us"].max(),
    )


def test_stamps_that_name_their_zone_are_left_where_they_are(tmp_path: Path) -> None:
    dynamo = prefill_text(2).split("] ", 1)[1]
    write_log(tmp_path / "n1_prefill_w0.out", prefill_text(1, "16:00:00"))
    write_log(tmp_path / "n1_decode_w0.out", f"2026-02-01T00:00:01.250000Z  INFO worker: {dynamo}")
    run = open_run(tmp_path)
    assert "Some stamps name their zone and some do not: give --tz, or series may lie apart" in run.notes
    run = open_run(tmp_path, tz="America/Los_Angeles")
    assert dict(run.rows(["worker_type", "time_us"]).iter_rows()) == {
        "prefill": at("00:00:00", "2026-02-01"),
        "decode": at("00:00:01.250000", "2026-02-01"),
    }
    assert [w.first_us for w in run.workers] == [at("00:00:01.250000", "2026-02-01"), at("00:00:00", "2026-02-01")]


def test_times_of_a_worker_whose_stamps_carry_an_offset_or_mix_are_true_with_a_zone(tmp_path: Path) -> None:
    message = prefill_text(2).split("] ", 1)[1]
    write_log(
        tmp_path / "n1_prefill_w0.out",
        f"2026-02-01T08:00:05+08:00  INFO worker: {message}",
        prefill_text(1, "16:00:30", "2026-01-31"),
    )
    run = open_run(tmp_path, tz="America/Los_Angeles")
    [worker] = run.workers
    assert (worker.first_us, worker.last_us) == (at("00:00:05", "2026-02-01"), at("00:00:30", "2026-02-01"))
    assert run.rows()["time_us"].to_list() == [worker.first_us, worker.last_us]


def test_the_zone_of_this_machine_does_not_matter(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    rows = open_run(job, cache=False).rows()
    monkeypatch.setenv("TZ", "America/New_York")
    assert open_run(job, cache=False).rows().equals(rows)


def test_a_date_that_was_told_from_elsewhere_is_said(tmp_path: Path) -> None:
    write_log(tmp_path / "n1_prefill_w0-2026-01-31.out", prefill_text(1, day="").replace("[ ", "["))
    run = open_run(tmp_path)
    assert times(run) == ["2026-01-31 16:10:37"]
    assert run.rows()["date_from"].to_list() == ["file_name"]
    assert run.notes == ("Stamps without a full date were completed from the file's name",)


def test_what_holds_no_worker_says_why(tmp_path: Path) -> None:
    with pytest.raises(PathNotFoundError, match=r"^Path does not exist"):
        open_run(tmp_path / "nowhere")
    with pytest.raises(NoDataError, match=r"holds no worker log \(.out, .err or .log\)$"):
        open_run(tmp_path)
    assert not (tmp_path / "cached_assets").exists()
    write_log(tmp_path / "a.log", "hello")
    with pytest.raises(NoDataError, match=r"\(1 line holds no batch line that is known\)$"):
        open_run(tmp_path)
    (tmp_path / "a.log").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n")
    with pytest.raises(NoDataError, match=r"\(a.log: a Git LFS pointer stands where the log should be"):
        open_run(tmp_path)


def test_empty_logs_and_one_log_without_batches_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.log").touch()
    with pytest.raises(NoDataError, match=r"\(every log is empty\)$"):
        open_run(tmp_path)
    write_log(tmp_path / "a.log", "hello")
    with pytest.raises(NoDataError, match=r"in logs: .*/a\.log \(1 line holds"):
        open_run(tmp_path / "a.log")


def test_a_file_that_vanished_since_is_told_and_the_others_are_read(job: Path) -> None:
    open_run(job)
    lost = job / "logs" / "n1_decode_w0.out"
    lost.unlink()
    lost.mkdir()
    run = open_run(job)
    assert [w.name for w in run.workers] == ["n2_prefill_w0"]
    shutil.rmtree(lost)
    write_log(lost, decode_text(1))
    assert len(open_run(job).workers) == 2


def test_a_job_whose_name_is_no_text_is_read(tmp_path: Path) -> None:
    if sys.platform == "darwin":
        pytest.skip("this file system takes no such name")
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/j\xff"))
    write_log(folder / "n1_prefill_w0.out", prefill_text(1))
    run = open_run(folder)
    assert run.name == "j\\xff"
    assert open_run(folder).from_cache
    assert run.rows().height == 1
