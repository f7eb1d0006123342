"""The description of the API is true: every answer has the shape and the status that it tells, whatever is asked."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.build_github import REPO
from tests.fake_github import Clock, FakeGitHub
from tests.serving import TOKEN, Served, python, server_here
from tests.syncing import a_week, sync_once
from trackside.cli.github_options import Access, Window
from trackside.cli.serve_children import Children, child_commands
from trackside.server.children import run_child
from trackside.server.openapi import openapi
from trackside.store.store import open_store

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

DESCRIPTION: dict[str, Any] = json.loads(openapi("0.0"))
OPERATIONS = [(path, method) for path, methods in DESCRIPTION["paths"].items() for method in methods]
WRONG = [(path, method) for path, method in OPERATIONS if DESCRIPTION["paths"][path][method].get("parameters")]
ASKED = [*((*one, "positive") for one in OPERATIONS), *((*one, "negative") for one in WRONG)]
FUZZ = settings(
    max_examples=15,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server over a synced store whose site was built by the real command."""
    folder = tmp_path_factory.mktemp("server")
    store = open_store(folder / "store")
    with FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC).replace(microsecond=0))) as github:
        a_week(github, 20)
        sync_once(github, store, logs="failed")
    children = Children(
        repo=REPO, store=str(folder / "store"), folder=folder / "built", since="30d", window=Window(), access=Access()
    )
    commands = child_commands(children, {})
    run_id = str(store.newest("runs").filter(pl.col("conclusion") == "failure").collect()["run_id"][0])
    ended = asyncio.run(
        run_child((*commands.analyze, "--offline", run_id), commands.environ, limit_s=60, most_bytes=1 << 24)
    )
    assert ended.out, ended.said
    (folder / "analysis.json").write_bytes(ended.out)
    analysis = python("import sys; print(open(sys.argv[1]).read())", folder / "analysis.json")
    with server_here(folder, build=commands.build, analyze=analysis, wait_s=120.0) as running:
        running.until_ready()
        yield running


def test_the_description_is_openapi_3_1() -> None:
    assert DESCRIPTION["openapi"] == "3.1.0"
    assert [str(error) for error in OpenAPIV31SpecValidator(DESCRIPTION).iter_errors()] == []


def test_the_server_tells_it(served: Served) -> None:
    told = served.get("/api/openapi.json")
    assert told.headers["content-type"] == "application/json"
    assert told.json == DESCRIPTION


def test_every_address_that_reads_is_described(served: Served) -> None:
    told = {path for path, method in OPERATIONS if method == "get"}
    assert {path.rpartition("/")[2] for path in told} >= {
        "streaks",
        "flaky",
        "changes",
        "kb",
        "alerts",
        "runs",
        "status",
    }
    for path in told:
        assert served.get(path.replace("{run_id}", "1")).status in (200, 404), path


@pytest.mark.parametrize("path", [path for path, method in OPERATIONS if method == "get" and "{" not in path])
def test_an_answer_has_the_shape_that_is_described(served: Served, path: str) -> None:
    answer = served.get(path)
    schema = DESCRIPTION["paths"][path]["get"]["responses"][str(answer.status)]["content"]["application/json"]["schema"]
    whole = {**schema, "components": DESCRIPTION["components"]}
    assert [error.message[:200] for error in Draft202012Validator(whole).iter_errors(answer.json)] == []


@pytest.mark.parametrize(("path", "method", "mode"), ASKED, ids=lambda value: value.strip("/").replace("/", "-"))
def test_whatever_is_asked_the_answer_is_one_that_is_described(
    served: Served, path: str, method: str, mode: str
) -> None:
    schema = schemathesis.openapi.from_dict(DESCRIPTION)
    schema.config.update(base_url=f"http://127.0.0.1:{served.port}")
    described = schema[path][method.upper()]
    cases = described.as_strategy(generation_mode=schemathesis.GenerationMode(mode))
    headers = {"Authorization": f"Bearer {TOKEN}"} if path.endswith("/analysis") else {}
    told: set[int] = set()

    @FUZZ
    @given(case=cases)
    def ask(case: Any) -> None:
        response = case.call(headers=headers)
        told.add(response.status_code)
        assert str(response.status_code) in DESCRIPTION["paths"][path][method]["responses"], response.text
        described.validate_response(response)

    ask()
    assert told
    assert 500 not in told


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
def test_what_is_not_described_is_not_done(served: Served, method: str) -> None:
    for path, _ in OPERATIONS:
        answer = served.ask(method, path.replace("{run_id}", "1"))
        assert answer.status == 405, path
        assert "allow" in answer.headers
