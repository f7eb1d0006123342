"""``trackside perf compare`` as a user runs it: what it prints in each form, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from scripts.schemas import schema_of
from tests.build_github import REPO, marker
from tests.fake_github import FakeGitHub
from tests.fake_github.scenarios import perf
from tests.test_perf_changes import steady
from tests.test_perf_changes_command import HOSTILE, HOUR, NOW, a_job, a_measurement, a_run
from tests.test_perf_comparison import World, quiet
from trackside.cli.app import run, trackside_app
from trackside.perf.comparison_records import Verdict
from trackside.records.measurements import MeasuredLog
from trackside.report.perf_compare_markdown import compare_markdown
from trackside.store.store import Store, open_store

MAIN_RUNS = 40
PULL = 77
Command = Callable[..., tuple[int, str, str]]


def plant(store: Store, pull: dict[str, list[float]]) -> None:
    """Forty runs of main at 150 for each test, and as many runs of a pull request as the longest has values."""
    numbers = range(1, 1 + MAIN_RUNS + max(len(values) for values in pull.values()))
    times = {number: NOW - (numbers[-1] - number + 1) * HOUR for number in numbers}
    told = {"event": "pull_request", "head_branch": "alice/change", "head_sha": "f" * 40, "pull_numbers": (PULL,)}
    runs = [a_run(number, times[number]) for number in numbers]
    store.add_runs([one if one.run_id <= MAIN_RUNS else replace(one, **told) for one in runs], NOW)
    store.add_jobs([a_job(number, times[number]) for number in numbers], [marker(number) for number in numbers], NOW)
    values = [
        a_measurement(number, test, value)
        for test, own in pull.items()
        for number, value in enumerate([*steady(MAIN_RUNS), *own], 1)
    ]
    keys: dict[str, Any] = {"repo": REPO, "run_attempt": 1, "version": "1", "tests": len(pull)}
    logs = [MeasuredLog(job_id=number, run_id=number, measurements=len(pull), **keys) for number in numbers]
    store.add_measurements(values, logs, NOW)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / ".trackside")


@pytest.fixture
def command(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """``trackside perf compare`` without GitHub, on the store of the working directory."""
    monkeypatch.chdir(tmp_path)
    for name in ("TRACKSIDE_STORE", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)

    def call(*words: str) -> tuple[int, str, str]:
        code = run(trackside_app(), ["perf", "compare", *words, "--repo", REPO, "--offline"])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_a_slower_test_is_told_and_fails_a_check(command: Command, store: Store) -> None:
    plant(store, {"test_slow": [140.0, 140.5], "test_same": [150.0, 150.2]})
    code, out, err = command(f"PR:{PULL}", "--check")
    assert (code, err) == (3, "")
    assert f"PR #{PULL} beside main: 1 of 2 series got worse, 0 better, 1 the same, 0 with too few values" in out
    assert "slower" in out
    assert "test_same" not in out
    assert f"https://github.com/{REPO}/actions/runs/42/job/42" in out
    assert command(f"PR:{PULL}")[0] == 0


def test_an_unchanged_pull_request_passes_a_check_and_all_shows_every_series(command: Command, store: Store) -> None:
    plant(store, {"test_same": [150.0, 150.2]})
    code, out, _ = command("main", f"PR:{PULL}", "--check", "--all")
    assert code == 0
    assert re.search(r"same within \d\.\d %", out)
    assert "Not listed" not in out
    assert "main: 20 runs of" in out


def test_the_document_follows_the_published_schema(command: Command, store: Store) -> None:
    plant(store, {"test_slow": [140.0, 140.5], "test_alone": [150.0]})
    code, out, _ = command(f"PR:{PULL}", "--format", "json")
    document = json.loads(out)
    jsonschema.validate(document, schema_of("perf-compare"))
    assert (code, document["repository"], document["schema_version"]) == (0, REPO, 1)
    told = {one["test"]: one for one in document["comparison"]["series"]}
    assert (told["test_slow"]["verdict"], told["test_slow"]["n_first"], told["test_slow"]["n_second"]) == (
        "worse",
        20,
        2,
    )
    assert told["test_slow"]["high_percent"] < -5
    assert (told["test_alone"]["n_second"], told["test_alone"]["url"][-3:]) == (1, "/41")


def test_csv_has_a_row_for_every_series(command: Command, store: Store) -> None:
    plant(store, {"test_slow": [140.0, 140.5], "=2+2": [150.0, 150.1]})
    rows = list(csv.DictReader(io.StringIO(command(f"PR:{PULL}", "--format", "csv")[1])))
    assert [(row["test"], row["verdict"], row["second"]) for row in rows] == [
        ("test_slow", "worse", f"PR #{PULL}"),
        ("'=2+2", "same", f"PR #{PULL}"),
    ]


def test_markdown_begins_with_the_verdict_and_hides_what_did_not_change(command: Command, store: Store) -> None:
    plant(store, {"test_slow": [140.0, 140.5], "test_same": [150.0, 150.2]})
    lines = command(f"PR:{PULL}", "--format", "markdown")[1].splitlines()
    assert lines[0].startswith(f"**PR &#35;{PULL} beside main: 1 of 2 series got worse")
    [row] = [line for line in lines if line.startswith("| performance-test-1-gpu / test_slow")]
    assert f"[2](https://github.com/{REPO}/actions/runs/42/job/42)" in row
    assert row.endswith("| **slower** |")
    assert "<details><summary>1 the same</summary>" in lines
    assert any(line.startswith("- performance-test-1-gpu / test_same") for line in lines)


def test_nothing_of_a_name_acts_in_markdown_or_on_a_terminal(command: Command, store: Store) -> None:
    plant(store, {HOSTILE: [140.0, 140.5], f"b{HOSTILE}": [150.0, 150.1]})
    for form in ("table", "markdown", "csv", "json"):
        _, out, _ = command(f"PR:{PULL}", "--format", form, "--all")
        assert not {"\x1b", "\x07", "\u202e"} & set(out)
    markdown = command(f"PR:{PULL}", "--format", "markdown")[1]
    assert not re.search(r"<img|(?<!&)#1|(?<!\w)@everyone", markdown)


@pytest.mark.parametrize("every", [False, True])
def test_markdown_of_a_thousand_series_fits_into_a_comment(every: bool) -> None:
    told = World().add(quiet(40)).pull([90.0, 90.1], title="é<" * 999).compared()
    [one] = told.series
    names = [f"{number}{'é<' * number}" for number in range(1000)]
    verdicts = [list(Verdict)[number % 4] for number in range(1000)]
    many = [replace(one, test=name, verdict=verdict) for name, verdict in zip(names, verdicts, strict=True)]
    text = compare_markdown(replace(told, series=tuple(many), only_first=tuple(names)), every=every)
    assert len(text.encode()) <= 65_536
    assert "`--format json` has all" in text
    assert text.count("<details>") == text.count("</details>") == (0 if every else 2)
    assert "Benjamini-Hochberg" in text


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("PR:5",), 1, "Pull request #5 has no run in the window"),
        (("feature",), 1, "is of feature"),
        (("main", "main"), 2, "Both sides of the comparison are main"),
        ((), 2, "FIRST"),
    ],
)
def test_a_wrong_side_is_one_sentence(
    command: Command, store: Store, words: tuple[str, ...], code: int, says: str
) -> None:
    plant(store, {"test_same": [150.0]})
    ended, out, err = command(*words)
    assert (ended, out) == (code, "")
    assert says in err
    assert "Traceback" not in err


def test_sides_that_measured_nothing_in_common_are_an_error_with_what_they_measured(
    command: Command, store: Store
) -> None:
    plant(store, {"test_same": [150.0]})
    values = [a_measurement(41, "test_new", 1.0)]
    log = MeasuredLog(repo=REPO, job_id=41, run_id=41, run_attempt=1, version="2", tests=1, measurements=1)
    store.add_measurements([replace(one, version="2") for one in values], [log], NOW + HOUR)
    code, _, err = command(f"PR:{PULL}", "--check")
    assert code == 1
    assert "No performance series was measured both on main and on PR #77" in err
    assert "test_new" in err


def test_a_pull_request_is_compared_out_of_the_logs_that_github_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_TOKEN", "any")
    with FakeGitHub() as github:
        monkeypatch.setenv("GITHUB_API_URL", github.api_url)
        repo = perf(github.world, runs=50, name=REPO)
        number = max(pull.number for pull in repo.pulls)
        words = [f"PR:{number}", "--repo", REPO, "--since", "2020-01-01", "--format", "json", "--quiet"]
        code = run(trackside_app(), ["perf", "compare", *words])
    said = capsys.readouterr()
    assert code == 0, said.err
    told = json.loads(said.out)["comparison"]
    assert (told["first"]["side"]["kind"], told["second"]["side"]["pull_number"]) == ("default", number)
    assert told["series"]
    assert [one["series"] for one in told["series"] if one["verdict"] == "worse"] == []
