"""What a sync fetches: what is new or changed, of the selection, and nothing that is known to be over."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.build_github import NOON, REPO, at, attempt, marker
from trackside.records.runs import Source
from trackside.records.sync_state import KnownAttempt
from trackside.sync.plan import find_changes, is_fetched, mark_gone, measure, plan_jobs, select_runs, unfinished
from trackside.sync.request import SyncRequest

WEEK = NOON - dt.timedelta(days=7)


def known(run_id: int = 1, run_attempt: int = 1, **fields: Any) -> KnownAttempt:
    """A completed attempt whose one job is in the store."""
    told: dict[str, Any] = {
        "source": Source.REST,
        "status": "completed",
        "conclusion": "success",
        "created_at": NOON,
        "updated_at": NOON,
        "workflow_file": ".github/workflows/ci.yml",
        "workflow_id": 1,
        "head_branch": "main",
        "head_sha": "a" * 40,
        "event": "push",
        "fetched": True,
        "fetched_status": "completed",
        "fetched_updated_at": NOON,
        "fetched_jobs": 1,
        "fetched_jobs_listed": 1,
    }
    return KnownAttempt(run_id=run_id, run_attempt=run_attempt, **told | fields)


def by_key(*attempts: KnownAttempt) -> dict[tuple[int, int], KnownAttempt]:
    return {(one.run_id, one.run_attempt): one for one in attempts}


@pytest.mark.parametrize(
    ("before", "kind"),
    [
        (None, "new"),
        (known(), "unchanged"),
        (known(source=Source.WEBHOOK), "unchanged"),
        (known(source=Source.FILE), "changed"),
        (known(source=Source.JOBS), "changed"),
        (known(status="in_progress", conclusion=None), "changed"),
        (known(conclusion="failure"), "changed"),
        (known(updated_at=at(-1)), "changed"),
    ],
)
def test_a_listed_attempt_is_new_changed_or_as_it_was(before: KnownAttempt | None, kind: str) -> None:
    changes = find_changes([attempt()], {} if before is None else by_key(before))
    counts = {"new": len(changes.new), "changed": len(changes.changed), "unchanged": changes.unchanged}
    assert counts == {"new": 0, "changed": 0, "unchanged": 0} | {kind: 1}


def test_runs_that_go_on_and_were_not_listed_are_asked_for() -> None:
    going_on: Any = {"status": "queued", "fetched": False, "fetched_status": None}
    attempts = [
        known(1, **going_on),
        known(2, 1),
        known(2, 2, **going_on),
        known(3, 1, **going_on),
        known(3, 2),
        known(4, **going_on | {"source": Source.FILE}),
        known(5, **going_on | {"created_at": NOON - dt.timedelta(days=37)}),
        known(6, **going_on | {"created_at": None}),
        known(7, **going_on),
        known(8, status=None),
        known(9, status="in_progress", fetched_status="in_progress"),
        known(10, status="in_progress"),  # gone: the marker says that it is over
    ]
    assert unfinished(attempts, [7], NOON) == [1, 2, 9]


def test_the_selection_is_what_lies_in_the_window_newest_first() -> None:
    runs = [
        attempt(1, created_at=WEEK),
        attempt(2, created_at=NOON),
        attempt(3, created_at=None),
        attempt(4, created_at=WEEK - dt.timedelta(seconds=1)),
        attempt(5, created_at=NOON + dt.timedelta(seconds=1)),
    ]
    request = SyncRequest(repo=REPO, since=WEEK)
    assert [run.run_id for run in select_runs(runs, request, WEEK, NOON)] == [3, 2, 1]
    two = SyncRequest(repo=REPO, since=WEEK, limit=2)
    assert [run.run_id for run in select_runs(runs, two, WEEK, NOON)] == [3, 2]


def test_the_newest_of_each_workflow_may_be_of_any_age() -> None:
    old = NOON - dt.timedelta(days=90)
    runs = [attempt(number, workflow_file=file, created_at=old) for number, file in enumerate("ababb", 1)]
    request = SyncRequest(repo=REPO, since=WEEK, max_runs_per_workflow=2)
    assert [run.run_id for run in select_runs(runs, request, WEEK, NOON)] == [5, 4, 3, 1]


@pytest.mark.parametrize(
    ("fields", "fetched"),
    [
        ({}, True),
        ({"fetched": False}, False),
        ({"fetched_status": "in_progress"}, False),
        ({"fetched_jobs": 1, "fetched_jobs_listed": 3}, False),
        ({"fetched_jobs": 1, "fetched_jobs_listed": 3, "updated_at": at(-25 * 60)}, True),
        ({"fetched_jobs": 0, "fetched_jobs_listed": None}, True),
    ],
)
def test_an_attempt_that_was_over_and_whole_is_never_read_again(fields: dict[str, Any], fetched: bool) -> None:
    assert is_fetched(attempt(updated_at=at(5)), known(**fields), NOON) is fetched


def test_an_attempt_that_goes_on_is_read_again_when_it_changed() -> None:
    before = known(status="in_progress", fetched_status="in_progress")
    assert is_fetched(attempt(status="in_progress"), before, NOON)
    assert not is_fetched(attempt(status="in_progress", updated_at=at(1)), before, NOON)
    assert not is_fetched(attempt(status="completed"), before, NOON)
    assert not is_fetched(None, before, NOON)
    assert not is_fetched(attempt(), None, NOON)


def test_of_a_run_that_ran_again_only_the_new_attempt_is_work() -> None:
    [work] = plan_jobs([attempt(1, 3), attempt(2)], by_key(known(1, 1), known(1, 2), known(2)), NOON)
    assert (work.run.run_id, work.known) == (1, frozenset({1, 2}))


numbers = st.integers(1, 4)


@given(
    st.lists(st.tuples(st.integers(1, 9), numbers), unique_by=lambda pair: pair[0]),
    st.sets(st.tuples(numbers, numbers)),
)
def test_what_is_fetched_as_planned_is_complete(runs: list[tuple[int, int]], there: set[tuple[int, int]]) -> None:
    listed = [attempt(run_id, count) for run_id, count in runs]
    before = by_key(*(known(*key) for key in there))
    works = plan_jobs(listed, before, NOON)
    fetched = {
        (work.run.run_id, number): marker(work.run.run_id, number)
        for work in works
        for number in range(1, work.run.run_attempt + 1)
        if number not in work.known
    }
    coverage = measure(listed, before, fetched, NOON)
    assert (coverage.selected, coverage.lacking) == (sum(count for _, count in runs), ())
    assert not fetched.keys() & before.keys()
    without = measure(listed, before, {}, NOON)
    assert set(without.lacking) == fetched.keys()


def test_jobs_that_were_counted_and_not_listed_make_an_attempt_incomplete() -> None:
    short = {(1, 1): marker(1, jobs=2, jobs_listed=5)}
    assert measure([attempt()], {}, short, NOON).lacking == ((1, 1),)
    going_on = {(1, 1): marker(1, jobs=2, jobs_listed=5, status="in_progress")}
    assert measure([attempt()], {}, going_on, NOON).complete == 1


def test_a_run_that_is_gone_has_nothing_more_to_read() -> None:
    first, second = mark_gone(attempt(1, 2, status="queued"), REPO, [1, 2])
    assert (first.run_attempt, second.run_attempt) == (1, 2)
    assert {(one.status, one.jobs, one.jobs_listed) for one in (first, second)} == {("completed", 0, None)}
    assert measure([attempt(1, 2)], {}, {(1, 1): first, (1, 2): second}, NOON).complete == 2
