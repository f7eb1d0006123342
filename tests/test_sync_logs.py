"""The logs that a sync downloads: those that are wanted, each once in its lifetime."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
import zstandard

from tests.fake_github import FakeGitHub, LogState, job, matrix
from tests.fake_github.faults import Kind
from tests.syncing import sync_once
from trackside.report.sync_report import missing_line
from trackside.store.store import Store, open_store

DAY = dt.timedelta(days=1)


def states(store: Store) -> dict[int, str]:
    frame = store.newest("job_logs").select("job_id", "state").collect()
    return dict(frame.iter_rows())


def text_of(store: Store, job_id: int) -> str:
    content = store.newest("job_logs").filter(pl.col("job_id") == job_id).select("content").collect().item()
    return zstandard.ZstdDecompressor().decompressobj().decompress(content).decode()


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("none", []),
        ("failed", ["unit (0)", "slow"]),
        ("perf", ["performance-test-1-gpu"]),
        ("all", ["unit (0)", "unit (1)", "slow", "performance-test-1-gpu"]),
    ],
)
def test_the_logs_that_are_asked_for_come(tmp_path: Path, wanted: str, names: list[str]) -> None:
    with FakeGitHub() as github:
        plans = [
            *matrix("unit", 2, ["failure"]),
            job("slow", "timed_out"),
            job("performance-test-1-gpu"),
            job("x", "skipped"),
        ]
        run = github.world.add_run(plans, conclusion="failure", at=github.clock.now() - DAY)
        store = open_store(tmp_path)
        record = sync_once(github, store, logs=wanted, pulls="none")
        ids = {one.id: one.name for one in run.attempts[0].jobs}
        assert sorted(ids[job_id] for job_id in states(store)) == sorted(names)
        assert set(states(store).values()) <= {"ready"}
        assert (record.logs_new, record.missing) == (len(names), ())
        assert github.journal.broken_rules() == {}


def test_a_log_is_downloaded_once_and_kept_as_it_came(tmp_path: Path) -> None:
    with FakeGitHub() as github:
        log = "\ufeff2026-06-01T11:00:00.0000000Z \x1b[31mError\x1b[0m: out of memory\n"
        run = github.world.add_run([job("unit", "failure", log=log)], conclusion="failure", at=github.clock.now() - DAY)
        store = open_store(tmp_path)
        sync_once(github, store, pulls="none")
        for _ in range(2):
            sync_once(github, store, logs="failed", pulls="none")
        assert github.journal.count("job log") == 1
        assert text_of(store, run.attempts[0].jobs[0].id) == log


def test_patterns_choose_the_jobs(tmp_path: Path) -> None:
    with FakeGitHub() as github:
        run = github.world.add_run([job("Unit-A"), job("lint"), job("nightly-eval")], at=github.clock.now() - DAY)
        first, _, third = (one.id for one in run.attempts[0].jobs)
        store = open_store(tmp_path)
        sync_once(github, store, logs="all", job_globs=("unit-*",), pulls="none")
        assert set(states(store)) == {first}
        sync_once(github, store, logs="perf", perf_jobs=("nightly-*",), pulls="none")
        assert set(states(store)) == {first, third}


def test_logs_that_are_gone_are_not_asked_for_again_and_those_to_come_are(tmp_path: Path) -> None:
    with FakeGitHub() as github:
        plans = [job("old", log_state=LogState.EXPIRED), job("late", log_state=LogState.NOT_YET), job("runs", None)]
        run = github.world.add_run(plans, conclusion=None, at=github.clock.now() - dt.timedelta(hours=2))
        old, late, runs = run.attempts[0].jobs
        store = open_store(tmp_path)
        record = sync_once(github, store, logs="all", pulls="none")
        assert states(store) == {old.id: "expired", late.id: "not_yet"}
        assert record.missing == (), "a log that is not there is told by its state"
        github.world.finish_run(run)
        sync_once(github, store, logs="all", pulls="none")
        assert states(store) == {old.id: "expired", late.id: "ready", runs.id: "ready"}
        assert github.journal.count("job log") == 4


def test_logs_of_runs_older_than_the_window_come_where_runs_are_counted(tmp_path: Path) -> None:
    with FakeGitHub() as github:
        run = github.world.add_run([job("unit", "failure")], conclusion="failure", at=github.clock.now() - 20 * DAY)
        store = open_store(tmp_path)
        sync_once(github, store, max_runs_per_workflow=5, logs="failed", pulls="none")
        assert states(store) == {run.attempts[0].jobs[0].id: "ready"}


def test_logs_that_the_budget_left_out_are_missing_and_come_next_time(tmp_path: Path) -> None:
    with FakeGitHub() as github:
        for index in range(4):
            at = github.clock.now() - DAY + index * dt.timedelta(hours=1)
            github.world.add_run([job("unit", "failure")], conclusion="failure", at=at)
        store = open_store(tmp_path)
        sync_once(github, store, pulls="none")
        record = sync_once(github, store, logs="failed", pulls="none", client={"max_calls": 3})
        assert (record.status, record.calls) == ("partial", 3)
        assert [(item.what, item.count) for item in record.missing] == [("logs", 2)]
        assert sync_once(github, store, logs="failed", pulls="none").status == "ok"
        assert set(states(store).values()) == {"ready"}
        assert github.journal.count("job log") == 4


def test_logs_that_a_token_may_not_read_are_missing_for_one_reason(tmp_path: Path) -> None:
    with FakeGitHub() as github:
        for index in range(4):
            at = github.clock.now() - DAY + index * dt.timedelta(hours=1)
            github.world.add_run([job("unit", "failure")], conclusion="failure", at=at)
        github.faults.add(Kind.ERROR, endpoint="job log", status=403, times=9)
        record = sync_once(github, open_store(tmp_path), logs="failed", pulls="none")
        (missing,) = record.missing
        assert (missing.what, missing.count, len(missing.samples)) == ("logs", 4, 4)
        assert missing.reason.startswith("GET /repos/octo/engine/actions/jobs/…/logs was refused (403")
        assert missing_line(record).endswith("What was read is kept.")
