"""Questions in SQL: over the newest rows, and nothing but a question."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import polars as pl
import pytest

from tests.build_github import NOON, at, attempt, job, marker, step
from trackside.errors import UsageError
from trackside.store.store import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_store(tmp_path / "store")
    store.add_runs([attempt(1, status="in_progress"), attempt(2)], at(0))
    store.add_runs([attempt(1)], at(1))
    steps = (step(1, name="Set up job"), step(3, conclusion="failure"))
    store.add_jobs([job(10, steps=steps, conclusion="failure"), job(11, steps=())], [marker()], NOON)
    return store


@pytest.mark.parametrize(
    "query",
    [
        "",
        "SELEC 1",
        "SELECT nothing FROM runs",
        "SELECT * FROM workers",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE runs",
        "DROP TABLE runs",
        "TRUNCATE TABLE runs",
        "DELETE FROM runs",
        "UPDATE runs SET status = 'x'",
        "INSERT INTO runs VALUES (1)",
        "WITH x AS (DELETE FROM runs) SELECT 1",
        "CREATE TABLE x AS SELECT * FROM runs",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM READ_PARQUET ('/etc/passwd')",
        "SELECT 1 -- '\n FROM read_csv('/etc/passwd')",
        "SELECT 1 AS \"'\" FROM read_csv('/etc/passwd')",
        "SELECT 1 /* ' */ FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT sum(status) FROM runs",
        "SELECT cast(status AS INT) FROM runs",
        "SELECT * FROM runs WHERE \x00",
        "(" * 500,
    ],
)
def test_what_is_no_question_is_refused_in_one_sentence(store: Store, query: str) -> None:
    with pytest.raises(UsageError) as caught:
        store.sql(query)
    assert "\n" not in str(caught.value)
    assert store.sql("SELECT count(*) AS n FROM runs").rows() == [(2,)]


def test_words_in_quotes_and_comments_are_no_commands(store: Store) -> None:
    query = "/* drop */ SELECT count(*) AS n -- read_csv\nFROM runs WHERE status NOT IN ('read_csv', 'delete')"
    assert store.sql(query).rows() == [(2,)]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT count(*) FROM {reader}('{file}')",
        "SELECT count(*) FROM \"{reader}\"('{file}')",
        "SELECT count(*) FROM `{reader}`('{file}')",
        "SELECT count(*) FROM '{reader}' ('{file}')",
        "SELECT count(*) FROM {reader}/* /* ( */ */('{file}')",
        "SELECT count(*) FROM {reader} -- x\n\t('{file}')",
        "SELECT $$'$$, count(*) FROM {reader}('{file}') -- '",
        "SELECT $x$ ' $x$, count(*) FROM {reader}('{file}') -- '",
        "SELECT 1 AS `'`, count(*) FROM {reader}('{file}') -- '",
        "SELECT /* /* */ ' */ 1 AS one, count(*) FROM {reader}('{file}') -- '",
        "WITH x AS (SELECT 1) SELECT count(*) FROM x CROSS JOIN {reader}('{file}')",
        "EXPLAIN SELECT * FROM {reader}('{file}')",
    ],
)
@pytest.mark.parametrize("reader", ["read_csv", "READ_Parquet"])
def test_no_spelling_reads_a_file(store: Store, tmp_path: Path, query: str, reader: str) -> None:
    file = tmp_path / "secret"
    table = pl.DataFrame({"secret": [1, 2, 3]})
    table.write_csv(file) if reader == "read_csv" else table.write_parquet(file)
    with pytest.raises(UsageError, match="Only the tables of the store can be asked"):
        store.sql(query.format(reader=reader, file=file))


def test_tables_are_joined_on_their_newest_rows(store: Store) -> None:
    query = """
        WITH failed AS (SELECT run_id, count(*) AS n FROM jobs WHERE conclusion = 'failure' GROUP BY run_id)
        SELECT r.status, f.n FROM runs r JOIN failed f ON r.run_id = f.run_id
    """
    assert store.sql(query).rows() == [("completed", 1)]


def test_with_every_row_the_history_is_asked(store: Store) -> None:
    query = "SELECT status FROM runs WHERE run_id = 1 ORDER BY observed_at"
    assert store.sql(query, every_row=True).rows() == [("in_progress",), ("completed",)]


def test_steps_have_a_row_each_with_the_keys_of_their_job(store: Store) -> None:
    query = "SELECT job_id, job_name, number, name, conclusion FROM steps ORDER BY number"
    assert store.sql(query).rows() == [
        (10, "test", 1, "Set up job", "success"),
        (10, "test", 3, "Run tests", "failure"),
    ]
    assert store.sql("SELECT * FROM steps").columns == [
        "repo",
        "run_id",
        "run_attempt",
        "job_id",
        "job_name",
        "number",
        "name",
        "status",
        "conclusion",
        "started_at",
        "completed_at",
        "duration_s",
    ]


def test_tables_without_rows_can_be_asked(store: Store) -> None:
    assert store.sql("SELECT max(number) AS n FROM pulls").rows() == [(None,)]
    assert store.sql("SELECT count(*) AS n FROM syncs").rows() == [(0,)]


@pytest.mark.parametrize(
    "condition",
    [
        "observed_at < now() - INTERVAL '24 hours'",
        "observed_at < CURRENT_TIMESTAMP - INTERVAL '1 day'",
        "observed_at < Current_Timestamp ( )",
        "observed_at < current_date",
        "observed_at > TIMESTAMP '2000-01-01 06:00:00'",
        "observed_at > timestamp'2000-01-01'",
        "observed_at > TIMESTAMP WITH TIME ZONE '2000-01-01 06:00:00Z'",
        "observed_at > DATE '2000-01-01'",
        "observed_at > '2000-01-01'",
        "observed_at > '2000-01-01T06:00:00Z'",
        "status != 'now() timestamp ''2000' -- now() timestamp '2000'",
    ],
)
def test_times_are_compared_as_they_are_written(store: Store, condition: str) -> None:
    assert store.sql(f"SELECT count(*) AS n FROM runs WHERE {condition}").rows() == [(2,)]


def test_now_is_now_wherever_the_machine_is(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    try:
        before = dt.datetime.now(dt.UTC)
        now, today, timestamp = store.sql("SELECT now() AS n, current_date AS d, current_timestamp AS timestamp").row(0)
        assert before <= now == timestamp <= dt.datetime.now(dt.UTC)
        assert before.date() <= today <= now.date()
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_questions_of_the_docs_can_be_asked(store: Store) -> None:
    page = (Path(__file__).parent.parent / "docs" / "store.md").read_text(encoding="utf-8")
    questions = page.partition("```sql\n")[2].partition("```")[0].split(";\n")[:-1]
    answers = [store.sql(question) for question in questions]
    assert [answer.columns[0] for answer in answers] == [
        "name",
        "job_name",
        "labels",
        "name",
        "html_url",
        "run_attempt",
    ]
    assert answers[1].rows() == [("test", "Run tests", 1)]
