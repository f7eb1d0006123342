from __future__ import annotations

import datetime as dt
import io
import json
import sys
from pathlib import Path
from typing import Any

import jsonschema
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.schemas import schema_of
from tests.api_bodies import HOME, REPO, job_body, page, run_body, step_body
from tests.recorded import GITHUB_DATA, needs_recordings
from trackside.cli.app import run as run_command
from trackside.cli.app import trackside_app
from trackside.github.decode import jobs_page, runs_page
from trackside.github.json_documents import documents
from trackside.records.ingests import Counts, IngestRecord
from trackside.report.ingest_report import ingest_document, ingest_lines
from trackside.store.store import Store, open_store
from trackside.sync import ingest as ingest_module
from trackside.sync.ingest import ingest

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def lines(*bodies: Any) -> bytes:
    return b"".join((body if isinstance(body, bytes) else json.dumps(body).encode()) + b"\n" for body in bodies)


def put(store: Store, content: bytes, repo: str | None = None, most: int = 1_000_000) -> IngestRecord:
    return ingest(io.BytesIO(content), store, repo=repo, now=NOW, most=most)


def rows(store: Store, table: str, *columns: str) -> list[tuple[Any, ...]]:
    return store.newest(table).select(columns).sort(columns).collect().rows()


def view(store: Store) -> list[pl.DataFrame]:
    stamps = ["observed_at", "precedence", "digest"]
    keys = {"runs": "run_id", "jobs": "job_id"}
    return [store.newest(table).drop(stamps).sort(key).collect() for table, key in keys.items()]


def split(content: bytes, most: int = 1_000) -> list[tuple[int, bytes | None]]:
    return [(document.line, document.data) for document in documents(io.BytesIO(content), most)]


def job_payload(**more: Any) -> dict[str, Any]:
    return {"action": "completed", "workflow_job": job_body(**more), "repository": HOME}


def test_every_line_is_a_document() -> None:
    assert split(b'{"a":1}\r\n\n  [2]  \n{"b":\n{"c":3}') == [
        (1, b'{"a":1}'),
        (3, b"[2]"),
        (4, b'{"b":'),
        (5, b'{"c":3}'),
    ]


def test_a_file_that_is_one_document_is_one() -> None:
    content = json.dumps({"a": [1, {"b": "x\ny"}]}, indent=2).encode()
    assert split(b"\n\n" + content + b"\n\n") == [(3, content)]


def test_documents_one_after_the_other_are_told_apart() -> None:
    assert split(b'{"a":1}{"b":2}\n{\n"c":3}\n\n[4]') == [
        (1, b'{"a":1}'),
        (1, b'{"b":2}'),
        (2, b'{\n"c":3}'),
        (5, b"[4]"),
    ]


def test_what_follows_the_last_whole_document_is_not_lost() -> None:
    assert split(b'{\n"a":1}\n{"torn":') == [(1, b'{\n"a":1}'), (3, b'{"torn":')]


def test_a_first_line_that_is_no_json_costs_only_itself() -> None:
    assert split(b'Date,Run\n{"a":1}\n{"b":2}\n') == [(1, b"Date,Run"), (2, b'{"a":1}'), (3, b'{"b":2}')]


def test_a_torn_document_over_many_lines_is_one_problem() -> None:
    content = json.dumps({"a": list(range(30))}, indent=2).encode()[:-10]
    assert split(content) == [(1, content)]


def test_a_byte_order_mark_is_no_part_of_a_document() -> None:
    assert split(b'\xef\xbb\xbf{"a":1}\n{"b":2}') == [(1, b'{"a":1}'), (2, b'{"b":2}')]
    assert split(b'\xef\xbb\xbf{"a":\n1}') == [(1, b'{"a":\n1}')]


def test_nothing_is_no_document() -> None:
    assert split(b"") == split(b"\n \r\n\t") == split(b"\xef\xbb\xbf\n") == []


