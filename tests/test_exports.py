"""Tidy tables on disk: what is in them, what a spreadsheet may not do with them, and that they are whole."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from trackside.errors import OutputError
from trackside.records.engine_rows import COLUMNS, SCHEMA_VERSION
from trackside.records.engine_run import FileLedger, Role, Worker
from trackside.report import exports
from trackside.report.exports import export_run
from trackside.report.table_files import FileFormat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def rows(*records: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(records, schema=exports.ROW_SCHEMA)


def row(**more: Any) -> dict[str, Any]:
    return {
        "node": "n1",
        "worker_type": "decode",
        "worker_id": "w0",
        "metric_type": "batch",
        "line": 1,
        **more,
    }


def worker(**more: Any) -> Worker:
    fields: dict[str, Any] = {
        "node": "n1", "role": Role.DECODE, "worker_id": "w0", "files": ("a.err", "a.out"), "engine": "sglang",
        "batch_rows": 2, "memory_rows": 0, "first_us": 1_000_000, "last_us": 2_000_000, "rank_totals": (),
        "launches": 1, "config": {"tp_size": 4, "model_path": "m", "nodes": [1, 2]}, "tp_size": 4, "gpus": 4,
    }  # fmt: skip
    return Worker(**{**fields, **more})


LEDGER = (FileLedger("a.out", lines=10, decode=2, unrecognised=1, samples=("=odd",), unknown_fields={"#x": 3}),)


def export(folder: Path, file_format: FileFormat, *frames: pl.DataFrame, workers: Any = None) -> dict[str, Path]:
    written = export_run(frames, workers or (worker(),), LEDGER, folder, file_format, parser_version=7)
    return {table.name: table.path for table in written}


def test_the_four_tables_hold_what_the_run_holds(tmp_path: Path) -> None:
    frame = rows(row(running_req=3, gen_throughput=1.5), row(running_req=4, line=2))
    paths = export(tmp_path / "out", FileFormat.PARQUET, frame)
    assert [path.name for path in paths.values()] == [
        "rows.parquet", "workers.parquet", "ledger.parquet", "launch_config.parquet",
    ]  # fmt: skip
    assert pl.read_parquet(paths["rows"]).equals(frame)
    of_worker = pl.read_parquet(paths["workers"]).row(0, named=True)
    assert (of_worker["worker"], of_worker["files"], of_worker["gpus"]) == ("n1_decode_w0", "a.err;a.out", 4)
    of_file = pl.read_parquet(paths["ledger"]).row(0, named=True)
    assert (of_file["lines"], json.loads(of_file["samples"]), of_file["note"]) == (10, ["=odd"], None)
    assert pl.read_parquet(paths["launch_config"]).rows() == [
        ("n1_decode_w0", "tp_size", "4"),
        ("n1_decode_w0", "model_path", "m"),
        ("n1_decode_w0", "nodes", "[1, 2]"),
    ]


def test_rows_keep_every_column_with_its_type_and_order(tmp_path: Path) -> None:
    paths = export(tmp_path, FileFormat.PARQUET, rows())
    assert dict(pl.read_parquet_schema(paths["rows"])) == exports.ROW_SCHEMA
    assert list(exports.ROW_SCHEMA) == [column.name for column in COLUMNS]


def test_parquet_files_say_their_versions(tmp_path: Path) -> None:
    metadata = pl.read_parquet_metadata(export(tmp_path, FileFormat.PARQUET, rows(row()))["rows"])
    assert metadata["trackside.schema_version"] == str(SCHEMA_VERSION)
    assert metadata["trackside.parser_version"] == "7"
    assert metadata["trackside.table"] == "rows"


def test_frames_are_written_in_order_and_one_at_a_time(tmp_path: Path) -> None:
    def frames() -> Iterator[pl.DataFrame]:
        for start in range(0, 1000, 100):
            yield rows(*[row(line=line) for line in range(start, start + 100)])

    for file_format in FileFormat:
        tables = export_run(frames(), (), (), tmp_path, file_format, 1)
        assert tables[0].rows == 1000
    assert pl.read_parquet(tmp_path / "rows.parquet")["line"].to_list() == list(range(1000))
    assert pl.read_csv(tmp_path / "rows.csv")["line"].to_list() == list(range(1000))


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-x", "@sum", "\tx", "\rx"])
def test_no_spreadsheet_runs_a_cell(tmp_path: Path, evil: str) -> None:
    paths = export(tmp_path, FileFormat.CSV, rows(row(node=evil)), workers=(worker(node=evil),))
    for name in ("rows", "workers", "launch_config"):
        with paths[name].open(newline="") as stream:
            assert next(iter(list(csv.reader(stream))[1]))[0] == "'"


def test_numbers_stay_numbers_in_csv(tmp_path: Path) -> None:
    paths = export(tmp_path, FileFormat.CSV, rows(row(mem_usage_gb=-0.5, chunked_prefill_size=-1, torn=True)))
    frame = pl.read_csv(paths["rows"])
    assert (frame["mem_usage_gb"][0], frame["chunked_prefill_size"][0], frame["torn"][0]) == (-0.5, -1, True)
    assert frame["gen_throughput"][0] is None


def test_escape_codes_are_shown_in_csv_and_kept_in_parquet(tmp_path: Path) -> None:
    frame = rows(row(detail="\x1b[31mred"))
    assert "\x1b" not in export(tmp_path, FileFormat.CSV, frame)["rows"].read_text()
    assert pl.read_parquet(export(tmp_path, FileFormat.PARQUET, frame)["rows"])["detail"][0] == "\x1b[31mred"


def test_a_failed_export_leaves_the_earlier_file_and_no_rest(tmp_path: Path) -> None:
    export(tmp_path, FileFormat.PARQUET, rows(row()))

    def broken() -> Iterator[pl.DataFrame]:
        yield rows(row(), row())
        raise OSError(28, "No space left on device")

    for file_format in FileFormat:
        with pytest.raises(OutputError, match=r"Could not write the tables into .*"):
            export_run(broken(), (), (), tmp_path, file_format, 1)
    assert pl.read_parquet(tmp_path / "rows.parquet").height == 1
    assert not list(tmp_path.glob(".*"))
    assert not (tmp_path / "rows.csv").exists()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"Could not write the tables into .*file/out: Not a directory"):
        export(tmp_path / "file" / "out", FileFormat.CSV, rows())
