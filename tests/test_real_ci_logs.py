"""Real logs of failed jobs whose telling line others marked: most of these lines must be found."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import pytest

from benchmarks.failure_accuracy import REAL, is_catch_all, real_outcomes
from tests.test_diagnosis import job
from trackside.joblogs.diagnosis import diagnose
from trackside.records.failures import Cause

OUTCOMES = functools.cache(real_outcomes)
DATA = Path(os.environ.get("TRACKSIDE_REAL_DATA", "../shared/data")).resolve() / "ci-logs"
pytestmark = pytest.mark.skipif(
    not (DATA / "classified").is_dir(), reason=f"no real logs at {DATA} (set TRACKSIDE_REAL_DATA)"
)


def test_the_marked_line_is_found_in_most_logs() -> None:
    assert REAL.resolve() == DATA / "classified"
    outcomes = OUTCOMES()
    assert len(outcomes) >= 20
    assert sum(each.exact for each in outcomes) >= 0.85 * len(outcomes)


def test_few_logs_are_told_nothing_of() -> None:
    outcomes = OUTCOMES()
    assert sum(is_catch_all(each.told) for each in outcomes) <= 0.1 * len(outcomes)


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("action_archive_download_failure", Cause.NETWORK),
        ("aws_credentials_load_failure", Cause.CONFIGURATION),
        ("compile_error", Cause.BUILD),
        ("docker_manifest_unknown", Cause.DEPENDENCY),
        ("gha_cancellation_shutdown", Cause.RUNNER_LOST),
        ("gha_operation_canceled", Cause.CANCELLED),
        ("lint_lintrunner", Cause.LINT),
        ("msvc_compiler_error", Cause.BUILD),
        ("pytest_failures_section", Cause.TEST),
        ("test_file_timeout", Cause.TIMEOUT),
        ("uv_python_download_failed", Cause.NETWORK),
    ],
)
def test_causes_of_real_logs(name: str, cause: Cause) -> None:
    assert {each.name: each.told.cause for each in OUTCOMES()}[name] is cause


def test_a_failed_unit_run_names_its_first_test() -> None:
    content = next((DATA / "sglang").glob("unit_failed_*.log")).read_bytes()
    found = diagnose(content, job())
    assert found.cause is Cause.TEST
    assert found.test == "test_custom_allreduce.TestCustomAllReduce.test_eager_allreduce"
    assert len(found.tests) == 2


def test_a_whole_log_of_another_kind_is_read() -> None:
    assert diagnose((DATA / "full_job_log.txt").read_bytes(), job()).cause in set(Cause)
