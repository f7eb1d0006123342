"""Streaks: what is broken on which line, and since which run and commit."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fake_github.plans import sha_of
from tests.history_frames import HOUR, START, a_failure, a_history, a_job, a_run
from trackside.ci.streaks import ALL_LINES, Beginning, State, Streak, find_streaks
from trackside.history.frames import History

ENDS = {"p": "success", "f": "failure", "c": "cancelled", "s": "skipped", "t": "timed_out", "-": None}
Rows = list[dict[str, Any]]


def runs_of(results: dict[str, str], **told: Any) -> tuple[Rows, Rows]:
    """Runs 1, 2, … with the jobs named: a letter for each run, a blank where the job was not there."""
    runs, jobs = [], []
    for number in range(1, max(map(len, results.values())) + 1):
        ends = {name: text[number - 1] for name, text in results.items() if len(text) >= number}
        letters = set(ends.values()) - {" "}
        conclusion = "failure" if letters & {"f", "t"} else "cancelled" if letters == {"c"} else "success"
        run = a_run(number, conclusion, **told)
        runs.append(run)
        jobs += [a_job(run, name, ENDS[end]) for name, end in ends.items() if end != " "]
    return runs, jobs


def history_of(results: dict[str, str], failures: Sequence[dict[str, Any]] = (), **told: Any) -> History:
    runs, jobs = runs_of(results, **told)
    return a_history(runs, jobs, failures=failures)


def only(streaks: Sequence[Streak]) -> Streak:
    assert len(streaks) == 1, streaks
    return streaks[0]


def test_a_job_that_fails_is_broken_since_its_first_failure_in_a_row() -> None:
    streak = only(find_streaks(history_of({"unit": "pfppff"})).broken)

    assert (streak.first_bad.run_number, streak.last_bad.run_number, streak.failed_runs) == (5, 6, 2)
    assert streak.last_good is not None
    assert streak.last_good.run_number == 4
    assert streak.beginning is Beginning.GOOD
    assert streak.hours == 1.0


def test_a_job_that_passes_again_is_fixed_since_its_first_success() -> None:
    found = find_streaks(history_of({"unit": "pffpp"}))
    streak = only(found.fixed)

    assert found.broken == ()
    assert streak.ended_by is not None
    assert (streak.first_bad.run_number, streak.ended_by.run_number, streak.hours) == (2, 4, 2.0)


def test_cancelled_skipped_and_running_ones_neither_end_nor_lengthen_a_streak_and_are_counted() -> None:
    streak = only(find_streaks(history_of({"unit": "pcfcsf-"})).broken)

    assert (streak.first_bad.run_number, streak.failed_runs, streak.undecided_runs) == (3, 2, 3)
    assert streak.last_good is not None
    assert streak.last_good.run_number == 1


@pytest.mark.parametrize("conclusion", ["failure", "timed_out", "startup_failure", "action_required"])
def test_every_way_to_fail_counts(conclusion: str) -> None:
    run = a_run(1, "failure")
    found = find_streaks(a_history([run], [a_job(run, "unit", conclusion)]))

    assert only(found.broken).failed_runs == 1


def test_a_job_that_was_cancelled_because_its_time_was_over_failed() -> None:
    runs = [a_run(1), a_run(2, "cancelled"), a_run(3, "cancelled")]
    jobs = [a_job(runs[0], "unit"), a_job(runs[1], "unit", "cancelled"), a_job(runs[2], "unit", "cancelled")]
    failures = [a_failure(jobs[1], "timeout"), a_failure(jobs[2], "cancelled")]

    streak = only(find_streaks(a_history(runs, jobs, failures=failures)).broken)

    assert (streak.first_bad.run_number, streak.failed_runs, streak.undecided_runs) == (2, 1, 1)
    assert streak.causes == {"timeout": 1}


def test_the_newest_attempt_in_which_the_job_ran_is_its_result() -> None:
    first, second = a_run(1, "failure", is_latest=False), a_run(1, "success", run_attempt=2)
    jobs = [a_job(first, "unit", "failure", is_latest=False), a_job(second, "unit"), a_job(first, "lint", "failure")]

    found = find_streaks(a_history([first, second], jobs))

    assert [streak.job for streak in found.broken] == ["lint"]


def test_failed_attempts_inside_are_counted() -> None:
    runs = [a_run(1), a_run(2, "failure", is_latest=False), a_run(2, "failure", run_attempt=2)]
    jobs = [a_job(runs[0], "unit"), a_job(runs[1], "unit", "failure"), a_job(runs[2], "unit", "failure")]

    streak = only(find_streaks(a_history(runs, jobs)).broken)

    assert (streak.failed_runs, streak.failed_attempts) == (1, 2)


def test_the_commit_range_names_commits_runs_and_authors_and_links_to_their_difference() -> None:
    runs = [
        a_run(1, commit="good", author="Ann"),
        a_run(2, "cancelled", commit="between", author="Ben"),
        a_run(3, "failure", commit="bad", author="Cho"),
        a_run(4, "failure", commit="later", author="Dee"),
    ]
    jobs = [
        a_job(run, "unit", end) for run, end in zip(runs, ("success", "cancelled", "failure", "failure"), strict=True)
    ]

    found = only(find_streaks(a_history(runs, jobs)).broken).range

    assert found.compare_url == f"https://github.com/octo/engine/compare/{sha_of('good')}...{sha_of('bad')}"
    assert (found.commits, found.runs, found.authors) == (2, 1, ("Ben", "Cho"))


def test_the_compare_link_stays_on_an_enterprise_server() -> None:
    runs = [a_run(n, url=f"https://git.example.org/octo/engine/actions/runs/{n}") for n in (1, 2)]
    jobs = [a_job(runs[0], "unit"), a_job(runs[1], "unit", "failure")]

    url = only(find_streaks(a_history(runs, jobs)).broken).range.compare_url

    assert url == f"https://git.example.org/octo/engine/compare/{runs[0]['sha']}...{runs[1]['sha']}"


def test_a_commit_that_passed_and_then_failed_is_no_range() -> None:
    found = only(find_streaks(history_of({"unit": "pf"}, commit="same")).broken).range

    assert (found.same_commit, found.compare_url, found.commits) == (True, None, 0)


def test_a_job_that_is_new_and_never_passed_is_born_red() -> None:
    streak = only(find_streaks(history_of({"lint": "ppppp", "unit": "  fff"})).broken)

    assert (streak.beginning, streak.runs_without, streak.last_good) == (Beginning.BORN_RED, 2, None)


def test_a_job_without_success_that_is_as_old_as_the_window_is_not_called_born_red() -> None:
    streak = only(find_streaks(history_of({"lint": "ppp", "unit": "fff"})).broken)

    assert (streak.beginning, streak.runs_without, streak.last_good) == (Beginning.UNKNOWN, 0, None)


def test_successes_on_other_lines_are_told() -> None:
    runs = [a_run(1, "failure"), a_run(2, branch="feature"), a_run(3, branch="other")]
    jobs = [a_job(runs[0], "unit", "failure"), a_job(runs[1], "unit"), a_job(runs[2], "unit")]

    assert only(find_streaks(a_history(runs, jobs)).broken).passed_elsewhere == 2


def test_lines_are_apart_and_so_are_runs_without_one() -> None:
    runs = [a_run(1, "failure"), a_run(2, branch="feature"), a_run(3, line=None, is_default_line=False), a_run(4)]
    ends = ("failure", "success", "failure", None)
    jobs = [a_job(run, "unit", end) for run, end in zip(runs, ends, strict=True)]

    found = find_streaks(a_history(runs, jobs), ALL_LINES)

    assert [(streak.line, streak.is_default_line) for streak in found.broken] == [("main", True), (None, False)]
    assert only(find_streaks(a_history(runs, jobs)).broken).line == "main"
    assert find_streaks(a_history(runs, jobs), "feature").broken == ()


def test_other_lines_are_summed_up() -> None:
    runs = [a_run(1), a_run(2, "failure", branch="feature"), a_run(3, "failure", branch="worse")]
    jobs = [a_job(runs[0], "unit")]
    jobs += [a_job(runs[1], "unit", "failure"), a_job(runs[1], "lint")]
    jobs += [a_job(runs[2], "unit", "failure"), a_job(runs[2], "lint", "failure")]

    found = find_streaks(a_history(runs, jobs))

    assert [(one.line, one.broken_jobs, one.decided_jobs) for one in found.other_lines] == [
        ("worse", 2, 2),
        ("feature", 1, 2),
    ]
    assert found.broken_on_default == ()


def test_jobs_of_the_same_name_in_two_workflows_are_two() -> None:
    runs = [a_run(1, "failure", workflow="A"), a_run(2, workflow="B")]
    jobs = [a_job(runs[0], "unit", "failure"), a_job(runs[1], "unit")]

    streak = only(find_streaks(a_history(runs, jobs)).broken)

    assert (streak.workflow, streak.failed_runs) == ("A", 1)


def test_a_renamed_job_goes_on() -> None:
    runs = [a_run(1), a_run(2, "failure"), a_run(3, "failure")]
    jobs = [
        a_job(runs[0], "old", job="new"),
        a_job(runs[1], "old", "failure", job="new"),
        a_job(runs[2], "new", "failure"),
    ]

    streak = only(find_streaks(a_history(runs, jobs)).broken)

    assert (streak.job, streak.first_bad.run_number, streak.failed_runs) == ("new", 2, 2)


def test_ignored_jobs_are_not_looked_at() -> None:
    run = a_run(1, "failure")

    assert find_streaks(a_history([run], [a_job(run, "gate", "failure", is_ignored=True)])).broken == ()


def test_a_job_that_vanished_after_it_failed_is_gone_and_not_broken() -> None:
    found = find_streaks(history_of({"lint": "ppppp", "unit": "pff  "}))
    streak = only(found.gone)

    assert found.broken == ()
    assert (streak.state, streak.runs_without, streak.last_bad.run_number) == (State.GONE, 2, 3)
    assert streak.ended_by is not None
    assert streak.ended_by.run_number == 4


def test_a_job_is_not_gone_where_it_was_away_as_long_before() -> None:
    assert only(find_streaks(history_of({"lint": "ppppp", "unit": "p  f "})).broken).job == "unit"


def test_a_job_of_another_event_is_not_gone() -> None:
    runs = [a_run(1, "failure", event="schedule"), a_run(2), a_run(3)]
    jobs = [a_job(runs[0], "nightly", "failure"), a_job(runs[1], "unit"), a_job(runs[2], "unit")]

    assert only(find_streaks(a_history(runs, jobs)).broken).job == "nightly"


@pytest.mark.parametrize(
    ("name", "stand_in"),
    [("unit (3)", "unit"), ("eval / text (3)", "eval"), ("unit (1-gpu, 3)", "unit (${{ matrix.n }})")],
)
def test_a_skipped_matrix_or_caller_stands_for_its_jobs(name: str, stand_in: str) -> None:
    found = find_streaks(history_of({"lint": "ppp", name: "pf", stand_in: "  s"}))

    assert only(found.broken).job == name


def test_a_run_that_was_cancelled_says_nothing_of_the_jobs_it_lacks() -> None:
    assert only(find_streaks(history_of({"lint": "ppc", "unit": "pf "})).broken).job == "unit"


def test_breakage_that_moves_to_a_sibling_shard_goes_on() -> None:
    found = find_streaks(history_of({"unit (3)": "pffppp", "unit (4)": "pppfff", "unit (5)": "pppppp"}))
    streak = only(found.broken)

    assert (streak.job, streak.moved_from) == ("unit (4)", ("unit (3)",))
    assert (streak.first_bad.run_number, streak.failed_runs) == (2, 5)
    assert streak.last_good is not None
    assert streak.last_good.run_number == 1
    assert found.fixed == ()


def test_breakage_moves_twice_and_out_of_a_shard_that_vanishes() -> None:
    found = find_streaks(
        history_of({"unit (0)": "ppppff", "unit (1)": "ppfff".replace("fff", "ffp"), "unit (2)": "pf    "})
    )
    streak = only(found.broken)

    assert (streak.job, streak.moved_from) == ("unit (0)", ("unit (2)", "unit (1)"))
    assert (streak.first_bad.run_number, streak.failed_runs) == (2, 5)
    assert (found.fixed, found.gone) == ((), ())


def test_a_single_failure_beside_a_new_one_is_not_taken_for_a_move_without_logs() -> None:
    found = find_streaks(history_of({"unit (3)": "ppfpp", "unit (4)": "pppff"}))

    assert only(found.broken).first_bad.run_number == 4
    assert only(found.fixed).job == "unit (3)"


def test_a_single_failure_has_moved_where_the_number_of_shards_changed() -> None:
    found = find_streaks(history_of({"unit (3)": "ppfpp", "unit (4)": "pppff", "unit (5)": "   pp"}))

    assert only(found.broken).moved_from == ("unit (3)",)


def with_marks(first: str, second: str, results: dict[str, str]) -> History:
    runs, jobs = runs_of(results)
    failures = [
        a_failure(job, fingerprint=mark, test=None, tests=[])
        for name, mark in (("unit (3)", first), ("unit (4)", second))
        for job in jobs
        if job["name"] == name and job["conclusion"] == "failure"
    ]
    return a_history(runs, jobs, failures=failures)


def test_the_same_fingerprint_supports_a_move_and_different_ones_rule_it_out() -> None:
    one = {"unit (3)": "ppfpp", "unit (4)": "pppff"}
    many = {"unit (3)": "pffpp", "unit (4)": "pppff"}

    assert only(find_streaks(with_marks("aa", "aa", one)).broken).moved_from == ("unit (3)",)
    assert only(find_streaks(with_marks("aa", "bb", many)).broken).moved_from == ()


def test_two_shards_that_are_broken_at_once_are_two() -> None:
    found = find_streaks(history_of({"unit (3)": "pffff", "unit (4)": "pppff"}))

    assert sorted((streak.job or "", streak.first_bad.run_number) for streak in found.broken) == [
        ("unit (3)", 2),
        ("unit (4)", 4),
    ]


def test_a_new_shard_of_a_family_that_was_good_is_not_born_red() -> None:
    streak = only(find_streaks(history_of({"unit (0)": "pppp", "unit (1)": "  ff"})).broken)

    assert streak.beginning is Beginning.GOOD
    assert streak.last_good is not None
    assert streak.last_good.run_number == 2


def test_a_workflow_that_fails_without_jobs_is_a_streak_of_its_own() -> None:
    path = ".github/workflows/pr-test.yml"
    runs = [a_run(1), a_run(2, "startup_failure", workflow=path), a_run(3, "failure", workflow=path)]

    streak = only(find_streaks(a_history(runs, [a_job(runs[0], "unit")])).broken)

    assert (streak.workflow, streak.job, streak.failed_runs) == ("PR Test", None, 2)
    assert streak.last_good is not None
    assert streak.last_good.run_number == 1


def test_a_workflow_that_starts_again_is_fixed_however_its_jobs_end() -> None:
    runs = [a_run(1, "startup_failure"), a_run(2, "failure")]

    found = find_streaks(a_history(runs, [a_job(runs[1], "unit", "failure")]))

    assert [streak.job for streak in found.broken] == ["unit"]
    assert only(found.fixed).job is None


def test_nothing_is_nothing() -> None:
    found = find_streaks(a_history([]))

    assert (found.broken, found.gone, found.fixed, found.other_lines, found.jobs) == ((), (), (), (), 0)


def test_runs_without_a_time_or_an_address_are_no_trouble() -> None:
    runs = [a_run(1, url=None, sha=None, author=None), a_run(2, "failure", url=None, sha=None, author=None)]
    jobs = [a_job(runs[0], "unit", run_created_at=None), a_job(runs[1], "unit", "failure")]

    streak = only(find_streaks(a_history(runs, jobs)).broken)

    assert (streak.range.compare_url, streak.range.authors) == (None, ())


TRACKS = st.dictionaries(
    st.sampled_from(["unit (0)", "unit (1)", "unit (2)", "lint"]), st.text("pfcst ", min_size=1, max_size=9), min_size=1
)


@given(TRACKS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(tracks: dict[str, str], shuffler: random.Random) -> None:
    runs, jobs = runs_of(tracks)
    expected = find_streaks(a_history(runs, jobs))
    shuffler.shuffle(runs)
    shuffler.shuffle(jobs)

    assert find_streaks(a_history(runs, jobs)) == expected


ALWAYS_THERE = st.dictionaries(
    st.sampled_from(["unit (0)", "unit (1)", "unit (2)", "lint"]), st.text("pfcst", min_size=7, max_size=7), min_size=1
)


@given(ALWAYS_THERE, st.lists(st.integers(0, 9), max_size=4))
def test_more_cancelled_runs_change_no_first_bad_run(tracks: dict[str, str], places: list[int]) -> None:
    runs, jobs = runs_of(tracks)
    names = sorted({job["name"] for job in jobs})
    more = [
        a_run(100 + index, "cancelled", created_at=START + place * HOUR + dt.timedelta(minutes=7))
        for index, place in enumerate(places)
    ]
    cancelled = [a_job(run, name, "cancelled") for run in more for name in names]

    def firsts(history: History) -> list[tuple[str | None, int | None, str]]:
        found = find_streaks(history)
        streaks = (*found.broken, *found.fixed)
        return sorted((one.job or "", one.first_bad.run_number, one.state.value) for one in streaks if one.job)

    assert firsts(a_history([*runs, *more], [*jobs, *cancelled])) == firsts(a_history(runs, jobs))
