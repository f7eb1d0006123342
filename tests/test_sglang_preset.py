"""The preset of SGLang on names of jobs: those of its documentation, of 2025 and of today."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from trackside.ci.categories import category_of
from trackside.ci.established import established_category
from trackside.history.names import matches_any, renamed
from trackside.settings import load_settings

DATA: Final = Path(os.environ.get("TRACKSIDE_REAL_DATA", "../shared/data")).resolve() / "github"
ANALYSIS: Final = DATA / "sglang_ci_analysis_1000_runs.json"
RERUN: Final = DATA / "sglang_rerun_26788582210_jobs.tsv"
RULES: Final = load_settings(Path("/"), {}, "sglang").ci


def categorised(name: str) -> str | None:
    return category_of(renamed(name, RULES.aliases), RULES.categories)


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("sgl-kernel-build-wheels", "sgl-kernel"),
        ("sgl-kernel-mla-test", "sgl-kernel"),
        ("unit-test-sgl-kernel-amd (linux-mi325-gpu-1)", "sgl-kernel"),
        ("Build Wheel Arm", "sgl-kernel"),
        ("unit-test-frontend", "unit-test"),
        ("unit-test-backend-8-gpu-amd (linux-mi300-gpu-8)", "unit-test"),
        ("base-a-test-cpu (2)", "unit-test"),
        ("base-b-test-1-gpu-large / base-b-test-1-gpu-large (4)", "unit-test"),
        ("stage-b-test-small-1-gpu (3)", "unit-test"),
        ("build-test (all)", "unit-test"),
        ("unit-test-backend-4-gpu-b200", "b200"),
        ("nightly-test-general-8-gpu-b200 (1)", "b200"),
        ("base-c-test-4-gpu-gb300", "gb200"),
        ("performance-test-1-gpu-part-2-amd (linux-mi300-gpu-1)", "performance"),
        ("nightly-test-text-perf-2-gpu-runner", "performance"),
        ("base-c-test-perf-2-npu-a3 / run (0)", "performance"),
        ("accuracy-test-2-gpu-amd (linux-mi35x-gpu-2)", "accuracy"),
        ("nightly-test-vlm-accuracy-2-gpu-runner", "accuracy"),
        ("base-c-test-acc-16-npu-a3", "accuracy"),
        ("unit-test-deepep-8-gpu", "deepep"),
        ("mla-test-1-gpu-amd (linux-mi325-gpu-1)", "mla-test"),
        ("nightly-test-general-1-gpu-runner", "nightly"),
        ("per-commit-16-ascend-a3", "per-commit"),
        ("multimodal-gen-test-1-npu-a3 (0)", "multimodal"),
        ("vllm-dependency-test", "integration"),
        ("create-manifests (dev, dev-x86, dev-arm64)", "build"),
        ("execute-and-deploy", "release"),
    ],
)
def test_a_job_is_in_the_category_of_what_is_special_about_it(name: str, category: str) -> None:
    assert categorised(name) == category


@pytest.mark.parametrize(
    "name",
    ["check-changes", "lint", "pr-test-finish", "pr-test-h20-finish", "pr-test-amd-finish", "call-gate / pr-gate"],
)
def test_gates_and_summaries_are_left_out(name: str) -> None:
    assert matches_any(name, RULES.ignored_jobs)


def test_the_renamed_stages_are_the_same_jobs() -> None:
    assert renamed("stage-b-test-small-1-gpu (3)", RULES.aliases) == "base-b-test-1-gpu-small (3)"
    assert renamed("stage-c-test-8-gpu-h20", RULES.aliases) == "base-c-test-8-gpu-h20"
    assert renamed("stage-c-test-8-gpu-h200", RULES.aliases) == "base-c-test-8-gpu-h200"


@pytest.mark.skipif(not ANALYSIS.is_file(), reason=f"no analysis at {ANALYSIS} (set TRACKSIDE_REAL_DATA)")
def test_no_failure_of_a_thousand_real_runs_is_left_without_a_category() -> None:
    failures = Counter(json.loads(ANALYSIS.read_text(encoding="utf-8"))["job_failures"])
    assert failures.total() == 328
    assert {name for name in failures if matches_any(name, RULES.ignored_jobs)} == {"finish"}
    assert [name for name in failures if name != "finish" and categorised(name) is None] == []
    before = sum(count for name, count in failures.items() if established_category(name) is None)
    assert before == 107


@pytest.mark.skipif(not RERUN.is_file(), reason=f"no jobs at {RERUN} (set TRACKSIDE_REAL_DATA)")
def test_every_job_of_a_real_run_of_today_has_a_category() -> None:
    with RERUN.open(encoding="utf-8", newline="") as file:
        names = [row["name"] for row in csv.DictReader(file, delimiter="\t")]
    assert names
    assert {categorised(name) for name in names} == {"unit-test"}


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("performance-test-1-gpu-part-1", True),
        ("stage-b-test-large-1-gpu-performance (0)", True),
        ("stage-b-test-large-2-gpu (1)", True),
        ("base-b-test-2-gpu-large / base-b-test-2-gpu-large (3)", True),
        ("extra-a-test-1-gpu-large (2)", True),
        ("nightly-test-text-perf-2-gpu-runner", True),
        ("base-a-test-cpu (2)", False),
        ("unit-test-backend-1-gpu (4)", False),
    ],
)
def test_the_jobs_that_print_performance_are_known_of_both_years(name: str, is_one: bool) -> None:
    assert matches_any(name, load_settings(Path("/"), {}, "sglang").sync.perf_jobs) is is_one
