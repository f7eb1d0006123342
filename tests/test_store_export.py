"""Exports of a store: equal stores give equal files, whatever their history."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path

import polars as pl
import pytest

from tests.build_github import NOON, at, attempt, commit_pulls, job, job_log, ledger, marker, pull, step
from trackside.records.runs import Source
from trackside.report.table_files import FileFormat, write_tables
from trackside.store.schema import JOBS, TABLES
from trackside.store.store import Store, open_store


def export(store: Store, folder: Path, form: FileFormat = FileFormat.PARQUET) -> dict[str, bytes]:
    return {table.path.name: table.path.read_bytes() for table in write_tables(store.facts(), folder, form)}


def undisturbed(folder: Path, jobs: int = 40) -> Store:
    store = open_store(folder)
    store.add_runs([attempt(number) for number in range(1, 5)], NOON)
    store.add_jobs([job(number, run_id=1 + number % 4) for number in range(jobs)], [marker(1), marker(2)], NOON)
    store.add_pulls([pull(1), pull(2, title="x")], [commit_pulls("a", 1)], NOON)
    store.add_logs([job_log(3)], NOON)
    store.add_sync(ledger("first"))
    return store


def disturbed(folder: Path, jobs: int = 40) -> Store:
    """The same facts, read in another order, some twice, some early, some by GraphQL, folded in between."""
    store = open_store(folder)
    store.add_sync(ledger("second", at(9)))
    store.add_runs([attempt(3, status="in_progress", conclusion=None), attempt(1)], at(-5))
    for number in reversed(range(jobs)):
        if number % 7 == 0:
            store.add_jobs([job(number, run_id=1 + number % 4, source=Source.GRAPHQL)], [], at(number))
    store.add_jobs([job(number, run_id=1 + number % 4) for number in range(jobs // 2)], [], at(1))
    store.compact()
    store.add_runs([attempt(number) for number in (4, 3, 2)], at(2))
    store.add_jobs([job(number, run_id=1 + number % 4) for number in reversed(range(jobs))], [marker(2)], at(3))
    store.add_jobs([], [marker(1)], at(4))
    store.add_pulls([pull(2, title="x"), pull(1)], [commit_pulls("a", 1)], at(6))
    store.add_logs([job_log(3)], at(7))
    return store


@pytest.mark.parametrize("form", FileFormat)
def test_equal_stores_give_equal_files(tmp_path: Path, form: FileFormat) -> None:
    one = export(undisturbed(tmp_path / "one"), tmp_path / "a", form)
    other = export(disturbed(tmp_path / "other"), tmp_path / "b", form)
    told = {"syncs", "reported", "notices", "changes", "occurrences", "knowledge", "alerts", "deliveries"}
    assert sorted(one) == sorted(f"{name}.{form}" for name in TABLES if name not in told)
    assert one == other


def test_equal_files_do_not_depend_on_how_many_rows_are_held_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TABLES, "jobs", JOBS._replace(part=7))
    one = export(undisturbed(tmp_path / "one", 100), tmp_path / "a")
    other = export(disturbed(tmp_path / "other", 100), tmp_path / "b")
    assert one == other
    assert pl.read_parquet(tmp_path / "a" / "jobs.parquet").height == 100


def test_stores_that_differ_in_one_step_give_different_files(tmp_path: Path) -> None:
    store = undisturbed(tmp_path / "one")
    before = export(store, tmp_path / "a")
    store.add_jobs([job(3, run_id=4, steps=(step(conclusion="failure"),))], [], at(1))
    after = export(store, tmp_path / "b")
    assert [name for name in before if before[name] != after[name]] == ["jobs.parquet"]


def test_an_export_has_the_columns_of_the_tables_sorted_by_key_without_stamps(tmp_path: Path) -> None:
    export(disturbed(tmp_path / "store"), tmp_path / "out")
    jobs = pl.read_parquet(tmp_path / "out" / "jobs.parquet")
    assert jobs.columns == [one.name for one in JOBS.columns]
    assert jobs.equals(jobs.sort("repo", "run_id", "run_attempt", "job_id"))
    assert pl.read_parquet_metadata(tmp_path / "out" / "jobs.parquet")["trackside.table"] == "jobs"


def test_csv_has_lists_as_json_bytes_as_base64_and_runs_in_no_spreadsheet(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    store.add_jobs([job(10, name="=HYPERLINK(1)", labels=("a", 'b"c'), steps=(step(3),))], [], NOON)
    store.add_runs([attempt(display_title="\x1b]0;x\x07", updated_at=NOON + dt.timedelta(microseconds=5))], NOON)
    store.add_logs([job_log()], NOON)
    export(store, tmp_path / "out", FileFormat.CSV)
    read = {path.stem: list(csv.DictReader(path.open(newline=""))) for path in (tmp_path / "out").iterdir()}
    [row] = read["jobs"]
    assert row["name"] == "'=HYPERLINK(1)"
    assert json.loads(row["labels"]) == ["a", 'b"c']
    assert json.loads(row["steps"])[0]["started_at"] == "2026-11-01T12:00:00Z"
    assert row["runner_name"] == ""
    assert read["runs"][0]["display_title"] == "\\x1b]0;x\\x07"
    assert read["runs"][0]["updated_at"] == "2026-11-01T12:00:00.000005Z"
    assert read["job_logs"][0]["content"] == "bG9n"
    assert read["pulls"] == []


def test_json_lines_have_a_document_a_row(tmp_path: Path) -> None:
    export(undisturbed(tmp_path / "store"), tmp_path / "out", FileFormat.JSONL)
    lines = (tmp_path / "out" / "jobs.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 40
    assert json.loads(lines[0])["steps"][0] == {
        "number": 1,
        "name": "Run tests",
        "status": "completed",
        "conclusion": "success",
        "started_at": "2026-11-01T12:00:00Z",
        "completed_at": None,
        "duration_s": None,
    }
