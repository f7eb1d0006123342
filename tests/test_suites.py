"""Test files as the log of a suite runner tells of them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.build_github import job
from tests.build_suite_logs import STAMP, begin, end, log, read, summary
from trackside.joblogs.portable_paths import portable_path
from trackside.joblogs.suites import read_test_files
from trackside.records.failures import FileOutcome, TestFile

PASSED, FAILED = FileOutcome.PASSED, FileOutcome.FAILED
A, B, C = "srt/test_a.py", "srt/test_b.py", "srt/test_c.py"


def outcomes(files: tuple[TestFile, ...]) -> dict[tuple[int, str], tuple[FileOutcome, int]]:
    return {(one.suite, one.file): (one.outcome, one.attempts) for one in files}


def test_a_file_that_passed_has_its_times_and_its_path_from_the_test_folder_on() -> None:
    (file,) = read(begin(A), "hello", end(A, elapsed=350, estimated=100), summary([A]))

    assert (file.file, file.outcome, file.attempts) == ("test/srt/test_a.py", PASSED, 1)
    assert (file.elapsed_s, file.estimated_s, file.reason) == (350.0, 100.0, None)
    assert (file.repo, file.job_id, file.run_id, file.suite) == ("octo/engine", 10, 1, 0)


@pytest.mark.parametrize("how", ["python3", "/usr/bin/python3.12 -u", "python3 -m pytest -v", "pytest"])
def test_a_file_may_be_run_in_several_ways(how: str) -> None:
    (file,) = read(begin(A).replace("python3", how), end("test_a.py"), summary(["test_a.py"]))

    assert (file.file, file.outcome) == ("test/srt/test_a.py", PASSED)


def test_a_file_that_passed_when_tried_again_is_passed_with_two_attempts() -> None:
    again = [
        f"[CI Retry] {A} failed with retriable pattern: accuracy",
        "[CI Retry] Waiting 60s before retry...",
        f"[CI Retry] Attempt 2/2 for {A}",
    ]
    files = read(
        begin(A, 0, 1), end(A, 0, 1, elapsed=80), again, begin(A, 0, 1), end(A, 0, 1, elapsed=70),
        f"✓ PASSED on retry (attempt 2): {A}", begin(B, 1, 1), end(B, 1, 1),
        summary([A, B], retried=[f"{A} (2 attempts, passed)"]),
    )  # fmt: skip

    assert outcomes(files) == {(0, "test/srt/test_a.py"): (PASSED, 2), (0, "test/srt/test_b.py"): (PASSED, 1)}
    assert (files[0].elapsed_s, files[0].reason) == (70.0, "retriable pattern: accuracy")


def test_the_block_of_the_failed_ends_where_that_of_the_retried_begins() -> None:
    files = read(summary([A], [f"{B} (exit code 1)"], [f"{A} (2 attempts, passed)", f"{B} (2 attempts, failed)"]))

    assert outcomes(files) == {(0, A): (PASSED, 2), (0, B): (FAILED, 2)}
    assert files[1].reason == "exit code 1"


def test_a_later_suite_is_told_beside_the_first() -> None:
    first = [begin(A, 0, 0), end(A), "Success. Time elapsed: 100.00s", summary([A])]
    second = [begin(A, 0, 1), end(A, 0, 1), f"✗ FAILED: {A} returned exit code 1", "Fail. Time elapsed: 1.00s"]

    files = read(*first, *second, summary([], [f"{A} (exit code 1)"], of=2))

    assert outcomes(files) == {(0, "test/srt/test_a.py"): (PASSED, 1), (1, "test/srt/test_a.py"): (FAILED, 1)}


def test_a_suite_that_was_cut_off_does_not_take_the_next_ones_files() -> None:
    files = read(begin(A, 0, 1), end(A, 0, 1), begin(B, 1, 1), "##[group]Run python3 run_suite.py", begin(C), end(C))

    assert outcomes(files)[0, "test/srt/test_b.py"] == (FileOutcome.UNKNOWN, 1)
    assert [one.suite for one in files] == [0, 0, 1]


def test_a_torn_log_leaves_the_file_that_had_begun_unknown() -> None:
    files = read(
        begin(A, 0, 2), end(A, 0, 2), begin(B, 1, 2), "Loading weights", "##[error]The operation was canceled."
    )

    assert outcomes(files) == {
        (0, "test/srt/test_a.py"): (PASSED, 1),
        (0, "test/srt/test_b.py"): (FileOutcome.UNKNOWN, 1),
    }
    assert files[1].elapsed_s is None


def test_a_log_torn_between_two_tries_knows_that_the_first_failed() -> None:
    waiting = [begin(A), end(A), f"[CI Retry] {A} failed with retriable pattern: score", "[CI Retry] Waiting 60s"]

    (torn,), (again,) = read(waiting), read(waiting, f"[CI Retry] Attempt 2/2 for {A}", begin(A))

    assert (torn.outcome, torn.attempts, torn.reason) == (FAILED, 1, "retriable pattern: score")
    assert (again.outcome, again.attempts) == (FileOutcome.UNKNOWN, 2)


def test_a_log_torn_in_the_middle_of_a_line_is_read_up_to_there() -> None:
    content = log(begin(A), end(A))

    files = read_test_files(content[:-45], job())

    assert (files[0].file, files[0].outcome) == ("test/srt/test_a.py", FileOutcome.UNKNOWN)


def test_a_timeout_is_told_as_one_though_the_process_ended() -> None:
    killed = [begin(A), end(A, elapsed=1200), f"✗ TIMEOUT: {A} after 1200 seconds"]

    for files in (read(*killed), read(*killed, summary([], [f"{A} (timeout after 1200s)"]))):
        assert (files[0].outcome, files[0].reason) == (FileOutcome.TIMED_OUT, "timeout after 1200s")
    assert outcomes(read(summary([], [f"{A} (timeout after 9s)"]))) == {(0, A): (FileOutcome.TIMED_OUT, 1)}


def test_the_words_of_2025_count() -> None:
    late = read(begin(A), f"Timeout after 1800 seconds when running {A}", "Fail. Time elapsed: 1.0s")
    wrong = read(begin(A), end(A), f"expected return code 0, but {A} returned 1", "Fail. Time elapsed: 1.0s")
    silent = read(begin(A, 0, 1), end(A, 0, 1), begin(B, 1, 1), end(B, 1, 1), "Fail. Time elapsed: 1.0s")

    assert [one.outcome for one in (*late, *wrong)] == [FileOutcome.TIMED_OUT, FAILED]
    assert [one.outcome for one in silent] == [PASSED, FAILED]


def test_an_estimate_of_nothing_is_an_estimate() -> None:
    (file,) = read(begin(A), end(A, elapsed=0, estimated=0), summary([A]))

    assert (file.elapsed_s, file.estimated_s) == (0.0, 0.0)


def test_no_estimate_is_none() -> None:
    (file,) = read(begin(A), "End (0/0):", f"filename='{A}', elapsed=12.5", summary([A]))

    assert (file.elapsed_s, file.estimated_s) == (12.5, None)


def test_a_file_that_is_twice_in_a_suite_is_told_once_with_the_worse_outcome() -> None:
    files = read(
        begin(A, 0, 1), end(A, 0, 1, elapsed=5), begin(A, 1, 1), end(A, 1, 1, elapsed=6),
        f"FAILED: {A} returned exit code 1", summary([A], [f"{A} (exit code 1)"]),
    )  # fmt: skip

    assert outcomes(files) == {(0, "test/srt/test_a.py"): (FAILED, 1)}
    assert files[0].elapsed_s == 6.0


def test_names_that_end_alike_are_two_files() -> None:
    files = read(
        begin("srt/models/test_a.py", 0, 1), end("models/test_a.py", 0, 1), begin(A, 1, 1), end("test_a.py", 1, 1),
        "FAILED: test_a.py returned exit code 1", summary(["models/test_a.py"], ["test_a.py (exit code 1)"]),
    )  # fmt: skip

    assert outcomes(files) == {
        (0, "test/srt/models/test_a.py"): (PASSED, 1),
        (0, "test/srt/test_a.py"): (FAILED, 1),
    }


@pytest.mark.parametrize("passed", [True, None])
def test_timings_in_json_belong_to_their_suite(passed: bool | None) -> None:
    told = {"file": f"test/{A}", "elapsed": 41.5} | ({} if passed is None else {"passed": passed})
    timings = ["==== TIMINGS BEGIN ====", json.dumps(told), "{broken", '{"file": 3}', "==== TIMINGS END ===="]

    (file,) = read(begin(A), end(A), summary([A]), timings)

    assert (file.outcome, file.elapsed_s, file.estimated_s) == (PASSED, 41.5, 90.0)


def test_timings_alone_tell_files_and_not_more_than_they_say() -> None:
    lines = [
        '{"file": "test/a.py", "elapsed": 3, "passed": true}',
        '{"file": "test/b.py", "elapsed": 4, "passed": false}',
        '{"file": "test/c.py", "elapsed": 1e300}',
    ]
    files = read(["==== TIMINGS BEGIN ====", *lines, "==== TIMINGS END ====", '{"file": "no.py", "elapsed": 1}'])

    assert [(one.file, one.outcome) for one in files] == [
        ("test/a.py", PASSED),
        ("test/b.py", FAILED),
        ("test/c.py", FileOutcome.UNKNOWN),
    ]


def test_what_pytest_prints_within_a_file_belongs_to_the_file() -> None:
    inner = ["=== test session starts ===", "test_a.py F.   [100%]", "FAILED test_a.py::test_x - assert 0"]

    files = read(begin(A), inner, "=== 1 failed in 0.1s ===", end(A), f"FAILED: {A} returned exit code 1")

    assert outcomes(files) == {(0, "test/srt/test_a.py"): (FAILED, 1)}


def test_what_pytest_prints_between_the_files_of_a_suite_is_no_suite() -> None:
    files = read(begin(A, 0, 1), end(A, 0, 1), "FAILED test/srt/test_b.py::test_x - assert 0", summary([A], [B]))

    assert outcomes(files) == {(0, "test/srt/test_a.py"): (PASSED, 1), (0, B): (FAILED, 1)}


def test_colours_and_secrets_do_not_matter() -> None:
    token = "ghp_" + "a" * 36
    content = log(
        begin(A), end(A), f"\x1b[31m✗ FAILED: {A} returned exit code 1\x1b[0m", summary([], [f"{A} ({token})"])
    )

    (file,) = read_test_files(content, job())

    assert (file.outcome, file.reason) == (FAILED, "***")


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/actions-runner/_work/engine/engine/test/srt/x.py", "test/srt/x.py"),
        (
            "/".join(("", "home", "runner", "work", "engine", "engine", "python", "engine", "x.py")),
            "python/engine/x.py",
        ),
        ("/__w/engine/engine/x.py", "x.py"),
        (r"D:\a\engine\engine\tests\x.py", "tests/x.py"),
        ("/github/workspace/tests/x.py", "tests/x.py"),
        ("/sgl-workspace/engine/python/engine/test/x.py", "python/engine/test/x.py"),
        ("/" + "root/Engine/test/x.py", "test/x.py"),
        ("/actions-runner/engine/engine/test/x.py", "test/x.py"),
        ("/tmp/other/tests/x.py", "tests/x.py"),
        ("/tmp/deep/er/x.py", "x.py"),
        ("./test/x.py", "test/x.py"),
        ("../../test//x.py", "test/x.py"),
        ("test/x.py", "test/x.py"),
        ("'x.py'", "x.py"),
        ("/", ""),
    ],
)
def test_paths_are_the_same_on_every_machine(path: str, kept: str) -> None:
    assert portable_path(path, "octo/engine") == kept


LINES = st.sampled_from(
    [
        *begin(A, 0, 1).splitlines(), *end(A, 0, 1).splitlines(), *begin(B, 1, 1).splitlines(), "=====", "✓ PASSED:",
        *summary([A], [f"{B} (exit code 1)"], [f"{A} (2 attempts, passed)"]).splitlines(), "==== TIMINGS BEGIN ====",
        f"[CI Retry] Attempt 2/2 for {A}", f"TIMEOUT: {B} after 3 seconds", "##[group]Run x", "Fail. Time elapsed: 3s",
        '{"file": "a.py", "elapsed": -1}', "=== test session starts ===", "a.py::t PASSED", "=== 1 passed in 1s ===",
        "Ran 3 tests in 1.0s", "OK", "+ python3 test_x.py", "FAILED a.py::t - x", "filename='', elapsed=1",
    ]
)  # fmt: skip


@settings(deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes_are_read(content: bytes) -> None:
    read_test_files(content + b"\nBegin (0/0):\n" + content, job())


@settings(deadline=None)
@given(st.lists(st.one_of(LINES, st.text(max_size=30)), max_size=60))
def test_any_order_of_lines_is_read_and_each_file_of_a_suite_is_told_once(lines: list[str]) -> None:
    files = read_test_files("\n".join(STAMP + line for line in lines).encode("utf-8", "replace"), job())

    assert len({(one.suite, one.file) for one in files}) == len(files)
    assert all(one.attempts >= 1 and (one.elapsed_s is None or one.elapsed_s >= 0) for one in files)


def test_huge_lines_and_huge_numbers_are_no_trouble() -> None:
    line = b"FAILED: " + b"a" * 3_000_000 + b".py returned exit code 1\n"
    content = log(begin(A)) + line + b"filename='x.py', elapsed=" + b"9" * 100_000 + b"\n" + log(end(A), summary([A]))

    assert outcomes(read_test_files(content, job())) == {(0, "test/srt/test_a.py"): (PASSED, 1)}


def test_no_suite_is_nothing() -> None:
    assert read("hello", "python3 x.py", "FAILED") == ()
    assert read_test_files(b"", job()) == ()
