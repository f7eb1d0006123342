"""The line that tells why a job failed wins over boilerplate, wrappers, what was tried again, and other steps."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackside.errors import UsageError
from trackside.joblogs.diagnosis import MAX_LINE, VERSION, diagnose
from trackside.joblogs.rules import compile_rules
from trackside.records.ci_rules import PatternRule
from trackside.records.failures import Cause, Diagnosis
from trackside.records.jobs import Job, Step
from trackside.records.runs import Source

EXIT = "##[error]Process completed with exit code 1."


def job(conclusion: str = "failure", duration_s: float | None = None, steps: tuple[Step, ...] = ()) -> Job:
    return Job(
        repo="o/app",
        job_id=1,
        run_id=1,
        run_attempt=1,
        source=Source.REST,
        name="test",
        conclusion=conclusion,
        duration_s=duration_s,
        steps=steps,
    )


def at(second: int) -> dt.datetime:
    return dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC) + dt.timedelta(seconds=second)


def step(number: int, conclusion: str, first: int, last: int) -> Step:
    return Step(number=number, name=f"s{number}", conclusion=conclusion, started_at=at(first), completed_at=at(last))


def log(*lines: str) -> bytes:
    """A log of one line a second."""
    return "".join(f"{at(n):%Y-%m-%dT%H:%M:%S}.1234567Z {line}\n" for n, line in enumerate(lines)).encode()


def told(*lines: str) -> Diagnosis:
    return diagnose(log(*lines), job())


@pytest.mark.parametrize("said", ["ERROR could not push with https://x.example/a", "Error odd thing", "error push"])
def test_what_is_said_as_an_error_just_before_the_exit_is_told_rather_than_the_exit(said: str) -> None:
    assert told("doing things", said, EXIT).line == said
    assert told(said, "doing things", EXIT).line == EXIT
    assert told("error count 5", "Error 404", EXIT).line == EXIT
    assert told("E: odd", said, EXIT).line == "E: odd"


def test_boilerplate_is_told_only_where_there_is_nothing_else() -> None:
    alone = told("doing things", EXIT)
    assert (alone.cause, alone.line, alone.line_number) == (Cause.OTHER, EXIT, 2)
    assert told("Traceback (most recent call last):", '  File "a.py", line 1', "ValueError: odd", EXIT).line == (
        "ValueError: odd"
    )


@pytest.mark.parametrize(
    "wrapper",
    [
        "RuntimeError: test_cuda 1/1 failed!",
        "subprocess.CalledProcessError: Command '['x']' returned non-zero exit status 1.",
        "make: *** [Makefile:4: all] Error 1",
        "ninja: build stopped: subcommand failed.",
        "Exception: Server process exited with code -9. Check server logs for errors.",
        "Exception: retry() exceed maximum number of retries.",
        "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}",
        "npm error Lifecycle script `test` failed with error:",
        "requests.exceptions.ConnectionError: HTTPConnectionPool(host='127.0.0.1', port=3): Connection refused",
        "torch.distributed.elastic.multiprocessing.errors.ChildFailedError:",
        "Failed to upload metrics: Unable to locate credentials",
        "##[error]Executing the custom container implementation failed. Please contact your administrator.",
    ],
)
def test_wrappers_and_consequences_lose_to_the_error(wrapper: str) -> None:
    trace = ("Traceback (most recent call last):", '  File "a.py", line 1, in f', "KeyError: 'lm_head.weight'")
    assert told(*trace, wrapper, EXIT).line == "KeyError: 'lm_head.weight'"
    assert told(wrapper, *trace, EXIT).line == "KeyError: 'lm_head.weight'"


def test_a_device_out_of_memory_wins_over_what_follows_from_it() -> None:
    found = told(
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.25 GiB.",
        "Received sigquit from a child process. It usually means the child failed.",
        "FAIL: test_x (a.B.test_x)",
        "Traceback (most recent call last):",
        '  File "a.py", line 3, in test_x',
        "AssertionError: 500 != 200",
        EXIT,
    )
    assert (found.cause, found.line_number, found.test) == (Cause.GPU_MEMORY, 1, "a.B.test_x")


def test_an_error_that_a_passing_test_provoked_loses_to_the_test_that_failed() -> None:
    found = told(
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.25 GiB.",
        "tests/test_oom.py::test_oom_is_raised PASSED [ 3%]",
        "tests/test_a.py::test_b FAILED [ 4%]",
        "FAILED tests/test_a.py::test_b - assert 'x' == 'y'",
        EXIT,
    )
    assert (found.cause, found.line_number) == (Cause.TEST, 4)


def test_scripts_and_echoes_tell_nothing() -> None:
    found = told(
        "##[group]Run ./build.sh",
        '\x1b[36;1m./build.sh || echo "fatal: out of memory, CUDA out of memory"\x1b[0m',
        "  MESSAGE: FAILED tests/a.py::test_b - AssertionError",
        "##[endgroup]",
        "+ echo 'CUDA out of memory'",
        "core.cpp:3:1: error: expected ';'",
        EXIT,
    )
    assert (found.cause, found.line_number) == (Cause.BUILD, 6)


def test_warnings_and_retried_downloads_lose() -> None:
    found = told(
        "curl: (28) Operation timed out after 30001 milliseconds",
        "Warning: Problem : timeout. Will retry in 1 second. 3 retries left.",
        "##[warning]Failed to download action 'https://x'. Error: timeout",
        "a.py:1:1: F401 `os` imported but unused",
        EXIT,
    )
    assert (found.cause, found.line_number) == (Cause.LINT, 4)


def test_the_last_of_several_tries_is_told() -> None:
    error = "Error response from daemon: manifest for python:9 not found: manifest unknown: manifest unknown"
    again = "##[warning]Docker pull failed with exit code 1, back off 7.078 seconds before retry."
    found = told(error, again, error, again, error, "##[error]Docker pull failed with exit code 1")
    assert (found.cause, found.line_number) == (Cause.DEPENDENCY, 5)


def test_the_first_failing_test_is_told() -> None:
    found = told(
        "FAILED tests/test_a.py::test_one - KeyError: 'a'", "FAILED tests/test_b.py::test_two - KeyError: 'b'", EXIT
    )
    assert (found.line_number, found.test) == (1, "tests/test_a.py::test_one")
    assert found.tests == ("tests/test_a.py::test_one", "tests/test_b.py::test_two")


STEPS = (
    "##[group]Run ./may_fail.sh",
    "##[endgroup]",
    "core.cpp:3:1: error: expected ';'",
    EXIT,
    "##[group]Run pytest",
    "##[endgroup]",
    "FAILED tests/test_a.py::test_one - KeyError: 'a'",
    EXIT,
    "Post job cleanup.",
    "fatal: unable to access 'https://github.com/o/r/': Could not resolve host",
)


def test_the_step_that_failed_is_where_the_error_is() -> None:
    windows = (step(1, "success", 0, 3), step(2, "failure", 4, 7), step(3, "success", 9, 9))
    found = diagnose(log(*STEPS), job(steps=windows))
    assert (found.cause, found.line_number) == (Cause.TEST, 7)


def test_without_the_times_of_steps_error_marks_tell_which_failed() -> None:
    assert told(*STEPS[4:]).cause is Cause.TEST
    assert told("##[group]Run x", "##[endgroup]", "error[E0308]: mismatched types", *STEPS[4:]).line_number == 6


def test_a_log_without_stamps_is_read() -> None:
    content = ("\n".join(STEPS[4:]) + "\n").encode()
    windows = (step(1, "success", 0, 3), step(2, "failure", 4, 7))
    assert diagnose(content, job(steps=windows)).cause is Cause.TEST


def test_a_test_that_passed_when_it_was_tried_again_did_not_fail() -> None:
    found = told(
        "Begin (1/2):",
        "FAIL: test_latency (__main__.TestA.test_latency)",
        "AssertionError: 12.1 not less than 11.0",
        "PASSED on retry (attempt 2): /__w/app/app/test/test_a.py",
        "End (1/2):",
        "Begin (2/2):",
        "FAIL: test_order (__main__.TestB.test_order)",
        "✗ FAILED: /__w/app/app/test/test_b.py returned exit code 1",
        "FAILED:",
        "  test/test_b.py (exit code 1)",
        "RETRIED:",
        "  test/test_a.py (2 attempts, passed)",
        EXIT,
    )
    assert (found.line_number, found.test) == (7, "test/test_b.py")
    assert found.tests == ("test/test_b.py", "TestB.test_order")


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        (
            ("##[error]The job has exceeded the maximum execution time of 1h", "##[error]The operation was canceled."),
            "timeout",
        ),
        (("##[error]The action 'x' has timed out after 5 minutes.", "##[error]The operation was canceled."), "timeout"),
        (
            ("##[error]The runner has received a shutdown signal.", "##[error]The operation was canceled."),
            "runner_lost",
        ),
        (("FAILED tests/a.py::test_b - KeyError: 'x'", "##[error]The operation was canceled."), "cancelled"),
    ],
)
def test_what_the_runner_says_wins(lines: tuple[str, ...], cause: str) -> None:
    assert told("working", *lines).cause == cause


def test_a_job_cancelled_for_its_time_is_a_timeout() -> None:
    content = log("working", "##[error]The operation was canceled.")
    assert diagnose(content, job("timed_out")).cause is Cause.TIMEOUT
    assert diagnose(content, job("failure", duration_s=21_610)).cause is Cause.TIMEOUT
    assert diagnose(content, job("cancelled", duration_s=300)).cause is Cause.CANCELLED


@pytest.mark.parametrize(
    ("above", "cause"),
    [
        ('    self.assertGreater(metrics["accuracy"], 0.65)', "accuracy"),
        ('    self.assertGreater(res["output_throughput"], 0.65)', "performance"),
        ("    self.assertGreater(len(found), 0.65)", "test"),
    ],
)
def test_what_a_number_is_of_decides_the_cause(above: str, cause: str) -> None:
    head = ("FAIL: test_x (a.B.test_x)", "Traceback (most recent call last):", '  File "a.py", line 3, in test_x')
    found = told(*head, above, "AssertionError: 0.58 not greater than 0.65", EXIT)
    assert found.cause == cause
    assert found.line_number == (1 if cause == "test" else 5)


def test_own_patterns_go_first() -> None:
    own = (PatternRule(name="licence", match=r"no licence for \w+", cause=Cause.CONFIGURATION),)
    found = diagnose(log("no licence for compiler", "CUDA out of memory", EXIT), job(), own)
    assert (found.rule, found.cause, found.line_number) == ("licence", Cause.CONFIGURATION, 1)
    assert diagnose(log("CUDA out of memory", EXIT), job(), own).cause is Cause.GPU_MEMORY


@pytest.mark.parametrize("match", ["(", "[a", "*", "(?P<a>x)(?P<a>y)", "a{2,1}"])
def test_a_pattern_that_is_none_is_refused_by_name(match: str) -> None:
    with pytest.raises(UsageError, match="'mine' of \\[ci\\] is no regular expression"):
        compile_rules((PatternRule(name="mine", match=match),))


@pytest.mark.parametrize("match", ["", "x*", "a|"])
def test_a_pattern_that_matches_everything_is_refused(match: str) -> None:
    with pytest.raises(UsageError, match="every line"):
        compile_rules((PatternRule(name="mine", match=match),))


def test_secrets_leave_neither_in_the_line_nor_around_it() -> None:
    secret = "ghp_" + "a1B2" * 9
    found = told(f"using {secret}", f"fatal: unable to access 'https://x:{secret}@github.com/o/r/': 403", EXIT)
    shown = f"{found.line} {found.context} {found.tests}"
    assert secret not in shown
    assert "***" in shown


def test_the_context_holds_the_line_and_some_around_it() -> None:
    found = told(*(f"line {n}" for n in range(20)), "fatal: couldn't find remote ref x", *("after",) * 20)
    assert found.line_number == 21
    assert found.context[4] == found.line
    assert len(found.context) == 13


def test_no_line_is_told_of_an_empty_log() -> None:
    assert diagnose(b"", job()) == Diagnosis(cause=Cause.OTHER)
    assert diagnose(b"\n\n\0\0\n", job("timed_out")) == Diagnosis(cause=Cause.TIMEOUT)


def test_a_long_line_is_cut() -> None:
    found = told("ERROR: " + "x" * 5000, EXIT)
    assert found.line is not None
    assert len(found.line) == MAX_LINE


def test_the_version_says_rules_and_fingerprints() -> None:
    assert VERSION.count(".") == 1


@pytest.mark.parametrize(
    "content",
    [
        b"error " * 200_000,
        b"\0" * 100_000,
        b"\xff\xfe error: \xff\n" * 1000,
        b"2026-07-30T10:33:37.0347135Z ##[error]",
        b"##[group]Run x\n" * 5000 + b"error",
        b"##[error]x\n" * 5000,
        b"9999-99-99T99:99:99Z error: odd date\n",
        b"a" * 1000 + b"::" * 3000 + b"[" * 3000 + b" FAILED - error\n",
        b"FAILED " + b"a/" * 900 + b".py::" + b"(" * 500 + b"\n",
        ("_" * 1999).encode() + b"\n",
        (" " * 1900 + "error").encode() + b"\n",
    ],
)
def test_hostile_logs_are_told_of_too(content: bytes) -> None:
    windows = (step(1, "failure", 0, 3),)
    assert isinstance(diagnose(content, job(steps=windows)), Diagnosis)


WORDS = [
    b"error: ",
    b"FAILED ",
    b"##[error]",
    b"##[group]Run ",
    b"Traceback (most recent call last):",
    b"\n",
    b"\r",
    b'  File "a.py"',
    b"____ a ____",
    b"\x1b[31m",
    b"\xe2\x9c\x97 ",
    b" - ",
    b"::",
    b"tests/a.py",
    b"2026-03-02T08:00:00.1Z ",
    b"AssertionError: 1 not greater than 2",
    b"PASSED on retry (attempt 2): ",
    b"\0",
    b"\xff",
    b"E   ",
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(WORDS), st.binary(max_size=12)), max_size=40))
def test_nothing_in_a_log_makes_it_fail(parts: list[bytes]) -> None:
    content = b"".join(parts)
    found = diagnose(content, job(steps=(step(1, "failure", 0, 3),)))
    assert found == diagnose(content, job(steps=(step(1, "failure", 0, 3),)))
    assert found.line is None or (found.line_number or 0) <= content.count(b"\n") + 1
