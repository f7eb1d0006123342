"""The page of a job: its attempts, durations, steps, causes and flakes, and what it leaves out."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Final

import pytest

from tests.ci_sites import HOME, UNTIL, a_morning, a_site, a_step, ci_files, ci_of
from tests.history_frames import START, a_failure, a_history, a_job, a_run
from tests.html_pages import Page
from trackside.site.ci_cards import job_cards
from trackside.site.ci_grid import GRID_ROWS
from trackside.site.ci_job_facts import MOST_ATTEMPTS, MOST_DOTS, MOST_ERRORS, MOST_FAILED, JobPage, JobPages
from trackside.site.ci_job_tables import attempts_table, runners_of_job_table, verdicts_table
from trackside.site.ci_jobs import ci_results, job_path
from trackside.site.ci_pictures import Bar, Dot, bars, duration_chart
from trackside.site.ci_unreliable import events_table
from trackside.site.facts import CiFacts

MORNING: Final = a_morning()


def page_of(ci: CiFacts, name: str, workflow: str = "PR Test") -> JobPage:
    found = ci_results(ci)
    return JobPages(ci, found, UNTIL).page(next(job for job in found.jobs if job.key == (workflow, name)))


def text_of(ci: CiFacts, name: str) -> str:
    return Page(ci_files(a_site(ci))[job_path(("PR Test", name))].decode()).text


def cards_of(page: JobPage) -> dict[str, tuple[str, str]]:
    return {card.label: (card.value, card.basis) for card in job_cards(page)}


def values(table: Any, key: str) -> list[Any]:
    place = [one.key for one in table.columns].index(key)
    return [row[place].value for row in table.rows]


def links(table: Any, key: str) -> list[Any]:
    place = [one.key for one in table.columns].index(key)
    return [row[place].url for row in table.rows]


def test_attempts_stand_newest_first_with_their_run_branch_commit_and_runner() -> None:
    table = attempts_table(page_of(MORNING, "build"), HOME)
    newest = next(row for row in MORNING.history.jobs.to_dicts() if row["run_number"] == 10 and row["job"] == "build")

    assert values(table, "run") == list(range(10, 0, -1))
    assert values(table, "outcome") == ["failure"] * 3 + ["success"] * 7
    assert links(table, "outcome")[0] == newest["url"]
    assert links(table, "run")[0] == f"{HOME}/actions/runs/1010"
    assert links(table, "commit")[0] == f"{HOME}/commit/{newest['sha']}"
    assert values(table, "duration")[0] == 10.0
    assert values(table, "queue")[0] == 10.0
    assert values(table, "runner")[0] == "gpu-runner-1"
    assert values(table, "cause")[0] == "build"
    assert table.left_out == 0


def test_an_attempt_of_a_pull_request_links_to_it() -> None:
    table = attempts_table(page_of(MORNING, "unit"), HOME)

    assert values(table, "pull")[0] == 7
    assert links(table, "pull")[0] == f"{HOME}/pull/7"
    assert values(table, "line")[0] == "alice/change"
    assert values(table, "outcome")[0] == "cancelled"


def test_matrix_indices_have_a_column_where_there_are_several() -> None:
    assert set(values(attempts_table(page_of(MORNING, "unit"), HOME), "shard")) == {"0", "1"}
    assert "shard" not in [column.key for column in attempts_table(page_of(MORNING, "build"), HOME).columns]


def test_the_newest_and_the_newest_failed_attempts_are_listed_and_the_others_counted() -> None:
    runs = [a_run(number) for number in range(200)]
    jobs = [a_job(run, "unit", "failure" if run["run_number"] < 60 else "success") for run in runs]
    table = attempts_table(page_of(ci_of(a_history(runs, jobs)), "unit"), HOME)
    newest, failed = list(range(199, 199 - MOST_ATTEMPTS, -1)), list(range(59, 59 - MOST_FAILED, -1))

    assert values(table, "run") == [*newest, *failed]
    assert table.left_out == 200 - MOST_ATTEMPTS - MOST_FAILED


def test_the_history_has_a_row_for_each_matrix_index_in_the_order_of_numbers() -> None:
    runs = [a_run(1), a_run(2)]
    jobs = [a_job(runs[0], f"unit ({shard})") for shard in (10, 9, 1)]
    jobs.append(a_job(runs[1], "unit (9)", "failure"))
    grid = page_of(ci_of(a_history(runs, jobs)), "unit").grid

    assert grid is not None
    assert [row.name for row in grid.rows] == ["unit (1)", "unit (9)", "unit (10)"]
    assert [None if cell is None else cell.state for cell in grid.rows[1].cells] == ["failed", "passed"]
    assert [None if cell is None else cell.state for cell in grid.rows[0].cells] == [None, "passed"]


def test_the_head_tells_the_rate_with_its_interval_and_the_quantiles() -> None:
    cards = cards_of(page_of(MORNING, "build"))

    assert cards["On the default branch"] == ("broken", "3 failed runs since #8, 2026-06-01")
    assert cards["Failure rate"] == ("30.0 %", "3 of 10 results; 95 % 10.8–60.3 %")
    assert cards["Duration p50"] == ("10.0 min", "p90 10.0 min, of what passed")
    assert cards["Queue p50"] == ("5.5 min", "p90 9.1 min, longest 10.0 min; of 10 attempts")
    assert cards["Flaky runs"] == ("0", "of 10 runs that passed or failed")


def test_a_run_in_which_several_matrix_indices_were_flaky_is_one_flaky_run_of_all_that_were_decided() -> None:
    runs, jobs = [], []
    for number in range(1, 11):
        run = a_run(number, is_latest=number not in {3, 4})
        runs.append(run)
        bad = {3: ("0", "1"), 4: ("1",)}.get(number, ())
        for shard in ("0", "1", "2"):
            jobs.append(a_job(run, f"unit ({shard})", "failure" if shard in bad else "success", is_latest=not bad))
        if bad:
            again = a_run(number, run_attempt=2)
            runs.append(again)
            jobs += [a_job(again, f"unit ({shard})") for shard in ("0", "1", "2")]
    page = page_of(ci_of(a_history(runs, jobs)), "unit")

    assert [(one.job, one.flaky_runs) for one in page.flaky] == [("unit (1)", 2), ("unit (0)", 1)]
    assert cards_of(page)["Flaky runs"][0] == "2"
    assert cards_of(page)["Flaky runs"][1].startswith("of 10 runs that passed or failed: ")


def test_a_job_that_was_only_cancelled_is_not_said_to_have_no_flake() -> None:
    run = a_run(1, "cancelled")
    page = page_of(ci_of(a_history([run], [a_job(run, "unit", "cancelled")])), "unit")

    assert cards_of(page)["Flaky runs"] == ("unknown", "it never passed nor failed")


def test_a_job_that_is_no_matrix_has_no_matrix_index() -> None:
    run = a_run(1)
    plain = page_of(ci_of(a_history([run], [a_job(run, "unit")])), "unit")
    mixed = page_of(ci_of(a_history([run], [a_job(run, "unit"), a_job(run, "unit (0)")])), "unit")
    both = page_of(ci_of(a_history([run], [a_job(run, f"unit ({shard})") for shard in "01"])), "unit")

    assert [page.job.shards for page in (plain, mixed, both)] == [0, 1, 2]


def test_how_the_newest_run_stands_is_of_all_matrix_indices_also_of_those_without_a_row() -> None:
    run = a_run(1, "failure")
    shards = range(GRID_ROWS + 5)
    jobs = [
        a_job(run, f"unit ({n})", "failure" if n == GRID_ROWS + 4 else "success", job_id=n, is_default_line=True)
        for n in shards
    ]
    page = page_of(ci_of(a_history([run], jobs)), "unit")
    assert page.grid is not None
    assert page.grid.newest is not None

    assert page.grid.left_out == 5
    assert (page.grid.newest.state, page.grid.newest.words) == ("failed", "1 of 45 failed, run #1")


def test_what_passed_when_it_was_tried_again_is_not_called_flaky() -> None:
    first, again = a_run(1, "failure", is_latest=False), a_run(1, run_attempt=2)
    history = a_history([first, again], [a_job(first, "unit", "failure", is_latest=False), a_job(again, "unit")])
    page = page_of(ci_of(history), "unit")

    assert cards_of(page)["On the default branch"] == (
        "passed after a failure", "passed after a failed attempt, run #1, the newest of 1 run"
    )  # fmt: skip


def test_the_streak_tells_since_which_run_and_commit() -> None:
    text = text_of(MORNING, "build")
    (streak,) = MORNING.streaks.broken

    assert f"3 failed runs in a row since #8 of 2026-06-01 16:00 UTC, commit {(streak.first_bad.sha or '')[:8]}" in text
    assert "last success #7 (1 commit between); newest failure #10." in text


def test_steps_of_the_newest_and_of_the_newest_failed_attempt_are_drawn_in_time() -> None:
    runs = [a_run(1), a_run(2)]
    bad, good = a_job(runs[0], "unit", "failure"), a_job(runs[1], "unit")
    steps = [
        a_step(good, 1, "Set up job"), a_step(good, 2, "Run tests", duration_s=180.0,
               completed_at=good["started_at"] + dt.timedelta(minutes=4)),
        a_step(bad, 1, "Run tests", "failure"),
    ]  # fmt: skip
    newest, failed = page_of(ci_of(a_history(runs, [bad, good]), steps), "unit").waterfalls

    assert (newest.title, newest.run, newest.state) == ("The newest attempt", "run #2", "success")
    assert [(step.name, step.left, step.width, step.length) for step in newest.bars] == [
        ("Set up job", 0.0, 25.0, "1.0 min"),
        ("Run tests", 25.0, 75.0, "3.0 min"),
    ]
    assert newest.bars[1].url == f"{good['url']}#step:2:1"
    assert (failed.title, failed.run, failed.state) == ("The newest failed attempt", "run #1", "failure")


def test_an_attempt_that_is_newest_and_failed_is_drawn_once() -> None:
    (only,) = page_of(MORNING, "build").waterfalls

    assert only.title == "The newest attempt, which failed"
    assert [(step.state, step.left) for step in only.bars] == [
        ("success", 0.0),
        ("failure", 80.0),
        ("skipped", None),
    ]


def test_errors_are_told_once_each_with_their_line_and_fingerprint() -> None:
    page = page_of(MORNING, "build")
    (error,) = page.errors
    text = text_of(MORNING, "build")

    assert (error.fingerprint, error.failures, error.runs, error.cause) == ("b" * 16, 3, 3, "build")
    assert "nvcc fatal: no such file" in text
    assert "build · 3 failures in 3 runs" in text


def test_failures_without_a_log_are_told_by_their_guessed_cause() -> None:
    runs = [a_run(number, "failure") for number in range(3)]
    jobs = [a_job(run, "unit", "failure") for run in runs]
    silent: dict[str, Any] = {
        "source": "steps",
        "line_text": None,
        "fingerprint": None,
        "test": None,
        "tests": [],
        "context": [],
    }
    failures = [a_failure(job, cause, **silent) for job, cause in zip(jobs, ("test", "test", "lint"), strict=True)]
    page = page_of(ci_of(a_history(runs, jobs, failures=failures)), "unit")

    assert [(error.cause, error.failures, error.is_guess) for error in page.errors] == [
        ("test", 2, True),
        ("lint", 1, True),
    ]


def test_no_more_errors_are_told_than_a_page_holds() -> None:
    runs = [a_run(number, "failure") for number in range(MOST_ERRORS + 4)]
    jobs = [a_job(run, "unit", "failure") for run in runs]
    failures = [a_failure(job, fingerprint=f"{place:016x}") for place, job in enumerate(jobs)]
    page = page_of(ci_of(a_history(runs, jobs, failures=failures)), "unit")

    assert (len(page.errors), page.errors_left_out) == (MOST_ERRORS, 4)


def test_verdicts_stand_by_line_with_the_sentences_that_led_there() -> None:
    table = verdicts_table(page_of(MORNING, "build"))
    (verdict,) = [one for one in MORNING.verdicts.lines if one.job == "build"]

    assert values(table, "verdict") == [verdict.verdict.value]
    assert values(table, "why") == [" ".join(verdict.evidence)]
    assert links(table, "newest") == [verdict.newest.url]


def test_flakes_stand_with_their_proof() -> None:
    page = page_of(MORNING, "unit")
    table = events_table(page.events, 50)
    (flaky,) = MORNING.flaky.jobs

    assert values(table, "kind") == ["flake"]
    assert links(table, "failed") == [flaky.examples[0].failed.url]
    assert links(table, "passed") == [flaky.examples[0].passed.url]
    assert "1 flaky run of 10 (10.0 %, 95 % 1.8–40.4 %)" in text_of(MORNING, "unit")


def test_flakes_beyond_the_examples_are_counted_and_said() -> None:
    runs, jobs = [], []
    for number in range(1, 21):
        bad = number % 2 == 0
        run = a_run(number, is_latest=not bad)
        runs.append(run)
        jobs.append(a_job(run, "unit", "failure" if bad else "success", is_latest=not bad))
        if bad:
            again = a_run(number, run_attempt=2)
            runs.append(again)
            jobs.append(a_job(again, "unit"))
    page = page_of(ci_of(a_history(runs, jobs)), "unit")
    (flaky,) = page.flaky
    table = events_table(page.events, 50, page.events_left_out)

    assert flaky.flakes > len(flaky.examples) == 5
    assert len(table.rows) + table.left_out == flaky.flakes
    assert f"{flaky.flakes - 5} more are not here: the newest are shown" in text_of(
        ci_of(a_history(runs, jobs)), "unit"
    )


def test_runners_of_a_job_count_what_passed_and_failed_on_them() -> None:
    runs = [a_run(number) for number in range(4)]
    jobs = [
        a_job(run, "unit", "failure" if run["run_number"] == 1 else "success", runner_name=f"r{run['run_number'] % 2}")
        for run in runs
    ]
    table = runners_of_job_table(page_of(ci_of(a_history(runs, jobs)), "unit"))

    assert list(zip(values(table, "runner"), values(table, "failed"), values(table, "of"), strict=True)) == [
        ("r1", 1, 2),
        ("r0", 0, 2),
    ]


def test_a_job_that_tells_neither_times_nor_runner_nor_steps_has_a_page() -> None:
    nothing = dict.fromkeys(("started_at", "completed_at", "created_at", "queue_s", "duration_s", "runner_name", "url"))
    run = a_run(1, url=None, sha=None, created_at=START)
    ci = ci_of(a_history([run], [a_job(run, "unit", **nothing)]))
    text = text_of(ci, "unit")

    assert "No attempt of this job tells how long it took." in text
    assert "No steps of an attempt that passed or failed are known." in text
    assert "No attempt tells its runner." in text
    assert cards_of(page_of(ci, "unit"))["Queue p50"] == ("unknown", "no waiting time is known")


def test_a_job_of_pull_requests_alone_says_so() -> None:
    run = a_run(1, branch="alice/x")
    ci = ci_of(a_history([run], [a_job(run, "unit")]))

    assert cards_of(page_of(ci, "unit"))["On the default branch"] == ("unknown", "not run there in the window")
    assert "No run of the default branch in the window had this job." in text_of(ci, "unit")


def test_durations_are_drawn_by_run_at_the_matrix_index_that_took_longest() -> None:
    runs = [a_run(number) for number in range(MOST_DOTS + 10)]
    jobs = [a_job(run, f"unit ({shard})", duration_s=60.0 + shard) for run in runs for shard in (0, 1)]
    page = page_of(ci_of(a_history(runs, jobs)), "unit")

    assert page.drawn == MOST_DOTS
    assert str(page.durations).count("<circle") == MOST_DOTS
    assert str(page.durations).count("unit (1): 1.0 min, passed") == MOST_DOTS


def test_a_chart_of_durations_has_round_marks_and_each_attempt_at_its_place() -> None:
    day = dt.timedelta(days=1)
    dots = [Dot(START, 0.0, "passed", "first"), Dot(START + 4 * day, 1200.0, "failed", "<b>last</b>")]
    drawn = str(duration_chart(dots, "Durations"))

    assert re.findall(r">([^<]+)</text>", drawn) == ["0", "5 min", "10 min", "15 min", "20 min",
                                                     "06-02", "06-03", "06-04", "06-05"]  # fmt: skip
    assert '<circle class="good" cx="68.0" cy="178.0"' in drawn
    assert '<path class="bad" d="M705.0 5.0l6 6m0 -6l-6 6"/>' in drawn
    assert "&lt;b&gt;last&lt;/b&gt;" in drawn


@pytest.mark.parametrize("seconds", [0.0, 0.4, 59.0, 3600.0, 864_000.0, 1e9])
def test_any_length_of_time_fits_into_a_chart(seconds: float) -> None:
    drawn = str(duration_chart([Dot(START, seconds, "passed", "x")], "Durations"))
    (height,) = re.findall(r'cy="([-\d.]+)"', drawn)

    assert 0 <= float(height) <= 178
    assert drawn.count("</text>") < 20


def test_bars_are_as_high_as_their_share_of_the_highest() -> None:
    drawn = str(bars([Bar(10, 5), Bar(0, 0), Bar(4, 0)], 10))

    assert re.findall(r'class="(\w+)" x="([\d.]+)" y="[\d.]+" width="[\d.]+" height="([\d.]+)"', drawn) == [
        ("all", "0.0", "31.0"),
        ("bad", "0.0", "15.5"),
        ("all", "106.7", "12.4"),
    ]
