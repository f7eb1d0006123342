"""Per-request records as SGLang writes them: what is read, what is counted instead."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from trackside.bench.request_times import REQUEST_SCHEMA
from trackside.engine import request_metrics
from trackside.engine.request_metrics import read_request_metrics
from trackside.errors import NoDataError, PathNotFoundError

if TYPE_CHECKING:
    from pathlib import Path

HOUR = "sglang-request-metrics-20260319_10.log"


def record(rid: str = "a1", **more: Any) -> dict[str, Any]:
    """One line as the exporter writes it: request parameters as a JSON string, meta_info flat beside it."""
    return {
        "request_parameters": json.dumps({"rid": rid, "text": "hello", "sampling_params": {"max_new_tokens": 8}}),
        "id": rid,
        "finish_reason": {"type": "length", "length": 8},
        "prompt_tokens": 5,
        "completion_tokens": 8,
        "cached_tokens": 0,
        "queue_time": 0.1,
        "prefill_launch_delay": 0.01,
        "prefill_launch_latency": 0.2,
        "inference_time": 1.0,
        "e2e_latency": 1.2,
        **more,
    }


def write(folder: Path, *lines: object, name: str = HOUR) -> Path:
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_a_record_becomes_one_row_in_seconds(tmp_path: Path) -> None:
    read = read_request_metrics(write(tmp_path, record()))
    assert read.requests.schema == pl.Schema(REQUEST_SCHEMA)
    assert read.requests.row(0) == ("a1", 5, 8, 0.1, 0.01, 0.2, None, 1.0, 1.2)
    assert (read.lines, read.unread, read.limit_reached) == (1, 0, False)


def test_the_later_field_names_land_in_the_same_columns(tmp_path: Path) -> None:
    later = record(prefill_waiting_latency=0.03, forward_entry_time=1000.0, prefill_finished_time=1000.25)
    del later["prefill_launch_delay"]
    row = read_request_metrics(write(tmp_path, later)).requests.row(0, named=True)
    assert row["prefill_launch_delay_s"] == 0.03
    assert row["prefill_span_s"] == 0.25


def test_times_inside_meta_info_are_found(tmp_path: Path) -> None:
    row = read_request_metrics(write(tmp_path, {"meta_info": record("nested")})).requests.row(0, named=True)
    assert (row["rid"], row["e2e_latency_s"]) == ("nested", 1.2)


def test_a_span_that_is_null_or_absent_stays_null(tmp_path: Path) -> None:
    bare = {"rid": "b", "queue_time": None, "e2e_latency": 2}
    row = read_request_metrics(write(tmp_path, bare)).requests.row(0, named=True)
    assert row["queue_time_s"] is None
    assert row["inference_time_s"] is None
    assert row["prompt_tokens"] is None
    assert row["e2e_latency_s"] == 2.0


def test_values_that_are_no_numbers_are_counted_and_null(tmp_path: Path) -> None:
    odd = '{"id": "c", "e2e_latency": 1, "queue_time": NaN, "inference_time": "1", "prompt_tokens": true}'
    read = read_request_metrics(write(tmp_path, odd))
    assert read.not_a_number == 3
    assert read.requests["queue_time_s"].to_list() == [None]


def test_bad_lines_are_counted_with_samples_and_blank_ones_are_not(tmp_path: Path) -> None:
    read = read_request_metrics(write(tmp_path, record(), '{"rid": "cut', "", "[1, 2]", {"metrics": {}}, '"text"'))
    assert (read.lines, read.unreadable, read.without_times, read.unread) == (5, 3, 1, 4)
    assert read.samples[0] == '{"rid": "cut'
    assert read.requests.height == 1


def test_the_hourly_files_are_read_in_order_and_win_over_jsonl(tmp_path: Path) -> None:
    write(tmp_path, record("late"), name="sglang-request-metrics-20260319_11.log")
    write(tmp_path, record("early"))
    write(tmp_path, record("other"), name="profile_export.jsonl")
    read = read_request_metrics(tmp_path)
    assert read.requests["rid"].to_list() == ["early", "late"]
    assert len(read.files) == 2


def test_without_hourly_files_jsonl_is_read(tmp_path: Path) -> None:
    assert read_request_metrics(write(tmp_path, record(), name="any.jsonl")).requests.height == 1


def test_one_file_can_be_named(tmp_path: Path) -> None:
    write(tmp_path, record("x"), name="mine.txt")
    assert read_request_metrics(tmp_path / "mine.txt").requests["rid"].to_list() == ["x"]


def test_limit_takes_the_first_requests_in_file_order(tmp_path: Path) -> None:
    write(tmp_path, *[record(f"r{n}") for n in range(5)])
    read = read_request_metrics(tmp_path, limit=2)
    assert read.requests["rid"].to_list() == ["r0", "r1"]
    assert read.limit_reached is True


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_compressed_files_are_read_across_their_frames(tmp_path: Path, suffix: str) -> None:
    pack = gzip.compress if suffix == ".gz" else zstandard.ZstdCompressor().compress
    lines = [(json.dumps(record(rid)) + "\n").encode() for rid in ("one", "two")]
    (tmp_path / (HOUR + suffix)).write_bytes(b"".join(pack(line) for line in lines))
    assert read_request_metrics(tmp_path).requests["rid"].to_list() == ["one", "two"]


def test_a_cut_archive_keeps_what_came_before_and_is_named(tmp_path: Path) -> None:
    lines = "".join(json.dumps(record(f"r{n}", noise=n * 7919)) + "\n" for n in range(2000)).encode()
    packed = gzip.compress(lines)
    (tmp_path / (HOUR + ".gz")).write_bytes(packed[: len(packed) // 2])
    read = read_request_metrics(tmp_path)
    assert 0 < read.requests.height < 2000
    assert read.cut_files[0].startswith(HOUR)


def test_a_line_beyond_the_cap_is_counted_and_the_next_one_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_metrics, "MAX_LINE_BYTES", 1000)
    read = read_request_metrics(write(tmp_path, record("long", text="x" * 5000), record("next")))
    assert read.overlong == 1
    assert read.requests["rid"].to_list() == ["next"]


def test_a_prompt_with_lone_surrogates_does_not_cost_the_request(tmp_path: Path) -> None:
    line = '{"id": "s\\ud83d", "e2e_latency": 1.0, "request_parameters": "\\ud83d"}'
    assert read_request_metrics(write(tmp_path, line)).requests.height == 1


def test_a_missing_path_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(PathNotFoundError, match=r"Path does not exist: .*nowhere"):
        read_request_metrics(tmp_path / "nowhere")


def test_a_job_directory_is_read_in_its_logs(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    write(tmp_path / "logs", record("b1"))
    assert read_request_metrics(tmp_path).requests["rid"].to_list() == ["b1"]


def test_a_folder_without_metrics_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(NoDataError, match=r"No request metrics in .*export-metrics-to-file"):
        read_request_metrics(tmp_path)


def test_records_without_any_time_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(NoDataError, match=r"No request times in .*read 1 lines of 1 file"):
        read_request_metrics(write(tmp_path, {"metrics": {}}))


@given(st.lists(st.binary(max_size=60), max_size=12))
def test_random_bytes_never_raise_and_every_line_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, noise: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("noise")
    lines = [json.dumps(record()).encode(), *(line.replace(b"\n", b"") for line in noise)]
    (folder / HOUR).write_bytes(b"\n".join(lines))
    read = read_request_metrics(folder)
    assert read.lines == read.unread + read.requests.height
