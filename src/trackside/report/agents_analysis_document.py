"""One run in depth for programs: the JSON document of ``trackside agents analyze``."""

from __future__ import annotations

import json
from typing import Final

import msgspec

from trackside.agents.run_records import RunAnalysis

ANALYSIS_VERSION: Final = 1


class AnalysisDocument(RunAnalysis, frozen=True, kw_only=True):
    """A RunAnalysis with the version of its shape; times are ISO 8601 in UTC, what is not known is null."""

    schema_version: int


def analysis_json(analysis: RunAnalysis) -> str:
    """An AnalysisDocument in ASCII, so that no character of it acts on a terminal; the same for the same run."""
    told = {name: getattr(analysis, name) for name in analysis.__struct_fields__}
    document = AnalysisDocument(schema_version=ANALYSIS_VERSION, **told)
    built = msgspec.to_builtins(document, str_keys=True)
    text = json.dumps({"schema_version": built.pop("schema_version"), **built}, indent=2, allow_nan=False)
    # A runner that prints it would take a mark of a log within it for a command of its own.
    return text.replace("##[", "#\\u0023[")
