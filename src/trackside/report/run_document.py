"""The result of ``parse`` for programs: a JSON document, CSV with a row a worker, Markdown for a comment."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from trackside.bench.topology import topology_of
from trackside.records.engine_run import FileLedger, Role, Worker
from trackside.report.ledger import ledger_line
from trackside.report.safe_text import csv_text, markdown_text
from trackside.report.workers import RunTables, engine_workers, format_span, iso_time

SCHEMA_VERSION: Final = 1
Figure = str | int | float | bool | None


class RunFigures(msgspec.Struct, frozen=True):
    """More values of a run, and of its workers by name."""

    run: Mapping[str, Figure]
    workers: Mapping[str, Mapping[str, Figure]]


NO_FIGURES: Final = RunFigures(run={}, workers={})


class WorkerDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One worker. ``first`` and ``last`` are the logged times, with an offset only where a zone was given."""

    name: str
    node: str
    role: Role
    worker_id: str
    engine: str | None
    files: tuple[str, ...]
    batch_rows: int
    memory_rows: int
    first: str | None
    last: str | None
    launches: int
    tp_size: int | None
    dp_size: int | None
    ep_size: int | None
    pp_size: int | None
    gpus: int | None
    figures: dict[str, Figure]


class RunDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One run: its workers (frontends too), the ledger of its files and what the reader should know."""

    name: str
    path: str
    topology: str | None
    cache_path: str | None
    from_cache: bool
    tz: str | None
    workers: tuple[WorkerDocument, ...]
    ledger: tuple[FileLedger, ...]
    notes: tuple[str, ...]
    figures: dict[str, Figure]


class ParseDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``parse --format json`` prints."""

    schema_version: int
    runs: tuple[RunDocument, ...]


def parse_document(runs: Sequence[RunTables], figures: Sequence[RunFigures] | None = None) -> ParseDocument:
    """The document of the runs; ``figures`` has more values for each run."""
    shown = figures or [NO_FIGURES] * len(runs)
    documents = (_run_document(run, more) for run, more in zip(runs, shown, strict=True))
    return ParseDocument(schema_version=SCHEMA_VERSION, runs=tuple(documents))


def parse_schema() -> dict[str, Any]:
    """The JSON Schema of ``parse --format json``."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(ParseDocument)}


def as_json(document: ParseDocument) -> str:
    """The document as JSON in ASCII, so that no character of it acts on a terminal."""
    return json.dumps(msgspec.to_builtins(document), indent=2)


def as_csv(document: ParseDocument) -> str:
    """A header and a row for each worker of each run; unknown is an empty cell."""
    rows = [_csv_row(run, worker) for run in document.runs for worker in run.workers]
    header = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, header, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().rstrip("\n")


def as_markdown(runs: Sequence[RunTables]) -> str:
    """A heading and a table of worker types for each run, and the line of its ledger."""
    return "\n\n".join(_run_markdown(run) for run in runs)


def _run_document(run: RunTables, figures: RunFigures) -> RunDocument:
    return RunDocument(
        name=run.name,
        path=run.path,
        topology=topology_of(run.workers) or None,
        cache_path=run.cache_path,
        from_cache=run.from_cache,
        tz=run.tz,
        workers=tuple(_worker_document(worker, run.tz, figures.workers.get(worker.name, {})) for worker in run.workers),
        ledger=run.ledger,
        notes=run.notes,
        figures=dict(figures.run),
    )


def _worker_document(worker: Worker, tz: str | None, figures: Mapping[str, Figure]) -> WorkerDocument:
    return WorkerDocument(
        name=worker.name,
        node=worker.node,
        role=worker.role,
        worker_id=worker.worker_id,
        engine=worker.engine,
        files=worker.files,
        batch_rows=worker.batch_rows,
        memory_rows=worker.memory_rows,
        first=iso_time(worker.first_us, tz),
        last=iso_time(worker.last_us, tz),
        launches=worker.launches,
        tp_size=worker.tp_size,
        dp_size=worker.dp_size,
        ep_size=worker.ep_size,
        pp_size=worker.pp_size,
        gpus=worker.gpus,
        figures=dict(figures),
    )


def _csv_row(run: RunDocument, worker: WorkerDocument) -> dict[str, object]:
    values: dict[str, object] = {"job": run.name, **msgspec.structs.asdict(worker)}
    figures = values.pop("figures")
    values["role"] = worker.role.value
    values["files"] = " ".join(worker.files)
    if isinstance(figures, dict):
        values |= figures
    return {name: csv_text(value) if isinstance(value, str) else value for name, value in values.items()}


def _run_markdown(run: RunTables) -> str:
    lines = [
        f"### {markdown_text(run.name)}",
        "",
        "| Worker Type | Count | Time Range |",
        "| --- | ---: | --- |",
    ]
    for role, title in ((Role.PREFILL, "Prefill"), (Role.DECODE, "Decode"), (Role.AGG, "Aggregated")):
        if members := engine_workers(run.workers, role):
            lines.append(f"| {title} | {len(members)} | {format_span(members, run.tz)} |")
    everyone = engine_workers(run.workers)
    lines.append(f"| **Total** | **{len(everyone)}** | **{format_span(everyone, run.tz)}** |")
    return "\n".join([*lines, "", ledger_line(run.ledger)])