def test_a_line_that_is_too_long_is_not_held_and_costs_only_itself() -> None:
    long = b'{"a":"' + b"x" * 2_000 + b'"}'
    assert split(long + b'\n{"b":2}\n' + long) == [(1, None), (2, b'{"b":2}'), (3, None)]
    assert split(b'{"b":2}\n' + long + b'\n{"c":3}') == [(1, b'{"b":2}'), (2, None), (3, b'{"c":3}')]


def test_a_document_over_lines_that_is_too_long_is_one_problem() -> None:
    assert split(json.dumps(list(range(500)), indent=2).encode()) == [(1, None)]


def test_lines_after_those_that_were_looked_at_as_a_whole_are_read() -> None:
    content = b"no json!\n" + b'{"a":1}\n' * 500
    assert split(content) == [(1, b"no json!"), *((line, b'{"a":1}') for line in range(2, 502))]


@given(st.binary(max_size=80), st.integers(5, 60))
def test_any_bytes_are_split_without_an_error(content: bytes, most: int) -> None:
    found = split(content, most)
    assert [line for line, _ in found] == sorted(line for line, _ in found)
    assert b"" not in [data for _, data in found]


def test_runs_and_jobs_arrive_with_what_was_read(store: Store) -> None:
    body = run_body(jobs=[job_body(id=1), job_body(id=2, steps=[step_body()])])
    assert put(store, lines(body, run_body(run_attempt=2), job_payload(id=3))) == IngestRecord(
        documents=3, runs=1, attempts=Counts(new=2), jobs=Counts(new=3), steps=Counts(new=5)
    )
    assert rows(store, "runs", "repo", "run_id", "run_attempt") == [(REPO, 19001, 1), (REPO, 19001, 2)]
    assert rows(store, "jobs", "job_id", "source") == [(1, "file"), (2, "file"), (3, "webhook")]
    assert rows(store, "fetched", "run_id") == []


def test_ingesting_twice_changes_nothing(store: Store) -> None:
    content = lines(run_body(), job_payload(), run_body(id=2, status="queued", conclusion=None))
    put(store, content)
    before, held = view(store), store.history("runs").collect().height
    again = put(store, content)
    assert (again.attempts, again.jobs, again.steps) == (
        Counts(unchanged=2),
        Counts(unchanged=1),
        Counts(unchanged=2),
    )
    assert all(one.equals(other) for one, other in zip(before, view(store), strict=True))
    assert store.history("runs").collect().height == held


def test_a_delivery_that_comes_late_changes_nothing(store: Store) -> None:
    done, begun = job_payload(), job_payload(status="in_progress", conclusion=None, completed_at=None, steps=[])
    assert put(store, lines(done)).jobs == Counts(new=1)
    assert put(store, lines(begun)).jobs == Counts(unchanged=1)
    assert rows(store, "jobs", "status", "conclusion") == [("completed", "success")]


@pytest.mark.parametrize("batch", [1, 5_000])
def test_another_spelling_of_a_repository_is_no_other_repository(
    store: Store, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_module, "BATCH", batch)
    home = {**HOME, "full_name": REPO.upper()}
    done, begun = job_payload(), {**job_payload(status="in_progress", completed_at=None), "repository": home}
    runs = {"workflow_run": run_body(), "repository": HOME}, {"workflow_run": run_body(id=2), "repository": home}
    old = {"workflow_run": run_body(status="queued", conclusion=None), "repository": home}
    assert put(store, lines(done, begun, *runs, old)).runs == 2
    assert put(store, lines(begun, old)).jobs == Counts(unchanged=1)
    assert rows(store, "jobs", "repo", "status") == [(REPO, "completed")]
    assert rows(store, "runs", "repo", "run_id", "status") == [(REPO, 2, "completed"), (REPO, 19001, "completed")]


def test_of_a_run_that_is_stored_in_two_spellings_the_one_that_came_further_is_known(store: Store) -> None:
    for repo, status in ((REPO.upper(), "completed"), (REPO, "in_progress")):
        store.add_runs(runs_page(page("workflow_runs", run_body(status=status)), repo).runs, NOW)
    assert put(store, lines(run_body(status="queued"))).attempts == Counts(unchanged=1)
    assert len(rows(store, "runs", "repo")) == 2


