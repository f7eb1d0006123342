"""``trackside perf report`` from GitHub to the files: forms, exits, what is told of failures and of what is missing."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import pytest

from scripts.schemas import schema_of
from tests.fake_github import Clock, FakeGitHub
from tests.fake_github.scenario_perf import perf
from tests.syncing import REPO, TOKEN, sync_once
from trackside.cli.app import run as run_app
from trackside.cli.app import trackside_app
from trackside.store.store import open_store

PART_1 = "performance-test-1-gpu-part-1"
Said = tuple[int, str, str]
Run = Callable[..., Said]


@pytest.fixture(scope="module")
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC), ticking=True)) as fake:
        perf(fake.world, runs=20, name=REPO)
        yield fake


@pytest.fixture(scope="module")
def store(github: FakeGitHub, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store for all that holds everything, so that each thing is read once, whichever test comes first."""
    folder = tmp_path_factory.mktemp("store") / "store"
    assert sync_once(github, open_store(folder), days=90, logs="perf").missing == ()
    return folder


@pytest.fixture
def run(
    github: FakeGitHub, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs ``perf report`` in a directory of its own; what it ended with and what it said on both streams."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_API_URL", github.api_url)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)

    def command(*arguments: str) -> Said:
        code = run_app(trackside_app(), ["perf", "report", "--repo", REPO, "--store", str(store), *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return command


def test_the_json_follows_its_schema_and_holds_every_series_with_its_points(run: Run, tmp_path: Path) -> None:
    code, out, err = run("--format", "json", "--workflow", "pr-test.yml")
    assert (code, err.splitlines()) == (0, ["The report is in performance_tables."])
    told = json.loads(out)
    jsonschema.validate(told, schema_of("perf-report"))
    assert out.isascii()
    assert json.loads((tmp_path / "performance_tables" / "performance.json").read_text()).keys() == told.keys()
    counts, jobs = told["counts"], {one["job_id"]: one for one in told["jobs"]}
    points = [point for series in told["series"] for point in series["points"]]
    assert counts["values"] + counts["earlier_tries"] == len(points)
    assert counts["series"] == len(told["series"]) > 50
    assert {point["job_id"] for point in points} == set(jobs)
    [bs1] = [one for one in told["series"] if one["test"] == "test_bs1_default" and one["is_established"]]
    assert (bs1["unit"], bs1["better"], bs1["n"]) == ("tok/s", "higher", sum(p["is_final"] for p in bs1["points"]))
    assert bs1["default_branch_n"] == sum(jobs[point["job_id"]]["is_default_branch"] for point in bs1["points"])
    assert told["least_points"] > 2


def test_the_csv_has_a_row_for_every_value(run: Run) -> None:
    code, out, _ = run("--format", "csv", "--offline", "--workflow", "pr-test.yml", "--job", PART_1)
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) > 500
    assert {row["workflow"] for row in rows} == {"PR Test"}
    assert all(float(row["value"]) == float(row["value"]) for row in rows)


def test_the_markdown_tells_jobs_and_newest_values(run: Run) -> None:
    code, out, _ = run("--format", "markdown", "--offline", "--workflow", "pr-test.yml", "--job", PART_1)
    assert code == 0
    assert out.startswith("# octo/engine Performance Analysis Report\n\n**")
    assert "\n| performance-test-1-gpu-part-1 | " in out
    assert "\n## Newest values\n" in out


def test_several_workflows_are_told_apart(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("--output-dir", "all", "--job", PART_1, "--job", "perf / *")
    assert code == 0
    assert "Getting CI runs...\n" in out
    assert "  performance-test-1-gpu-part-1 (PR Test): " in out
    assert "(Nightly Test): " in out
    assert (tmp_path / "all" / "performance-test-1-gpu-part-1_summary" / "test_bs1_default.csv").is_file()


def test_the_page_stands_beside_the_tables(run: Run, tmp_path: Path) -> None:
    assert run("--offline", "--workflow", "pr-test.yml", "--job", PART_1)[0] == 0
    page = (tmp_path / "performance_tables" / "index.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "test_bs1_default" in page


def test_an_empty_window_is_one_sentence_and_no_file(run: Run, tmp_path: Path) -> None:
    window = ("--offline", "--since", "2020-01-01", "--until", "2020-02-01")
    code, out, err = run(*window)
    assert (code, out) == (0, "No performance data found\n")
    assert err.startswith("No run of octo/engine is in the window")
    assert not (tmp_path / "performance_tables").exists()
    code, out, _ = run(*window, "--format", "json")
    assert (code, json.loads(out)["series"], json.loads(out)["window"]["first_run_at"]) == (0, [], None)
    assert run(*window, "--format", "markdown")[1].endswith("No performance data found.\n")


def test_a_job_that_is_not_there_is_one_sentence(run: Run) -> None:
    code, out, err = run("--offline", "--job", "no-such-job")
    assert (code, out) == (1, "")
    assert "--job no-such-job" in err


def test_a_wrong_limit_is_wrong_usage(run: Run) -> None:
    assert run("--limit", "many")[0] == 2
