"""The JSON API: what it tells, how it refuses, and that reading goes on while the store is written."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.bench_sites import bench_run
from tests.build_github import at, attempt, job, ledger, marker, step
from tests.serving import FILES, REPO, TOKEN, Answer, Served, python, server_here
from trackside.errors import UnreadableInputError
from trackside.records.deliveries import Incoming, Outcome
from trackside.records.run_lists import RunAsked, RunPage
from trackside.report.bench_document import benchmarks_json
from trackside.server.backend import Figures

RUNS = "/api/v1/runs"


def ids(answer: Answer) -> list[int]:
    assert answer.status == 200, answer.body
    return [run["run_id"] for run in answer.json["runs"]]


def some_runs(served: Served) -> None:
    served.store.add_runs(
        [
            attempt(1, workflow_file=".github/workflows/ci.yml", workflow_name="CI", head_branch="main"),
            attempt(2, workflow_name="Nightly", created_at=at(10), conclusion="failure", head_branch="copilot/x"),
            attempt(3, created_at=at(20), status="in_progress", conclusion=None),
            attempt(2, 2, workflow_name="Nightly", created_at=at(10), head_branch="copilot/x"),
        ],
        at(30),
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [3, 2, 1]),
        ("?limit=1", [3]),
        ("?limit=1&offset=1", [2]),
        ("?offset=9", []),
        ("?workflow=ci.yml", [1]),
        ("?workflow=.github/workflows/ci.yml", [1]),
        ("?workflow=Nightly", [2]),
        ("?status=in_progress", [3]),
        ("?conclusion=success", [2, 1]),
        ("?conclusion=failure", []),
        ("?branch=copilot%2Fx", [2]),
        ("?agent=copilot", [1]),
        ("?agent=nobody", []),
        ("?since=2026-11-01T12:10:00Z", [3, 2]),
        ("?since=2026-11-01T14:10:00%2B02:00&until=2026-11-01T12:15:00", [2]),
        ("?since=2026-11-01&until=2026-11-01", [3, 2, 1]),
        ("?until=2026-10-31", []),
        ("?workflow=%3Cscript%3E", []),
    ],
)
def test_runs_are_those_that_are_asked_for_by_their_newest_attempt(
    tmp_path: Path, query: str, expected: list[int]
) -> None:
    with server_here(tmp_path) as served:
        some_runs(served)
        served.until_ready()
        assert ids(served.get(RUNS + query)) == expected


def test_a_page_of_runs_says_how_many_there_are_and_whose_they_are(tmp_path: Path) -> None:
    with server_here(tmp_path) as served:
        some_runs(served)
        served.until_ready()
        told = served.get(f"{RUNS}?limit=2&offset=1").json
        assert (told["total"], told["limit"], told["offset"], told["repository"]) == (3, 2, 1, REPO)
        assert [(run["run_id"], run["run_attempt"], run["agent"]) for run in told["runs"]] == [
            (2, 2, None),
            (1, 1, "copilot"),
        ]
        assert told["runs"][1]["created_at"] == "2026-11-01T12:00:00Z"


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limit=0", "limit"), ("limit=501", "limit"), ("limit=ten", "limit"), ("limit=-1", "limit"),
        ("limit=", "limit"), ("limit=1_0", "limit"),
        ("limit=%D9%A1", "limit"), ("offset=10000001", "offset"), ("offset=1e3", "offset"),
        ("since=yesterday", "since"), ("since=2026-13-01", "since"), ("since=0001-01-01T00:00:00%2B23:59", "since"),
        ("until=2026-11-01T25:00", "until"), ("until=9999-12-31", ""), ("workflow=", "workflow"),
        ("branch=" + "x" * 301, "branch"), ("limit=1&limit=2", "limit"), ("page=2", "page"), ("%00=1", "\\x00"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(tmp_path: Path, query: str, named: str) -> None:
    with server_here(tmp_path) as served:
        answer = served.get(f"{RUNS}?{query}")
        if not named:
            assert answer.status == 200
            return
        assert answer.status == 400
        assert answer.json["error"].startswith(("'" + named, named))


def test_a_run_comes_with_its_attempts_and_their_jobs(tmp_path: Path) -> None:
    with server_here(tmp_path) as served:
        some_runs(served)
        served.store.add_jobs([job(11, 2, steps=(step(1), step(4))), job(10, 2), job(12, 3)], [marker(2)], at(31))
        told = served.get(f"{RUNS}/2").json
        assert [run["run_attempt"] for run in told["attempts"]] == [2, 1]
        assert [one["job_id"] for one in told["jobs"]] == [10, 11]
        assert [one["number"] for one in told["jobs"][1]["steps"]] == [1, 4]
        assert served.get(f"{RUNS}/99").json == {"error": "The store has no run 99 of octo/engine."}
        assert served.get(f"{RUNS}/99").status == 404


@pytest.mark.parametrize("run_id", ["x", "-1", "1.0", "1e3", "0x1", "%D9%A1", "1" * 19, "1;ls", "--help", "1%20"])
def test_the_number_of_a_run_is_digits_alone(tmp_path: Path, run_id: str) -> None:
    with server_here(tmp_path) as served:
        answer = served.get(f"{RUNS}/{run_id}")
        assert answer.status == 400
        assert "run_id" in answer.json["error"]


def test_a_document_is_the_one_of_the_site(tmp_path: Path) -> None:
    with server_here(tmp_path) as served:
        served.until_ready()
        answer = served.get("/api/v1/ci/streaks")
        assert answer.body.decode() == FILES["data/ci-streaks.json"]
        assert served.get("/api/v1/ci/streaks", if_none_match=answer.headers["etag"]).status == 304
        assert served.get("/api/v1/perf/report").status == 404
        assert served.get("/api/v1/ci/streaks?x=1").status == 400


def test_benchmark_runs_are_those_of_the_site(tmp_path: Path) -> None:
    runs = benchmarks_json([bench_run(1), bench_run(2, registered_at=None)])
    with server_here(tmp_path, files={**FILES, "data/benchmarks.json": runs.decode()}) as served:
        served.until_ready()
        assert served.get("/api/v1/benchmarks").body == runs


def test_documents_wait_for_the_first_site(tmp_path: Path) -> None:
    with server_here(tmp_path, build=python("import time; time.sleep(60)")) as served:
        assert served.get("/api/v1/ci/streaks").status == 503
        assert served.get(RUNS).status == 200


def test_what_people_and_alerts_say_comes_from_the_store_as_it_is_now(tmp_path: Path) -> None:
    with server_here(tmp_path) as served:
        assert served.get("/api/v1/kb").json["entries"] == []
        assert {one["state"] for one in served.get("/api/v1/alerts").json["alerts"]} <= {"unknown", "off"}
        served.store.add_sync(ledger())
        states = {one["kind"]: one["state"] for one in served.get("/api/v1/alerts").json["alerts"]}
        assert states["stale_data"] == "on"


def test_the_status_says_how_the_server_stands(tmp_path: Path) -> None:
    with server_here(tmp_path, secret=None) as served:
        served.store.add_sync(ledger())
        served.until_ready()
        told = served.get("/api/v1/status").json
        assert told["repository"] == REPO
        assert told["generated_at"] == "2026-11-22T06:00:00Z"
        assert (told["takes_webhooks"], told["analyses_runs"]) == (False, True)
        assert (told["build_error"], told["sync_error"]) == (None, None)


@pytest.mark.parametrize("path", ["/api/", "/api/v1", "/api/v2/runs", "/api/v1/runs/1/2", "/webhooks/gitlab"])
def test_what_is_not_there_is_said_in_json(tmp_path: Path, path: str) -> None:
    with server_here(tmp_path) as served:
        served.until_ready()
        answer = served.get(path)
        assert answer.status == 404
        assert list(answer.json) == ["error"]


def test_long_answers_are_packed_for_who_takes_that(tmp_path: Path) -> None:
    with server_here(tmp_path) as served:
        served.store.add_runs([attempt(number) for number in range(1, 60)], at(0))
        packed = served.get(RUNS, accept_encoding="gzip")
        assert json.loads(gzip.decompress(packed.body)) == served.get(RUNS).json


TORN = "Table runs of the store /srv/secret cannot be read: torn."


class Broken:
    """A store that cannot be read."""

    def revision(self) -> str:
        raise UnreadableInputError(TORN)

    def runs(self, asked: RunAsked) -> RunPage:
        raise UnreadableInputError(TORN)

    def run(self, run_id: int) -> None:
        raise UnreadableInputError(TORN)

    def document(self, name: str) -> bytes:
        raise RuntimeError(name)

    def take(self, incoming: Sequence[Incoming]) -> tuple[Outcome, ...]:
        raise UnreadableInputError(TORN)

    def figures(self) -> Figures:
        raise UnreadableInputError(TORN)


def test_a_store_that_cannot_be_read_is_said_without_its_place_and_the_server_goes_on(tmp_path: Path) -> None:
    with server_here(tmp_path, backend=Broken()) as served:
        for path in (RUNS, f"{RUNS}/1", "/api/v1/status"):
            answer = served.get(path)
            assert answer.status == 503
            assert b"secret" not in answer.body
        answer = served.get("/api/v1/kb")
        assert (answer.status, answer.json) == (500, {"error": "The server could not answer this."})
        assert any("/api/v1/kb: unexpected RuntimeError: kb" in sentence for sentence in served.said)
        assert served.get("/metrics").status == 200
        assert served.metric("trackside_store_unread_total") >= 1


def test_no_more_questions_wait_than_can_be_answered_soon(tmp_path: Path) -> None:
    hold = threading.Event()

    class Slow(Broken):
        def runs(self, asked: RunAsked) -> RunPage:
            hold.wait(20)
            return RunPage(total=0, limit=asked.limit, offset=0, runs=())

    with server_here(tmp_path, backend=Slow()) as served, ThreadPoolExecutor(130) as pool:
        asked = [pool.submit(served.get, RUNS) for _ in range(130)]
        served.until(lambda: sum(one.done() for one in asked) >= 26)
        assert served.get("/healthz").status == 503
        hold.set()
        statuses = [one.result().status for one in asked]
        assert set(statuses) == {200, 503}
        # One of the places may be taken by the look at the store for the site.
        assert statuses.count(200) in (103, 104)


def test_viewers_read_while_the_store_is_written(tmp_path: Path) -> None:
    with server_here(tmp_path) as served:
        some_runs(served)
        served.until_ready()
        stop = threading.Event()

        def write() -> None:
            number = 100
            while not stop.is_set():
                number += 1
                served.store.add_runs([attempt(number, created_at=at(number))], at(number))

        writer = threading.Thread(target=write)
        writer.start()
        try:
            with ThreadPoolExecutor(6) as pool:
                answers = list(pool.map(lambda _: served.get(f"{RUNS}?limit=500"), range(60)))
                pages = list(pool.map(lambda _: served.get("/"), range(60)))
        finally:
            stop.set()
            writer.join()
        assert {one.status for one in (*answers, *pages)} == {200}
        assert max(one.json["total"] for one in answers) > 3
        assert ids(served.get(f"{RUNS}?limit=1"))[0] > 100


ANALYSIS = f"{RUNS}/7/analysis"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
ECHO = "import json, sys; print(json.dumps({'run': sys.argv[1:]}))"


def test_a_run_is_analysed_for_who_has_the_token(tmp_path: Path) -> None:
    with server_here(tmp_path, analyze=python(ECHO)) as served:
        answer = served.ask("POST", ANALYSIS, headers=BEARER)
        assert (answer.status, answer.json) == (200, {"run": ["7"]})
        assert served.ask("POST", ANALYSIS).status == 401
        assert "Bearer" in served.ask("POST", ANALYSIS).headers["www-authenticate"]
        for wrong in ("Bearer x", f"Bearer {TOKEN}x", "Bearer \xe9"):
            assert served.ask("POST", ANALYSIS, headers={"Authorization": wrong}).status == 403
        for other in (f"Basic {TOKEN}", TOKEN, "", "Bearer "):
            assert served.ask("POST", ANALYSIS, headers={"Authorization": other}).status == 401
        assert served.ask("POST", f"{RUNS}/7;ls/analysis", headers=BEARER).status == 400
        assert served.get(ANALYSIS).status == 405
        assert served.get(ANALYSIS).headers["allow"] == "POST"


def test_without_a_token_nobody_analyses_a_run(tmp_path: Path) -> None:
    with server_here(tmp_path, token=None) as served:
        for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
            assert served.ask("POST", ANALYSIS, headers=headers).status == 503


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        ("import sys; sys.exit('There is no run 7.')", 502, "There is no run 7."),
        ("print('{}'); import sys; sys.exit(1)", 200, ""),
        ("print('no json')", 502, "not analysed"),
        ("print('x' * 20_000_000)", 502, "larger than"),
    ],
)
def test_what_came_of_an_analysis_is_said(tmp_path: Path, code: str, status: int, words: str) -> None:
    with server_here(tmp_path, analyze=python(code)) as served:
        answer = served.ask("POST", ANALYSIS, headers=BEARER)
        assert answer.status == status
        assert words in answer.body.decode()


def test_two_analyses_run_at_once_and_no_third(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    code = f"import os, time\nopen({str(tmp_path)!r} + '/begun-' + str(os.getpid()), 'w')\n"
    code += f"while not os.path.exists({str(gate)!r}): time.sleep(0.02)\nprint('{{}}')"
    with server_here(tmp_path, analyze=python(code)) as served, ThreadPoolExecutor(2) as pool:
        running = [pool.submit(served.ask, "POST", ANALYSIS, None, BEARER) for _ in range(2)]
        served.until(lambda: len(list(tmp_path.glob("begun-*"))) == 2)
        third = served.ask("POST", ANALYSIS, headers=BEARER)
        gate.touch()
        assert third.status == 429
        assert third.headers["retry-after"] == "30"
        assert [one.result().status for one in running] == [200, 200]
        assert served.ask("POST", ANALYSIS, headers=BEARER).status == 200
        assert served.metric('trackside_analyses_total{result="busy"}') == 1


def test_a_moment_without_a_zone_is_utc(tmp_path: Path) -> None:
    with server_here(tmp_path) as served:
        served.store.add_runs([attempt(1, created_at=dt.datetime(2026, 11, 1, 23, 30, tzinfo=dt.UTC))], at(0))
        assert ids(served.get(f"{RUNS}?since=2026-11-01T23:30")) == [1]
        assert ids(served.get(f"{RUNS}?since=2026-11-01T23:31")) == []
