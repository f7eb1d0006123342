"""What is told: each change once, nothing twice, and nothing of what a window does not show."""

from __future__ import annotations

from typing import Any

from tests.history_frames import HOUR, START, a_failure, a_history, a_job, a_run
from trackside.ci.changes import Change, ChangeKind, Changes, Flake, changes_since, passing_jobs
from trackside.ci.groups import group_failures
from trackside.ci.streaks import find_streaks
from trackside.history.frames import History
from trackside.records.failures import Notice
from trackside.records.notices import Told

NEVER = Told()
SILENT = Told(ever=True)
UNIT = "PR Test / unit"


def unit_runs(*ends: str, job: str = "unit", first: int = 1) -> History:
    """Runs on main, an hour apart, with one job that ended so each time; failures have a log."""
    runs = [a_run(first + index, end) for index, end in enumerate(ends)]
    jobs = [a_job(run, job, end) for run, end in zip(runs, ends, strict=True)]
    failures = [a_failure(one) for one in jobs if one["conclusion"] == "failure"]
    return a_history(runs, jobs, failures=failures)


def tell(history: History, told: Told = SILENT, *flakes: Flake, **groups: Any) -> Changes:
    return changes_since(told, find_streaks(history), flakes, group_failures(history, **groups), passing_jobs(history))


def after(told: Told, changes: Changes) -> Told:
    """What is known once ``changes`` were told."""
    newest = {(one.kind, one.subject): one for one in (*told.notices, *changes.notices)}
    return Told(ever=True, notices=tuple(newest.values()))


def kinds(changes: Changes) -> list[tuple[str, str]]:
    return [(item.kind.value, item.what) for item in changes.items]


def test_a_job_that_fails_twice_in_a_row_on_the_default_line_is_told_once() -> None:
    history = unit_runs("success", "failure", "failure")
    changes = tell(history)
    assert changes.items == (
        Change(
            kind=ChangeKind.BROKEN,
            what=UNIT,
            url=history.jobs["url"][2],
            since=2,
            count=2,
            where=("main",),
            cause="test",
        ),
    )
    assert kinds(tell(history, after(SILENT, changes))) == []


def test_a_lone_failure_is_not_told_until_it_is_confirmed() -> None:
    assert kinds(tell(unit_runs("success", "failure"))) == []
    run, again = a_run(1, "failure"), a_run(1, "failure", run_attempt=2)
    jobs = [a_job(run, "unit", "failure", is_latest=False), a_job(again, "unit", "failure")]
    assert kinds(tell(a_history([run, again], jobs))) == [("broken", UNIT)]


def test_what_passes_again_is_told_as_fixed_once() -> None:
    told = after(SILENT, tell(unit_runs("success", "failure", "failure")))
    changes = tell(unit_runs("success", "failure", "failure", "success"), told)
    assert changes.items == (Change(kind=ChangeKind.FIXED, what=UNIT, url=changes.items[0].url, since=4),)
    assert changes.items[0].url == "https://github.com/octo/engine/actions/runs/1004"
    assert kinds(tell(unit_runs("success", "failure", "failure", "success"), after(told, changes))) == []


def test_what_was_fixed_before_the_window_begins_is_told_as_fixed_too() -> None:
    told = after(SILENT, tell(unit_runs("success", "failure", "failure")))
    assert kinds(tell(unit_runs("success", first=90), told)) == [("fixed", UNIT)]


def test_a_job_that_the_window_does_not_show_is_neither_fixed_nor_broken() -> None:
    told = after(SILENT, tell(unit_runs("success", "failure", "failure")))
    other = tell(unit_runs("success", job="another"), told)
    assert (kinds(other), other.notices) == ([], ())


def test_what_breaks_again_after_a_fix_is_told_again() -> None:
    told = after(SILENT, tell(unit_runs("success", "failure", "failure")))
    told = after(told, tell(unit_runs("success", "failure", "failure", "success"), told))
    assert kinds(tell(unit_runs("success", "failure", "failure"), told)) == [("broken", UNIT)]


def test_what_breaks_on_another_line_is_not_told() -> None:
    runs = [a_run(number, "failure", branch="alice/x") for number in (1, 2, 3)]
    assert kinds(tell(a_history(runs, [a_job(run, "unit", "failure") for run in runs]))) == []


