"""``trackside ci failures`` from GitHub to the screen: forms, exits, what is missing, what is told."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import pytest

from scripts.schemas import schema_of
from tests.fake_github import FakeGitHub
from tests.fake_github.scenarios import small
from tests.syncing import REPO, TOKEN
from trackside.cli.app import run as run_app
from trackside.cli.app import trackside_app

Said = tuple[int, str, str]
Run = Callable[..., Said]


@pytest.fixture(scope="module")
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as fake:
        small(fake.world, name=REPO)
        yield fake


@pytest.fixture
def run(github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``ci failures`` in a directory of its own; what it ended with and what it said on both streams."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_API_URL", github.api_url)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)

    def command(*arguments: str) -> Said:
        since = () if "--since" in arguments else ("--since", "2020-01-01")
        code = run_app(trackside_app(), ["ci", "failures", "--repo", REPO, *since, *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return command


def test_the_blocks_stand_first_and_what_led_to_verdicts_after_them(run: Run) -> None:
    code, out, err = run()
    assert (code, err) == (0, "")
    titles = [line for line in out.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert titles == [
        "Overall Statistics:",
        "Category Failure Statistics:",
        "Most Frequently Failed Jobs (Top 50):",
        "Failure Pattern Analysis:",
        "Verdicts:",
        "Failure Groups:",
    ]
    assert "   1. unit-test-2-gpu (1): 3 times\n" in out


def test_strictly_there_is_nothing_but_the_established_blocks(run: Run) -> None:
    _, out, _ = run("--strict-compat")
    assert "Verdicts:" not in out
    assert "   1. unit-test-2-gpu (1): 1 times\n" in out


def test_logs_tell_the_causes(run: Run) -> None:
    code, out, _ = run("--logs", "failed")
    assert code == 0
    assert "Counted: each failed job attempt once, 3 by a line of the log, 0 by the names of job and step" in out
    assert "GPU Related Failure: 2 times" in out
    assert "Accuracy Test Failure: 1 times" in out


def test_the_json_is_the_same_on_stdout_and_in_the_file(run: Run, tmp_path: Path) -> None:
    code, out, err = run("--format", "json", "--output", "a/report.json")
    assert (code, err) == (0, f"The report is in {tmp_path / 'a' / 'report.json'}.\n")
    told, kept = json.loads(out), json.loads((tmp_path / "a" / "report.json").read_text(encoding="utf-8"))
    jsonschema.validate(told, schema_of("ci-failures"))
    assert {**told, "generated_at": ""} == {**kept, "generated_at": ""}
    assert told["verdicts"]["jobs"][0]["job"] == "unit-test-2-gpu (1)"
    assert told["window"]["since"] == "2020-01-01T00:00:00Z"


def test_the_csv_has_the_jobs(run: Run) -> None:
    code, out, err = run("--format", "csv")
    assert (code, err) == (0, "")
    assert [row["job"] for row in csv.DictReader(io.StringIO(out))] == ["unit-test-2-gpu (1)"]


def test_the_summary_ends_with_verdicts_and_groups(run: Run) -> None:
    _, out, _ = run("--format", "markdown", "--top", "5")
    assert out.startswith("# octo/engine CI Analysis Report\n")
    assert "## Most Frequently Failed Jobs (Top 5)" in out
    assert "## Verdicts" in out
    assert "## Failure Groups" in out


def test_a_budget_that_ends_is_told_and_the_next_runs_complete_it(run: Run) -> None:
    code, out, err = run("--max-calls", "8")
    assert code == 4
    assert "  Not read: the jobs of " in out
    assert "Not complete: " in err
    assert [run("--max-calls", "8")[0] for _ in range(4)][-1] == 0
    assert run("--offline")[1] == run()[1]


def test_only_chosen_jobs_are_counted(run: Run) -> None:
    _, out, _ = run("--job", "lint")
    assert "times\n" not in out
    assert "Failed without a job" not in out


def test_a_window_without_a_run_ends_well(run: Run) -> None:
    code, out, err = run("--since", "1m")
    assert (code, out) == (0, "No CI run data found\n")
    assert "--since 90d looks at a longer one" in err


def test_offline_without_a_store_is_one_sentence(run: Run) -> None:
    code, out, err = run("--offline")
    assert (code, out) == (1, "")
    assert err.count("\n") == 1


def test_a_message_can_be_looked_at_without_being_sent(run: Run) -> None:
    code, out, err = run("--dry-run")
    assert code == 0
    assert "Failure Pattern Analysis:" in out
    assert err


def test_a_message_to_nowhere_is_a_wrong_usage_before_anything_is_read(run: Run, github: FakeGitHub) -> None:
    pytest.importorskip("apprise")
    github.journal.clear()
    code, out, err = run("--notify", "nosuchservice://secret")
    assert (code, out) == (2, "")
    assert "secret" not in err
    assert github.journal.count() == 0


def test_the_url_of_messages_may_stand_in_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("apprise")
    monkeypatch.setenv("TRACKSIDE_NOTIFY_URL", "nosuchservice://secret")
    code, out, err = run("--offline")
    assert (code, out) == (2, "")
    assert "secret" not in err


def test_a_report_that_cannot_be_written_is_one_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, _, err = run("--output", "file/report.json")
    assert code == 1
    assert err.startswith("Error: The report could not be written to ")