@pytest.mark.parametrize("batch", [1, 5_000])
def test_the_order_of_deliveries_in_a_file_does_not_matter(
    store: Store, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_module, "BATCH", batch)
    done = job_payload()
    begun = job_payload(status="in_progress", conclusion=None, completed_at=None)
    queued = job_payload(status="queued", conclusion=None, completed_at=None, steps=[])
    put(store, lines(done, queued, begun))
    put(
        store, lines(*({**payload, "workflow_job": payload["workflow_job"] | {"id": 9}} for payload in (queued, begun)))
    )
    assert rows(store, "jobs", "job_id", "status") == [(9, "in_progress"), (52001, "completed")]


def test_of_two_states_that_are_equally_far_the_later_line_counts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_module, "BATCH", 1)
    for job_id in range(1, 6):
        states = [[step_body(number=number) for number in range(1, count)] for count in (2, 3, 4)]
        running = {"id": job_id, "status": "in_progress", "conclusion": None, "completed_at": None}
        put(store, lines(*(job_payload(**running, steps=steps) for steps in states)))
    assert [len(steps) for (steps,) in store.newest("jobs").select("steps").collect().rows()] == [3] * 5


def test_news_of_a_known_run_is_a_change(store: Store) -> None:
    put(store, lines(run_body(status="in_progress", conclusion=None)))
    assert put(store, lines(run_body())).attempts == Counts(changed=1)
    assert rows(store, "runs", "status", "conclusion") == [("completed", "success")]


def test_what_was_read_from_the_api_is_not_said_again_by_a_webhook(store: Store) -> None:
    store.add_jobs(jobs_page(page("jobs", job_body()), REPO).jobs, (), NOW)
    assert put(store, lines(job_payload())).jobs == Counts(unchanged=1)
    assert rows(store, "jobs", "source") == [("rest",)]


def test_what_is_lost_is_counted_with_its_line(store: Store) -> None:
    content = lines(run_body(), b"{torn", {"zen": "x", "hook_id": 1}, job_payload(id=-1), job_payload(head_branch=1))
    found = put(store, content, most=10_000)
    assert (found.documents, found.lost, found.ignored, found.problems) == (5, 2, 1, 3)
    assert found.samples[0].startswith("line 2: the document: not valid JSON")
    assert found.samples[1:] == (
        "line 4: workflow_job.id: Expected `int` >= 1",
        "line 5: workflow_job.head_branch: Expected `str | null`, got `int`",
    )
    assert found.jobs == Counts(new=1)


def test_samples_end_and_counts_do_not(store: Store) -> None:
    found = put(store, lines(run_body(), *([b"{torn"] * 100)))
    assert (found.lost, found.problems, len(found.samples)) == (100, 100, 20)


def test_the_repository_of_those_without_one_is_the_one_that_was_named(store: Store) -> None:
    put(store, lines({"id": 1, "run_number": 2}), repo="octo/named")
    assert rows(store, "runs", "repo") == [("octo/named",)]


def test_nothing_secret_is_in_any_file_of_the_store(store: Store, tmp_path: Path) -> None:
    payload = job_payload(token="ghs_SECRETSECRET") | {"client_secret": "ghs_SECRETSECRET"}
    put(store, lines(payload, run_body(logs_url="https://x/?sig=ghs_SECRETSECRET")))
    files = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if b"SECRETSECRET" in path.read_bytes()] == []


