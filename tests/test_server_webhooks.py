"""Deliveries of GitHub: taken when their signature is right, once, and never over what is newer."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.api_bodies import HOME, REPO, job_body, page, run_body, step_body
from tests.build_github import NOON
from tests.serving import SECRET, Served, server_here, signature
from trackside.cli.serve_backend import StoreBackend
from trackside.errors import OutputError
from trackside.github.decode import jobs_page, runs_page
from trackside.records.deliveries import Incoming, Outcome, Taken, TakenDelivery
from trackside.server.webhooks import MOST_BODY
from trackside.settings import Settings
from trackside.store.store import Store, open_store
from trackside.sync.deliveries import take_deliveries


def run_payload(**more: Any) -> bytes:
    return json.dumps({"action": "completed", "workflow_run": run_body(**more), "repository": HOME}).encode()


def job_payload(**more: Any) -> bytes:
    return json.dumps({"action": "completed", "workflow_job": job_body(**more), "repository": HOME}).encode()


def rows(store: Store, table: str, *columns: str) -> list[tuple[Any, ...]]:
    return store.newest(table).select(columns).sort(columns).collect().rows()


def history(store: Store, table: str) -> int:
    return store.history(table).collect().height


def server(folder: Path, **more: Any) -> Any:
    return server_here(folder, repo=REPO, **more)


def test_a_delivery_is_in_the_store_when_it_is_answered(tmp_path: Path) -> None:
    with server(tmp_path) as served:
        answer = served.deliver(run_payload(), X_GitHub_Delivery="d1")
        assert rows(served.store, "runs", "run_id", "source", "conclusion") == [(19001, "webhook", "success")]
        assert (answer.status, answer.json) == (200, {"status": "stored", "runs": 1, "jobs": 0, "why": None})
        answer = served.deliver(job_payload(), "workflow_job", X_GitHub_Delivery="d2")
        assert (answer.status, answer.json["jobs"]) == (200, 1)
        assert rows(served.store, "jobs", "job_id", "runner_name") == [(52001, "h100-03")]
        assert rows(served.store, "deliveries", "delivery_id", "event") == [
            ("d1", "workflow_run"),
            ("d2", "workflow_job"),
        ]
        assert served.metric('trackside_webhook_deliveries_total{result="stored"}') == 2


def test_a_run_appears_in_the_api_without_polling_github(tmp_path: Path) -> None:
    with server(tmp_path) as served:
        served.deliver(run_payload(status="in_progress", conclusion=None))
        assert served.get("/api/v1/runs").json["runs"][0]["status"] == "in_progress"
        served.deliver(run_payload(updated_at="2026-03-02T10:05:00Z"))
        assert served.get("/api/v1/runs").json["runs"][0]["conclusion"] == "success"


@pytest.mark.parametrize(
    "header",
    [
        "", "sha256=", "sha256=" + "0" * 64, "sha1=" + "0" * 40, "0" * 64, "sha256=" + "g" * 64, "sha256=" + "0" * 65,
        signature(run_payload(), "another secret"), signature(run_payload() + b" "), signature(run_payload(), ""),
    ],
)  # fmt: skip
def test_a_forged_delivery_is_refused_and_changes_nothing(tmp_path: Path, header: str) -> None:
    with server(tmp_path) as served:
        answer = served.deliver(run_payload(), X_Hub_Signature_256=header)
        assert answer.status == 401
        assert list(answer.json) == ["error"]
        assert rows(served.store, "runs", "run_id") == rows(served.store, "deliveries", "delivery_id") == []
        assert served.metric('trackside_webhook_deliveries_total{result="forged"}') == 1


def test_the_signature_may_be_written_in_capitals(tmp_path: Path) -> None:
    with server(tmp_path) as served:
        assert served.deliver(run_payload(), X_Hub_Signature_256=signature(run_payload()).upper()).status == 200


@pytest.mark.parametrize("secret", [None, ""])
def test_without_a_secret_nothing_is_taken(tmp_path: Path, secret: str | None) -> None:
    with server(tmp_path, secret=secret) as served:
        for body_signature in (signature(run_payload(), ""), signature(run_payload()), ""):
            answer = served.deliver(run_payload(), X_Hub_Signature_256=body_signature)
            assert answer.status == 503
            assert "TRACKSIDE_WEBHOOK_SECRET" in answer.json["error"]


def test_a_replayed_delivery_changes_nothing(tmp_path: Path) -> None:
    with server(tmp_path) as served:
        served.deliver(run_payload(), X_GitHub_Delivery="d1")
        before = [history(served.store, table) for table in ("runs", "jobs", "deliveries")]
        again = served.deliver(run_payload(), X_GitHub_Delivery="d1")
        other_id = served.deliver(run_payload(), X_GitHub_Delivery="d2")
        other_body = served.deliver(run_payload(conclusion="failure"), X_GitHub_Delivery="d1")
        for answer in (again, other_id, other_body):
            assert (answer.status, answer.json["status"]) == (200, "duplicate")
        assert [history(served.store, table) for table in ("runs", "jobs", "deliveries")] == before
        assert rows(served.store, "runs", "conclusion") == [("success",)]


def test_a_replay_is_known_after_a_restart(tmp_path: Path) -> None:
    with server(tmp_path) as served:
        served.deliver(run_payload(), X_GitHub_Delivery="d1")
    with server(tmp_path) as served:
        assert served.deliver(run_payload(), X_GitHub_Delivery="d9").json["status"] == "duplicate"
        assert served.deliver(job_payload(), "workflow_job", X_GitHub_Delivery="d1").json["status"] == "duplicate"
        assert history(served.store, "runs") == 1


def test_the_same_delivery_many_times_at_once_is_taken_once(tmp_path: Path) -> None:
    with server(tmp_path) as served, ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: served.deliver(run_payload(), X_GitHub_Delivery="d1").json, range(16)))
        assert sorted(one["status"] for one in answers) == ["duplicate"] * 15 + ["stored"]
        assert history(served.store, "runs") == 1


def test_an_older_payload_never_overwrites_a_newer_one(tmp_path: Path) -> None:
    newest = {"updated_at": "2026-03-02T11:00:00Z", "conclusion": "failure"}
    with server(tmp_path) as served:
        for more in (
            newest,
            {"updated_at": "2026-03-02T10:30:00Z", "conclusion": "success"},
            {"updated_at": "2026-03-02T12:00:00Z", "status": "in_progress", "conclusion": None},
            {"updated_at": "2026-03-02T12:30:00Z", "status": "queued", "conclusion": None},
        ):
            assert served.deliver(run_payload(**more)).status == 200
        assert rows(served.store, "runs", "status", "conclusion") == [("completed", "failure")]


OTHER_CASE = {**HOME, "full_name": REPO.title()}


@pytest.mark.parametrize("is_synced", [False, True])
@pytest.mark.parametrize("newer_is_other", [False, True])
def test_another_spelling_of_the_repository_is_no_other_repository(
    tmp_path: Path, is_synced: bool, newer_is_other: bool
) -> None:
    def told(is_other: bool, run: dict[str, Any], job: dict[str, Any]) -> tuple[bytes, bytes]:
        home = OTHER_CASE if is_other else HOME
        bodies = {"workflow_run": run_body(**run)}, {"workflow_job": job_body(**job)}
        return tuple(json.dumps({**body, "repository": home}).encode() for body in bodies)  # type: ignore[return-value]

    running = {"status": "in_progress", "conclusion": None}
    newer = told(newer_is_other, {"updated_at": "2026-03-02T11:00:00Z"}, {})
    older = told(not newer_is_other, running, {**running, "completed_at": None, "steps": []})
    with server(tmp_path) as served:
        if is_synced:
            served.store.add_runs(runs_page(page("workflow_runs", run_body(**running)), REPO.upper()).runs, NOON)
            served.store.add_jobs(jobs_page(page("jobs", job_body(**running)), REPO.upper()).jobs, (), NOON)
        for run, job in (newer, older):
            assert served.deliver(run).json["status"] == "stored"
            assert served.deliver(job, "workflow_job").json["status"] == "stored"
        spelled = REPO.upper() if is_synced else REPO
        assert rows(served.store, "runs", "repo", "status") == [(spelled, "completed")]
        assert rows(served.store, "jobs", "repo", "status") == [(spelled, "completed")]


def test_an_older_word_of_a_job_that_is_still_running_does_not_hide_the_newer_one(tmp_path: Path) -> None:
    first = {"steps": [step_body()], "status": "in_progress", "conclusion": None, "completed_at": None}
    later = {**first, "steps": [step_body(), step_body(number=2, started_at="2026-03-02T10:05:00Z", completed_at=None)]}
    with server(tmp_path) as served:
        for more in (later, first, {**first, "status": "queued", "steps": []}):
            served.deliver(job_payload(**more), "workflow_job")
        [(steps,)] = rows(served.store, "jobs", "steps")
        assert [one["number"] for one in steps] == [1, 2]
        assert rows(served.store, "jobs", "status") == [("in_progress",)]


@pytest.mark.parametrize("reverse", [False, True])
def test_deliveries_in_any_order_end_in_the_same_store(tmp_path: Path, reverse: bool) -> None:
    several = [
        ("workflow_run", run_payload(status="queued", conclusion=None, updated_at="2026-03-02T10:00:01Z")),
        ("workflow_job", job_payload(status="queued", conclusion=None, steps=[], started_at=None, completed_at=None)),
        ("workflow_job", job_payload(status="in_progress", conclusion=None, completed_at=None, steps=[step_body()])),
        ("workflow_job", job_payload()),
        ("workflow_run", run_payload()),
    ]
    with server(tmp_path) as served:
        for event, body in reversed(several) if reverse else several:
            assert served.deliver(body, event).json["status"] == "stored"
        assert rows(served.store, "runs", "run_id", "status", "conclusion") == [(19001, "completed", "success")]
        assert rows(served.store, "jobs", "job_id", "status", "conclusion") == [(52001, "completed", "success")]


def test_an_oversized_delivery_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with server(tmp_path) as served:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
        connection.putrequest("POST", "/webhooks/github")
        connection.putheader("Content-Length", str(MOST_BODY + 1))
        connection.putheader("X-Hub-Signature-256", "sha256=" + "0" * 64)
        connection.endheaders()
        response = connection.getresponse()
        assert (response.status, json.loads(response.read())) == (
            413,
            {"error": "A delivery has at most 26,214,400 bytes."},
        )
        assert response.getheader("connection") == "close"
        connection.close()
        assert served.metric('trackside_webhook_deliveries_total{result="too_large"}') == 1


def test_an_oversized_delivery_in_chunks_is_read_no_further_than_it_may_be_long(tmp_path: Path) -> None:
    chunk = b"%x\r\n%s\r\n" % (1 << 20, b"x" * (1 << 20))
    with server(tmp_path) as served, socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
        connection.sendall(
            b"POST /webhooks/github HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n"
            b"X-Hub-Signature-256: sha256=" + b"0" * 64 + b"\r\n\r\n"
        )
        sent = 0
        try:
            while sent < 200:
                connection.sendall(chunk)
                sent += 1
        except OSError:
            pass
        # Twice the limit and what lay in the buffers of the two sockets.
        assert 25 <= sent < 100
        assert served.metric('trackside_webhook_deliveries_total{result="too_large"}') == 1
        assert served.get("/metrics").status == 200


def test_the_largest_delivery_is_taken(tmp_path: Path) -> None:
    with server(tmp_path) as served:
        body = run_payload(display_title="x" * 100)
        body += b" " * (MOST_BODY - len(body))
        assert served.deliver(body).json["status"] == "stored"
        assert served.deliver(body + b" ").status == 413


@pytest.mark.parametrize(
    ("event", "body", "status", "said"),
    [
        ("ping", b'{"zen": "Keep it logically awesome.", "hook_id": 1}', 200, "pong"),
        ("push", b"{}", 202, "ignored"),
        ("check_run", b"not even json", 202, "ignored"),
        ("", run_payload(), 202, "ignored"),
        ("workflow_run", b'{"action": "completed", "sender": {}}', 202, "ignored"),
        ("workflow_run", run_payload().replace(REPO.encode(), b"someone/else"), 202, "ignored"),
    ],
)
def test_what_is_nobodys_business_is_taken_and_not_kept(
    tmp_path: Path, event: str, body: bytes, status: int, said: str
) -> None:
    with server(tmp_path) as served:
        answer = served.deliver(body, event)
        assert (answer.status, answer.json["status"]) == (status, said)
        assert rows(served.store, "runs", "run_id") == rows(served.store, "deliveries", "delivery_id") == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"not json", b"[" * 100_000, b'{"workflow_run": 1}', b'{"workflow_run": {"id": "x"}}', b"\xff\xfe",
        run_payload(id=2**70),
    ],
    ids=range(7),
)  # fmt: skip
def test_what_cannot_be_read_is_said_to_be_so(tmp_path: Path, body: bytes) -> None:
    with server(tmp_path) as served:
        answer = served.deliver(body)
        assert answer.status in (400, 202), answer.body
        assert rows(served.store, "runs", "run_id") == []
        assert served.deliver(run_payload()).json["status"] == "stored"


def test_a_webhook_that_was_set_up_as_a_form_works_too(tmp_path: Path) -> None:
    body = urlencode({"payload": run_payload(display_title="Grüße & mehr").decode()}).encode()
    with server(tmp_path) as served:
        answer = served.deliver(body, Content_Type="application/x-www-form-urlencoded; charset=utf-8")
        assert answer.json["status"] == "stored"
        assert rows(served.store, "runs", "display_title") == [("Grüße & mehr",)]
        bad = served.deliver(b"payloads=1", Content_Type="application/x-www-form-urlencoded")
        assert bad.status == 400


def test_many_deliveries_are_stored_in_few_commits(tmp_path: Path) -> None:
    with server(tmp_path, gather_s=0.3) as served, ThreadPoolExecutor(40) as pool:
        bodies = [run_payload(id=number) for number in range(1, 201)]
        answers = list(pool.map(served.deliver, bodies))
        assert {one.json["status"] for one in answers} == {"stored"}
        assert len(rows(served.store, "runs", "run_id")) == 200
        assert served.metric("trackside_webhook_commits_total") <= 40


def test_one_delivery_that_cannot_be_stored_does_not_stop_the_others(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    bodies = [run_payload(id=1), run_payload(id=2, run_number=2**70), job_payload(), b"nothing"]
    incoming = [delivery(str(number), body) for number, body in enumerate(bodies)]
    told = take_deliveries(incoming, store, REPO, NOON)
    assert [told[0].taken, told[2].taken, told[3].taken] == [Taken.STORED, Taken.STORED, Taken.UNREADABLE]
    assert (1,) in rows(store, "runs", "run_id")
    assert rows(store, "jobs", "job_id") == [(52001,)]


def delivery(delivery_id: str, body: bytes, received_at: dt.datetime = NOON) -> Incoming:
    return Incoming(
        delivery_id=delivery_id, body_sha256=f"of {body!r}", event="workflow_run", received_at=received_at, body=body
    )


def test_a_delivery_is_no_duplicate_of_one_that_was_not_taken(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    foreign = run_payload().replace(REPO.encode(), b"someone/else")
    incoming = [delivery("a", b"not json"), delivery("a", foreign), delivery("a", run_payload())]
    incoming.append(delivery("a", job_payload()))
    told = [one.taken for one in take_deliveries(incoming, store, REPO, NOON)]
    assert told == [Taken.UNREADABLE, Taken.IGNORED, Taken.STORED, Taken.DUPLICATE]


def test_a_delivery_is_remembered_for_a_week(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    assert take_deliveries([delivery("a", run_payload())], store, REPO, NOON)[0].taken is Taken.STORED
    for days, expected in ((6.9, Taken.DUPLICATE), (7.1, Taken.STORED)):
        later = NOON + dt.timedelta(days=days)
        again = delivery("a", run_payload(), later)
        assert take_deliveries([again], store, REPO, later)[0].taken is expected
    assert len(rows(store, "runs", "run_id")) == 1


def test_deliveries_that_need_not_be_remembered_are_forgotten(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    old = TakenDelivery(repo=REPO, delivery_id="old", body_sha256="x", event="e", received_at=NOON, size_bytes=1)
    store.add_deliveries([old], NOON)
    backend = StoreBackend(store, REPO, Settings(), dt.timedelta(days=30))
    now = dt.datetime.now(dt.UTC)
    assert backend.take([delivery("new", run_payload(), now)])[0].taken is Taken.STORED
    assert rows(store, "deliveries", "delivery_id") == [("new",)]


class Full:
    """A store that nothing can be written to until it is mended."""

    def __init__(self, backend: StoreBackend) -> None:
        self._backend = backend
        self.is_full = True

    def take(self, incoming: Any) -> tuple[Outcome, ...]:
        if self.is_full:
            msg = "Table runs of the store /srv/x cannot be written: no space is left."
            raise OutputError(msg)
        return self._backend.take(incoming)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)


def test_what_cannot_be_written_is_not_taken_and_may_be_delivered_again(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    backend = Full(StoreBackend(store, REPO, Settings(), dt.timedelta(days=30)))
    with server(tmp_path, backend=backend) as served:
        answer = served.deliver(run_payload(), X_GitHub_Delivery="d1")
        assert answer.status == 503
        assert b"/srv/x" not in answer.body
        assert any("no space is left" in sentence for sentence in served.said)
        backend.is_full = False
        assert served.deliver(run_payload(), X_GitHub_Delivery="d1").json["status"] == "stored"
        assert served.metric('trackside_webhook_deliveries_total{result="not_stored"}') == 1


def test_a_delivery_that_is_being_stored_while_the_server_ends_is_stored(tmp_path: Path) -> None:
    answers: list[Any] = []

    def send(served: Served) -> None:
        answers.append(served.deliver(run_payload()))

    with server(tmp_path, gather_s=0.4) as served:
        sender = threading.Thread(target=send, args=[served])
        sender.start()
        served.until(lambda: served.get("/metrics").status == 200)
    sender.join()
    assert [one.json["status"] for one in answers] == ["stored"]
    assert rows(open_store(tmp_path / "store"), "runs", "run_id") == [(19001,)]


def test_the_secret_is_in_no_answer(tmp_path: Path) -> None:
    with server(tmp_path) as served:
        served.until_ready()
        paths = ("/", "/metrics", "/healthz", "/api/v1/status", "/api/openapi.json")
        answers = [served.get(path).body for path in paths] + [served.deliver(b"x", X_Hub_Signature_256="").body]
        assert all(SECRET.encode() not in body for body in answers)
