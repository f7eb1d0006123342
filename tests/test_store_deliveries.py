"""What the server asks of the store: deliveries that were taken, versions of tables, the newest rows of a few runs."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tests.build_github import NOON, REPO, at, attempt, job
from trackside.errors import UsageError
from trackside.records.deliveries import TakenDelivery
from trackside.store.store import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def delivery(delivery_id: str, minutes: float = 0) -> TakenDelivery:
    return TakenDelivery(
        repo=REPO,
        delivery_id=delivery_id,
        body_sha256=f"body of {delivery_id}",
        event="workflow_run",
        received_at=at(minutes),
        size_bytes=10,
    )


def test_a_delivery_is_known_by_its_id_and_by_its_body_as_long_as_it_is_young(store: Store) -> None:
    assert store.known_deliveries({"a"}, {"body of a"}, NOON) == frozenset()
    store.add_deliveries([delivery("a"), delivery("b", 10)], NOON)
    assert store.known_deliveries({"a", "x"}, {"body of b"}, NOON) == {"a", "body of b"}
    assert store.known_deliveries({"a", "b"}, set(), at(5)) == {"b"}
    assert store.known_deliveries(set(), set(), NOON) == frozenset()


def test_old_deliveries_are_forgotten_and_young_ones_kept(store: Store) -> None:
    assert store.forget_deliveries(NOON).rows_after == 0
    store.add_deliveries([delivery("a"), delivery("b", 10)], NOON)
    store.add_deliveries([delivery("c", 20)], NOON)
    told = store.forget_deliveries(at(5))
    assert (told.rows_before, told.rows_after) == (3, 2)
    assert sorted(store.newest("deliveries").collect()["delivery_id"]) == ["b", "c"]
    assert store.forget_deliveries(at(5)).files_after == told.files_after


def test_the_version_of_a_table_is_another_one_after_each_commit(store: Store) -> None:
    before = store.versions(("runs", "jobs"))
    assert before == (None, None)
    store.add_runs([attempt(1)], NOON)
    first = store.versions(("runs", "jobs"))
    for number in range(2, 25):
        store.add_runs([attempt(number)], NOON)
    last = store.versions(("runs", "jobs"))
    assert first[0] is not None
    assert last == (first[0] + 23, None)
    with pytest.raises(UsageError, match="nothing"):
        store.versions(("nothing",))


def test_the_newest_rows_of_a_few_runs_are_those_of_the_whole_table(store: Store) -> None:
    store.add_runs([attempt(1, status="in_progress", conclusion=None), attempt(2), attempt(3)], NOON)
    store.add_runs([attempt(1, conclusion="failure"), attempt(1, 2)], at(5))
    store.add_runs([attempt(1, status="queued", conclusion=None)], at(6))
    store.compact()
    store.add_runs([attempt(2, conclusion="failure", updated_at=NOON - dt.timedelta(hours=1))], at(7))
    store.add_jobs([job(10, 1), job(11, 2)], (), at(8))
    columns = ["run_id", "run_attempt", "status", "conclusion"]
    every = store.newest("runs").select(columns).sort(columns).collect()
    few = store.newest_of_runs("runs", {1, 2}).select(columns).sort(columns).collect()
    assert few.rows() == [row for row in every.rows() if row[0] in (1, 2)]
    assert few.rows() == [
        (1, 1, "completed", "failure"),
        (1, 2, "completed", "success"),
        (2, 1, "completed", "success"),
    ]
    assert store.newest_of_runs("jobs", {2}).collect()["job_id"].to_list() == [11]
    assert store.newest_of_runs("runs", set()).collect().is_empty()


def test_deliveries_are_no_facts_of_github(store: Store) -> None:
    store.add_deliveries([delivery("a")], NOON)
    assert "deliveries" not in [one.name for one in store.facts()]
