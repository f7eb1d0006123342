"""What follows when a step has ended, and a log whose clock is not the one that its steps were timed by."""

from __future__ import annotations

import pytest

from tests.test_diagnosis import EXIT, job, log, step, told
from trackside.joblogs.cleaning import redact
from trackside.joblogs.diagnosis import diagnose
from trackside.records.failures import Cause

CLEAN_UP = (
    "[command]/usr/bin/git config --local --unset-all http.https://github.com/.extraheader",
    "fatal: No url found for submodule path '3rdparty/cutlass' in .gitmodules",
    "fatal: not in a git directory",
    "##[warning]The process '/usr/bin/git' failed with exit code 128",
    "Failed to save: Unable to reserve cache with key pip-linux, another job may be creating this cache.",
    "Error: reserveCache failed: getaddrinfo EAI_AGAIN artifactcache",
    "error: unable to delete old cache",
    "Cleaning up orphan processes",
)
RUN = ("##[group]Run ./ci.sh", "##[endgroup]", "doing things")


@pytest.mark.parametrize("between", [("Post job cleanup.",), ()])
@pytest.mark.parametrize("line", CLEAN_UP)
def test_a_clean_up_after_the_failed_step_is_not_told(between: tuple[str, ...], line: str) -> None:
    found = told(*RUN, EXIT, *between, line)
    assert (found.cause, found.line) == (Cause.OTHER, EXIT)
    inside = diagnose(log(*RUN, EXIT, *between, *CLEAN_UP), job(steps=(step(1, "failure", 0, 30),)))
    assert inside.line == EXIT


def test_a_clean_up_that_failed_itself_is_told() -> None:
    found = told(*RUN, "Post job cleanup.", "no space left on device", "##[error]No space left on device")
    assert found.cause is Cause.DISK_FULL


def test_what_was_marked_as_an_error_after_the_exit_code_counts() -> None:
    pod = (
        "##[error]Error: failed to run script step: pod failed to come online with error: Error: Pod x-workflow failed"
    )
    assert told(*RUN, pod, EXIT).cause is Cause.RUNNER_LOST
    assert told(*RUN, EXIT, pod).cause is Cause.RUNNER_LOST


def test_an_exit_code_in_the_middle_of_a_step_ends_nothing() -> None:
    assert told(*RUN, EXIT, "CUDA out of memory", EXIT).cause is Cause.GPU_MEMORY


def test_a_command_that_was_stopped_for_its_time_is_a_timeout() -> None:
    ended = "##[error]Process completed with exit code 124."
    found = told("##[group]Run timeout 600 python t.py", "##[endgroup]", "ERROR: slow request", ended, *CLEAN_UP)
    assert (found.cause, found.line) == (Cause.TIMEOUT, ended)
    crashed = told("Traceback (most recent call last):", '  File "a.py", line 1', "KeyError: 'x'", ended)
    assert crashed.cause is Cause.CRASH


def test_an_installer_that_waited_too_long_for_an_answer_failed_for_the_network() -> None:
    read = "pip._vendor.urllib3.exceptions.ReadTimeoutError: HTTPSConnectionPool(host='files.example.org', port=443): "
    found = told(
        "Collecting x",
        "ERROR: Exception:",
        "Traceback (most recent call last):",
        '  File "/usr/lib/python3/pip/_vendor/urllib3/response.py", line 438, in _error_catcher',
        "    yield",
        "TimeoutError: The read operation timed out",
        "",
        "During handling of the above exception, another exception occurred:",
        "",
        "Traceback (most recent call last):",
        '  File "/usr/lib/python3/pip/_internal/cli/base_command.py", line 105, in _run_wrapper',
        "    status = _inner_run()",
        f"{read}Read timed out.",
        EXIT,
    )
    assert (found.cause, found.line) == (Cause.NETWORK, f"{read}Read timed out.")


def test_the_panic_is_told_and_not_its_signal() -> None:
    panic = "panic: runtime error: invalid memory address or nil pointer dereference [recovered]"
    signal = "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]"
    found = told(panic, signal, "goroutine 7 [running]:", "FAIL\tgithub.com/x/router\t0.012s", "FAIL", EXIT)
    assert (found.cause, found.line) == (Cause.CRASH, panic)
    assert signal in found.context


@pytest.mark.parametrize("text", ["violation code=0x1 addr", "failed, exit code=137", "status code=404"])
def test_a_code_is_a_secret_only_in_an_address(text: str) -> None:
    assert redact(text) == text
    assert "4/0AX" not in redact("GET https://x.example/callback?state=1&code=4/0AXyz")


def test_a_test_is_named_though_the_clock_of_the_log_is_days_off() -> None:
    lines = ("##[group]Run pytest", "##[endgroup]", "FAILED tests/test_a.py::test_one - KeyError: 'a'", EXIT)
    for first in (-400_000, 400_000):
        steps = (step(1, "success", first - 9, first - 1), step(2, "failure", first, first + 60))
        found = diagnose(log(*lines), job(steps=steps))
        assert (found.cause, found.test) == (Cause.TEST, "tests/test_a.py::test_one")