def test_the_first_time_what_is_broken_is_told_and_the_rest_is_taken_as_known() -> None:
    history = unit_runs("success", "failure", "failure")
    flake = Flake(workflow="PR Test", job="other", commits=3)
    changes = tell(history, NEVER, flake)
    assert kinds(changes) == [("broken", UNIT)]
    assert (changes.is_first, changes.flaky_known, changes.errors_known) == (True, 1, 1)
    assert {(one.kind, one.subject, one.state) for one in changes.notices} == {
        ("broken", UNIT, "on"),
        ("flaky", "PR Test / other", "on"),
        ("failure_group", "00112233445566aa", "on"),
    }
    assert kinds(tell(history, after(NEVER, changes), flake)) == []


def test_a_new_flake_is_told_once_and_again_after_it_has_recovered() -> None:
    quiet = unit_runs("success")
    flake = Flake(workflow="PR Test", job="unit", commits=2, url="https://x/1")
    changes = tell(quiet, SILENT, flake)
    assert changes.items == (Change(kind=ChangeKind.FLAKY, what=UNIT, url="https://x/1", count=2),)
    told = after(SILENT, changes)
    assert kinds(tell(quiet, told, flake)) == []
    well = tell(quiet, told, Flake(workflow="PR Test", job="unit", commits=2, recovered=True))
    assert kinds(well) == []
    assert kinds(tell(quiet, after(told, well), flake)) == [("flaky", UNIT)]


def test_a_new_error_is_told_once_with_its_jobs() -> None:
    history = unit_runs("success", "failure", "success")
    changes = tell(history, last_report_at=START + HOUR)
    (item,) = changes.items
    assert (item.kind, item.what, item.since, item.count, item.where, item.cause) == (
        ChangeKind.ERROR,
        "AssertionError: 1 != 2",
        2,
        1,
        (UNIT,),
        "test",
    )
    assert kinds(tell(history, after(SILENT, changes), last_report_at=START + HOUR)) == []


def test_a_breakage_that_moves_to_another_shard_is_still_the_same() -> None:
    runs = [a_run(number, "failure" if number > 1 else "success") for number in range(1, 6)]
    ends = [("success", "success"), ("failure", "success"), ("failure", "success"), ("success", "failure"),
            ("success", "failure")]  # fmt: skip
    jobs = [
        a_job(run, f"unit ({shard})", end)
        for run, both in zip(runs, ends, strict=True)
        for shard, end in enumerate(both)
    ]
    failures = [a_failure(job) for job in jobs if job["conclusion"] == "failure"]

    def upto(count: int) -> History:
        chosen = {run["run_id"] for run in runs[:count]}
        return a_history(runs[:count], [job for job in jobs if job["run_id"] in chosen], failures=failures)

    first = tell(upto(3))
    assert kinds(first) == [("broken", "PR Test / unit (0)")]
    told = after(SILENT, first)
    later = tell(upto(5), told)
    assert kinds(later) == []
    assert {(one.subject, one.state) for one in later.notices if one.kind == "broken"} == {
        ("PR Test / unit (0)", "off"),
        ("PR Test / unit (1)", "on"),
    }
    mended = tell(unit_runs("success", job="unit (1)", first=90), after(told, later))
    assert kinds(mended) == [("fixed", "PR Test / unit (1)")]


def test_a_job_that_is_no_longer_run_is_told_as_gone_and_not_as_fixed() -> None:
    told = after(SILENT, tell(unit_runs("success", "failure", "failure")))
    runs = [a_run(number) for number in range(1, 8)]
    jobs = [a_job(run, "lint") for run in runs]
    jobs += [a_job(runs[0], "unit"), a_job(runs[1], "unit", "failure"), a_job(runs[2], "unit", "failure")]
    changes = tell(a_history(runs, jobs), told)
    assert kinds(changes) == [("gone", UNIT)]
    assert kinds(tell(a_history(runs, jobs), after(told, changes))) == []


def test_a_workflow_that_fails_without_jobs_is_told_by_its_name() -> None:
    runs = [a_run(1), *(a_run(number, "startup_failure") for number in (2, 3))]
    assert kinds(tell(a_history(runs, [a_job(runs[0], "unit")]))) == [("broken", "PR Test")]


def test_notices_of_states_that_did_not_change_are_not_written_again() -> None:
    history = unit_runs("success", "failure", "failure")
    told = after(SILENT, tell(history))
    assert tell(history, told).notices == ()
    assert told.notices == (
        Notice(repo="octo/engine", kind="broken", subject=UNIT, state="on", url=history.jobs["url"][2]),
    )
