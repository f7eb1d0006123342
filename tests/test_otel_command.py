from __future__ import annotations

import datetime as dt
import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import polars as pl
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.command_line import Said, command_line
from tests.fake_github import FakeGitHub
from tests.scripted_server import Received, ScriptedServer, Silence, answer
from tests.syncing import a_week
from trackside.records.runs import Fetched
from trackside.store.store import open_store

REPO = ("--repo", "octo/engine")


@pytest.fixture
def typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Said]]:
    for name in ("ENDPOINT", "TRACES_ENDPOINT", "COMPRESSION", "TIMEOUT", "TRACES_TIMEOUT"):
        monkeypatch.delenv(f"OTEL_EXPORTER_OTLP_{name}", raising=False)
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


def partly(rejected: int, message: str) -> bytes:
    """A collector's answer that it took a request, all but ``rejected`` spans."""
    told = ExportTracePartialSuccess(rejected_spans=rejected, error_message=message)
    body = ExportTraceServiceResponse(partial_success=told).SerializeToString()
    return answer(200, body, content_type="application/x-protobuf")


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


def test_spans_that_a_collector_rejects_are_one_sentence_and_are_sent_again_with_new(
    typed: Callable[..., Said],
) -> None:
    typed("sync", *REPO, "--since", "2026-05-01")
    replies = [partly(3, "span too\nold\x1b[31m " + "x" * 1_000), answer(200)]
    with ScriptedServer(replies) as collector:
        send = ("export", "otel", *REPO, "--since", "2026-05-01", "--new", "--endpoint", collector.url)
        (code, out, err), again = typed(*send), typed(*send)
        first, second = requests_of(collector)
    assert (code, out) == (1, "")
    said = " ".join(err.split())
    assert f"The collector at {collector.url}/v1/traces rejected 3 of " in said
    assert "(span too old" in said
    assert "\x1b" not in err
    assert err.count("x") < 400
    assert again[0] == 0
    assert not again[1].startswith("Sent 0 ")
    assert first == second


@pytest.mark.parametrize(
    "reply",
    [
        partly(0, "slow down, please"),
        answer(200, {"partialSuccess": {}}),
        answer(200, b"<html>OK</html>"),
        answer(200, b"\xff\xff\xff"),
    ],
    ids=["a warning", "JSON", "a page", "bytes"],
)
def test_an_answer_of_200_that_rejects_no_span_is_success(typed: Callable[..., Said], reply: bytes) -> None:
    typed("sync", *REPO, "--since", "2026-05-01")
    with ScriptedServer(lambda _request: reply) as collector:
        code, out, err = typed("export", "otel", *REPO, "--since", "2026-05-01", "--endpoint", collector.url)
    assert code == 0, err
    assert out.startswith("Sent ")


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"])
def test_the_environment_says_how_long_a_request_may_take(
    typed: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    typed("sync", *REPO, "--since", "2026-05-01")
    monkeypatch.setenv(name, "0.2")
    began = dt.datetime.now(dt.UTC)
    with ScriptedServer(lambda _request: Silence()) as collector:
        code = typed("export", "otel", *REPO, "--since", "2026-05-01", "--endpoint", collector.url)[0]
    assert code == 1
    assert (dt.datetime.now(dt.UTC) - began).total_seconds() < 25


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
def test_an_address_of_the_environment_that_is_none_is_named_by_its_variable(
    typed: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "ftp://x")
    code, _, err = typed("export", "otel", *REPO)
    assert code == 2
    assert f"{name} 'ftp://x'" in err
    assert "--endpoint" not in err


def test_an_attempt_that_was_stamped_before_an_export_and_committed_after_it_is_sent_by_the_next(
    typed: Callable[..., Said], tmp_path: Path
) -> None:
    typed("sync", *REPO, "--since", "2026-05-01")
    [location] = [one.parent for one in tmp_path.rglob("fetched") if one.is_dir()]
    store = open_store(location)
    marks = store.newest("fetched").sort("observed_at", "run_id").collect()
    stamped = marks["observed_at"].max()
    assert isinstance(stamped, dt.datetime)
    with ScriptedServer(lambda _request: answer(200)) as collector:
        send = ("export", "otel", *REPO, "--since", "2026-05-01", "--new", "--endpoint", collector.url)
        first = typed(*send)
        late = marks.filter(pl.col("status") == "completed").select(Fetched.__struct_fields__).tail(1).to_dicts()[0]
        store.add_jobs((), [msgspec.convert(late, Fetched)], stamped + dt.timedelta(microseconds=1))
        second, third = typed(*send), typed(*send)
    assert not first[1].startswith("Sent 0 ")
    assert second[1].startswith("Sent 1 traces")
    assert third[1].startswith("Sent 0 ")
