"""A sync brings everything there is, for hardly more calls than there are pages."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fake_github import FakeGitHub, Latest, Run, job, matrix
from tests.syncing import (
    REPO,
    a_week,
    assert_whole,
    attempts_of_store,
    attempts_of_world,
    everything,
    jobs_of_store,
    jobs_of_world,
    pages,
    rows,
    sync_once,
)
from trackside.store.store import Store, open_store

SIZES = (1, 1, 1, 1, 2, 2, 3, 5, 12, 120)
HOURS_S = 3600


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as one:
        yield one


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def a_thousand(github: FakeGitHub) -> list[Run]:
    """1,000 runs of a week with 1 to 120 jobs: some run again, some going on, one in 50 without any job."""
    world, now, dice = github.world, github.clock.now(), random.Random(11)
    made = []
    for index in range(1000):
        at = now - dt.timedelta(minutes=9 * (1000 - index))
        bad = ("failure", "cancelled", "skipped", "timed_out")[: dice.randrange(5)]
        jobs = matrix("unit", SIZES[index % 10], bad[: SIZES[index % 10]], n_steps=3)
        end = "failure" if "failure" in bad else "success"
        if index % 50 == 7:
            jobs, end = [], "startup_failure"
        elif index >= 990:
            jobs = [*matrix("unit", SIZES[index % 10]), job("long", None), job("waits", None, wait_s=-1)]
        run = world.add_run(jobs, conclusion=None if index >= 990 else end, workflow=f"W {index % 7}", at=at)
        made.append(run)
    for run in made[:900:45]:
        world.rerun(run, failed_only=False, at=run.created_at + dt.timedelta(hours=3), carry=True)
    return made


def test_a_thousand_runs_come_whole_for_hardly_more_calls_than_pages(tmp_path: Path, github: FakeGitHub) -> None:
    runs = a_thousand(github)
    for index, run in enumerate(runs[:900]):
        github.world.add_pull(f"Pull {index}", branch=f"b{index}", sha=run.head_sha, at=run.created_at)
    store = open_store(tmp_path / "rest")
    record = sync_once(github, store, api="rest")

    assert_whole(store, github)
    assert (record.status, record.completeness, record.missing) == ("ok", 1.0, ())
    assert record.jobs_listed == record.jobs_new == len(github.world.jobs)
    job_pages = sum(pages(sum(len(one.jobs) for one in run.attempts)) for run in runs)
    look_ups = pages(900) + len({run.head_sha for run in runs[900:]})
    assert record.calls == github.journal.count() <= 1.05 * (pages(len(runs)) + job_pages + look_ups)
    assert github.journal.broken_rules() == {}
    assert github.journal.most_in_flight <= 5

    github.journal.clear()
    by_graphql = open_store(tmp_path / "graphql")
    other = sync_once(github, by_graphql, api="graphql", pulls="none")
    assert other.completeness == 1.0
    assert attempts_of_store(by_graphql) == attempts_of_world(github.world)
    assert {number: row[:5] for number, row in jobs_of_store(by_graphql).items()} == {
        number: row[:5] for number, row in jobs_of_world(github.world).items()
    }
    assert github.journal.count() <= 0.15 * (pages(len(runs)) + job_pages)

    github.journal.clear()
    again = sync_once(github, store, api="rest")
    in_overlap = sum(run.created_at >= github.clock.now() - dt.timedelta(hours=24) for run in runs)
    assert again.calls == github.journal.count() <= pages(in_overlap) + 1
    assert (again.attempts_fetched, again.completeness) == (0, 1.0)


@pytest.mark.parametrize("api", ["rest", "graphql", "auto"])
def test_a_later_sync_with_nothing_new_reads_the_overlap_only(github: FakeGitHub, store: Store, api: str) -> None:
    runs = a_week(github)
    github.world.finish_run(next(run for _, run in github.world.runs.values() if run.status != "completed"))
    sync_once(github, store, api=api)
    for hours in (0, 3, 3):
        github.clock.advance(hours * HOURS_S)
        github.journal.clear()
        before = everything(store)
        record = sync_once(github, store, api=api)
        assert github.journal.by_endpoint() == {"runs": pages(len(runs)), "pulls": 1}
        assert (record.runs_new, record.runs_changed, record.jobs_new) == (0, 0, 0)
        assert everything(store) == before


def test_of_new_runs_alone_the_jobs_are_read(github: FakeGitHub, store: Store) -> None:
    a_week(github)
    sync_once(github, store)
    github.clock.advance(2 * HOURS_S)
    fresh = [github.world.add_run(matrix("unit", 3)) for _ in range(4)]
    github.journal.clear()
    sync_once(github, store, pulls="none")
    asked = {call.path for call in github.journal.calls if call.endpoint == "jobs"}
    assert asked == {f"/repos/{REPO}/actions/runs/{run.id}/jobs" for run in fresh}
    assert_whole_but_unfinished(store, github)


def assert_whole_but_unfinished(store: Store, github: FakeGitHub) -> None:
    assert attempts_of_store(store) == attempts_of_world(github.world)
    assert jobs_of_store(store).keys() == jobs_of_world(github.world).keys()


def test_a_run_that_goes_on_is_read_again_only_when_it_changed(github: FakeGitHub, store: Store) -> None:
    run = github.world.add_run([job("slow", None), job("waits", None, wait_s=-1)], conclusion=None)
    sync_once(github, store)
    [slow, waits] = rows(store, "jobs")
    assert (slow["status"], waits["status"], waits["started_at"]) == ("in_progress", "queued", None)
    github.journal.clear()
    sync_once(github, store)
    assert github.journal.count("jobs") == 0

    github.clock.advance(600)
    github.world.finish_run(run, "failure")
    sync_once(github, store)
    assert_whole(store, github)
    github.clock.advance(600)
    github.journal.clear()
    sync_once(github, store)
    assert github.journal.count("jobs") == 0


def test_an_unfinished_run_older_than_the_overlap_is_asked_for_by_its_id(github: FakeGitHub, store: Store) -> None:
    run = github.world.add_run([job("slow", None)], conclusion=None)
    for _ in range(3):
        sync_once(github, store, pulls="none", sweep=True)
        github.clock.advance(20 * HOURS_S)
    github.world.finish_run(run)
    github.journal.clear()
    record = sync_once(github, store, pulls="none")
    assert github.journal.by_endpoint() == {"runs": 1, "run": 1, "jobs": 1}
    assert record.completeness == 1.0
    assert_whole(store, github)


def test_a_run_that_ends_after_it_left_the_window_is_brought_to_its_end(github: FakeGitHub, store: Store) -> None:
    run = github.world.add_run([job("approval", None, wait_s=-1)], conclusion=None, status="waiting")
    sync_once(github, store, days=2, pulls="none")
    github.clock.advance(60 * HOURS_S)
    github.world.finish_run(run, "cancelled")
    record = sync_once(github, store, days=2, pulls="none")
    assert record.attempts_selected == record.attempts_complete == 1
    assert_whole(store, github)
    github.journal.clear()
    sync_once(github, store, days=2, pulls="none")
    assert github.journal.by_endpoint() == {"runs": 1}


@pytest.mark.parametrize("how", ["the daily sweep", "a sweep that is asked for"])
def test_a_new_attempt_of_an_old_run_is_found(github: FakeGitHub, store: Store, how: str) -> None:
    runs = a_week(github)
    sync_once(github, store, pulls="none")
    old = runs[1]
    assert old.created_at < github.clock.now() - dt.timedelta(days=2)
    github.world.rerun(old, failed_only=False, conclusion="failure")
    github.clock.advance(HOURS_S)
    sync_once(github, store, pulls="none")
    assert attempts_of_store(store) != attempts_of_world(github.world)
    if how == "the daily sweep":
        github.clock.advance(24 * HOURS_S)
    github.journal.clear()
    sync_once(github, store, pulls="none", sweep=how != "the daily sweep")
    assert_whole(store, github)
    [asked] = [call.path for call in github.journal.calls if call.endpoint in ("jobs", "attempt jobs")]
    assert asked.endswith(f"/runs/{old.id}/attempts/2/jobs")  # the first attempt is not asked for again


@pytest.mark.parametrize("latest", list(Latest))
@pytest.mark.parametrize("carry", [True, False])
def test_attempts_are_whole_whatever_filter_latest_means(
    github: FakeGitHub, store: Store, latest: Latest, carry: bool
) -> None:
    github.settings.latest = latest
    run = github.world.add_run([job("a", "failure"), job("b"), *matrix("m", 120)], conclusion="failure")
    github.world.rerun(run, carry=carry, conclusion="failure", at=run.created_at + dt.timedelta(hours=1))
    github.world.rerun(run, carry=carry, at=run.created_at + dt.timedelta(hours=2))
    sync_once(github, store)
    assert_whole(store, github)


def test_a_run_of_a_thousand_jobs_takes_ten_pages(github: FakeGitHub, tmp_path: Path) -> None:
    github.world.add_run(matrix("unit", 1000, n_steps=3))
    for api in ("rest", "graphql"):
        github.journal.clear()
        store = open_store(tmp_path / api)
        assert sync_once(github, store, api=api, pulls="none").completeness == 1.0
        assert {number: row[:5] for number, row in jobs_of_store(store).items()} == {
            number: row[:5] for number, row in jobs_of_world(github.world).items()
        }
        assert github.journal.count() <= 13


def test_an_empty_repository_is_complete_and_has_nothing(github: FakeGitHub, store: Store) -> None:
    github.world.add_repository(REPO)
    record = sync_once(github, store)
    assert (record.status, record.completeness, record.calls) == ("ok", None, 2)
    assert everything(store) == {"runs": [], "jobs": [], "fetched": [], "pulls": [], "commit_pulls": []}


def test_without_jobs_the_list_of_runs_is_all(github: FakeGitHub, store: Store) -> None:
    a_week(github)
    record = sync_once(github, store, jobs=False, pulls="none")
    assert github.journal.by_endpoint() == {"runs": 1}
    assert (record.status, record.completeness, rows(store, "jobs")) == ("ok", None, [])
    sync_once(github, store, pulls="none")
    assert_whole(store, github)


def test_deleted_runs_are_asked_for_once(github: FakeGitHub, store: Store) -> None:
    runs = a_week(github)
    sync_once(github, store, jobs=False, pulls="none")
    going_on = next(run for _, run in github.world.runs.values() if run.status != "completed")
    for run in (runs[0], runs[5], going_on):
        github.world.remove_run(run)
    github.clock.advance(26 * HOURS_S)
    record = sync_once(github, store, pulls="none")
    assert (record.status, record.completeness) == ("ok", 1.0)
    assert any("deleted" in note for note in record.notes)
    assert any(str(going_on.id) in note for note in record.notes)
    github.journal.clear()
    again = sync_once(github, store, pulls="none")
    assert github.journal.by_endpoint() == {"runs": 1}
    assert (again.status, again.completeness, again.notes) == ("ok", 1.0, ())
