"""The established command on performance: its story line by line, its directory file by file, and how it ends."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.build_suite_logs import log
from tests.fake_github import Clock, FakeGitHub, job
from tests.fake_github.plans import JobPlan
from tests.fake_github.things import LogState
from tests.perf_logs import bench, serving_block, step, unittest_result
from tests.syncing import run_script

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "scripts" / "ci_monitor" / "ci_analyzer_perf.py"
START = dt.datetime(2025, 9, 25, 8, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
PART_1, PART_2, TWO = "performance-test-1-gpu-part-1", "performance-test-1-gpu-part-2", "performance-test-2-gpu"


def benchmarked(name: str, file: str, *block: str, passed: bool = True) -> list[str]:
    """A step with one test of 2025, as its log shows it."""
    command = bench(name, file)
    return [*step(command), command, *block, *unittest_result(passed, *([] if passed else [name]))]


def throughput(name: str, value: str, *, passed: bool = True) -> list[str]:
    return benchmarked(name, "test_bench_serving.TestBenchServing", *serving_block(value), passed=passed)


def latency(name: str, value: str) -> list[str]:
    block = serving_block("900.00", **{"Median_E2E_Latency_(ms)": value})
    return benchmarked(name, "test_bench_serving.TestBenchServing", *block)


def performance(name: str, *blocks: list[str], conclusion: str = "success", **told: Any) -> JobPlan:
    return job(name, conclusion, labels=("1-gpu-h100",), runner="h100-1", log=log(*blocks), **told)


@pytest.fixture(scope="module")
def github() -> Iterator[FakeGitHub]:
    """Five runs of PR Test at SGLang: see ``STORY``."""
    fake = FakeGitHub(clock=Clock(START + 60 * HOUR))
    world = fake.world
    repo = world.add_repository("sgl-project/sglang")
    fork = world.add_repository("mira/sglang", fork=True)
    pull = world.add_pull("Fix", repo=repo, number=7, branch="fix", head_repository=fork, author="mira", at=START)
    main: dict[str, Any] = {"workflow": "PR Test", "repo": repo}
    of_pull: dict[str, Any] = {
        "event": "pull_request",
        "branch": "fix",
        "sha": pull.head_sha,
        "head_repository": fork,
        "actor": "mira",
    }
    offline, online = "test_offline_throughput_default", "test_online_latency_default"
    world.add_run(
        [performance(PART_1, throughput(offline, "3815.20"), latency(online, "10012.34")), job("lint")],
        at=START, **main,
    )  # fmt: skip
    world.add_run(
        [
            performance(PART_1, throughput(offline, "3216.05", passed=False), conclusion="failure"),
            performance(PART_2, throughput("test_vlm_offline_throughput", "2100.00")),
        ],
        at=START + HOUR, conclusion="failure", **main,
    )  # fmt: skip
    again = world.add_run(
        [performance(PART_1, throughput(offline, "3000.00", passed=False), conclusion="failure")],
        at=START + 2 * HOUR, conclusion="failure", **main, **of_pull,
    )  # fmt: skip
    world.rerun(
        again, at=START + 3 * HOUR, conclusion="success",
        jobs=[performance(PART_1, throughput(offline, "3820.55"), latency(online, "10001.00"))],
    )  # fmt: skip
    world.add_run(
        [job(PART_1, "skipped"), job(TWO, log_state=LogState.EXPIRED), performance(PART_2, ["nothing of use"])],
        at=START + 4 * HOUR, **main,
    )  # fmt: skip
    world.add_run([], at=START + 5 * HOUR, **main)
    world.add_run([performance(PART_1, throughput(offline, "1.00"))], at=START + 6 * HOUR, workflow="Other", repo=repo)
    with fake:
        yield fake


def analyze(github: FakeGitHub, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_script(SCRIPT, github, folder, *arguments)


DIRECTORY = f"performance_tables/{PART_1}_summary"
STORY = f"""============================================================
SGLang Performance Analysis Report
============================================================

Getting recent 100 PR Test runs...
Got 5 PR test runs...

