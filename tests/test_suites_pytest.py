"""Test files as pytest and unittest tell of them."""

from __future__ import annotations

from tests.build_suite_logs import begin, end, read
from trackside.records.failures import FileOutcome

PASSED, FAILED, UNKNOWN = FileOutcome.PASSED, FileOutcome.FAILED, FileOutcome.UNKNOWN
HEADER = "============================= test session starts =============================="


def test_progress_and_the_short_summary_tell_files() -> None:
    files = read(
        f"""{HEADER}
        tests/test_a.py ....                                                     [ 40%]
        tests/test_b.py .F.x                                                     [100%]
        =========================== short test summary info ============================
        FAILED tests/test_b.py::test_x[a - b] - AssertionError: assert 1 == 2
        ==================== 1 failed, 6 passed, 1 xfailed in 0.12s ====================""".replace("        ", "")
    )

    assert [(one.file, one.outcome, one.attempts) for one in files] == [
        ("tests/test_a.py", PASSED, 1),
        ("tests/test_b.py", FAILED, 1),
    ]
    assert (files[1].reason, files[0].elapsed_s) == ("AssertionError: assert 1 == 2", None)


def test_a_test_that_was_run_again_and_passed_is_an_attempt_more() -> None:
    verbose = read(
        [HEADER, "tests/test_a.py::test_x RERUN   [ 50%]", "tests/test_a.py::test_x RERUN   [ 50%]"],
        ["tests/test_a.py::test_x PASSED   [ 50%]", "=== 1 passed, 2 rerun in 3.00s ==="],
    )
    dots = read([HEADER, "tests/test_a.py .RR..   [100%]", "=== 3 passed, 2 rerun in 3.00s ==="])
    short = read([HEADER, "RERUN tests/test_a.py::test_x", "=== 1 passed, 1 rerun in 3.00s (0:01:02) ==="])

    assert [(one.outcome, one.attempts) for one in (*verbose, *dots, *short)] == [(PASSED, 3), (PASSED, 3), (PASSED, 2)]


def test_a_test_that_failed_every_time_is_failed() -> None:
    (file,) = read(
        [HEADER, "tests/test_a.py::test_x RERUN", "tests/test_a.py::test_x FAILED", "=== 1 failed in 1s ==="]
    )

    assert (file.outcome, file.attempts) == (FAILED, 2)


def test_a_file_that_cannot_be_collected_failed() -> None:
    (file,) = read([HEADER, "ERROR tests/test_a.py - ImportError: no engine", "=== 1 error in 0.10s ==="])

    assert (file.outcome, file.reason) == (FAILED, "ImportError: no engine")


def test_workers_of_xdist_are_read() -> None:
    told = ["[gw0] [ 10%] PASSED tests/test_a.py::test_x ", "[gw1] [ 20%] FAILED tests/test_b.py::test_y "]

    assert [one.outcome for one in read([HEADER, *told, "=== 1 failed, 1 passed in 1.0s ==="])] == [PASSED, FAILED]
    assert [one.outcome for one in read([HEADER, *told])] == [UNKNOWN, FAILED]


def test_a_session_that_was_cut_off_leaves_the_last_file_unknown() -> None:
    files = read([HEADER, "tests/test_a.py ....   [ 40%]", "tests/test_b.py::test_x PASSED"])

    assert [one.outcome for one in files] == [PASSED, UNKNOWN]


def test_only_all_durations_are_the_time_of_a_file() -> None:
    lines = ["1.50s call     tests/test_a.py::test_x", "0.25s setup    tests/test_a.py::test_x"]
    session = [HEADER, "tests/test_a.py .   [100%]"]

    (every,) = read(session, "=== slowest durations ===", lines, "=== 1 passed in 2.00s ===")
    (some,) = read(session, "=== slowest 10 durations ===", lines, "=== 1 passed in 2.00s ===")

    assert (every.elapsed_s, some.elapsed_s) == (1.75, None)


def test_two_sessions_are_two_suites() -> None:
    one = [HEADER, "tests/test_a.py .   [100%]", "=== 1 passed in 2.00s ==="]
    two = [HEADER, "tests/test_a.py F   [100%]", "=== 1 failed in 2.00s ==="]

    assert [(one.suite, one.outcome) for one in read(one, two)] == [(0, PASSED), (1, FAILED)]


def test_a_session_after_a_suite_runner_is_told_too() -> None:
    files = read(begin("a.py"), end("a.py"), "Success. Time elapsed: 1s", [HEADER, "tests/test_b.py ."])

    assert [(one.suite, one.file) for one in files] == [(0, "test/a.py"), (1, "tests/test_b.py")]


def test_unittest_is_read_where_a_step_runs_one_file() -> None:
    ran = ["Ran 2 tests in 35.125s", "", "FAILED (failures=1)"]

    (module,) = read("##[group]Run cd test/srt", "python3 -m unittest test_bench.TestX.test_y", ran)
    (script,) = read(["##[group]Run cd test/lang", "+ python3 test_a.py", *ran[:2], "OK"])

    assert (module.file, module.outcome, module.elapsed_s) == ("test_bench.py", FAILED, 35.125)
    assert (script.file, script.outcome) == ("test_a.py", PASSED)


def test_unittest_is_not_guessed_where_a_step_runs_several_files() -> None:
    ran = ["Ran 2 tests in 35.125s", "", "OK"]

    assert read("##[group]Run cd test", "python3 test_a.py", "python3 test_b.py", ran, ran) == ()
    assert read(ran) == ()
    assert [one.file for one in read("+ python3 test_a.py", ran, "+ python3 test_b.py", ran)] == [
        "test_a.py",
        "test_b.py",
    ]
