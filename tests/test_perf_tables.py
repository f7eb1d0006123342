"""Tables of performance tests: the established columns, values that read back, names that no test can misuse."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.history_frames import a_history, a_job, a_run
from tests.perf_frames import JOB, METRIC, TEST, a_measurements, a_value, points_of
from trackside.perf.points import LARGEST, points_frame
from trackside.records.perf_rules import PerfRules
from trackside.report.perf_names import job_directories, safe_name, unique_names
from trackside.report.perf_tables import MORE_COLUMNS, TestFiles, lay_out, table_csv, tries_csv

ESTABLISHED = ["created_at", "run_number", "pr_number", "author", "head_sha", METRIC, "url"]


def files_of(*measured: tuple[dict[str, Any], Sequence[Mapping[str, Any]]]) -> list[TestFiles]:
    """The files for jobs, each as its run and the values it printed (columns of ``a_value`` with ``value``)."""
    runs, jobs, rows = [], [], []
    for run, values in measured:
        job = a_job(run, run.pop("job", JOB), run.pop("ended", "success"))
        runs.append(run)
        jobs.append(job)
        rows += [a_value(job, **value) for value in values]
    return lay_out(points_frame(a_history(runs, jobs), a_measurements(rows), PerfRules()))


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_established_columns_come_first_in_their_order_and_what_is_new_after_the_url() -> None:
    run = a_run(34882, pull_number=12, author="Lianmin Zheng", branch="fix", is_default_line=False)
    values: list[dict[str, Any]] = [
        {"value": 153.08},
        {"metric": "median_ttft_ms", "value": 80.5},
        {"metric": "p99_ttft_ms", "value": 99.0, "is_established": False},
    ]
    [files] = files_of((run, values))
    assert files.table == f"{JOB}_summary/{TEST}.csv"
    header, line, *rest = table_csv(files).split("\n")
    assert header.split(",") == [*ESTABLISHED[:5], "median_ttft_ms", *ESTABLISHED[5:], *MORE_COLUMNS, "p99_ttft_ms"]
    at = f"{run['created_at']:%Y-%m-%d %H:%M}"
    assert line.startswith(f"{at},34882,#12,Lianmin Zheng,{run['sha'][:8]},80.5,153.08,{run['url']},1,passed,passed,1,")
    assert rest == [""]


def test_a_run_without_a_pull_request_has_an_empty_cell() -> None:
    [files] = lay_out(points_of([153.08]))
    [row] = rows_of(table_csv(files))
    assert (row["pr_number"], row["is_default_branch"]) == ("", "true")


def test_every_attempt_is_a_row_the_newest_first_and_failed_ones_are_marked() -> None:
    first = a_run(1) | {"ended": "failure"}
    again = a_run(1, run_attempt=2)
    [files] = files_of(
        (a_run(0), [{"value": 1.0}]),
        (first, [{"value": 2.0, "test_outcome": "failed"}]),
        (again, [{"value": 3.0}]),
        (a_run(2, branch="fix", is_default_line=False, pull_number=7), [{"value": 4.0}]),
    )
    rows = rows_of(table_csv(files))
    told = [(row["run_number"], row["run_attempt"], row[METRIC], row["job_conclusion"]) for row in rows]
    assert told == [("2", "1", "4.0", "passed"), ("1", "2", "3.0", "passed"), ("1", "1", "2.0", "failed"),
                    ("0", "1", "1.0", "passed")]  # fmt: skip
    assert [row["test_outcome"] for row in rows] == ["passed", "passed", "failed", "passed"]
    assert files.records == 4


def test_earlier_tries_stand_in_a_table_of_their_own() -> None:
    values: list[dict[str, Any]] = [
        {"value": 1.0, "is_final": False, "test_outcome": "failed"},
        {"value": 2.0, "try_number": 2},
    ]
    [files] = files_of((a_run(1), values))
    assert files.tries == f"{JOB}_summary/{TEST}_tries.csv"
    assert [(row[METRIC], row["try_number"]) for row in rows_of(table_csv(files))] == [("2.0", "2")]
    assert [(row[METRIC], row["try_number"]) for row in rows_of(tries_csv(files))] == [("1.0", "1")]
    assert files.records == 1


def test_a_metric_that_a_run_did_not_print_is_an_empty_cell() -> None:
    [files] = files_of((a_run(1), [{"value": 1.0}]), (a_run(2), [{"metric": "median_ttft_ms", "value": 2.0}]))
    assert [(row[METRIC], row["median_ttft_ms"]) for row in rows_of(table_csv(files))] == [("", "2.0"), ("1.0", "")]


@given(st.floats(-LARGEST, LARGEST))
@settings(max_examples=50, deadline=None)
def test_a_value_reads_back_exactly(value: float) -> None:
    [files] = lay_out(points_of([value]))
    [row] = rows_of(table_csv(files))
    assert float(row[METRIC]) == value


def test_what_is_no_finite_number_is_an_empty_cell() -> None:
    [files] = lay_out(points_of([float("nan"), float("inf"), 1.0]))
    assert [row[METRIC] for row in rows_of(table_csv(files))] == ["1.0", "", ""]


def test_no_spreadsheet_takes_a_cell_for_a_formula() -> None:
    run = a_run(1, author='=HYPERLINK("http://x")', title="@SUM(A1)\nnext", branch="+1")
    [files] = files_of((run, [{"value": -1.5}, {"metric": "=1+1", "value": 1.0}]))
    text = table_csv(files)
    [row] = rows_of(text)
    assert (row["author"], row["branch"]) == ('\'=HYPERLINK("http://x")', "'+1")
    assert row["title"] == "'@SUM(A1)\\nnext"
    assert (row[METRIC], row["'=1+1"]) == ("-1.5", "1.0")


def test_a_metric_named_like_a_column_does_not_take_its_place() -> None:
    [files] = files_of((a_run(1), [{"value": 1.0}, {"metric": "url", "value": 2.0}]))
    [row] = rows_of(table_csv(files))
    assert row["url"].startswith("https://")
    assert row["metric_url"] == "2.0"


def test_charts_are_named_by_test_and_metric() -> None:
    [files] = lay_out(points_of([1.0, 2.0]))
    assert files.charts == {METRIC: f"{JOB}_summary/{TEST}_{METRIC}.png"}


def test_two_metrics_that_would_share_a_file_get_one_each() -> None:
    files = files_of(
        (a_run(1), [{"test": "a", "metric": "b_c", "value": 1.0}, {"test": "a_b", "metric": "c", "value": 1.0}])
    )
    names = [name for one in files for name in one.charts.values()]
    assert len(set(names)) == 2
    assert all(name.startswith(f"{JOB}_summary/a_b_c-") for name in names)


def test_jobs_of_one_name_in_two_workflows_have_directories_of_their_own() -> None:
    night = a_run(2, workflow="Nightly Test")
    files = files_of((a_run(1), [{"value": 1.0}]), (night, [{"value": 2.0}]))
    directories = {PurePosixPath(one.table).parent.name for one in files}
    assert directories == {f"{JOB} (PR Test)_summary", f"{JOB} (Nightly Test)_summary"}


HOSTILE = [
    "", ".", "..", "../../etc/passwd", "/etc/passwd", "C:\\Windows", "a\0b", "a\nb", "-rf", "~", "con", "CON.txt",
    "LPT1", "x" * 5000, "é" * 200, "e\u0301", "\u00e9", "a/b", "a:b", "a?b*", "<a>", 'a"b', "trailing.", "trailing ",
    " leading", "\ud800", "\u202eabc", "$x$", "a|b", "ﬁ", "a\u200bb",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_becomes_a_safe_one(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert safe == safe_name(name)
    assert len(safe.encode()) <= 120
    assert not set(safe) & set('/\\:*?"<>|\0\n')
    assert safe.isprintable()
    assert not safe.startswith((".", "-", " "))
    assert not safe.endswith((".", " "))
    assert safe.split(".")[0].upper() not in {"CON", "PRN", "AUX", "NUL", "LPT1", "COM1"}


def test_different_names_stay_different() -> None:
    assert len({safe_name(name) for name in HOSTILE}) == len(HOSTILE)


@pytest.mark.parametrize(
    "name", ["test_bs1_default", "performance-test-1-gpu-part-1", "unit (linux-mi300-gpu-1)", "a=1,b=[2]", "Größe"]
)
def test_an_ordinary_name_stays_as_it_is(name: str) -> None:
    assert safe_name(name) == name


def test_names_that_differ_in_case_alone_do_not_meet_and_the_lower_one_stays() -> None:
    names = unique_names({1: "test_a", 2: "Test_A"}, {1: "test_a", 2: "Test_A"})
    assert names[1] == "test_a"
    assert names[2].startswith("Test_A-")


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=12))
@settings(deadline=None)
def test_directories_are_unique_whatever_jobs_are_called(jobs: list[tuple[str, str]]) -> None:
    names = job_directories(jobs)
    assert set(names) == set(jobs)
    assert len({name.casefold() for name in names.values()}) == len(names)


def test_nothing_measured_is_no_file() -> None:
    assert lay_out(points_of([])) == []
