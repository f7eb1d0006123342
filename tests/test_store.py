"""What was added to a store is in it once: the newest row of each key, whatever came first."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import polars as pl
import pytest

from tests.build_github import (
    NOON,
    REPO,
    an_artifact,
    at,
    attempt,
    commit_pulls,
    job,
    job_log,
    ledger,
    marker,
    pull,
    step,
)
from trackside.errors import NoDataError, TracksideError, UsageError
from trackside.records.alerts import Alert
from trackside.records.artifacts import Artifact, ArtifactFile, ArtifactList, ArtifactState, KnownArtifacts
from trackside.records.bench_runs import BenchRun
from trackside.records.deliveries import TakenDelivery
from trackside.records.failures import Cause, Failure, FileOutcome, LogRead, Notice, Reported, TestFile
from trackside.records.job_logs import JobLog, LogState
from trackside.records.jobs import Job
from trackside.records.knowledge import KnowledgeEdit, Occurrence
from trackside.records.measurements import Better, MeasuredLog, Measurement
from trackside.records.perf_rules import ChangeState, KnownChange
from trackside.records.pulls import CommitPulls, PullRequest
from trackside.records.runs import Fetched, RunAttempt, Source
from trackside.records.syncs import SyncRecord
from trackside.store.schema import STAMP_NAMES, TABLES, TIME
from trackside.store.store import Store, open_store

RECORDS: dict[str, type[msgspec.Struct]] = {
    "runs": RunAttempt,
    "jobs": Job,
    "fetched": Fetched,
    "pulls": PullRequest,
    "commit_pulls": CommitPulls,
    "job_logs": JobLog,
    "failures": Failure,
    "test_files": TestFile,
    "logs_read": LogRead,
    "artifacts": Artifact,
    "artifact_files": ArtifactFile,
    "artifact_lists": ArtifactList,
    "measurements": Measurement,
    "measured_logs": MeasuredLog,
    "changes": KnownChange,
    "bench_runs": BenchRun,
    "occurrences": Occurrence,
    "knowledge": KnowledgeEdit,
    "alerts": Alert,
    "reported": Reported,
    "notices": Notice,
    "deliveries": TakenDelivery,
    "syncs": SyncRecord,
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def rows(store: Store, table: str) -> list[dict[str, Any]]:
    return store.newest(table).sort(TABLES[table].key).drop(STAMP_NAMES).collect().to_dicts()


def every(_name: str) -> bool:
    """Any name is wanted."""
    return True


def only(store: Store, table: str) -> dict[str, Any]:
    [row] = rows(store, table)
    return row


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_the_columns_of_its_record(name: str) -> None:
    fields = {one.name: get_type_hints(RECORDS[name])[one.name] for one in msgspec.structs.fields(RECORDS[name])}
    columns = {one.name: one.dtype for one in TABLES[name].columns}
    plain = {str: pl.String, int: pl.Int64, float: pl.Float64, bool: pl.Boolean, bytes: pl.Binary, dt.datetime: TIME}
    assert list(columns) == list(fields)
    for field, hint in fields.items():
        kind = next((one for one in get_args(hint) if one is not type(None)), hint) if "|" in str(hint) else hint
        if kind in plain:
            assert columns[field] == plain[kind], field
        else:
            assert isinstance(columns[field], pl.List) or columns[field] is pl.String, field


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_every_table_and_column_says_what_it_is(table: Any) -> None:
    assert table.stands_for
    assert set(table.key) <= set(table.order) <= set(table.schema)
    assert table.about in table.schema
    assert all(one.meaning for one in table.columns)
    assert len(table.schema) == len(table.columns) + len(STAMP_NAMES)


def test_what_is_added_comes_back(store: Store) -> None:
    store.add_runs([attempt(1), attempt(2, pull_numbers=(3, 4))], NOON)
    store.add_jobs([job(10, labels=("gpu",), steps=(step(1), step(4, name="x"))), job(11, steps=())], [marker()], NOON)
    store.add_pulls([pull()], [commit_pulls("a", 7), commit_pulls("b")], NOON)
    store.add_logs([job_log()], NOON)
    store.add_sync(ledger(phases_s={"list": 1.5}, notes=("a note",)))
    for name, records in {
        "runs": [attempt(1), attempt(2, pull_numbers=(3, 4))],
        "jobs": [job(10, labels=("gpu",), steps=(step(1), step(4, name="x"))), job(11, steps=())],
        "fetched": [marker()],
        "pulls": [pull()],
        "commit_pulls": [commit_pulls("a", 7), commit_pulls("b")],
        "job_logs": [job_log()],
    }.items():
        assert [msgspec.convert(row, RECORDS[name]) for row in rows(store, name)] == records
    assert only(store, "syncs")["phases_s"] == [{"name": "list", "seconds": 1.5}]


def test_what_logs_told_and_what_was_reported_comes_back(store: Store) -> None:
    keys: dict[str, Any] = {"repo": REPO, "job_id": 10, "run_id": 1, "run_attempt": 1, "version": "1"}
    failure = Failure(cause=Cause.TEST, line="boom", context=("a", "boom"), tests=("t.py",), **keys)
    file = TestFile(file="test/t.py", outcome=FileOutcome.PASSED, attempts=2, elapsed_s=3.5, **keys)
    read = LogRead(test_files=1, **keys)
    reported = Reported(repo=REPO, kind="failures", reported_at=NOON)
    notice = Notice(repo=REPO, kind="broken", subject="unit", state="on")
    store.add_diagnoses([failure], [file], [read], NOON)
    store.add_reported(reported, [notice])
    told = {"failures": failure, "test_files": file, "logs_read": read, "reported": reported, "notices": notice}
    for name, record in told.items():
        assert msgspec.convert(only(store, name), RECORDS[name]) == record


def test_artifacts_and_their_files_come_back(store: Store) -> None:
    artifact = an_artifact(state=ArtifactState.READY, globs=("*.json",), files=1, size_bytes=7, created_at=NOON)
    file = ArtifactFile(repo=REPO, artifact_id=70, run_id=1, path="a/b.json", size_bytes=2, content=b"{}")
    listed = ArtifactList(repo=REPO, run_id=1, run_attempt=2, artifacts=1)
    store.add_artifacts([artifact], [file], [listed], NOON)
    for name, record in {"artifacts": artifact, "artifact_files": file, "artifact_lists": listed}.items():
        assert msgspec.convert(only(store, name), RECORDS[name]) == record
    assert store.known_artifacts(REPO.upper(), {1}, every) == KnownArtifacts(listed={1: 2}, artifacts=(artifact,))
    assert store.known_artifacts(REPO, {1}, "other".__eq__) == KnownArtifacts(listed={1: 2})
    assert (
        store.known_artifacts(REPO, {2}, every) == store.known_artifacts("octo/other", {1}, every) == KnownArtifacts()
    )


def test_an_artifact_that_was_read_stays_read_when_it_is_listed_again_or_expires(store: Store) -> None:
    store.add_artifacts([an_artifact(note="broke off", state=ArtifactState.UNREADABLE)], [], [], at(1))
    store.add_artifacts([an_artifact(state=ArtifactState.READY, files=1)], [], [], at(2))
    for minutes, state in enumerate((ArtifactState.LISTED, ArtifactState.EXPIRED, ArtifactState.NEVER), 3):
        store.add_artifacts([an_artifact(state=state)], [], [], at(minutes))
    assert [one.state for one in store.known_artifacts(REPO, {1}, every).artifacts] == [ArtifactState.READY]
    store.add_artifacts([], [], [ArtifactList(repo=REPO, run_id=1, run_attempt=2, artifacts=1)], at(1))
    store.add_artifacts([], [], [ArtifactList(repo=REPO.upper(), run_id=1, run_attempt=1, artifacts=1)], at(2))
    assert store.known_artifacts(REPO, {1}, every).listed == {1: 2}, "in whatever spelling the later attempt was listed"


def test_what_was_measured_and_what_is_known_of_changes_comes_back(store: Store) -> None:
    keys: dict[str, Any] = {"repo": REPO, "job_id": 10, "run_id": 1, "run_attempt": 1, "version": "1"}
    value = Measurement(test="test_bs1", metric="median_ttft_ms", value=12.5, unit="ms", better=Better.LOWER, **keys)
    read = MeasuredLog(tests=1, measurements=1, **keys)
    change = KnownChange(
        repo=REPO,
        change_id="4f2a91c0",
        series="PR Test: perf / test_bs1 / median_ttft_ms",
        direction="up",
        state=ChangeState.NEW,
        first_seen_at=NOON,
        last_seen_at=NOON,
        last_good_run_id=1,
        first_bad_run_id=2,
        first_bad_sha="a" * 40,
        first_bad_at=NOON,
        before=12.5,
        after=13.0,
    )
    store.add_measurements([value], [read], NOON)
    store.add_changes([change], NOON)
    for name, record in {"measurements": value, "measured_logs": read, "changes": change}.items():
        assert msgspec.convert(only(store, name), RECORDS[name]) == record


def test_a_store_without_rows_has_empty_tables_with_their_columns(store: Store) -> None:
    for name, table in TABLES.items():
        assert store.newest(name).collect().schema == table.schema
        assert store.history(name).collect().height == 0


def test_the_same_facts_twice_are_one_newest_row_and_two_in_the_history(store: Store) -> None:
    for minute in (0, 1):
        store.add_runs([attempt()], at(minute))
    assert len(rows(store, "runs")) == 1
    assert store.history("runs").collect()["observed_at"].sort().to_list() == [at(0), at(1)]


@pytest.mark.parametrize("turned", [False, True], ids=["in order", "the other way round"])
@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ({"status": "queued"}, {"status": "in_progress"}),
        ({"status": "in_progress", "source": Source.WEBHOOK}, {"source": Source.JOBS}),
        ({"source": Source.GRAPHQL}, {"source": Source.REST}),
        ({"source": Source.FILE}, {"source": Source.GRAPHQL}),
        ({"source": Source.JOBS}, {"source": Source.FILE}),
        ({"updated_at": at(1)}, {"updated_at": at(2), "source": Source.WEBHOOK}),
        ({"updated_at": None}, {"updated_at": at(2)}),
    ],
)
def test_what_tells_more_wins_whichever_came_first(
    store: Store, older: dict[str, Any], newer: dict[str, Any], turned: bool
) -> None:
    for minute, fields in enumerate([newer, older] if turned else [older, newer]):
        store.add_runs([attempt(**fields)], at(minute))
    assert msgspec.convert(only(store, "runs"), RunAttempt) == attempt(**newer)


def test_a_job_read_by_graphql_does_not_hide_the_runner_that_rest_told(store: Store) -> None:
    store.add_jobs([job(runner_name="h100-3")], [], at(0))
    store.add_jobs([job(source=Source.GRAPHQL)], [], at(1))
    assert only(store, "jobs")["runner_name"] == "h100-3"


def test_of_equal_facts_the_one_observed_last_wins(store: Store) -> None:
    for minute, conclusion in enumerate(("failure", "success")):
        store.add_runs([attempt(conclusion=conclusion)], at(minute))
    assert only(store, "runs")["conclusion"] == "success"


def test_rows_that_differ_in_nothing_that_decides_give_the_same_one_in_any_order(tmp_path: Path) -> None:
    names = ["a", "b", "c"]
    found = set()
    for order in (names, names[::-1]):
        store = open_store(tmp_path / "".join(order))
        for name in order:
            store.add_jobs([job(name=name)], [], NOON)
        found.add(only(store, "jobs")["name"])
    assert len(found) == 1


@pytest.mark.parametrize("later", [LogState.NOT_YET, LogState.EXPIRED, LogState.NEVER, LogState.UNREADABLE])
def test_a_log_that_was_read_is_kept_whatever_is_found_later(store: Store, later: LogState) -> None:
    store.add_logs([job_log()], at(0))
    store.add_logs([job_log(state=later)], at(1))
    assert only(store, "job_logs")["content"] == b"log"


def test_a_whole_log_replaces_a_truncated_one_and_not_the_other_way_round(store: Store) -> None:
    for minute, cut in enumerate((True, False, True)):
        store.add_logs([job_log(truncated=cut, size_bytes=minute)], at(minute))
    assert only(store, "job_logs")["size_bytes"] == 1


def test_a_marker_of_a_completed_attempt_stays_when_an_older_one_comes_late(store: Store) -> None:
    store.add_jobs([], [marker(jobs=5)], at(0))
    store.add_jobs([], [marker(status="in_progress", jobs=2)], at(1))
    assert only(store, "fetched")["jobs"] == 5


def test_text_that_is_no_unicode_is_stored_with_question_marks(store: Store) -> None:
    store.add_runs([attempt(display_title="broken \ud800 title", pull_numbers=(1,))], NOON)
    store.add_jobs([job(name="\udfff", steps=(step(name="\ud800"),))], [], NOON)
    assert only(store, "runs")["display_title"] == "broken ? title"
    assert only(store, "jobs")["steps"][0]["name"] == "?"


def test_a_number_that_fits_no_column_is_one_clear_sentence_and_adds_nothing(store: Store) -> None:
    with pytest.raises(TracksideError, match=r"runs has a number that does not fit into 64 bits"):
        store.add_runs([attempt(1), attempt(2**63)], NOON)
    assert rows(store, "runs") == []


def test_times_of_other_zones_are_kept_as_utc(store: Store) -> None:
    tokyo = dt.timezone(dt.timedelta(hours=9))
    store.add_runs([attempt(created_at=NOON.astimezone(tokyo))], NOON)
    assert only(store, "runs")["created_at"] == NOON


def test_hostile_names_are_only_ever_content(store: Store, tmp_path: Path) -> None:
    for name in ("../../etc/passwd", "a\x00b", "*", "'; DROP TABLE runs; --"):
        store.add_runs([attempt(repo=name)], NOON)
    assert sorted(row["repo"] for row in rows(store, "runs")) == [
        "'; DROP TABLE runs; --",
        "*",
        "../../etc/passwd",
        "a\x00b",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    assert [path.name for path in (tmp_path / "store").iterdir()] == ["runs"]
    assert REPO not in "".join(str(path) for path in tmp_path.rglob("*"))


def test_an_unknown_table_is_named_with_those_there_are(store: Store) -> None:
    with pytest.raises(UsageError, match="no table workers: the tables are runs, jobs, fetched"):
        store.newest("workers")


def test_a_store_that_must_be_there_and_is_not_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoDataError, match="no store at"):
        open_store(tmp_path / "nowhere", create=False)
    assert not (tmp_path / "nowhere").exists()
