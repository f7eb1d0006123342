"""Real engine logs, counted with grep and awk by others: what the parser says must agree, file by file."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

import polars as pl
import pytest

from trackside.engine.run import Run, open_run
from trackside.errors import NoDataError
from trackside.records.engine_run import FileLedger

LOGS = Path(os.environ.get("TRACKSIDE_REAL_DATA", "../shared/data")).resolve() / "engine-logs"
TRUTH = LOGS / "TRUTH.tsv"
RANKS = ("dp", "pp", "attn_cp", "moe_dp", "tp", "ep")
# Lines of these files without a batch line: a router's log, and nothing else.
WITHOUT_WORKERS = {"18_npu_router_1p1d.log"}

needs_data = pytest.mark.skipif(not TRUTH.is_file(), reason=f"no real logs at {LOGS} (set TRACKSIDE_REAL_DATA)")


def truth() -> list[dict[str, str]]:
    if not TRUTH.is_file():
        return []
    with TRUTH.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


ROWS = truth()
per_file = pytest.mark.parametrize("want", ROWS, ids=[row["file"][:2] for row in ROWS])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All logs, copied and opened as one directory."""
    if not TRUTH.is_file():
        pytest.skip(f"no real logs at {LOGS} (set TRACKSIDE_REAL_DATA)")
    folder = tmp_path_factory.mktemp("run") / "logs"
    folder.mkdir()
    for row in ROWS:
        shutil.copy(LOGS / row["file"], folder / row["file"])
    return open_run(folder)


@pytest.fixture(scope="module")
def rows(run: Run) -> pl.DataFrame:
    return run.rows()


def ledger_of(run: Run, file: str) -> FileLedger:
    return next(entry for entry in run.ledger if entry.file == file)


def batch_rows(rows: pl.DataFrame, file: str) -> pl.DataFrame:
    return rows.filter(pl.col("file") == file, pl.col("batch_type").is_in(["prefill", "decode"]))


def tag_of(row: dict[str, int | None]) -> str:
    return " ".join(f"{name.upper()}{row[name]}" for name in RANKS if row[name] is not None)


@needs_data
def test_every_file_is_in_the_ledger(run: Run) -> None:
    assert sorted(entry.file for entry in run.ledger) == sorted(row["file"] for row in ROWS)
    assert {entry.state for entry in run.ledger} == {"ok"}


@per_file
def test_batch_lines_are_counted_as_grep_counts_them(run: Run, want: dict[str, str]) -> None:
    entry = ledger_of(run, want["file"])
    assert entry.prefill == int(want["prefill_lines"])
    assert entry.decode == int(want["decode_lines"])
    assert entry.engine == int(want["vllm_engine_lines"])
    assert entry.unrecognised == 0


@per_file
def test_every_batch_line_is_a_row(rows: pl.DataFrame, want: dict[str, str]) -> None:
    mine = rows.filter(pl.col("file") == want["file"])["batch_type"].value_counts()
    counts = dict(mine.iter_rows())
    assert counts.get("prefill", 0) == int(want["prefill_lines"])
    assert counts.get("decode", 0) == int(want["decode_lines"])
    assert counts.get("engine", 0) == int(want["vllm_engine_lines"])


@per_file
def test_rank_tags_are_those_of_the_lines(rows: pl.DataFrame, want: dict[str, str]) -> None:
    tags: dict[str, int] = {}
    for row in batch_rows(rows, want["file"]).select(RANKS).iter_rows(named=True):
        tag = tag_of(row)
        if tag:
            tags[tag] = tags.get(tag, 0) + 1
    pairs = [part.rsplit("=", 1) for part in want["distinct_rank_tags"].split(";") if "=" in part]
    assert tags == {tag.rstrip("]"): int(count) for tag, count in pairs}


@per_file
def test_token_sums_before_double_lines_are_left_out(rows: pl.DataFrame, want: dict[str, str]) -> None:
    mine = batch_rows(rows, want["file"])
    assert mine["new_token"].sum() == int(want["sum_new_token"])
    assert mine["cached_token"].sum() == int(want["sum_cached_token"])


