"""``trackside ci queue``, ``runners``, ``balance`` and ``minutes`` as a user runs them, and what they print."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import zstandard

from scripts.schemas import schema_of
from tests.build_github import attempt, job, job_log, marker
from tests.build_suite_logs import begin, end, log, summary
from trackside.cli.app import run, trackside_app
from trackside.records.jobs import Job
from trackside.store.store import open_store

HOSTILE = "=1+1 \x1b[31m<svg onload=x> @everyone | #1 \u202e"
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
BEGAN = NOW - dt.timedelta(days=2)
COMMANDS = ("queue", "runners", "balance", "minutes")
Command = Callable[..., tuple[int, str, str]]


def a_job(number: int, **told: Any) -> Job:
    """A job of run ``number`` on one of four runners in turn; each second one of ``gpu-3`` fails."""
    runner = f"gpu-{number % 4}"
    started = BEGAN + dt.timedelta(minutes=number, seconds=90)
    row: dict[str, Any] = {
        "name": f"unit ({number % 2})",
        "conclusion": "failure" if number % 8 == 3 else "success",
        "created_at": BEGAN + dt.timedelta(minutes=number),
        "started_at": started,
        "completed_at": started + dt.timedelta(minutes=10),
        "queue_s": 90.0,
        "duration_s": 600.0,
        "runner_name": runner,
        "labels": ("gpu", "self-hosted"),
        "html_url": f"https://github.com/octo/engine/actions/runs/{number}/job/{number}",
    }
    return job(number, number, **row | told)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """``trackside ci`` without GitHub, on a store with eighty runs of one job, its logs, and a hostile name."""
    monkeypatch.chdir(tmp_path)
    for name in ("TRACKSIDE_STORE", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    store = open_store(tmp_path / ".trackside")
    times = [BEGAN + dt.timedelta(minutes=n) for n in range(1, 83)]
    store.add_runs([attempt(n, created_at=at, head_sha=f"{n:040x}") for n, at in enumerate(times, 1)], NOW)
    jobs = [a_job(n) for n in range(1, 81)]
    jobs += [a_job(81, name=HOSTILE, runner_name=HOSTILE, labels=(HOSTILE,)), a_job(82, queue_s=None, labels=())]
    store.add_jobs(jobs, [marker(n) for n in range(1, 83)], NOW)
    told = {1: ("a.py", 500, 60), 2: ("b.py", 30, 60), 3: ("c.py", 400, 390), 5: (f"{HOSTILE[0]}d.py", 90, 0)}
    logs = [
        job_log(n, run_id=n, content=zstandard.compress(log(begin(f), end(f, elapsed=s, estimated=e), summary([f]))))
        for n, (f, s, e) in told.items()
    ]
    store.add_logs(logs, NOW)

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(trackside_app(), ["ci", *arguments, "--repo", "octo/engine", "--offline"])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.mark.parametrize("name", COMMANDS)
def test_the_document_follows_the_published_schema(command: Command, name: str) -> None:
    code, out, _ = command(name, "--format", "json")
    document = json.loads(out)

    validator = jsonschema.Draft202012Validator(schema_of(f"ci-{name}"), format_checker=jsonschema.FormatChecker())
    assert code == 0
    assert list(validator.iter_errors(document)) == []
    assert (document["schema_version"], document["repository"]) == (1, "octo/engine")
    assert document["span"]["runs"] == 82


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("form", ["table", "csv", "markdown", "json"])
def test_no_control_character_of_a_name_gets_out(command: Command, name: str, form: str) -> None:
    _, out, err = command(name, "--format", form)

    assert "\x1b" not in out + err
    assert "\u202e" not in out + err
    if form == "markdown":
        assert "<svg" not in out
        assert "@everyone" not in out
    if form == "csv":
        cells = [cell for row in csv.reader(io.StringIO(out)) for cell in row]
        assert [cell for cell in cells if cell.startswith(("=", "+", "@"))] == []


def test_the_bad_runner_is_named_and_a_check_ends_with_3(command: Command) -> None:
    code, out, _ = command("runners", "--format", "json")
    document = json.loads(out)

    assert (code, document["bad"]) == (0, ["gpu-3"])
    assert document["runners"]["runners"][0]["compared_failures"] == 10
    assert command("runners", "--check", "--since", "7d")[0] == 3
    assert command("runners", "--check", "--job", "no such job")[0] == 1


def test_the_table_of_runners_says_what_was_compared(command: Command) -> None:
    _, out, _ = command("runners")

    assert "gpu-3" in out.split("What failed there")[0]
    assert "4 runners and 0 pools were compared with others on the same jobs" in out
    assert "PR Test" not in out


def test_waiting_times_are_told_by_pool_and_the_unknown_are_counted(command: Command) -> None:
    _, out, _ = command("queue", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))

    whole = {row["pool"]: row for row in rows if not row["start"]}
    assert (whole["gpu+self-hosted"]["jobs"], whole["gpu+self-hosted"]["p90_s"]) == ("80", "90.0")
    assert (whole[""]["jobs"], whole[""]["unknown"], whole[""]["p50_s"]) == ("0", "1", "")
    assert "Of 1 job attempt that began it is not told" in command("queue")[1]


def test_a_check_ends_with_3_where_jobs_wait_too_long(command: Command) -> None:
    assert command("queue", "--check")[0] == 0
    assert command("queue", "--check", "--over", "80s")[0] == 3
    assert command("queue", "--over", "80s")[0] == 0
    assert command("queue", "--over", "soon")[0] == 2


def test_a_check_ends_with_3_where_shards_are_uneven(command: Command) -> None:
    assert command("balance", "--check")[0] == 3
    assert command("balance", "--check", "--job", "unit (1)")[0] == 0


def test_a_partition_is_proposed_and_files_have_their_gap(command: Command) -> None:
    _, out, _ = command("balance", "--format", "json")
    (family,) = [one for one in json.loads(out)["balance"]["families"] if one["job"] == "unit"]

    assert (family["longest_s"], family["planned_s"]) == (990.0, 520.0)
    assert {one["file"]: one["gap_s"] for one in family["files"]} == {
        "test/a.py": 440.0,
        "test/=d.py": 90.0,
        "test/b.py": -30.0,
        "test/c.py": 10.0,
    }
    assert "A better partition of" in command("balance")[1]


def test_minutes_are_told_by_outcome(command: Command) -> None:
    _, out, _ = command("minutes", "--format", "json")
    total = json.loads(out)["minutes"]["total"]

    assert (total["total_min"], total["lost_min"], total["job_attempts"]) == (820.0, 100.0, 82)


@pytest.mark.parametrize("name", COMMANDS)
def test_no_run_in_the_window_is_an_empty_report_and_one_sentence(command: Command, name: str) -> None:
    code, out, err = command(name, "--since", "1h", "--format", "json")

    assert (code, json.loads(out)["schema_version"]) == (0, 1)
    assert "No run of octo/engine is in the window" in err


@pytest.mark.parametrize("name", COMMANDS)
def test_top_shortens_tables(command: Command, name: str) -> None:
    assert len(command(name, "--top", "1")[1].splitlines()) < len(command(name)[1].splitlines())
    assert command(name, "--top", "0")[0] == 2