def test_the_summary_says_what_came_and_what_did_not() -> None:
    record = IngestRecord(
        documents=1_234,
        lost=1,
        ignored=2,
        runs=3,
        attempts=Counts(new=4),
        jobs=Counts(new=5, changed=6, unchanged=7),
        problems=2,
        samples=("line 2: \x1b[31mred",),
    )
    assert ingest_lines(record) == [
        "1,234 documents: 3 runs, 2 payloads of other events",
        "  attempts  4 new, 0 changed, 0 unchanged",
        "  jobs      5 new, 6 changed, 7 unchanged",
        "  steps     0 new, 0 changed, 0 unchanged",
        "  not read  1 item; 2 problems, such as",
        "            line 2: \\x1b[31mred",
    ]
    validator = jsonschema.Draft202012Validator(schema_of("ingest"))
    assert list(validator.iter_errors(json.loads(json.dumps(ingest_document(record))))) == []
    assert list(validator.iter_errors({"schema_version": 1, "ingest": {"runs": "many"}})) != []


def command(*arguments: str) -> int:
    return run_command(trackside_app(), ["ingest", *arguments])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRACKSIDE_STORE", raising=False)
    return tmp_path


def test_the_command_fills_the_store_and_prints_the_summary(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "in.json").write_bytes(page("workflow_runs", run_body()))
    assert command("in.json", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["ingest"]["attempts"] == {"new": 1, "changed": 0, "unchanged": 0}
    assert command("in.json", "--store", str(here / ".trackside")) == 0
    assert "attempts  0 new, 0 changed, 1 unchanged" in capsys.readouterr().out


def test_the_command_reads_standard_input(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines(job_payload()))))
    assert command("-") == 0
    assert "jobs      1 new" in capsys.readouterr().out
    assert (here / ".trackside").is_dir()


def test_the_command_ends_with_4_where_something_was_lost(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "in.jsonl").write_bytes(lines(run_body(), b"{torn"))
    assert command("in.jsonl") == 4
    said = capsys.readouterr()
    assert "attempts  1 new" in said.out
    assert said.err == (
        "Not complete: 1 of the documents, runs and jobs in in.jsonl could not be read; the others are in the store.\n"
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "in.jsonl holds no runs and no jobs that can be read (0 documents, none of a run or a job).\n"),
        (b'{"zen":"x"}', "in.jsonl holds no runs and no jobs that can be read (1 document, none of a run or a job).\n"),
        (
            b'{"a":1}',
            "in.jsonl holds no runs and no jobs that can be read (line 1: the object is no run, no job and no ",
        ),
    ],
)
def test_the_command_ends_with_1_where_nothing_could_be_read(
    here: Path, capsys: pytest.CaptureFixture[str], content: bytes, sentence: str
) -> None:
    (here / "in.jsonl").write_bytes(content)
    assert command("in.jsonl") == 1
    assert capsys.readouterr().err.startswith(sentence)


def test_the_command_names_a_file_that_is_not_there(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("none.jsonl") == 1
    assert command(str(here)) == 1
    assert capsys.readouterr().err == (
        f"Error: none.jsonl does not exist.\nError: {here} cannot be read: Is a directory.\n"
    )
    assert not (here / ".trackside").exists()


def test_the_command_refuses_a_repository_that_is_none(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "in.json").write_text('{"id": 1, "run_number": 2}')
    assert command("in.json", "--repo", "engine") == 2
    assert "--repo engine: a repository is OWNER/NAME" in capsys.readouterr().err
    assert command("in.json", "--repo", "https://github.com/octo/engine") == 0
    assert rows(open_store(here / ".trackside"), "runs", "repo", "run_id") == [("octo/engine", 1)]


@needs_recordings
def test_the_real_runs_of_a_dashboard_are_in_the_store_once(store: Store) -> None:
    content = (GITHUB_DATA.parent / "agentops" / "runs_before_2025-11-19.jsonl").read_bytes()
    found = put(store, content, most=128 * 1024)
    assert (found.documents, found.runs, found.attempts, found.problems) == (226, 226, Counts(new=226), 0)
    assert put(store, content, most=128 * 1024).attempts == Counts(unchanged=226)
    told = [json.loads(line) for line in content.splitlines()]
    assert rows(store, "runs", "run_id", "conclusion") == sorted((run["id"], run["conclusion"]) for run in told)
