"""The performance numbers in the artifacts of the store: each file is read once, and the values are kept beside it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from trackside.errors import UsageError
from trackside.evidence.selection import same_repository
from trackside.evidence.unread import LogsRead, OnCount, read_in_parts
from trackside.github.log_text import unpack_log
from trackside.history.frames import History
from trackside.perf.artifact_jobs import (
    artifact_jobs,
    attempts_of,
    job_id_of,
    plain_name,
    stable_name,
    with_artifact_jobs,
)
from trackside.perf.reading import read_document, version_of
from trackside.records.artifacts import ArtifactState
from trackside.records.jobs import Job
from trackside.records.measurements import MeasuredLog, Measurement
from trackside.records.perf_grammars import Grammar
from trackside.records.perf_rules import ArtifactRule, PerfRules
from trackside.records.runs import Source
from trackside.store.store import Store

PART: Final = 20
"""So many artifacts are held at a time, and their values kept in one commit."""


class _Artifact(msgspec.Struct, frozen=True):
    """An artifact that is to be read: its rules, the paths of its files that they name, and the version of both."""

    row: Mapping[str, Any]
    rules: tuple[ArtifactRule, ...]
    paths: tuple[str, ...]
    version: str


def read_artifacts(
    store: Store, repo: str, rules: PerfRules, grammars: Sequence[Grammar], now: dt.datetime, on_count: OnCount
) -> LogsRead:
    """Reads the files of every artifact in the store that a rule names, and that were not read with it yet.

    ``grammars`` are all that a rule may name, the first of a name before others. The values are those of a job with
    the id ``perf.artifact_jobs.job_id_of``. Raises UsageError for a grammar that is not there or cannot be used.
    """
    if not rules.artifacts:
        return LogsRead(0)
    by_name = _named_grammars(rules.artifacts, grammars)
    artifacts = _unread(store, repo, rules.artifacts, by_name)
    attempts = _attempts(store, repo, artifacts)

    def read(part: Sequence[_Artifact]) -> None:
        contents = _contents(store, repo, part)
        values: list[Measurement] = []
        markers: list[MeasuredLog] = []
        for artifact in part:
            attempt = attempts.get(artifact.row["artifact_id"], 1)
            found = _measure(artifact, attempt, contents, by_name)
            values += found
            markers.append(_marker(artifact, attempt, found))
        store.add_measurements(values, markers, now)

    return read_in_parts(artifacts, PART, read, on_count)


def history_with_artifacts(
    store: Store, history: History, rules: PerfRules, wants: Callable[[str], bool] = lambda _: True
) -> History:
    """``history`` with a row among its jobs for each artifact of its runs that a rule names, read or not.

    ``wants`` chooses them by name where only some jobs were asked for.
    """
    if not rules.artifacts:
        return history
    mine = pl.col("run_id").is_in(history.runs["run_id"].unique().implode())
    rows = store.newest("artifacts").filter(same_repository(history.repo), mine).select(_ROW.keys())
    return with_artifact_jobs(history, artifact_jobs(rows.collect(engine="streaming"), history, rules.artifacts), wants)


_ROW: Final = {
    "repo": pl.String(),
    "artifact_id": pl.Int64(),
    "run_id": pl.Int64(),
    "name": pl.String(),
    "created_at": pl.Datetime("us", "UTC"),
}


def _ready(store: Store, repo: str) -> pl.LazyFrame:
    ready = pl.col("state") == ArtifactState.READY.value
    return store.newest("artifacts").filter(same_repository(repo), ready).select(_ROW.keys())


def _named_grammars(rules: Iterable[ArtifactRule], grammars: Sequence[Grammar]) -> dict[str, Grammar]:
    by_name: dict[str, Grammar] = {}
    for grammar in grammars:
        by_name.setdefault(grammar.name, grammar)
    for rule in rules:
        if rule.grammar not in by_name:
            msg = (
                f"artifacts of [perf] names the grammar {rule.grammar!r} for {rule.artifact!r}, and there is none of "
                f"that name; there are {', '.join(sorted(by_name))}."
            )
            raise UsageError(msg)
    return by_name


def _unread(store: Store, repo: str, rules: Sequence[ArtifactRule], by_name: Mapping[str, Grammar]) -> list[_Artifact]:
    """The artifacts whose files were not read by the rules of today, or were not all there then; by id."""
    same = same_repository(repo)
    paths: dict[int, set[str]] = defaultdict(set)
    files = store.newest("artifact_files").filter(same).select("artifact_id", "path").collect(engine="streaming")
    for artifact_id, path in files.iter_rows():
        paths[artifact_id].add(path)
    known = store.newest("measured_logs").filter(same, pl.col("job_id") < 0).select("job_id", "version").collect()
    versions = dict(known.iter_rows())
    found = []
    ready = _ready(store, repo).collect(engine="streaming").unique("artifact_id", keep="first").sort("artifact_id")
    for row in ready.iter_rows(named=True):
        mine = tuple(rule for rule in rules if rule.matches(row["name"]))
        wanted = tuple(sorted(path for path in paths[row["artifact_id"]] if any(rule.takes(path) for rule in mine)))
        version = _version(mine, wanted, by_name)
        if mine and versions.get(job_id_of(row["artifact_id"])) != version:
            found.append(_Artifact(row, mine, wanted, version))
    return found


def _version(rules: Sequence[ArtifactRule], paths: Sequence[str], by_name: Mapping[str, Grammar]) -> str:
    """That of the grammars, with a hash of which of them reads which files."""
    told = msgspec.json.encode([[(rule.file, rule.grammar) for rule in rules], paths])
    return f"{version_of([by_name[rule.grammar] for rule in rules])}.{hashlib.blake2b(told, digest_size=4).hexdigest()}"


def _attempts(store: Store, repo: str, artifacts: Sequence[_Artifact]) -> dict[int, int]:
    """The attempt of its run that each artifact is of, by its id, as far as the run is known."""
    rows = pl.DataFrame([one.row for one in artifacts], schema=_ROW)
    mine = pl.col("run_id").is_in(rows["run_id"].unique().implode())
    started = pl.coalesce("run_started_at", "created_at")
    runs = store.newest("runs").filter(same_repository(repo), mine).select("run_id", "run_attempt", started_at=started)
    return attempts_of(rows, runs.collect(engine="streaming"))


def _contents(store: Store, repo: str, part: Iterable[_Artifact]) -> dict[tuple[int, str], bytes]:
    """The packed files of the artifacts, by artifact and path."""
    ids = [artifact.row["artifact_id"] for artifact in part]
    mine = store.newest("artifact_files").filter(same_repository(repo), pl.col("artifact_id").is_in(ids))
    rows = mine.select("artifact_id", "path", "content").collect(engine="streaming")
    return {(artifact_id, path): content for artifact_id, path, content in rows.iter_rows()}


def _measure(
    artifact: _Artifact, attempt: int, contents: Mapping[tuple[int, str], bytes], by_name: Mapping[str, Grammar]
) -> list[Measurement]:
    """The values in the files of an artifact, each test under a name of its own."""
    names = _names_of(artifact.paths)
    of_path: dict[str, list[Measurement]] = {}
    for path in artifact.paths:
        content = unpack_log(contents.get((artifact.row["artifact_id"], path)))
        job = _as_job(artifact, attempt, names[path])
        seen: dict[tuple[str, str, int], Measurement] = {}
        for rule in artifact.rules:
            if rule.takes(path):
                for value in read_document(content, job, by_name[rule.grammar]):
                    seen.setdefault((value.test, value.metric, value.try_number), value)
        of_path[path] = list(seen.values())
    places: dict[str, set[str]] = defaultdict(set)
    for path, values in of_path.items():
        for value in values:
            places[value.test].add(path)
    return [
        msgspec.structs.replace(
            value,
            version=artifact.version,
            test=value.test if len(places[value.test]) == 1 else f"{value.test} ({names[path]})",
        )
        for path, values in of_path.items()
        for value in values
    ]


def _names_of(paths: Sequence[str]) -> dict[str, str]:
    """What the tests of each file are called where it names none: its path, with stamps where these tell it apart."""
    stable = {path: stable_name(_without_suffix(path)) for path in paths}
    count = Counter(stable.values())
    return {path: plain_name(_without_suffix(path)) if count[name] > 1 else name for path, name in stable.items()}


def _without_suffix(path: str) -> str:
    before, _, suffix = path.rpartition(".")
    return before if before and "/" not in suffix else path


def _as_job(artifact: _Artifact, attempt: int, name: str) -> Job:
    row = artifact.row
    return Job(
        repo=row["repo"],
        job_id=job_id_of(row["artifact_id"]),
        run_id=row["run_id"],
        run_attempt=attempt,
        source=Source.REST,
        name=name,
    )


def _marker(artifact: _Artifact, attempt: int, found: Sequence[Measurement]) -> MeasuredLog:
    row = artifact.row
    return MeasuredLog(
        repo=row["repo"],
        job_id=job_id_of(row["artifact_id"]),
        run_id=row["run_id"],
        run_attempt=attempt,
        version=artifact.version,
        tests=len({one.test for one in found}),
        measurements=len(found),
    )
