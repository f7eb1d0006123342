"""The established names of failure patterns, and guesses from the names of jobs and steps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackside.ci.patterns import PATTERNS, guess_cause, pattern_of
from trackside.records.failures import Cause


def test_the_eight_names_are_the_established_ones() -> None:
    assert PATTERNS == (
        "Timeout",
        "Unit Test Failure",
        "Performance Test Failure",
        "Accuracy Test Failure",
        "Build Failure",
        "Dependency Installation Failure",
        "GPU Related Failure",
        "Other",
    )


def test_every_cause_has_exactly_one_of_the_eight_names() -> None:
    assert {cause: pattern_of(cause) for cause in Cause} == {
        Cause.TIMEOUT: "Timeout",
        Cause.TEST: "Unit Test Failure",
        Cause.PERFORMANCE: "Performance Test Failure",
        Cause.ACCURACY: "Accuracy Test Failure",
        Cause.BUILD: "Build Failure",
        Cause.DEPENDENCY: "Dependency Installation Failure",
        Cause.GPU_MEMORY: "GPU Related Failure",
        Cause.GPU_FAULT: "GPU Related Failure",
        Cause.HOST_MEMORY: "Other",
        Cause.LINT: "Other",
        Cause.NETWORK: "Other",
        Cause.RUNNER_LOST: "Other",
        Cause.DISK_FULL: "Other",
        Cause.CANCELLED: "Other",
        Cause.RATE_LIMIT: "Other",
        Cause.CONFIGURATION: "Other",
        Cause.CRASH: "Other",
        Cause.OTHER: "Other",
    }


@pytest.mark.parametrize(
    ("job", "step", "cause"),
    [
        ("unit-test-1-gpu (4)", "Run test", Cause.TEST),
        ("unit-test-1-gpu (4)", "Run tests part 3", Cause.TEST),
        ("unit-test-1-gpu (4)", "Install dependencies", Cause.DEPENDENCY),
        ("unit-test-1-gpu (4)", "Install test dependencies", Cause.DEPENDENCY),
        ("unit-test-1-gpu (4)", "Checkout code", Cause.CONFIGURATION),
        ("unit-test-1-gpu (4)", "Run actions/checkout@v4", Cause.CONFIGURATION),
        ("unit-test-1-gpu (4)", "Set up job", Cause.NETWORK),
        ("unit-test-1-gpu (4)", "Set up runner", Cause.RUNNER_LOST),
        ("unit-test-1-gpu (4)", "Set up Python", Cause.DEPENDENCY),
        ("unit-test-1-gpu (4)", "Initialize containers", Cause.DEPENDENCY),
        ("unit-test-1-gpu (4)", "Pull ghcr.io/octo/engine:latest", Cause.DEPENDENCY),
        ("unit-test-1-gpu (4)", "Post Run actions/checkout@v4", Cause.OTHER),
        ("unit-test-1-gpu (4)", "Run bash scripts/ci.sh", Cause.TEST),
        ("unit-test-1-gpu-amd (linux-mi300-gpu-1, 3)", "Start CI container", Cause.DEPENDENCY),
        ("performance-test-1-gpu-part-1", "Run test", Cause.PERFORMANCE),
        ("performance-test-1-gpu-part-1", "Benchmark single latency", Cause.PERFORMANCE),
        ("performance-test-1-gpu-part-1", "Install dependencies", Cause.DEPENDENCY),
        ("nightly", "Run tests for performance regressions", Cause.PERFORMANCE),
        ("accuracy-test-2-gpu", "Evaluate accuracy", Cause.ACCURACY),
        ("accuracy-test-2-gpu", "Run test", Cause.ACCURACY),
        ("nightly", "TestGSM8K", Cause.ACCURACY),
        ("unit-test-cpu", "Run radix cache tests", Cause.TEST),
        ("build-test (all)", "Build and test", Cause.BUILD),
        ("wheels", "Run make", Cause.BUILD),
        ("wheels", "Configure CMake", Cause.BUILD),
        ("unit", "Run make test", Cause.TEST),
        ("unit", "Run cargo build --release", Cause.BUILD),
        ("unit", "Run cargo test", Cause.TEST),
        ("unit", "BuildWheel", Cause.BUILD),
        ("site", "Run npm ci", Cause.DEPENDENCY),
        ("site", "Run docker/build-push-action@v6", Cause.BUILD),
        ("site", "Run docker/login-action@v3", Cause.CONFIGURATION),
        ("site", "Configure AWS credentials", Cause.CONFIGURATION),
        ("site", "Run actions/upload-artifact@v4", Cause.NETWORK),
        ("site", "Restore pip cache", Cause.NETWORK),
        ("site", "Deploy docs", Cause.NETWORK),
        ("lint", "Run pre-commit checks", Cause.LINT),
        ("lint", "Check formatting of tests", Cause.LINT),
        ("lint", "Install pre-commit", Cause.DEPENDENCY),
        ("style", "Run ruff check .", Cause.LINT),
        ("docs", "Get latest release", Cause.OTHER),
        ("platform", "Print information", Cause.OTHER),
        ("gpu", "Check GPU health", Cause.GPU_FAULT),
        ("gpu", "Run nvidia-smi", Cause.GPU_FAULT),
        ("label", "Ask the author", Cause.OTHER),
        ("run-all-notebooks", "Execute", Cause.TEST),
        ("", "", Cause.OTHER),
    ],
)
def test_the_first_telling_word_of_a_step_is_what_it_did(job: str, step: str, cause: Cause) -> None:
    assert guess_cause(job, step, "failure") is cause


@pytest.mark.parametrize(
    ("conclusion", "cause"),
    [
        ("timed_out", Cause.TIMEOUT),
        ("cancelled", Cause.CANCELLED),
        ("startup_failure", Cause.CONFIGURATION),
        ("action_required", Cause.CONFIGURATION),
    ],
)
def test_a_conclusion_that_says_why_goes_before_the_names(conclusion: str, cause: Cause) -> None:
    assert guess_cause("unit-test-1-gpu (4)", "Run test", conclusion) is cause


def test_a_job_that_failed_while_none_of_its_steps_did_has_lost_its_runner() -> None:
    assert guess_cause("unit-test-1-gpu (4)", None, "failure", steps_known=True) is Cause.RUNNER_LOST


def test_without_steps_the_name_of_the_job_is_all_there_is() -> None:
    assert guess_cause("unit-test-1-gpu (4)", None, "failure") is Cause.TEST
    assert guess_cause("wheels", None, "failure") is Cause.BUILD
    assert guess_cause("plan", None, "failure") is Cause.OTHER


@given(st.text(), st.none() | st.text(), st.none() | st.text())
def test_any_name_is_guessed_without_complaint(job: str, step: str | None, conclusion: str | None) -> None:
    assert pattern_of(guess_cause(job, step, conclusion)) in PATTERNS
