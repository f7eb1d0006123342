"""``trackside serve`` as it is typed: its address, its options, its end."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.api_bodies import HOME, REPO, run_body
from tests.build_github import attempt
from tests.command_line import Said, command_line
from tests.fake_github import Clock, FakeGitHub
from tests.serving import is_alive, signature
from tests.syncing import TOKEN as GITHUB_TOKEN
from tests.syncing import a_week
from trackside.cli.github_options import Access, Window
from trackside.cli.serve_children import Children, child_commands
from trackside.cli.serve_folder import served_folder
from trackside.store.store import open_store

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
PROGRAM = (sys.executable, "-c", "from trackside.cli.app import main; main()")
WAIT_S = 60.0


@contextmanager
def typed(folder: Path, *options: str, repo: str = REPO, **environ: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The command in a process of its own, and the port that it told."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("TRACKSIDE_", "GITHUB_", "GH_"))}
    process = subprocess.Popen(
        [*PROGRAM, "serve", "--port", "0", "--repo", repo, "--store", str(folder / "store"), *options],
        cwd=folder,
        env={**own, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("http://"), (line, process.communicate(timeout=WAIT_S))
        yield process, int(line.rstrip("/\n").rpartition(":")[2])
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=WAIT_S)


def ask(port: int, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if "json" in (response.getheader("content-type") or "") else text
    finally:
        connection.close()


def children_of(pid: int) -> list[int]:
    """Of every thread of the process: whichever began them."""
    told = [path.read_text() for path in (Path("/proc") / str(pid) / "task").glob("*/children")]
    return [int(one) for one in " ".join(told).split()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_and_soon_and_its_children_with_it(tmp_path: Path, number: signal.Signals) -> None:
    with typed(tmp_path) as (process, port):
        assert ask(port, "/healthz")[0] == 503
        end_s = time.monotonic() + WAIT_S
        while not (children := children_of(process.pid)) and time.monotonic() < end_s:
            time.sleep(0.02)
        process.send_signal(number)
        _, said = process.communicate(timeout=20)
        assert process.returncode == 0
        assert said == f"{REPO} is served there; Control-C ends it.\n"
        assert not any((Path("/proc") / str(child)).exists() for child in children)


def test_what_the_server_runs_ends_with_it_also_where_it_is_killed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as github:
        github.settimeout(WAIT_S)
        environ = {"GITHUB_API_URL": f"http://127.0.0.1:{github.getsockname()[1]}", "GITHUB_TOKEN": GITHUB_TOKEN}
        with typed(tmp_path, "--sync-every", "1h", **environ) as (process, _):
            asking, _ = github.accept()
            children = children_of(process.pid)
            process.kill()
            end_s = time.monotonic() + WAIT_S
            while any(is_alive(child) for child in children):
                assert time.monotonic() < end_s
                time.sleep(0.02)
            assert children
            asking.close()


def test_a_delivery_is_a_page_a_moment_later(tmp_path: Path) -> None:
    """From an empty store to a page that shows the run: only a webhook tells of it."""
    times = dict.fromkeys(("created_at", "updated_at", "run_started_at"), f"{NOW:%Y-%m-%dT%H:%M:%SZ}")
    payload = {"action": "completed", "workflow_run": run_body(**times), "repository": HOME}
    body = json.dumps(payload).encode()
    with typed(tmp_path, "--quiet", TRACKSIDE_WEBHOOK_SECRET="s", TRACKSIDE_SERVER_TOKEN="t") as (process, port):
        told = ask(
            port,
            "/webhooks/github",
            "POST",
            body,
            X_Hub_Signature_256=signature(body, "s"),
            X_GitHub_Event="workflow_run",
        )
        assert told == (200, {"status": "stored", "runs": 1, "jobs": 0, "why": None})
        assert ask(port, "/api/v1/runs")[1]["runs"][0]["run_id"] == 19001
        end_s = time.monotonic() + WAIT_S
        while ask(port, "/")[0] != 200:
            assert time.monotonic() < end_s, ask(port, "/healthz")
            time.sleep(0.2)
        status, site = ask(port, "/data/site.json")
        assert (status, site["live"], site["repository"]) == (200, True, REPO)
        assert ask(port, "/agentops.html")[0] == 200
        assert ask(port, "/api/v1/agents/runs")[1]["runs"][0]["id"] == 19001
        assert ask(port, "/api/v1/ci/streaks")[1]["repository"] == REPO
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=20) == ("", "")
    [folder] = [one for one in (tmp_path / "store").glob("served-site-*") if one.is_dir()]
    assert (folder / "index.html").is_file()


def test_a_schedule_fills_an_empty_store_and_the_site_follows(tmp_path: Path) -> None:
    with FakeGitHub(clock=Clock(NOW, ticking=True)) as github:
        made = a_week(github, 6)
        environ = {"GITHUB_API_URL": github.api_url, "GITHUB_TOKEN": GITHUB_TOKEN}
        with typed(tmp_path, "--sync-every", "1h", repo="octo/engine", **environ) as (_, port):
            end_s = time.monotonic() + 2 * WAIT_S
            while ask(port, "/healthz") != (200, {"status": "ok", "reasons": []}):
                assert time.monotonic() < end_s, ask(port, "/healthz")
                time.sleep(0.2)
            status = ask(port, "/api/v1/status")[1]
            assert (status["sync_status"], status["sync_error"]) == ("ok", None)
            assert ask(port, "/api/v1/runs")[1]["total"] >= len(made)
            assert ask(port, "/ci.html")[0] == 200


def test_the_store_is_folded_by_the_command_that_the_server_runs(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    for number in range(5):
        store.add_runs([attempt(number + 1)], NOW)
    command = child_commands(children(store=str(tmp_path / "store")), os.environ).compact
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.wait(WAIT_S) == 0
    assert [one.files for one in store.info() if one.table == "runs"] == [1]


def test_a_port_that_is_taken_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, out, said = serve(tmp_path, monkeypatch, capsys, "--port", str(port))
    assert (code, out) == (1, "")
    assert said == (
        f"Error: Port {port} of 127.0.0.1 is taken: name another one with --port, or end what listens there.\n"
    )


def serve(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *options: str) -> Said:
    return command_line(folder, monkeypatch, capsys)("serve", "--repo", REPO, *options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--host", "no.such.host.invalid"], "--host no.such.host.invalid"),
        (["--host", "192.0.2.1"], "--host 192.0.2.1"),
        (["--port", "70000"], "--port"),
        (["--port", "x"], "--port"),
        (["--allow-host", "http://x"], "--allow-host http://x"),
        (["--sync-every", "often"], "--sync-every often"),
        (["--sync-every", "1s"], "at least 10s"),
        (["--since", "tomorrow"], "--since tomorrow"),
    ],
)
def test_what_cannot_be_meant_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    words: str,
) -> None:
    code, out, said = serve(tmp_path, monkeypatch, capsys, *options)
    assert (code, out) == (2, "")
    assert words in said
    assert said.count("\n") <= 2


@pytest.mark.parametrize("token", ["gehörig", "with a\ttab", " around "])
def test_a_token_that_no_header_can_carry_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], token: str
) -> None:
    monkeypatch.setenv("TRACKSIDE_SERVER_TOKEN", token)
    code, out, said = serve(tmp_path, monkeypatch, capsys)
    assert (code, out) == (2, "")
    assert said.startswith("Error: TRACKSIDE_SERVER_TOKEN:")
    assert token not in said


@pytest.mark.parametrize("missing", ["starlette", "uvicorn", "prometheus_client"])
def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    code, _, said = serve(tmp_path, monkeypatch, capsys)
    assert code == 1
    assert "pip install 'trackside[server]'" in said


def test_settings_are_of_the_file_and_options_go_before_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "trackside.toml").write_text('[server]\nsync_every = "1s"\nhosts = ["a b"]\n', encoding="utf-8")
    code, _, said = serve(tmp_path, monkeypatch, capsys)
    assert (code, "sync_every of [server]: 1s" in said) == (2, True)
    code, _, said = serve(tmp_path, monkeypatch, capsys, "--sync-every", "15m")
    assert (code, "a b" in said) == (2, True)


def children(**more: Any) -> Children:
    told = {"repo": REPO, "store": "/s", "folder": Path("/f"), "since": "30d", "window": Window(), "access": Access()}
    return Children(**{**told, **more})


def words(command: tuple[str, ...]) -> list[str]:
    assert command[:2] == (sys.executable, "-P")
    return list(command[4:])


def test_children_get_the_options_of_the_server() -> None:
    window = Window(since="14d", workflow=("ci.yml", "-x"), job=("unit*",), limit=5, branch="--help")
    access = Access(preset="sglang", max_calls=10, max_wait="5s", workers=2)
    told = child_commands(children(window=window, access=access, benchmarks=(Path("/b"),)), {})
    chosen = ["--since=14d", "--branch=--help", "--limit=5", "--workflow=ci.yml", "--workflow=-x", "--job=unit*"]
    where = [f"--repo={REPO}", "--store=/s", "--preset=sglang"]
    calls = ["--max-calls=10", "--max-wait=5s", "--workers=2"]
    build = ["site", "build", "--output=/f", "--offline", "--benchmarks=/b"]
    assert words(told.build) == [*build, *where, *chosen, "--quiet"]
    assert words(told.sync) == ["sync", "--api=rest", *where, *chosen, *calls, "--quiet"]
    assert words(told.analyze) == ["agents", "analyze", "--format=json", *where, *calls, "--quiet"]
    assert words(told.compact) == ["store", "compact", "--store=/s"]


def test_a_sync_reaches_as_far_back_as_the_site() -> None:
    assert "--since=30d" in child_commands(children(), {}).sync


def test_children_know_no_secret_of_the_server_and_show_no_token() -> None:
    environ = {"TRACKSIDE_WEBHOOK_SECRET": "s", "TRACKSIDE_SERVER_TOKEN": "t", "GITHUB_TOKEN": "old", "PATH": "/bin"}
    told = child_commands(children(access=Access(token="typed")), environ)
    assert told.environ == {"GITHUB_TOKEN": "typed", "PATH": "/bin"}
    assert "typed" not in repr(msgspec.structs.astuple(told)[:4])


def test_the_folder_of_the_site_is_the_same_at_the_next_start_and_another_for_another_site(tmp_path: Path) -> None:
    with served_folder(tmp_path, "octo/engine", Window()) as folder:
        assert folder.parent == tmp_path
        with served_folder(tmp_path, "octo/engine", Window()) as second:
            assert second.parent.parent != tmp_path
        assert not second.parent.exists()
        with served_folder(tmp_path, "octo/engine", Window(since="7d")) as other:
            assert other.parent == tmp_path
            assert other != folder
    with served_folder(tmp_path, "octo/engine", Window()) as again:
        assert again == folder


def test_a_store_elsewhere_has_its_site_in_a_temporary_folder(tmp_path: Path) -> None:
    with served_folder(None, "octo/engine") as folder, served_folder(tmp_path / "no", "octo/engine") as other:
        assert folder.parent.is_dir()
        assert tmp_path not in other.parents
    assert not folder.parent.exists()


def test_two_servers_of_one_store_do_not_mind_each_other(tmp_path: Path) -> None:
    open_store(tmp_path / "store").add_runs([attempt(1, repo=REPO, created_at=NOW, updated_at=NOW)], NOW)
    with typed(tmp_path) as (_, one), typed(tmp_path) as (_, other):
        for port in (one, other):
            assert ask(port, "/api/v1/runs")[1]["total"] == 1
