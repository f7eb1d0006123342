"""Shards of a job and their test files."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.history_frames import Row, a_history, a_job, a_run
from trackside.ci.balance import FamilyBalance, partition, shard_balance

RUN = a_run(0)
LATER = a_run(1)
SHARDS = [a_job(RUN, f"unit ({n})", duration_s=d) for n, d in enumerate((1000.0, 400.0))]


def a_file(
    job: Row, file: str, elapsed_s: float | None, estimated_s: float | None = 60.0, **told: Any
) -> dict[str, Any]:
    row = {"job_id": job["job_id"], "file": file, "suite": 0, "outcome": "passed", "attempts": 1, "reason": None}
    return {**row, "elapsed_s": elapsed_s, "estimated_s": estimated_s, **told}


def balanced(jobs: list[dict[str, Any]], *files: Row) -> FamilyBalance:
    (family,) = shard_balance(a_history([RUN, LATER], jobs, test_files=files)).families
    return family


def test_a_better_partition_is_proposed_with_what_it_saves() -> None:
    files = [a_file(SHARDS[0], f, s) for f, s in (("a.py", 500.0), ("b.py", 300.0), ("c.py", 200.0))]

    family = balanced(SHARDS, *files, a_file(SHARDS[1], "d.py", 100.0))

    assert (family.workflow, family.job, family.is_uneven) == ("PR Test", "unit", True)
    assert (family.longest_s, family.planned_s, family.bound_s, family.saved_s) == (1000.0, 600.0, 550.0, 400.0)
    assert [(part.files, part.predicted_s) for part in family.plan] == [
        (("a.py", "d.py"), 600.0),
        (("b.py", "c.py"), 500.0),
    ]
    assert [(one.shard, one.jobs, one.median_s, one.files, one.files_s) for one in family.shards] == [
        ("0", 1, 1000.0, 3, 1000.0),
        ("1", 1, 400.0, 1, 100.0),
    ]


def test_a_file_has_its_median_its_last_time_and_its_gap() -> None:
    again = a_job(LATER, "unit (0)")
    third = a_job(a_run(2), "unit (1)")
    files = [
        a_file(SHARDS[0], "a.py", 100.0, 50.0),
        a_file(again, "a.py", 300.0, 60.0),
        a_file(third, "a.py", 120.0, 0.0),
    ]

    (file,) = balanced([*SHARDS, again, third], *files).files

    assert (file.n, file.median_s, file.last_s, file.estimated_s, file.gap_s) == (3, 120.0, 120.0, 0.0, 120.0)
    assert file.shard == "1"


def test_no_estimate_is_no_gap() -> None:
    (file,) = balanced(SHARDS, a_file(SHARDS[0], "a.py", 10.0, None)).files

    assert (file.estimated_s, file.gap_s) == (None, None)


def test_the_time_of_a_failed_try_counts_only_where_the_file_never_passed() -> None:
    files = [
        a_file(SHARDS[0], "a.py", 3.0, outcome="failed"),
        a_file(SHARDS[1], "a.py", 100.0),
        a_file(SHARDS[0], "b.py", 5.0, outcome="timed_out"),
    ]

    told = {one.file: (one.n, one.median_s) for one in balanced(SHARDS, *files).files}

    assert told == {"a.py": (1, 100.0), "b.py": (1, 5.0)}


def test_files_without_a_time_are_named_and_are_in_no_plan() -> None:
    files = [a_file(SHARDS[0], "a.py", 30.0), a_file(SHARDS[1], "b.py", 10.0)]

    family = balanced(SHARDS, *files, a_file(SHARDS[1], "torn.py", None, None, outcome="unknown"))

    assert family.unmeasured == ("torn.py",)
    assert {file for part in family.plan for file in part.files} == {"a.py", "b.py"}


def test_shards_without_a_log_are_named_and_are_in_no_plan() -> None:
    jobs = [*SHARDS, a_job(RUN, "unit (2)"), a_job(RUN, "unit (10)")]

    family = balanced(
        jobs, a_file(SHARDS[0], "a.py", 30.0), a_file(SHARDS[0], "b.py", 10.0), a_file(SHARDS[1], "c.py", 1.0)
    )

    assert (family.unread_shards, len(family.plan)) == (("2", "10"), 2)


def test_a_partition_that_is_good_already_is_kept() -> None:
    first = [a_file(SHARDS[0], f"{name}.py", 30.0) for name in "ab"]
    second = [a_file(SHARDS[1], f"{name}.py", 20.0) for name in "cde"]

    family = balanced(SHARDS, *first, *second)

    assert (family.longest_s, family.planned_s, family.saved_s, family.is_uneven) == (60.0, 60.0, 0.0, False)
    assert [part.files for part in family.plan] == [("a.py", "b.py"), ("c.py", "d.py", "e.py")]


def test_one_shard_has_no_plan() -> None:
    family = balanced(SHARDS[:1], a_file(SHARDS[0], "a.py", 30.0))

    assert (family.plan, family.longest_s, family.planned_s, family.saved_s) == ((), None, None, 0.0)


def test_without_logs_only_durations_are_told() -> None:
    family = balanced([*SHARDS, a_job(LATER, "unit (0)", "failure", duration_s=5.0)])

    assert [(one.shard, one.median_s, one.max_s, one.files) for one in family.shards] == [
        ("0", 1000.0, 1000.0, None),
        ("1", 400.0, 400.0, None),
    ]
    assert (family.files, family.plan, family.unread_shards) == ((), (), ())


def test_a_job_without_shards_and_files_is_not_told() -> None:
    assert shard_balance(a_history([RUN], [a_job(RUN, "lint")])).families == ()
    assert shard_balance(a_history([])).families == ()


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1e6), max_size=30), st.integers(1, 8))
def test_a_partition_has_every_file_once_and_keeps_grahams_bound(times: dict[str, float], shards: int) -> None:
    parts = partition(times, shards)

    assert sorted(file for part in parts for file in part) == sorted(times)
    assert len(parts) == shards
    longest = max(sum(times[file] for file in part) for part in parts)
    best = max([sum(times.values()) / shards, *times.values()])
    assert longest <= best * (4 / 3) * 1.5 + 1e-6
