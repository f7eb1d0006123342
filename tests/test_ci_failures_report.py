"""The failure report as it is read: lines, CSV, Markdown, JSON, with names that mean harm."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json

import jsonschema
import pytest

from scripts.schemas import schema_of
from tests.history_frames import START, a_failure, a_history, a_job, a_run
from trackside.ci.failure_report import failure_report
from trackside.history.frames import History
from trackside.report.ci_failures import failure_lines, named, percent
from trackside.report.ci_failures_document import failure_csv, failure_json
from trackside.report.ci_failures_summary import failure_markdown
from trackside.report.step_summary import CAP_BYTES, capped, markdown_link

NOW = dt.datetime(2026, 6, 8, tzinfo=dt.UTC)


def many(count: int, *, name: str = "unit") -> History:
    """So many runs, in each of which the same job fails, and another one in the newest."""
    runs = [a_run(number, "failure") for number in range(1, count + 1)]
    jobs = [a_job(run, name, "failure") for run in runs]
    return a_history(runs, [*jobs, a_job(runs[-1], "other", "failure", category="odd")])


def test_thousands_are_set_apart_and_run_numbers_are_not() -> None:
    lines = failure_lines(failure_report(many(1200)))
    assert "  Total runs: 1,200" in lines
    assert "  Failed: 1,200" in lines
    assert "   1. unit: 1,200 times" in lines
    assert any("Run #1200 (" in line for line in lines)
    assert "#1,200" not in "\n".join(lines)


def test_strictly_thousands_are_not_set_apart() -> None:
    lines = failure_lines(failure_report(many(1200), strict_compat=True))
    assert "  Total runs: 1200" in lines
    assert "   1. unit: 1200 times" in lines


def test_a_list_of_jobs_says_what_it_does_not_show() -> None:
    history = many(3)
    lines = failure_lines(failure_report(history), top=1)
    assert "Most Frequently Failed Jobs (Top 1):" in lines
    assert "  Not listed: 1 job that failed 1 times" in lines
    assert not any("other" in line for line in lines if line.startswith("   "))


def test_what_is_added_stands_at_the_end() -> None:
    assert failure_lines(failure_report(many(1)), extra=["", "Groups:"])[-2:] == ["", "Groups:"]


def test_the_title_is_the_name_of_the_repository_unless_it_has_another() -> None:
    report = failure_report(many(1))
    assert failure_lines(report)[2] == "octo/engine CI Analysis Report"
    assert failure_lines(report, name="Engine")[2] == "Engine CI Analysis Report"


def test_names_do_nothing_to_a_terminal() -> None:
    lines = failure_lines(failure_report(many(1, name="unit\x1b[2J\r\u202e (0)")))
    assert "   1. other: 1 times" in lines
    assert r"   2. unit\x1b[2J\r\u202e (0): 1 times" in lines
    assert all(line.isprintable() for line in lines)


def test_unread_runs_and_failures_without_a_job_are_told() -> None:
    runs = [a_run(1, "startup_failure"), a_run(2, "action_required"), a_run(3, "action_required"), a_run(4, None)]
    lines = failure_lines(failure_report(a_history(runs, unread=2)))
    assert "  Failed without a job: 3 (action_required: 2, startup_failure: 1)" in lines
    assert "  Not read: the jobs of 2 run attempts" in lines
    assert "  Unfinished: 1" in lines


@pytest.mark.parametrize(("part", "whole", "told"), [(392, 1000, "39.2%"), (0, 0, "0.0%"), (1, 3, "33.3%")])
def test_a_share_has_one_decimal(part: int, whole: int, told: str) -> None:
    assert percent(part, whole) == told


def test_ten_names_are_told_and_the_others_counted() -> None:
    assert named({"a": 2, "b": 1}) == "a: 2, b: 1"
    assert named({str(number): 1 for number in range(12)}).endswith("9: 1 and 2 more: 2")


def test_the_csv_has_a_row_for_each_failed_job() -> None:
    runs = [a_run(1, "success"), a_run(2, "failure"), a_run(3, "cancelled")]
    ends = ("success", "failure", "failure")
    jobs = [a_job(run, "=unit", end, category="unit-test") for run, end in zip(runs, ends, strict=True)]
    [row] = csv.DictReader(io.StringIO(failure_csv(failure_report(a_history(runs, jobs)))))
    assert row == {
        "job": "'=unit",
        "category": "unit-test",
        "workflows": "PR Test",
        "failures": "2",
        "failures_in_cancelled_runs": "1",
        "failed_runs": "2",
        "decided_attempts": "3",
        "failure_rate": "0.6667",
        "last_success_run": "1",
        "last_success_at": "2026-06-01T09:00:00Z",
        "last_success_url": "https://github.com/octo/engine/actions/runs/1001",
        "last_failure_run": "3",
        "last_failure_at": "2026-06-01T11:00:00Z",
        "last_failure_url": "https://github.com/octo/engine/actions/runs/1003",
    }


def test_a_job_that_never_passed_has_empty_cells_in_the_csv() -> None:
    rows = list(csv.DictReader(io.StringIO(failure_csv(failure_report(many(1))))))
    assert {row["last_success_at"] for row in rows} == {""}


@pytest.mark.parametrize("history", [many(2), a_history([])], ids=["failures", "nothing"])
@pytest.mark.parametrize("strict", [False, True])
def test_the_json_follows_its_schema(history: History, strict: bool) -> None:
    told = json.loads(failure_json(failure_report(history, since=START, strict_compat=strict), NOW))
    jsonschema.validate(told, schema_of("ci-failures"), format_checker=jsonschema.FormatChecker())
    assert (told["schema_version"], told["generated_at"]) == (1, "2026-06-08T00:00:00Z")


def test_the_json_is_ascii_whatever_the_names_are() -> None:
    assert failure_json(failure_report(many(1, name="\x1bü\u202e")), NOW).isascii()


def test_the_summary_has_a_headline_and_links() -> None:
    run, good = a_run(2, "failure", pull_number=7), a_run(1)
    job = a_job(run, "unit (0)", "failure", category="unit-test")
    history = a_history([good, run], [job, a_job(good, "unit (0)")], failures=[a_failure(job)])
    text = failure_markdown(failure_report(history), name="Engine")
    assert text.startswith("# Engine CI Analysis Report\n\n**1 of 2 runs failed, 1 job attempts failed.** 50.0% of")
    assert "| Total runs | 2 | 100.0% |" in text
    assert "| unit-test | 1 |" in text
    assert "| 1 | unit (0) | 1 | 2 | [Run &#35;1](https://github.com/octo/engine/actions/runs/1001)" in text
    assert "PR &#35;7 by Alice" in text
    assert "| Unit Test Failure | 1 |" in text


def test_the_summary_lists_twenty_jobs_and_counts_the_others() -> None:
    run = a_run(1, "failure")
    jobs = [a_job(run, f"job-{'x' * place}", "failure") for place in range(1, 26)]
    text = failure_markdown(failure_report(a_history([run], jobs)))
    assert "## Most Frequently Failed Jobs (Top 20)" in text
    assert "Not listed: 5 jobs that failed 5 times." in text
    assert text.count("| job-") == 20


def test_a_name_is_no_markdown() -> None:
    text = failure_markdown(failure_report(many(1, name="[x](http://evil) | @all <img src=x> `y`")))
    assert not [word for word in ("](http://evil)", "@all", "<img", "`") if word in text]


def test_a_summary_of_nothing_says_so() -> None:
    assert failure_markdown(failure_report(a_history([]))).endswith("No CI run data found.")


def test_a_summary_is_never_longer_than_is_shown() -> None:
    text = capped(["ü" * 100_000] * 20)
    assert len(text.encode()) <= CAP_BYTES
    assert text.endswith("The JSON has everything.")
    assert capped(["a", "b"]) == "a\nb"
    assert len(capped(["x" * 2 * CAP_BYTES]).encode()) <= CAP_BYTES


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://a/b) [x](http://evil", "https://a b", "", None])
def test_what_is_no_plain_address_is_no_link(url: str | None) -> None:
    assert markdown_link("Run", url) == "Run"
