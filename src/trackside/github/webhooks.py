"""Payloads become records without a call: what a document holds is told from its content.

Read are ``workflow_run`` and ``workflow_job`` payloads, as they are delivered or under ``payload`` or
``client_payload``; runs and jobs as the REST API tells them, alone or as a page, runs also with their ``jobs``; the
flat shape of ``trackside.github.flat_runs``; and lists of all these. Nothing is kept but the fields of the records.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec

from trackside.github.decode import job_object, run_and_problems
from trackside.github.flat_runs import flat_run
from trackside.github.json_items import DecodeProblem, split
from trackside.records.jobs import Job
from trackside.records.runs import RunAttempt, Source

Fields = Mapping[str, msgspec.Raw]
P = TypeVar("P", bound=msgspec.Struct)

_WRAPPERS: Final = ("payload", "client_payload")
_PAGES: Final = ("workflow_runs", "jobs", "runs")
_DEEPEST: Final = 6
_OF_WEBHOOKS: Final = frozenset({"action", "hook_id", "zen", "sender"})
_NAME: Final = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}", re.ASCII)
_ADDRESS: Final = re.compile(r"https?://[^/]+/(?:api/v3/)?(?:repos/)?([\w.-]+/[\w.-]+)/(?:actions/)?(?:runs|jobs)/\d")


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What a document held. ``problems`` are sentences; ``lost`` counts the runs and jobs that could not be read.

    ``ignored`` are payloads of other events.
    """

    runs: tuple[RunAttempt, ...] = ()
    jobs: tuple[Job, ...] = ()
    problems: tuple[str, ...] = ()
    lost: int = 0
    ignored: int = 0


class _About(msgspec.Struct, frozen=True):
    """What the surroundings of an object say about it; ``last_resort`` is the repository where nothing else does."""

    last_resort: str | None
    repo: str | None = None
    source: Source = Source.FILE
    default_branch: str | None = None
    workflow_name: str | None = None
    workflow_file: str | None = None
    run_id: int | None = None
    run_attempt: int | None = None


class _Workflow(msgspec.Struct):
    name: str | None = None
    path: str | None = None


class _Repository(msgspec.Struct):
    full_name: str | None = None
    default_branch: str | None = None


def read_payload(data: bytes, *, repo: str | None = None) -> Delivery:
    """The runs and jobs in one JSON document; ``repo`` is the repository of those that do not tell theirs.

    Raises DecodeProblem where ``data`` is no JSON object or list at all.
    """
    reading = _Reading()
    split(data)
    reading.read(data, _About(repo), "", 0)
    return Delivery(
        runs=tuple(reading.runs),
        jobs=tuple(reading.jobs),
        problems=tuple(reading.problems),
        lost=reading.lost,
        ignored=reading.ignored,
    )


