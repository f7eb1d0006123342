"""Shards of a job and their test files."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.history_frames import Row, a_history, a_job, a_run
from trackside.ci.balance import FamilyBalance, partition, shard_balance
from trackside.report.ci_balance_report import balance_sections

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


def test_a_shard_whose_files_moved_away_was_read_and_is_a_part() -> None:
    """Of three shards the newest logs are one shard's alone, as where only logs of failed jobs are read."""
    jobs = [a_job(run, f"unit ({n})") for run in (RUN, LATER) for n in range(3)]
    first = [a_file(job, f"{name}.py", s) for job, name, s in zip(jobs[:3], "abc", (300.0, 200.0, 100.0), strict=True)]
    later = [a_file(jobs[3], f"{name}.py", s) for name, s in zip("abc", (300.0, 200.0, 100.0), strict=True)]

    family = balanced(jobs, *first, *later)

    assert (family.unread_shards, family.divides_anew) == ((), True)
    assert [part.files for part in family.plan] == [("a.py",), ("b.py",), ("c.py",)]
    assert (family.planned_s, family.bound_s) == (300.0, 300.0)


def test_where_files_are_divided_anew_the_longest_shard_now_is_that_of_one_log_not_of_a_mixture() -> None:
    jobs = [a_job(run, f"unit ({n})") for run in (RUN, LATER) for n in range(2)]
    swapped = [a_file(job, file, 100.0) for job, file in zip(jobs, ("a.py", "b.py", "b.py", "a.py"), strict=True)]
    gone = a_file(jobs[0], "c.py", 100.0)

    family = balanced(jobs, *swapped, gone)

    assert family.divides_anew
    assert [(one.shard, one.files, one.files_s) for one in family.shards] == [("0", 1, 100.0), ("1", 1, 100.0)]
    assert (family.longest_s, family.planned_s, family.saved_s) == (100.0, 200.0, 0.0)


def test_one_file_that_moved_is_no_suite_that_divides_anew() -> None:
    jobs = [a_job(run, f"unit ({n})") for run in (RUN, LATER) for n in range(2)]
    stayed = [a_file(jobs[place], file, 10.0) for place in (0, 2) for file in ("a.py", "b.py", "c.py")]

    family = balanced(jobs, *stayed, a_file(jobs[1], "d.py", 10.0), a_file(jobs[2], "d.py", 10.0))

    assert not family.divides_anew
    assert family.longest_s == 40.0


def test_a_plan_has_as_many_parts_as_the_job_has_shards_now() -> None:
    before = [a_job(a_run(n), f"unit ({shard})") for n in range(2) for shard in range(4)]
    now = [a_job(a_run(2 + n), f"unit ({shard})") for n in range(5) for shard in range(2)]
    files = [a_file(job, f"{name}.py", 10.0) for job, name in zip((*before[:4], *now[:2]), "abcdef", strict=True)]

    family = balanced([*before, *now], *files)

    assert len(family.plan) == 2
    assert {file for part in family.plan for file in part.files} == {f"{name}.py" for name in "abcdef"}


def test_a_run_that_was_cut_short_takes_no_part_away() -> None:
    files = [a_file(SHARDS[0], "a.py", 30.0), a_file(SHARDS[0], "b.py", 10.0), a_file(SHARDS[1], "c.py", 1.0)]

    family = balanced([*SHARDS, a_job(LATER, "unit (0)", "failure")], *files)

    assert len(family.plan) == 2


def test_the_notes_of_a_plan_name_shards_without_a_log_and_files_that_are_divided_anew() -> None:
    jobs = [a_job(run, f"unit ({n})") for run in (RUN, LATER) for n in range(3)]
    told = [(jobs[0], "a.py", 900.0), (jobs[0], "b.py", 800.0), (jobs[4], "a.py", 900.0), (jobs[4], "b.py", 800.0)]

    (_, plan, *_) = balance_sections(
        shard_balance(a_history([RUN, LATER], jobs, test_files=[a_file(*one) for one in told])), 9
    )

    assert len(plan.rows) == 3
    assert plan.notes[0].startswith("The suite divides its files anew: ")
    assert plan.notes[1:] == ("They count as shards, but no log was read of them: the shards 2.",)


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
