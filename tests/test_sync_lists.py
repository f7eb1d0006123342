"""The list of runs: past the 1,000 results of one search, through shifting pages, for any selection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fake_github import FakeGitHub, Fault, Kind, Latest, job, matrix
from tests.syncing import (
    REPO,
    TOKEN,
    a_week,
    assert_whole,
    attempts_of_store,
    attempts_of_world,
    outcome,
    pages,
    rows,
    sync_once,
)
from trackside.errors import GitHubError
from trackside.store.store import Store, open_store

SECOND = dt.timedelta(seconds=1)
LIST_ONLY: dict[str, Any] = {"jobs": False, "pulls": "none"}


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as one:
        yield one


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def add_runs(github: FakeGitHub, count: int, apart: dt.timedelta) -> None:
    now = github.clock.now()
    for index in reversed(range(count)):
        github.world.add_run([], at=now - index * apart)


@pytest.mark.parametrize(("total", "apart_s"), [(None, 120), (1000, 0.04)])
def test_runs_past_the_thousand_are_listed_in_further_searches(
    github: FakeGitHub, store: Store, total: int | None, apart_s: float
) -> None:
    github.settings.total_at_cap = total
    add_runs(github, 2500, apart_s * SECOND)
    record = sync_once(github, store, **LIST_ONLY)
    assert (record.status, record.runs_listed) == ("ok", 2500)
    assert attempts_of_store(store) == attempts_of_world(github.world)
    assert github.journal.count("runs") <= pages(2500) + 3
    github.journal.clear()
    sync_once(github, store, **LIST_ONLY)
    assert github.journal.count("runs") <= pages(720 if apart_s > 1 else 2500) + 3


@pytest.mark.parametrize("count", [250, 1300])
def test_lists_in_no_order_are_listed_whole(github: FakeGitHub, store: Store, count: int) -> None:
    add_runs(github, count, 60 * SECOND)
    home = github.world.home
    home.runs = [*home.runs[1::3], *home.runs[::3], *home.runs[2::3]]
    record = sync_once(github, store, **LIST_ONLY)
    assert (record.status, record.runs_listed) == ("ok", len(home.runs))


def test_more_than_a_thousand_runs_of_one_second_are_told_as_missing(github: FakeGitHub, store: Store) -> None:
    now = github.clock.now()
    for index in range(1300):
        github.world.add_run([], at=now - (index < 200) * 60 * SECOND)
    record = sync_once(github, store, days=0.001, **LIST_ONLY)
    assert record.status == "partial"
    assert "in one second" in record.missing[0].reason
    assert record.runs_listed == 1000 + 200
    assert outcome(lambda: sync_once(github, store, days=0.0001, **LIST_ONLY)) == 4


def test_two_seconds_with_a_thousand_runs_between_them_are_listed_apart(github: FakeGitHub, store: Store) -> None:
    now = github.clock.now()
    for index in range(1400):
        github.world.add_run([], at=now - (index % 2) * SECOND)
    github.world.home.runs.sort(key=lambda run: run.id)  # in no order of time
    record = sync_once(github, store, days=0.001, **LIST_ONLY)
    assert (record.status, record.runs_listed) == ("ok", 1400)


def test_pages_that_shift_while_runs_arrive_lose_nothing(github: FakeGitHub, store: Store) -> None:
    add_runs(github, 350, 60 * SECOND)

    def arrive() -> None:
        for _ in range(30):
            github.world.add_run([])

    github.faults.add(Kind.CALL, endpoint="runs", nth=3, call=arrive)
    github.faults.add(Kind.DUPLICATES, endpoint="runs", nth=4, count=3)
    assert sync_once(github, store, **LIST_ONLY).status == "ok"
    sync_once(github, store, **LIST_ONLY)
    assert attempts_of_store(store) == attempts_of_world(github.world)


def test_a_run_that_slips_over_the_edge_of_a_page_is_looked_for_again(github: FakeGitHub, store: Store) -> None:
    add_runs(github, 350, 60 * SECOND)
    newest = github.world.home.runs[-1]
    github.faults.add(Kind.CALL, endpoint="runs", nth=2, call=lambda: github.world.remove_run(newest))
    assert sync_once(github, store, **LIST_ONLY).status == "ok"
    assert attempts_of_world(github.world) <= attempts_of_store(store)


def test_what_an_empty_page_may_have_hidden_before_a_stop_is_listed_again(github: FakeGitHub, store: Store) -> None:
    add_runs(github, 450, 60 * SECOND)
    github.faults.add(Kind.EMPTY_PAGE, endpoint="runs", nth=2)
    record = sync_once(github, store, client={"max_calls": 3}, **LIST_ONLY)
    assert (record.status, record.runs_listed, record.listed) == ("partial", 200, ())
    assert sync_once(github, store, **LIST_ONLY).status == "ok"
    assert attempts_of_store(store) == attempts_of_world(github.world)


@pytest.mark.parametrize("fault", [Fault(kind=Kind.EMPTY_PAGE), Fault(kind=Kind.TOTAL, count=3)])
def test_a_list_that_contradicts_itself_is_told_and_read_again(github: FakeGitHub, store: Store, fault: Fault) -> None:
    add_runs(github, 350, 60 * SECOND)
    github.faults.add(fault.kind, endpoint="runs", count=fault.count)
    record = sync_once(github, store, **LIST_ONLY)
    assert record.status == "partial"
    assert github.journal.count("runs") <= 10
    github.faults.clear()
    assert sync_once(github, store, **LIST_ONLY).status == "ok"
    assert attempts_of_store(store) == attempts_of_world(github.world)


def test_a_renamed_repository_is_one_repository(github: FakeGitHub, store: Store) -> None:
    runs = a_week(github)
    sync_once(github, store)
    github.world.rename(github.world.home, "octo/motor")
    github.clock.advance(3600)
    runs.append(github.world.add_run(3))
    record = sync_once(github, store)
    assert (record.runs_new, record.completeness, record.missing) == (1, 1.0, ())
    assert "octo/motor" in " ".join(record.notes)
    assert_whole(store, github)
    assert github.journal.broken_rules() == {}


@pytest.mark.parametrize(
    "selection",
    [
        {"limit": 7},
        {"workflows": ("nightly.yml",)},
        {"workflows": ("PR Test",)},
        {"branch": "main"},
        {"event": "pull_request"},
        {"branch": "main", "event": "push", "workflows": (".github/workflows/nightly.yml",), "limit": 3},
    ],
)
def test_a_selection_brings_the_jobs_of_its_runs_alone(
    github: FakeGitHub, store: Store, selection: dict[str, Any]
) -> None:
    a_week(github)
    record = sync_once(github, store, **selection)
    names = selection.get("workflows", ())
    newest = [run for _, (_, run) in sorted(github.world.runs.items(), reverse=True)]
    chosen = [
        run
        for run in newest
        if (not names or {run.name, run.path, run.path.rpartition("/")[2]} & set(names))
        and selection.get("branch") in (None, run.head_branch)
        and selection.get("event") in (None, run.event)
    ][: selection.get("limit")]
    assert {row["run_id"] for row in rows(store, "fetched")} == {run.id for run in chosen}
    assert record.attempts_selected == sum(len(run.attempts) for run in chosen) == record.attempts_complete
    assert sync_once(github, store).completeness == 1.0
    assert_whole(store, github)


def test_the_newest_runs_of_each_workflow_reach_behind_the_window(github: FakeGitHub, store: Store) -> None:
    now = github.clock.now()
    for name, every_h, count in (("often", 2, 40), ("weekly", 168, 6), ("once", 24 * 50, 1)):
        for index in reversed(range(count)):
            github.world.add_run(2, workflow=name, at=now - dt.timedelta(hours=1 + every_h * index))
    record = sync_once(github, store, max_runs_per_workflow=4, pulls="none")
    counts = dict.fromkeys(("often", "weekly", "once"), 0)
    files = {row["run_id"]: row["workflow_name"] for row in rows(store, "runs")}
    for row in rows(store, "fetched"):
        counts[files[row["run_id"]]] += 1
    assert counts == {"often": 4, "weekly": 4, "once": 1}
    assert record.completeness == 1.0
    github.journal.clear()
    sync_once(github, store, max_runs_per_workflow=4, pulls="none")
    assert github.journal.count("jobs") == 0


def test_the_newest_runs_of_a_workflow_are_read_once_however_old_they_are(github: FakeGitHub, store: Store) -> None:
    old = github.clock.now() - dt.timedelta(days=400)
    for index in range(4):
        github.world.add_run(2, at=old + dt.timedelta(hours=index))
    assert sync_once(github, store, max_runs_per_workflow=3, pulls="none").completeness == 1.0
    github.journal.clear()
    record = sync_once(github, store, max_runs_per_workflow=3, pulls="none")
    assert (record.completeness, record.attempts_selected, github.journal.count("jobs")) == (1.0, 3, 0)


def test_a_window_may_begin_at_any_time_there_is(github: FakeGitHub, store: Store) -> None:
    github.world.add_run(1)
    since = dt.datetime(1, 1, 2, tzinfo=dt.UTC)
    assert sync_once(github, store, since=since, pulls="none").completeness == 1.0
    assert github.journal.calls[0].raw_query.startswith("created=0001-01-02T00")


def test_a_workflow_of_which_no_run_is_known_is_noted(github: FakeGitHub, store: Store) -> None:
    run = github.world.add_run(1)
    record = sync_once(github, store, workflows=(run.name, "pr-tset.yml"), pulls="none")
    assert record.attempts_selected == 1
    assert record.notes == ("No run that is known is of the workflow pr-tset.yml.",)


def test_a_window_that_has_ended_brings_its_own_runs(github: FakeGitHub, store: Store) -> None:
    a_week(github)
    until = github.clock.now() - dt.timedelta(days=1)
    record = sync_once(github, store, until=until)
    inside = {run.id for _, run in github.world.runs.values() if run.created_at <= until}
    assert {row["run_id"] for row in rows(store, "runs")} == inside
    assert record.completeness == 1.0
    assert sync_once(github, store).status == "ok"
    assert_whole(store, github)


def test_the_newest_runs_are_not_looked_for_behind_those_that_are_known(github: FakeGitHub, store: Store) -> None:
    add_runs(github, 900, dt.timedelta(hours=1))
    sync_once(github, store, days=31, **LIST_ONLY)
    github.journal.clear()
    record = sync_once(github, store, days=900, limit=500, **LIST_ONLY)
    assert (record.status, github.journal.count("runs")) == ("ok", 1)
    assert sync_once(github, store, days=900, limit=800, **LIST_ONLY).runs_listed > 100


@pytest.mark.parametrize("names", [("absent.yml",), ("Absent",), ("CI", "Absent")])
def test_a_workflow_that_is_not_there_is_told(github: FakeGitHub, store: Store, names: tuple[str, ...]) -> None:
    github.world.add_run(1)
    record = sync_once(github, store, max_runs_per_workflow=3, workflows=names, pulls="none")
    assert record.status == "partial"
    assert "bsent" in str(record.missing)


def test_runs_of_one_workflow_are_told_apart_from_others_by_its_file(github: FakeGitHub, store: Store) -> None:
    github.world.add_run(1, workflow=github.world.add_workflow("Test", ".github/workflows/a.yml"))
    github.world.add_run(1, workflow=github.world.add_workflow("Test", ".github/workflows/b.yml"))
    assert sync_once(github, store, workflows=("a.yml",)).attempts_selected == 1
    assert sync_once(github, store, workflows=("Test",)).attempts_selected == 2


@pytest.mark.parametrize("why", ["private", "absent", "no permission", "bad token", "no token"])
def test_a_repository_that_may_not_be_read_is_a_failure_that_says_why(
    github: FakeGitHub, store: Store, why: str
) -> None:
    repo = github.world.add_repository(REPO)
    repo.readable = why != "private"
    if why == "no permission":
        github.tokens.add(TOKEN, permissions={"contents": "read"})
    if why == "bad token":
        github.tokens.revoke(TOKEN)
    name = "octo/nothing" if why == "absent" else REPO
    if why == "no token":
        repo.readable = False
    token = None if why == "no token" else TOKEN
    with pytest.raises(GitHubError) as error:
        sync_once(github, store, repo=name, token=token)
    words = {"no permission": "actions: read", "bad token": "token is not valid", "no token": "GITHUB_TOKEN"}
    assert words.get(why, "the token may not see it") in str(error.value)
    [ledger] = store.newest("syncs").collect().to_dicts()
    assert ledger["status"] == "failed"
    assert outcome(lambda: sync_once(github, store, repo=name, token=token)) == 1


def test_what_was_listed_stays_where_the_list_is_refused_later(github: FakeGitHub, store: Store) -> None:
    add_runs(github, 250, 60 * SECOND)
    github.faults.add(Kind.ERROR, endpoint="runs", nth=2, status=404)
    record = sync_once(github, store, **LIST_ONLY)
    assert (record.status, record.runs_listed, record.completeness) == ("partial", 100, None)
    assert sync_once(github, store, **LIST_ONLY).status == "ok"
    assert attempts_of_store(store) == attempts_of_world(github.world)


def test_a_run_with_hostile_names_is_stored_as_it_is(github: FakeGitHub, store: Store) -> None:
    names = ["\x1b[31mred\x1b[0m", "'\";--", "\u202egnp.exe", "</script><script>alert(1)", "🦜 " * 40, "a / b / c (0)"]
    github.world.add_run([job(name) for name in names], branch="refs/\x1b]0;x\x07", title="\u2066t", workflow="\x1b[1m")
    sync_once(github, store)
    assert_whole(store, github)
    assert {row["name"] for row in rows(store, "jobs")} == set(names)


@pytest.mark.parametrize("latest", list(Latest))
def test_a_server_that_shows_only_the_newest_jobs_is_asked_for_each_attempt(tmp_path: Path, latest: Latest) -> None:
    with FakeGitHub() as github:
        github.settings.heeds_filter, github.settings.latest = False, latest
        run = github.world.add_run(matrix("unit", 5, ["failure"]), conclusion="failure")
        github.world.rerun(run, conclusion="failure")
        github.world.rerun(run)
        store = open_store(tmp_path)
        assert sync_once(github, store, pulls="none").missing == ()
        assert_whole(store, github)