class _Reading:
    """Goes down into one document and gathers what is found."""

    def __init__(self) -> None:
        self.runs: list[RunAttempt] = []
        self.jobs: list[Job] = []
        self.problems: list[str] = []
        self.lost = 0
        self.ignored = 0

    def read(self, data: bytes | msgspec.Raw, about: _About, where: str, depth: int) -> None:
        """Reads the object or list in ``data``; whatever is wrong with it is a problem and no error."""
        try:
            if depth > _DEEPEST:
                self._lose(f"{where}: nothing is looked for so deep")
                return
            found = split(data, where)
            if isinstance(found, list):
                for index, item in enumerate(found):
                    self.read(item, about, f"{where}[{index}]", depth + 1)
            else:
                self._read_object(data, found, about, where, depth)
        except DecodeProblem as problem:
            self._lose(str(problem))

    def _read_object(self, data: bytes | msgspec.Raw, fields: Fields, about: _About, where: str, depth: int) -> None:
        if (wrapper := next((key for key in _WRAPPERS if key in fields), None)) is not None:
            self.read(_unquoted(fields[wrapper]), about, _under(where, wrapper), depth + 1)
        elif _is_object(fields.get("workflow_job")):
            self._read_job(fields["workflow_job"], _of_payload(fields, about), _under(where, "workflow_job"))
        elif _is_object(fields.get("workflow_run")):
            self._read_run(fields["workflow_run"], _of_payload(fields, about), _under(where, "workflow_run"), depth)
        elif "id" in fields and "run_id" in fields:
            self._read_job(data, about, where)
        elif "id" in fields and ("run_number" in fields or "run_started_at" in fields or "workflow_id" in fields):
            self._read_run(data, about, where, depth)
        elif (page := next((key for key in _PAGES if key in fields), None)) is not None:
            self.read(fields[page], about, _under(where, page), depth + 1)
        elif fields.keys() & _OF_WEBHOOKS:
            self.ignored += 1
        elif about.run_id is not None:
            self._read_job(data, about, where)
        else:
            self._lose(f"{where or 'the object'} is no run, no job and no payload of one")

    def _read_run(self, data: msgspec.Raw | bytes, about: _About, where: str, depth: int) -> None:
        found = split(data, where)
        fields: Fields = found if isinstance(found, dict) else {}
        repo = _repository(fields, about, where)
        if _is_flat(fields):
            run, bad = flat_run(data, repo, where)
        else:
            run, bad = run_and_problems(
                data, repo, default_branch=about.default_branch, source=about.source, where=where
            )
            run = msgspec.structs.replace(
                run,
                workflow_name=run.workflow_name or about.workflow_name,
                workflow_file=run.workflow_file or about.workflow_file,
            )
        self.runs.append(run)
        self.problems += bad
        if "jobs" in fields:
            inside = _About(None, repo, about.source, run_id=run.run_id, run_attempt=run.run_attempt)
            self.read(fields["jobs"], inside, _under(where, "jobs"), depth + 1)

    def _read_job(self, data: msgspec.Raw | bytes, about: _About, where: str) -> None:
        found = split(data, where)
        fields: dict[str, msgspec.Raw] = found if isinstance(found, dict) else {}
        told = {"run_id": about.run_id, "run_attempt": about.run_attempt}
        missing = {name: value for name, value in told.items() if value is not None and name not in fields}
        if missing:
            data = msgspec.json.encode(fields | missing)
        job, bad = job_object(data, _repository(fields, about, where), source=about.source, where=where)
        self.jobs.append(job)
        self.problems += bad

    def _lose(self, problem: str) -> None:
        self.lost += 1
        self.problems.append(problem)


def _of_payload(fields: Fields, about: _About) -> _About:
    """What a payload says beside its run or job."""
    repository = _part(fields.get("repository"), _Repository)
    workflow = _part(fields.get("workflow"), _Workflow)
    return _About(
        about.last_resort,
        repo=repository.full_name,
        source=Source.WEBHOOK,
        default_branch=repository.default_branch,
        workflow_name=workflow.name,
        workflow_file=workflow.path,
    )


def _repository(fields: Fields, about: _About, where: str) -> str:
    """``owner/name``, of the payload before the object itself. Raises DecodeProblem where nothing tells it."""
    told = about.repo or _part(fields.get("repository"), _Repository).full_name
    for key in ("html_url", "url", "run_url"):
        if not told and key in fields and (hit := _ADDRESS.match(_text(fields[key]))):
            told = hit[1]
    told = told or about.last_resort
    if told is None or not _NAME.fullmatch(told):
        why = f"{told!r} is no repository" if told else "no repository is told: name it with --repo OWNER/NAME"
        msg = f"{where or 'the object'}: {why}"
        raise DecodeProblem(msg)
    return told


def _is_flat(fields: Fields) -> bool:
    return "workflow_file" in fields or bytes(fields.get("triggering_actor", b"")).startswith(b'"')


def _is_object(raw: msgspec.Raw | None) -> bool:
    return raw is not None and bytes(raw).startswith(b"{")


def _unquoted(raw: msgspec.Raw) -> bytes | msgspec.Raw:
    """The document in ``raw``, also where it is sent as a text in JSON."""
    return _text(raw).encode() if bytes(raw).startswith(b'"') else raw


def _text(raw: msgspec.Raw) -> str:
    try:
        return msgspec.json.decode(raw, type=str)
    except (ValueError, RecursionError):
        return ""


def _part(raw: msgspec.Raw | None, shape: type[P]) -> P:
    try:
        return shape() if raw is None else msgspec.json.decode(raw, type=shape)
    except (ValueError, RecursionError):
        return shape()


def _under(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key