Collecting performance data from CI runs...
Processing run 5 (2025-09-25 13:00)...
Processing run 4 (2025-09-25 12:00)...
  Found performance-test-1-gpu-part-2 job (success)
  Found performance-test-2-gpu job (success)
Processing run 3 (2025-09-25 10:00)...
  Found performance-test-1-gpu-part-1 job (failure)
  Found performance-test-1-gpu-part-1 job (success)
Processing run 2 (2025-09-25 09:00)...
  Found performance-test-1-gpu-part-1 job (failure)
  Found performance-test-1-gpu-part-2 job (success)
Processing run 1 (2025-09-25 08:00)...
  Found performance-test-1-gpu-part-1 job (success)

Performance data collection completed!
  Window: 5 runs of sgl-project/sglang created 2025-09-25 08:00 to 2025-09-25 13:00 UTC
  Logs: 6 read of 7 performance jobs, 1 expired
  Jobs that did not pass, included: 2, with 8 values
  Jobs that passed without a value in their log: 1 (performance-test-1-gpu-part-2: 1)

Generating performance tables to directory: performance_tables
  Generated table: {DIRECTORY}/test_offline_throughput_default.csv
  Generated chart: {DIRECTORY}/test_offline_throughput_default_output_throughput_token_s.png
  Generated table: {DIRECTORY}/test_online_latency_default.csv
  Generated chart: {DIRECTORY}/test_online_latency_default_median_e2e_latency_ms.png
  Generated table: performance_tables/performance-test-1-gpu-part-2_summary/test_vlm_offline_throughput.csv

Performance tables and charts generation completed!

============================================================
Performance Analysis Summary
============================================================

Total PR Test runs processed: 5
Total performance tests found: 3
Total performance records collected: 7
Series: 13, 0 searched for changes, 7 with fewer than 6 values of the default branch
No value any more: 13 series of 3 tests

Performance test breakdown:
  performance-test-1-gpu-part-1: 2 tests, 6 records
  performance-test-1-gpu-part-2: 1 tests, 1 records

Generated files:
  CSV tables: 3 files
  PNG charts: 2 files
  Output directory: performance_tables/
  HTML page: performance_tables/index.html
  JSON: performance_tables/performance.json

Analysis completed successfully!
"""


@pytest.fixture(scope="module")
def folder(github: FakeGitHub, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the command was run once; ``story.txt`` is what it printed."""
    folder = tmp_path_factory.mktemp("analyzer")
    done = analyze(github, folder)
    assert (done.returncode, done.stderr) == (0, "")
    (folder / "story.txt").write_text(done.stdout, encoding="utf-8")
    return folder


def test_the_story_is_the_established_one_line_by_line(folder: Path) -> None:
    assert (folder / "story.txt").read_text(encoding="utf-8") == STORY


def test_the_files_are_those_that_the_story_tells_of(folder: Path) -> None:
    made = {str(path.relative_to(folder)) for path in (folder / "performance_tables").rglob("*.*") if path.is_file()}
    told = [line.split(": ")[1] for line in STORY.splitlines() if line.startswith(("  Generated", "  HTML", "  JSON"))]
    assert made == {*told, "performance_tables/.trackside-files.json"}


def test_the_table_has_every_attempt_the_newest_first(github: FakeGitHub, folder: Path) -> None:
    text = (folder / DIRECTORY / "test_offline_throughput_default.csv").read_text(encoding="utf-8")
    lines = [line.replace(github.html_url, "https://github.com").split(",") for line in text.splitlines()]
    first = "created_at,run_number,pr_number,author,head_sha,output_throughput_token_s,url,run_attempt,job_conclusion"
    assert lines[0][:9] == first.split(",")
    runs = "https://github.com/sgl-project/sglang/actions/runs/1900000000"
    assert [[*line[:4], *line[5:9]] for line in lines[1:]] == [
        ["2025-09-25 10:00", "3", "#7", "Mira", "3820.55", f"{runs}3", "2", "passed"],
        ["2025-09-25 10:00", "3", "#7", "Mira", "3000.0", f"{runs}3", "1", "failed"],
        ["2025-09-25 09:00", "2", "", "Alice", "3216.05", f"{runs}2", "1", "failed"],
        ["2025-09-25 08:00", "1", "", "Alice", "3815.2", f"{runs}1", "1", "passed"],
    ]
    assert all(len(line[4]) == 8 for line in lines[1:])