@per_file
def test_highest_reported_throughputs(rows: pl.DataFrame, want: dict[str, str]) -> None:
    mine = batch_rows(rows, want["file"])
    engine = rows.filter(pl.col("file") == want["file"], pl.col("batch_type") == "engine")
    assert (mine["gen_throughput"].max() or 0) == pytest.approx(float(want["max_gen_throughput"]), rel=1e-5)
    assert (mine["input_throughput"].max() or 0) == pytest.approx(float(want["max_input_throughput"]), rel=1e-5)
    assert (engine["gen_throughput"].max() or 0) == pytest.approx(float(want["max_vllm_gen_tput"]), rel=1e-5)


@per_file
def test_first_and_last_stamps_of_any_line(run: Run, want: dict[str, str]) -> None:
    entry = ledger_of(run, want["file"])
    first, last = (None if want[name] == "-" else want[name] for name in ("first_ts", "last_ts"))
    assert (entry.first_stamp, entry.last_stamp) == (first, last)


@per_file
def test_first_and_last_times_of_batch_lines(rows: pl.DataFrame, want: dict[str, str]) -> None:
    if want["first_batch_ts"] == "-":
        return
    mine = batch_rows(rows, want["file"])
    stamps = mine["timestamp"].drop_nulls()
    assert stamps.min() == want["first_batch_ts"].replace("T", " ")[:19]
    assert stamps.max() == want["last_batch_ts"].replace("T", " ")[:19]
    times = mine.filter(pl.col("tz_assumed") == "unknown")["time_us"].drop_nulls()
    logged = times.cast(pl.Datetime("us")).dt.strftime("%Y-%m-%d %H:%M:%S")
    assert logged.to_list() == mine.filter(pl.col("tz_assumed") == "unknown")["timestamp"].drop_nulls().to_list()


@per_file
def test_bytes_that_are_no_utf8(run: Run, want: dict[str, str]) -> None:
    assert ledger_of(run, want["file"]).invalid_utf8_bytes == int(want["non_utf8"])


@per_file
def test_a_single_file_says_what_it_said_in_its_directory(
    tmp_path: Path, rows: pl.DataFrame, run: Run, want: dict[str, str]
) -> None:
    path = Path(shutil.copy(LOGS / want["file"], tmp_path / want["file"]))
    if want["file"] in WITHOUT_WORKERS:
        with pytest.raises(NoDataError):
            open_run(path, cache=False)
        return
    alone = open_run(path, cache=False)
    entry = alone.ledger[0]
    assert entry == ledger_of(run, want["file"])
    assert alone.rows().height == rows.filter(pl.col("file") == want["file"]).height


@needs_data
def test_torn_lines_of_the_real_logs_are_flagged_and_no_other(rows: pl.DataFrame) -> None:
    torn = rows.filter("torn", pl.col("batch_type").is_not_null())
    assert dict(torn["file"].value_counts().iter_rows()) == {
        "41_dynamo_noansi_evidence.log": 8,
        "55_issue_sglang25960_truncated_npu.log": 4,
    }


@needs_data
def test_ranks_that_log_one_batch_count_once(rows: pl.DataFrame) -> None:
    mine = batch_rows(rows, "50_issue_sglang29600_pp_attncp_npu.log")
    assert mine.filter(~pl.col("duplicate"))["new_token"].sum() == 128
    assert mine["new_token"].sum() == 640


@needs_data
def test_roles_come_from_content_where_names_say_none(run: Run) -> None:
    roles = {worker.files[0][:2]: worker.role.value for worker in run.workers}
    assert {n: roles[n] for n in ("01", "04", "15", "19", "20", "27", "30", "36")} == {
        "01": "decode",
        "04": "prefill",
        "15": "agg",
        "19": "decode",
        "20": "decode",
        "27": "agg",
        "30": "agg",
        "36": "agg",
    }


@needs_data
def test_no_field_of_the_real_logs_is_unknown_but_those_of_cut_lines(run: Run) -> None:
    unknown = {entry.file[:2]: set(entry.unknown_fields) for entry in run.ledger if entry.unknown_fields}
    assert set(unknown) <= {"41", "55"}
