"""``trackside store`` as a user runs it."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from tests.build_github import NOON, at, attempt, job, marker
from trackside.store.schema import TABLES
from trackside.store.store import open_store

SCHEMAS = Path(__file__).parent.parent / "docs" / "schemas"
BINARY = Path(sys.executable).parent / "trackside"
HOSTILE = "=1+1 \x1b[31m<svg onload=x> @everyone | #1 \u202e"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs ``trackside store`` in a directory whose store has two runs, three jobs and a history."""
    store = open_store(tmp_path / ".trackside")
    store.add_runs([attempt(1, status="in_progress"), attempt(2, display_title=HOSTILE)], NOON)
    store.add_runs([attempt(1)], at(1))
    jobs = [job(10, name="a", labels=("gpu",)), job(11, name="b"), job(12, run_id=2, name="a", conclusion="failure")]
    store.add_jobs(jobs, [marker(1), marker(2)], NOON)

    def run(*arguments: object, **environ: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TRACKSIDE_")}
        command = [str(BINARY), "store", *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, env=environment | environ, capture_output=True, text=True)

    return run


def test_info_tells_each_table(run: Run) -> None:
    done = run("info")
    assert done.returncode == 0
    assert [
        [cell.strip() for cell in line.split("│")[1:4]] for line in done.stdout.splitlines() if "│ runs" in line
    ] == [["runs", "2", "3"]]


def test_the_json_of_info_follows_its_schema(run: Run) -> None:
    document = json.loads(run("info", "--format", "json").stdout)
    jsonschema.validate(document, json.loads((SCHEMAS / "store.schema.json").read_text()))
    assert {one["table"]: one["rows"] for one in document["tables"]}["runs"] == 3


def test_a_question_is_answered_as_json_that_follows_its_schema(run: Run) -> None:
    done = run(
        "sql", "SELECT name, count(*) AS n, sqrt(-1.0) AS nan FROM jobs GROUP BY name ORDER BY name", "--format", "json"
    )
    document = json.loads(done.stdout)
    jsonschema.validate(document, json.loads((SCHEMAS / "sql.schema.json").read_text()))
    assert document["rows"] == [{"name": "a", "n": 2, "nan": None}, {"name": "b", "n": 1, "nan": None}]


def test_the_newest_rows_are_asked_and_with_history_all(run: Run) -> None:
    query = "SELECT count(*) AS n FROM runs"
    assert run("sql", query, "--format", "csv").stdout == "n\n2\n"
    assert run("sql", query, "--history", "--format", "csv").stdout == "n\n3\n"


def test_a_word_of_a_question_that_is_a_command_elsewhere_changes_nothing(run: Run) -> None:
    assert run("sql", "SELECT count(*) AS show FROM runs", "--format", "csv").stdout == "show\n2\n"
    assert run("sql", "SHOW TABLES", "--format", "csv").stdout.split()[1:] == sorted((*TABLES, "steps"))
    assert run("sql", "SELECT 1 AS one", "--format", "csv").stdout == "one\n1\n"


def test_steps_are_a_table_of_their_own(run: Run) -> None:
    query = "SELECT job_name, name, conclusion FROM steps WHERE run_id = 2"
    assert run("sql", query, "--format", "csv").stdout == "job_name,name,conclusion\na,Run tests,success\n"


def test_hostile_cells_are_harmless_in_every_format(run: Run) -> None:
    query = "SELECT display_title FROM runs WHERE run_id = 2"
    shown = {form: run("sql", query, "--format", form).stdout for form in ("table", "csv", "json", "markdown")}
    assert all("\x1b" not in text and "\u202e" not in text for text in shown.values())
    assert list(csv.reader(io.StringIO(shown["csv"])))[1][0].startswith("'=1+1 \\x1b")
    assert json.loads(shown["json"])["rows"] == [{"display_title": HOSTILE}]
    assert not set("<@#") & set(shown["markdown"].replace("&#", ""))


def test_what_cannot_be_answered_is_one_sentence_and_wrong_usage(run: Run) -> None:
    done = run("sql", "SELECT nothing FROM runs")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: The question cannot be answered: ")
    assert done.stderr.count("\n") == 1


def test_a_long_answer_is_cut_on_a_terminal_and_nowhere_else(run: Run, tmp_path: Path) -> None:
    open_store(tmp_path / ".trackside").add_jobs([job(1000 + number, name="many") for number in range(250)], [], NOON)
    query = "SELECT job_id FROM jobs WHERE name = 'many'"
    assert len(run("sql", query, "--format", "csv").stdout.splitlines()) == 251
    assert len(json.loads(run("sql", query, "--format", "json").stdout)["rows"]) == 250
    assert len(run("sql", query).stdout.splitlines()) == 254

    master, terminal = pty.openpty()
    with subprocess.Popen(
        [BINARY, "store", "sql", query], cwd=tmp_path, stdout=terminal, stderr=subprocess.PIPE
    ) as done:
        os.close(terminal)
        shown = b""
        while chunk := read_chunk(master):
            shown += chunk
        assert done.stderr is not None
        assert done.stderr.read() == b"100 of 250 rows are shown; --format csv or json has them all.\n"
    os.close(master)
    assert shown.count(b"\n") == 104


def read_chunk(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def test_compacting_pruning_and_exporting_say_what_they_did(run: Run, tmp_path: Path) -> None:
    assert "runs: 2 rows in 1 file, 1 row gone (2 files before)\n" in run("compact").stdout
    assert run("compact", "--now").stdout.splitlines()[-1] == "4 files deleted"
    done = run("export", "out", "--format", "csv")
    assert done.stdout.splitlines()[:2] == ["out/runs.csv (2 rows)", "out/jobs.csv (3 rows)"]
    assert len((tmp_path / "out" / "jobs.csv").read_text().splitlines()) == 4
    gone = run("prune", "--keep", "0d")
    assert "runs: 0 rows in 0 files, 2 rows gone (1 file before)\n" in gone.stdout
    assert json.loads(run("info", "--format", "json").stdout)["tables"][1]["rows"] == 0


@pytest.mark.parametrize("keep", ["400", "-1d", "1000000d"])
def test_how_long_to_keep_is_a_number_of_days(run: Run, keep: str) -> None:
    done = run("prune", f"--keep={keep}")
    assert done.returncode == 2
    assert done.stderr == f"Error: --keep {keep} is no number of days: write it as 400d.\n"


def test_the_store_is_the_one_that_is_named(run: Run, tmp_path: Path) -> None:
    open_store(tmp_path / "other").add_runs([attempt()], NOON)
    query = ("sql", "SELECT count(*) AS n FROM runs", "--format", "csv")
    assert run(*query, "--store", "other").stdout == "n\n1\n"
    assert run(*query, TRACKSIDE_STORE=str(tmp_path / "other")).stdout == "n\n1\n"


@pytest.mark.parametrize(
    "command", [["info"], ["compact"], ["prune", "--keep", "9d"], ["export", "out"], ["sql", "SELECT 1"]]
)
def test_a_store_that_is_not_there_is_said(run: Run, tmp_path: Path, command: list[str]) -> None:
    done = run(*command, "--store", "nowhere")
    assert done.returncode == 1
    assert done.stderr == (
        f"There is no store at {tmp_path / 'nowhere'}: trackside sync --repo OWNER/NAME makes one, and so does a "
        "report without --offline; one that lies elsewhere is named with --store.\n"
    )
    assert not (tmp_path / "nowhere").exists()


def test_the_credentials_of_an_object_store_are_never_shown(run: Run) -> None:
    told = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_SECRET_ACCESS_KEY": "hush-hush", "AWS_ACCESS_KEY_ID": "id"}
    quick = {"AWS_ALLOW_HTTP": "true", "AWS_MAX_RETRIES": "0", "AWS_REGION": "x"}
    done = run("info", "--store", "s3://bucket/x", "--debug", **told, **quick)
    assert done.returncode == 1
    assert "hush-hush" not in done.stdout + done.stderr