def test_what_was_read_before_is_not_asked_for_again(github: FakeGitHub, folder: Path) -> None:
    assert analyze(github, folder, "--offline").stdout == STORY
    github.journal.clear()
    assert analyze(github, folder).stdout == STORY
    asked = github.journal.by_endpoint()
    assert not any("job" in endpoint or "log" in endpoint for endpoint in asked), asked


def test_the_limit_takes_the_newest_runs_and_what_they_do_not_hold_goes(github: FakeGitHub, tmp_path: Path) -> None:
    assert analyze(github, tmp_path, "--output-dir", "mine").returncode == 0
    done = analyze(github, tmp_path, "--limit", "2", "--output-dir", "mine")
    assert "Getting recent 2 PR Test runs...\nGot 2 PR test runs...\n" in done.stdout
    assert "  CSV tables: 0 files\n" in done.stdout
    assert {path.name for path in (tmp_path / "mine").iterdir()} == {
        "index.html", "performance.json", ".trackside-files.json",
    }  # fmt: skip


def test_every_metric_is_drawn_where_that_is_asked_for(folder: Path, github: FakeGitHub) -> None:
    done = analyze(github, folder, "--offline", "--all-metrics", "--output-dir", "all")
    assert f"  Generated chart: all/{PART_1}_summary/test_offline_throughput_default_duration_s.png\n" in done.stdout
    assert "  PNG charts: 9 files\n" in done.stdout


def test_under_a_small_budget_it_tells_what_is_missing_and_goes_on_from_there(
    github: FakeGitHub, tmp_path: Path
) -> None:
    first = analyze(github, tmp_path, "--max-calls", "6")
    assert first.returncode == 4
    assert "Not complete: " in first.stderr
    assert first.stdout.endswith("Analysis completed; data of GitHub is still missing.\n")
    second = analyze(github, tmp_path)
    assert (second.returncode, second.stdout) == (0, STORY)


def test_without_runs_it_says_so_writes_nothing_and_ends_well(github: FakeGitHub, tmp_path: Path) -> None:
    github.world.add_repository("octo/silent")
    done = analyze(github, tmp_path, "--repo", "octo/silent")
    assert (done.stdout, done.returncode) == ("No performance data found\n", 0)
    assert "octo/silent" in done.stderr
    assert not (tmp_path / "performance_tables").exists()


def test_a_wrong_repository_is_one_sentence(github: FakeGitHub, tmp_path: Path) -> None:
    done = analyze(github, tmp_path, "--repo", "octo/nowhere")
    assert (done.stdout, done.returncode) == ("", 1)
    assert "octo/nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_directory_that_cannot_be_written_is_one_sentence(github: FakeGitHub, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    done = analyze(github, folder, "--offline", "--output-dir", str(tmp_path / "file"))
    assert done.returncode == 1
    assert done.stderr.startswith("Error: The report could not be written to ")
    assert done.stderr.count("\n") == 1


def test_from_a_bare_checkout_one_sentence_says_how_to_install(tmp_path: Path) -> None:
    bare = tmp_path / "checkout" / "scripts" / "ci_monitor" / "ci_analyzer_perf.py"
    bare.parent.mkdir(parents=True)
    bare.write_bytes(SCRIPT.read_bytes())
    words = [sys.executable, "-I", "-S", str(bare), "--token", "x"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr.startswith("The package trackside is not installed here")
    assert done.stderr.rstrip().endswith(f"install it with: pip install {tmp_path / 'checkout'}")


def test_the_json_tells_how_it_was_collected(folder: Path) -> None:
    told = json.loads((folder / "performance_tables" / "performance.json").read_text(encoding="utf-8"))
    assert told["counts"]["logs"] == {"expired": 1, "read": 6}
    assert (told["counts"]["records"], told["counts"]["silent_jobs"], told["workflow"]) == (7, 1, "PR Test")
