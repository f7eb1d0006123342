"""What goes wrong around the server: it says so in a sentence, tells nobody its paths, and goes on."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import http.client
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.api_bodies import HOME, REPO, job_body, run_body
from tests.serving import SECRET, TOKEN, Served, is_alive, python, server_here, signature
from trackside.cli.serve_backend import StoreBackend
from trackside.errors import OutputError
from trackside.server import webhooks
from trackside.settings import Settings
from trackside.store.store import Store, open_store

BEARER = {"Authorization": f"Bearer {TOKEN}"}
RUN = json.dumps({"workflow_run": run_body(), "repository": HOME}).encode()
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
"""What an analysis does that does not end when it is asked to."""


def sleeping(folder: Path, first: str = "") -> tuple[str, ...]:
    """An analysis that writes down who it is, and takes its time."""
    return python(
        f"import os, time\n{first}\nopen({str(folder / 'pids')!r}, 'a').write(f'{{os.getpid()}} ')\ntime.sleep(60)"
    )


def pids(folder: Path) -> list[int]:
    return [int(one) for one in (folder / "pids").read_text().split()] if (folder / "pids").exists() else []


def begin(served: Served) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    connection.request("POST", "/api/v1/runs/1/analysis", headers=BEARER)
    return connection


def test_an_analysis_that_nobody_waits_for_is_ended_and_its_place_is_free(tmp_path: Path) -> None:
    with server_here(tmp_path, analyze=sleeping(tmp_path)) as served:
        connections = [begin(served) for _ in range(2)]
        served.until(lambda: len(pids(tmp_path)) == 2)
        assert served.ask("POST", "/api/v1/runs/1/analysis", headers=BEARER).status == 429
        for one in connections:
            one.close()
        served.until(lambda: not any(is_alive(pid) for pid in pids(tmp_path)))
        served.until(lambda: served.metric('trackside_analyses_total{result="failed"}') == 2)
        again = begin(served)
        served.until(lambda: len(pids(tmp_path)) == 3)
        again.close()


@pytest.mark.parametrize("first", ["", DEAF], ids=["at once", "killed"])
def test_an_analysis_is_answered_in_a_sentence_where_the_server_ends_meanwhile(tmp_path: Path, first: str) -> None:
    with server_here(tmp_path, analyze=sleeping(tmp_path, first)) as served:
        connection = begin(served)
        served.until(lambda: len(pids(tmp_path)) == 1)
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())) == (503, {"error": "The server is ending."})
    assert not is_alive(pids(tmp_path)[0])


def test_bodies_that_are_being_read_are_bounded_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "MOST_READ", 3 << 20)
    head = (
        b"POST /webhooks/github HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 20000000\r\n"
        b"X-Hub-Signature-256: sha256=" + b"0" * 64 + b"\r\n\r\n"
    )
    with server_here(tmp_path, repo=REPO) as served:
        slow = [socket.create_connection(("127.0.0.1", served.port), timeout=20) for _ in range(2)]
        for one in slow:
            one.sendall(head + b"x" * (1 << 20))
        served.until(lambda: served.deliver(b" " * (2 << 20)).status == 503)
        answer = served.deliver(b" " * (2 << 20))
        assert (answer.status, answer.headers["retry-after"]) == (503, "10")
        for one in slow:
            one.close()
        served.until(lambda: served.deliver(RUN + b" " * (2 << 20)).status == 200)


class Keeping:
    """A store in which nothing can be forgotten."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def forget_deliveries(self, _before: dt.datetime) -> None:
        msg = "Table deliveries of the store /srv/x cannot be folded: no space is left."
        raise OutputError(msg)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_upkeep_that_fails_takes_no_delivery_back(tmp_path: Path) -> None:
    said: list[str] = []
    store: Any = Keeping(open_store(tmp_path / "store"))
    backend = StoreBackend(store, REPO, Settings(), dt.timedelta(days=30), say=said.append)
    with server_here(tmp_path, repo=REPO, backend=backend) as served:
        assert served.deliver(RUN).json["status"] == "stored"
        assert served.deliver(RUN).json["status"] == "duplicate"
    assert len(said) == 1
    assert said[0].startswith("Old deliveries were not forgotten: Table deliveries")


