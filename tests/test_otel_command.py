from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.command_line import Said, command_line
from tests.fake_github import FakeGitHub
from tests.scripted_server import Received, ScriptedServer, answer
from tests.syncing import a_week

REPO = ("--repo", "octo/engine")


@pytest.fixture
def typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Said]]:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_COMPRESSION"):
        monkeypatch.delenv(name, raising=False)
    with FakeGitHub() as github:
        a_week(github, runs=6)
        yield command_line(tmp_path, monkeypatch, capsys, github)


def requests_of(collector: ScriptedServer) -> list[ExportTraceServiceRequest]:
    return [_decoded(one) for one in collector.received]


def _decoded(received: Received) -> ExportTraceServiceRequest:
    packed = received.headers.get("content-encoding") == "gzip"
    request = ExportTraceServiceRequest()
    request.ParseFromString(gzip.decompress(received.body) if packed else received.body)
    return request


def names_of(collector: ScriptedServer) -> list[str]:
    return [
        span.name
        for request in requests_of(collector)
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def test_every_finished_run_arrives_at_the_collector_with_its_jobs_and_steps(typed: Callable[..., Said]) -> None:
    assert typed("sync", *REPO, "--since", "2026-05-01")[0] == 0
    with ScriptedServer(lambda _request: answer(200)) as collector:
        code, out, err = typed("export", "otel", *REPO, "--since", "2026-05-01", "--endpoint", collector.url)
        shown = typed("export", "otel", *REPO, "--since", "2026-05-01", "--dry-run")[1]
    assert code == 0, err
    told = [json.loads(line) for line in shown.splitlines()]
    assert sorted(names_of(collector)) == sorted(span["name"] for trace in told for span in trace["spans"])
    assert {one.path for one in collector.received} == {"/v1/traces"}
    assert f"Sent {len(told)} traces" in out
    assert len([name for name in names_of(collector) if name.startswith("RUN ")]) == len(told)


def test_only_what_came_since_the_last_time_is_sent_with_new(typed: Callable[..., Said]) -> None:
    typed("sync", *REPO, "--since", "2026-05-01")
    with ScriptedServer(lambda _request: answer(200)) as collector:
        send = ("export", "otel", *REPO, "--since", "2026-05-01", "--new", "--endpoint", collector.url)
        first, second = typed(*send), typed(*send)
    assert not first[1].startswith("Sent 0 ")
    assert second[1].startswith("Sent 0 traces with 0 spans")


def test_new_is_refused_with_a_choice_of_runs(typed: Callable[..., Said]) -> None:
    code, _, err = typed("export", "otel", *REPO, "--new", "--workflow", "lint.yml", "--dry-run")
    assert code == 2
    assert "--new with --workflow" in err


def test_a_collector_that_refuses_is_one_sentence_and_nothing_is_noted(typed: Callable[..., Said]) -> None:
    typed("sync", *REPO, "--since", "2026-05-01")
    with ScriptedServer(lambda _request: answer(400)) as collector:
        send = ("export", "otel", *REPO, "--since", "2026-05-01", "--new", "--endpoint", collector.url)
        code, out, err = typed(*send)
        typed(*send)
    assert (code, out) == (1, "")
    assert "did not take" in err
    assert collector.url in err
    assert "Traceback" not in err
    assert len(collector.received) == 2


def test_the_environment_says_where_the_collector_is(
    typed: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed("sync", *REPO, "--since", "2026-05-01")
    with ScriptedServer(lambda _request: answer(200)) as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"{collector.url}/base/")
        assert typed("export", "otel", *REPO, "--since", "2026-05-01")[0] == 0
    assert {one.path for one in collector.received} == {"/base/v1/traces"}


def test_without_a_collector_nothing_is_read(typed: Callable[..., Said]) -> None:
    code, _, err = typed("export", "otel", *REPO)
    assert code == 2
    assert "--endpoint" in err


def test_without_a_store_it_says_what_to_do(typed: Callable[..., Said]) -> None:
    code, _, err = typed("export", "otel", *REPO, "--dry-run")
    assert code == 1
    assert "trackside sync" in err
