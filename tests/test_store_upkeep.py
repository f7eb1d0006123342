"""Folding, pruning and deleting files: the newest rows stay the same, whoever reads and writes meanwhile."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.build_github import NOON, REPO, an_artifact, at, attempt, commit_pulls, job, job_log, ledger, marker, pull
from trackside.records.artifacts import ArtifactFile, ArtifactList
from trackside.records.failures import Cause, Failure, LogRead, TestFile
from trackside.store import fold, read
from trackside.store.schema import JOBS, RUNS, STAMP_NAMES, TABLES
from trackside.store.store import Store, open_store
from trackside.store.tables import Snapshot, open_table

OLD = NOON - dt.timedelta(days=500)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def newest(store: Store) -> dict[str, list[dict[str, Any]]]:
    return {name: store.newest(name).sort(table.key).collect().to_dicts() for name, table in TABLES.items()}


def filled(store: Store) -> Store:
    for minute in range(3):
        runs = [attempt(number, updated_at=at(minute)) for number in (3, 1, 2)]
        store.add_runs(runs, at(minute))
        jobs = [job(10 * number, run_id=number, labels=("gpu",)) for number in (3, 1, 2)]
        store.add_jobs(jobs, [marker(number) for number in (3, 1, 2)], at(minute))
        store.add_pulls([pull(title=str(minute))], [commit_pulls("a", 7)], at(minute))
        store.add_logs([job_log()], at(minute))
    store.add_sync(ledger())
    return store


def test_compacting_keeps_the_newest_rows_and_drops_the_others(store: Store) -> None:
    before = newest(filled(store))
    assert store.history("runs").collect().height == 9
    done = {one.table: one for one in store.compact()}
    assert newest(store) == before
    assert store.history("runs").collect().height == 3
    assert done["runs"] == fold.Folded("runs", rows_before=9, rows_after=3, files_before=3, files_after=1)


def test_a_second_compaction_has_nothing_to_do(store: Store) -> None:
    filled(store).compact()
    version = open_table(store.location, RUNS).delta.version()  # type: ignore[union-attr]
    assert {one.rows_before - one.rows_after for one in store.compact()} == {0}
    assert open_table(store.location, RUNS).delta.version() == version  # type: ignore[union-attr]


def test_compacted_files_are_sorted_and_cut_where_the_table_says(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(store)
    monkeypatch.setitem(TABLES, "runs", RUNS._replace(part=2))
    done = {one.table: one for one in store.compact()}
    assert done["runs"].files_after == 2
    assert store.history("runs").select("run_id").collect().to_series().to_list() == [1, 2, 3]


def test_rows_added_after_a_compaction_are_newer_facts_of_folded_keys(store: Store) -> None:
    filled(store).compact()
    store.add_runs([attempt(2, updated_at=at(50), conclusion="failure"), attempt(4)], at(50))
    rows = store.newest("runs").sort("run_id").select("run_id", "conclusion").collect().rows()
    assert rows == [(1, "success"), (2, "failure"), (3, "success"), (4, "success")]
    store.compact()
    assert store.newest("runs").sort("run_id").select("run_id", "conclusion").collect().rows() == rows


def test_folded_rows_need_no_look_for_older_ones(store: Store) -> None:
    filled(store)
    assert read.older_rows(open_table(store.location, RUNS)).len() == 6
    store.compact()
    assert read.is_folded(open_table(store.location, RUNS))


def meanwhile(monkeypatch: pytest.MonkeyPatch, work: Any) -> None:
    """Lets ``work`` happen once, when a fold has read the table and not committed yet."""
    original, pending = read.sorted_parts, [work]

    def sorted_parts(snapshot: Snapshot, gone: pl.LazyFrame | None = None) -> Iterator[pl.DataFrame]:
        yield from original(snapshot, gone)
        if pending:
            pending.pop()()

    monkeypatch.setattr(fold, "sorted_parts", sorted_parts)


def test_rows_that_are_added_during_a_compaction_stay(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(store)
    late = [attempt(2, updated_at=at(90), conclusion="failure"), attempt(9)]
    meanwhile(monkeypatch, lambda: store.add_runs(late, at(90)))
    fold.compact(store.location, RUNS)
    rows = store.newest("runs").sort("run_id").select("run_id", "conclusion").collect().rows()
    assert rows == [(1, "success"), (2, "failure"), (3, "success"), (9, "success")]


def test_two_compactions_at_once_end_in_one_fold(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = newest(filled(store))
    meanwhile(monkeypatch, lambda: fold.compact(store.location, RUNS))
    fold.compact(store.location, RUNS)
    assert newest(store) == before
    assert len({file.fold for file in open_table(store.location, RUNS).files}) == 1
    assert store.history("runs").collect().height == 3


def test_a_prune_during_a_compaction_is_not_undone_by_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(store).add_runs([attempt(8, created_at=OLD)], NOON)
    meanwhile(monkeypatch, lambda: store.prune(NOON - dt.timedelta(days=400)))
    fold.compact(store.location, RUNS)
    assert store.newest("runs").sort("run_id").collect()["run_id"].to_list() == [1, 2, 3]


def test_a_fold_that_cannot_be_written_leaves_the_table_as_it_was(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = newest(filled(store))
    files = sorted((tmp_path / "store" / "runs").glob("*.parquet"))

    def broken() -> None:
        raise KeyboardInterrupt

    meanwhile(monkeypatch, broken)
    with pytest.raises(KeyboardInterrupt):
        fold.compact(store.location, RUNS)
    assert newest(store) == before
    assert sorted((tmp_path / "store" / "runs").glob("*.parquet")) == files


def test_a_reader_that_began_before_a_compaction_reads_to_its_end(store: Store) -> None:
    reader = filled(store).newest("runs")
    store.compact()
    assert store.vacuum() == 0
    assert reader.collect().height == 3


def test_replaced_files_are_deleted_at_once_only_when_asked_to(store: Store) -> None:
    before = newest(filled(store))
    store.compact()
    assert store.vacuum(at_once=True) == 19
    assert newest(store) == before


def test_deleting_at_once_spares_what_a_writer_has_not_committed_yet(store: Store, tmp_path: Path) -> None:
    filled(store)
    written = tmp_path / "store" / "runs" / "part-00000-written-not-committed.parquet"
    written.write_bytes(b"rows")
    store.compact()
    store.vacuum(at_once=True)
    assert written.exists()


def test_pruning_removes_old_runs_with_their_jobs_markers_logs_and_artifacts(store: Store) -> None:
    filled(store)
    store.add_runs([attempt(8, created_at=OLD), attempt(8, 2, created_at=OLD)], NOON)
    store.add_jobs([job(80, run_id=8), job(81, run_id=8, run_attempt=2)], [marker(8), marker(8, 2)], NOON)
    store.add_logs([job_log(80, run_id=8)], NOON)
    keys: dict[str, Any] = {"repo": REPO, "job_id": 80, "run_id": 8, "run_attempt": 1, "version": "1"}
    store.add_diagnoses([Failure(cause=Cause.TEST, **keys)], [TestFile(file="t.py", **keys)],
                        [LogRead(test_files=1, **keys)], NOON)  # fmt: skip
    for run_id, artifact_id in ((1, 70), (8, 80)):
        file = ArtifactFile(repo=REPO, artifact_id=artifact_id, run_id=run_id, path="a.json", size_bytes=0, content=b"")
        listed = ArtifactList(repo=REPO, run_id=run_id, run_attempt=1, artifacts=1)
        store.add_artifacts([an_artifact(artifact_id, run_id=run_id)], [file], [listed], NOON)
    store.prune(NOON - dt.timedelta(days=400))
    for table in ("artifacts", "artifact_files", "artifact_lists"):
        assert store.newest(table).collect()["run_id"].to_list() == [1], table
    for table in ("failures", "test_files", "logs_read"):
        assert store.newest(table).collect().is_empty(), table
    for table in ("runs", "fetched", "jobs"):
        assert sorted(store.newest(table).collect()["run_id"].to_list()) == [1, 2, 3], table
    assert store.newest("job_logs").collect()["job_id"].to_list() == [10]
    assert store.newest("pulls").collect().height == 1
    assert store.newest("syncs").collect().height == 1


def test_jobs_of_unknown_runs_are_pruned_by_their_own_time_and_what_has_none_stays(store: Store) -> None:
    jobs = [job(1, run_id=1, created_at=OLD), job(2, run_id=2), job(3, run_id=3, created_at=None)]
    store.add_jobs(jobs, [], NOON)
    store.add_runs([attempt(4, created_at=None)], NOON)
    store.prune(NOON - dt.timedelta(days=400))
    assert sorted(store.newest("jobs").collect()["job_id"].to_list()) == [2, 3]
    assert store.newest("runs").collect()["run_id"].to_list() == [4]


def test_a_job_of_an_old_run_goes_with_it_even_when_it_ran_yesterday(store: Store) -> None:
    store.add_runs([attempt(1, created_at=OLD)], NOON)
    store.add_jobs([job(1, created_at=NOON)], [], NOON)
    store.prune(NOON - dt.timedelta(days=400))
    assert store.newest("jobs").collect().is_empty()


def test_pruning_where_nothing_is_old_changes_nothing(store: Store) -> None:
    filled(store)
    version = open_table(store.location, JOBS).delta.version()  # type: ignore[union-attr]
    assert {one.rows_before - one.rows_after for one in store.prune(OLD)} == {0}
    assert open_table(store.location, JOBS).delta.version() == version  # type: ignore[union-attr]


def test_an_attempt_that_is_added_while_old_ones_are_pruned_keeps_its_jobs(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store).add_runs([attempt(8, created_at=OLD)], NOON)
    store.add_jobs([job(80, run_id=8)], [marker(8)], NOON)

    def sync() -> None:
        store.add_runs([attempt(9)], NOON)
        store.add_jobs([job(90, run_id=9)], [marker(9)], NOON)

    meanwhile(monkeypatch, sync)
    store.prune(NOON - dt.timedelta(days=400))
    assert sorted(store.newest("jobs").collect()["run_id"].to_list()) == [1, 2, 3, 9]
    assert sorted(store.newest("fetched").collect()["run_id"].to_list()) == [1, 2, 3, 9]


def test_what_a_store_holds_is_told(store: Store) -> None:
    told = {one.table: one for one in filled(store).info()}
    runs = told["runs"]
    assert (runs.keys, runs.rows, runs.files, runs.oldest, runs.newest, runs.version) == (3, 9, 3, NOON, NOON, 1)
    assert runs.size_bytes > 0
    assert told["syncs"].about == "started_at"


def test_a_fold_says_of_each_file_how_many_rows_and_which_keys_it_has(store: Store, tmp_path: Path) -> None:
    filled(store).compact()
    [log] = (tmp_path / "store" / "runs" / "_delta_log").glob("*03.json") or [None]
    adds = [line["add"] for text in log.read_text().splitlines() if "add" in (line := json.loads(text))]  # type: ignore[union-attr]
    [stats] = [json.loads(add["stats"]) for add in adds]
    assert stats["numRecords"] == 3
    assert (stats["minValues"]["run_id"], stats["maxValues"]["run_id"]) == (1, 3)


def test_the_stamps_of_a_row_survive_a_fold(store: Store) -> None:
    store.add_runs([attempt()], at(3))
    before = store.newest("runs").select(STAMP_NAMES).collect().to_dicts()
    store.compact()
    assert store.newest("runs").select(STAMP_NAMES).collect().to_dicts() == before


def test_tables_are_folded_when_many_files_were_added_since_the_last_time(store: Store) -> None:
    filled(store)
    before = newest(store)
    assert store.tidy(most_files=3) == []
    assert [one.table for one in store.tidy(most_files=2)] == [
        "runs",
        "jobs",
        "fetched",
        "pulls",
        "commit_pulls",
        "job_logs",
    ]
    assert newest(store) == before
    store.add_runs([attempt(9)], at(5))
    assert store.tidy(most_files=1) == [], "folded files are not counted"
