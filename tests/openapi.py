"""An OpenAPI 3.0 document as JSON Schema, so that bodies can be held against it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or dt.datetime.fromisoformat(value).tzinfo is not None


def as_json_schema(part: Any) -> Any:
    """The same with ``nullable`` spelled out, as JSON Schema wants it."""
    if isinstance(part, list):
        return [as_json_schema(each) for each in part]
    if not isinstance(part, dict):
        return part
    made = {key: as_json_schema(value) for key, value in part.items() if key != "nullable"}
    if part.get("nullable") is not True:
        return made
    if isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
        if "enum" in made:
            made["enum"] = [*made["enum"], None]
        return made
    return {"anyOf": [made, {"type": "null"}]}


class Contract:
    """The official description of an API: what the body of an answer must look like."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.paths = document["paths"]
        self._components = as_json_schema(document["components"])

    def schema(self, path: str, status: int = 200) -> dict[str, Any]:
        """The schema of the JSON that ``GET path`` answers, with that status."""
        answer = self.paths[path]["get"]["responses"][str(status)]
        if "$ref" in answer:
            answer = self._components["responses"][answer["$ref"].rpartition("/")[2]]
        schema = as_json_schema(answer["content"]["application/json"]["schema"])
        assert isinstance(schema, dict)
        return schema

    def problems(self, body: object, schema: dict[str, Any]) -> list[str]:
        """What is wrong with a body; the schema may point into the document."""
        whole = {"components": self._components, **schema}
        Draft202012Validator.check_schema(whole)
        validator = Draft202012Validator(whole, format_checker=FORMATS)
        return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(body)]
