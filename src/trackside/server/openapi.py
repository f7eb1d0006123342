"""The description of the API in OpenAPI 3.1; its schemas are those of the records that are answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import msgspec

from trackside.report.agents_analysis_document import AnalysisDocument
from trackside.server.documents import DOCUMENTS
from trackside.server.queries import MOST_TEXT, NUMBERS, TEXTS, TIMES
from trackside.server.shapes import HealthAnswer, Problem, Receipt, RunAnswer, RunsAnswer, StatusAnswer
from trackside.server.webhooks import MOST_BODY

_REFERENCE: Final = "#/components/schemas/{name}"
_REASONS: Final = {
    400: "A parameter or the body is wrong; the sentence names it.",
    401: "No token, or no right signature, was sent.",
    403: "The token is another one.",
    404: "There is none.",
    408: "The body did not come in time.",
    413: f"The body has more than {MOST_BODY:,} bytes.",
    429: "Too many are running.",
    502: "It could not be done; the sentence says why.",
    503: "It cannot be answered now, or it was not set up.",
    504: "It took too long.",
}
_TIME: Final = {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}
_TELLS: Final = {
    "workflow": "The file of the workflow, its path or its name.",
    "status": "completed, in_progress, queued, …",
    "conclusion": "success, failure, cancelled, …",
    "branch": "The head branch.",
    "agent": "The agent of the run, as the site that is served tells it.",
    "since": "Created then or later: a date or a time; UTC where it names no zone.",
    "until": "Created then or before.",
    "limit": "At most so many runs.",
    "offset": "So many runs are passed over.",
}


@cache
def openapi(version: str) -> bytes:
    """The whole description as JSON."""
    shapes = [RunAnswer, RunsAnswer, StatusAnswer, HealthAnswer, Receipt, AnalysisDocument, Problem]
    shapes += [one.shape for one in DOCUMENTS if one.shape not in shapes]
    references, components = msgspec.json.schema_components(shapes, ref_template=_REFERENCE)
    of: dict[type, dict[str, Any]] = dict(zip(shapes, references, strict=True))
    run_id = _parameter("run_id", "path", "The number of the run.", {"type": "string", "pattern": "^[0-9]{1,18}$"})
    paths: dict[str, Any] = {
        "/api/v1/status": _get("How the server stands.", of[StatusAnswer], of),
        "/api/v1/runs": _get("Runs, the newest first.", of[RunsAnswer], of, _query()),
        "/api/v1/runs/{run_id}": _get("A run with its attempts and jobs.", of[RunAnswer], of, [run_id], (404,)),
        "/api/v1/runs/{run_id}/analysis": {"post": _analysis(of, run_id)},
        "/webhooks/github": {"post": _webhook(of)},
        "/healthz": {"get": _health(of)},
    }
    for one in DOCUMENTS:
        paths[f"/api/v1/{one.path}"] = _get(one.tells, of[one.shape], of, (), () if one.file is None else (404,))
    document = {
        "openapi": "3.1.0",
        "info": {"title": "trackside", "version": version, "description": "What the pages show, as JSON."},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "TRACKSIDE_SERVER_TOKEN of the server"}
            },
        },
    }
    return msgspec.json.encode(document)


def _get(
    tells: str,
    schema: Mapping[str, Any],
    of: Mapping[type, Any],
    parameters: Sequence[Mapping[str, Any]] = (),
    refusals: Sequence[int] = (),
) -> dict[str, Any]:
    asked = {
        "summary": tells,
        "parameters": list(parameters),
        "responses": {"200": _answer(tells, schema), **_refusals(of, (400, *refusals, 503))},
    }
    return {"get": asked}


def _analysis(of: Mapping[type, Any], run_id: Mapping[str, Any]) -> dict[str, Any]:
    tells = "The logs of a run, in depth. At most two run at once; one may take minutes."
    return {
        "summary": tells,
        "parameters": [run_id],
        "security": [{"token": []}],
        "responses": {
            "200": _answer(tells, of[AnalysisDocument]),
            **_refusals(of, (400, 401, 403, 429, 502, 503, 504)),
        },
    }


def _webhook(of: Mapping[type, Any]) -> dict[str, Any]:
    names = {
        "X-Hub-Signature-256": "sha256= and the HMAC of the body with the secret, in hexadecimal digits.",
        "X-GitHub-Event": "workflow_run and workflow_job are taken.",
        "X-GitHub-Delivery": "The id of the delivery.",
    }
    return {
        "summary": "A delivery of GitHub; answered once it is in the store.",
        "parameters": [_parameter(name, "header", text, {"type": "string"}) for name, text in names.items()],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
        "responses": {
            "200": _answer("It is in the store, or was before.", of[Receipt]),
            "202": _answer("It tells of nothing that is kept.", of[Receipt]),
            **_refusals(of, (400, 401, 408, 413, 503)),
        },
    }


def _health(of: Mapping[type, Any]) -> dict[str, Any]:
    return {
        "summary": "Whether the server is well.",
        "responses": {
            "200": _answer("It is.", of[HealthAnswer]),
            "503": _answer("It is not; the reasons say why.", of[HealthAnswer]),
        },
    }


def _query() -> list[dict[str, Any]]:
    text = {"type": "string", "minLength": 1, "maxLength": MOST_TEXT}
    numbers = {name: {"type": "integer", "minimum": low, "maximum": high} for name, (low, high) in NUMBERS.items()}
    schemas: dict[str, dict[str, Any]] = {**dict.fromkeys(TEXTS, text), **dict.fromkeys(TIMES, _TIME), **numbers}
    return [_parameter(name, "query", _TELLS[name], schema) for name, schema in schemas.items()]


def _parameter(name: str, place: str, tells: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": place, "description": tells, "required": place == "path", "schema": schema}


def _answer(tells: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": tells, "content": {"application/json": {"schema": schema}}}


def _refusals(of: Mapping[type, Any], statuses: Sequence[int]) -> dict[str, Any]:
    return {str(status): _answer(_REASONS[status], of[Problem]) for status in statuses}