def test_why_a_build_failed_is_told_to_whoever_runs_the_server_alone(tmp_path: Path) -> None:
    why = "Table syncs of the store /srv/secret/path cannot be read: it is torn."
    with server_here(tmp_path, build=python(f"import sys; sys.exit({'Error: ' + why!r})")) as served:
        served.until(lambda: served.metric("trackside_site_build_failures") >= 2)
        for path in ("/", "/healthz", "/api/v1/status", "/metrics"):
            body = served.get(path).body
            assert b"secret" not in body
            assert path == "/metrics" or b"times in a row since" in body
        assert len([one for one in served.said if why in one]) == 1


def test_a_run_that_only_its_jobs_told_of_is_answered(tmp_path: Path) -> None:
    with server_here(tmp_path, repo=REPO) as served:
        body = json.dumps({"workflow_job": job_body(), "repository": HOME}).encode()
        assert served.deliver(body, "workflow_job").json["status"] == "stored"
        told = served.get("/api/v1/runs/19001").json
        assert (told["attempts"], [job["job_id"] for job in told["jobs"]]) == ([], [52001])
        assert served.get("/api/v1/runs/19002").status == 404


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("http://localhost/index.html", 200),
        ("HTTP://127.0.0.1:1/", 200),
        ("http://localhost", 200),
        ("http://evil.example/index.html", 421),
        ("http://user@localhost/", 400),
        ("ftp://localhost/", 404),
    ],
)
def test_an_address_may_name_the_server(tmp_path: Path, target: str, status: int) -> None:
    with server_here(tmp_path) as served:
        served.until_ready()
        assert served.get(target, Host="localhost").status == status


def test_a_foreign_name_in_the_address_counts_and_not_that_of_the_header(tmp_path: Path) -> None:
    with server_here(tmp_path) as served:
        for hosts in ("Host: localhost\r\nHost: localhost\r\n", ""):
            told = served.raw(f"GET http://localhost/ HTTP/1.1\r\n{hosts}\r\n".encode())
            assert told.split()[1] == b"400"


@pytest.mark.parametrize(
    ("path", "home"), [("/no.html", "./"), ("/a/no.html", "../"), ("/a/b/", "../../"), ("/a%2Fno.html", "./")]
)
def test_the_page_of_what_is_not_there_leads_home_below_any_path(tmp_path: Path, path: str, home: str) -> None:
    with server_here(tmp_path) as served:
        served.until_ready()
        answer = served.get(path)
        assert answer.status == 404
        assert f'<a href="{home}">'.encode() in answer.body


@pytest.mark.parametrize("said", [TOKEN + "é", "é", "\udce9".encode("utf-8", "surrogateescape").decode("latin-1")])
def test_a_token_of_other_letters_is_not_that_of_the_server(tmp_path: Path, said: str) -> None:
    with server_here(tmp_path) as served:
        answer = served.ask("POST", "/api/v1/runs/1/analysis", headers={"Authorization": f"Bearer {said}"})
        assert answer.status == 403


@pytest.mark.parametrize("secret", ["geheim-é", "broken-\udce9"])
def test_a_secret_may_have_any_bytes(tmp_path: Path, secret: str) -> None:
    with server_here(tmp_path, repo=REPO, secret=secret) as served:
        assert served.deliver(RUN, X_Hub_Signature_256=signature(RUN, SECRET)).status == 401
        own = signature_of_bytes(RUN, secret.encode("utf-8", "surrogateescape"))
        assert served.deliver(RUN, X_Hub_Signature_256=own).json["status"] == "stored"


def signature_of_bytes(body: bytes, secret: bytes) -> str:
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
