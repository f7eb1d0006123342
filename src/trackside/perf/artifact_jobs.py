"""Artifacts as jobs: a row beside the jobs of a history for each artifact, so that its numbers count as printed by one.

An artifact belongs to a run, and GitHub does not say which job uploaded it: that is told by the rule, and by the time.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from trackside.history.frames import JOB_COLUMNS, History
from trackside.history.names import family_of, matches_any, renamed, shard_of
from trackside.history.outcomes import Outcome
from trackside.records.ci_rules import CiRules
from trackside.records.perf_rules import ArtifactRule

CLOCKS_DIFFER: Final = dt.timedelta(seconds=10)
"""How far the times of a job and of an artifact may be off: both are whole seconds of different machines."""
_DATE: Final = r"20[23]\d(?P<between>-?)(?:0[1-9]|1[0-2])(?P=between)(?:0[1-9]|[12]\d|3[01])"
_TIME: Final = r"[-_T ]?(?:[01]\d|2[0-3])[-:_]?[0-5]\d(?:[-:_]?[0-5]\d)?Z?"
_STAMP: Final = re.compile(rf"[-_. ]?(?<!\d)(?:{_DATE}(?:{_TIME})?|\d{{10,}})(?!\d)")
_LONGEST: Final = 200
_MOST: Final = 2_000
_GLOB: Final = re.compile(r"[*?\[]")
_ATTEMPT: Final = ("run_id", "run_attempt")
_OF_RUN: Final[tuple[str | pl.Expr, ...]] = (
    *_ATTEMPT,
    *("run_number", "workflow", "event", "branch", "line", "is_default_line", "sha", "author", "actor", "title"),
    "pull_number",
    pl.col("outcome").alias("run_outcome"),
    pl.col("conclusion").alias("run_conclusion"),
    pl.col("created_at").alias("run_created_at"),
    pl.col("url").alias("run_url"),
)
_TAKEN: Final = (
    *("name", "job", "family", "shard", "category", "status", "conclusion", "outcome"),
    *("started_at", "completed_at", "queue_s", "duration_s", "runner_name", "runner_group", "pool", "url"),
)
"""What an artifact's row has of the jobs that may have uploaded it, as far as they agree."""


def job_id_of(artifact_id: int) -> int:
    """The id of the row that stands for an artifact among jobs: no job has a negative one."""
    return -artifact_id


def plain_name(name: str) -> str:
    """``name`` on one line, as long as names are."""
    return " ".join("".join(char if char.isprintable() else " " for char in name[:_MOST]).split())[:_LONGEST]


def stable_name(name: str) -> str:
    """``name`` on one line, without dates, times and ids of runs, which differ from run to run."""
    plain = plain_name(name)
    return _STAMP.sub("", plain).strip("-_. ") or plain


def attempts_of(artifacts: pl.DataFrame, runs: pl.DataFrame) -> dict[int, int]:
    """The attempt that each artifact is of, by its id: the last that had begun when it was made; none of unknown runs.

    ``artifacts`` have ``artifact_id``, ``run_id`` and ``created_at``, ``runs`` ``run_id``, ``run_attempt`` and
    ``started_at``.
    """
    begins: dict[int, list[tuple[int, dt.datetime | None]]] = defaultdict(list)
    for run_id, attempt, started_at in runs.select(*_ATTEMPT, "started_at").sort(*_ATTEMPT).iter_rows():
        begins[run_id].append((attempt, started_at))
    found = {}
    for artifact_id, run_id, made_at in artifacts.select("artifact_id", "run_id", "created_at").iter_rows():
        attempts = begins.get(run_id)
        if attempts:
            begun = [one for one, at in attempts if made_at is None or at is None or at <= made_at + CLOCKS_DIFFER]
            found[artifact_id] = max(begun, default=attempts[0][0])
    return found


def artifact_jobs(artifacts: pl.DataFrame, history: History, rules: Sequence[ArtifactRule]) -> pl.DataFrame:
    """A row for each artifact of the runs of ``history`` that a rule names, with the columns ``frames.JOB_COLUMNS``.

    ``artifacts`` have ``artifact_id``, ``run_id``, ``name`` and ``created_at``. The first rule that names an artifact
    says its job. Of the attempt's jobs of that name (of all jobs, where the rule says none) those that ran when the
    artifact was made may have uploaded it: what they agree in is the row's, such as the runner and its pool; where none
    ran then, those of the name. Without any the row has the page of its run, and passed if that did. The name is that
    of the job; where the rule says none, or a glob and there is no such job, that of the artifact without its stamps.
    """
    attempts = attempts_of(artifacts, history.runs)
    jobs = _jobs_by_attempt(history.whole.jobs)
    rows = []
    for artifact in artifacts.select("artifact_id", "run_id", "name", "created_at").iter_rows(named=True):
        rule = next((one for one in rules if one.matches(artifact["name"])), None)
        attempt = attempts.get(artifact["artifact_id"])
        if rule is not None and attempt is not None:
            candidates = _candidates(jobs.get((artifact["run_id"], attempt), ()), rule.job, artifact["created_at"])
            rows.append(_row(artifact, attempt, rule, candidates, history.rules))
    found = pl.DataFrame(rows, schema={name: JOB_COLUMNS[name] for name in _ROW}).unique("job_id", keep="first")
    passed = pl.col("run_outcome") == Outcome.PASSED.value
    whole = found.join(history.runs.select(_OF_RUN), on=_ATTEMPT, how="left")
    whole = whole.with_columns(
        outcome=pl.coalesce("outcome", pl.when(passed).then("run_outcome").otherwise(pl.lit(Outcome.OTHER.value))),
        url=pl.coalesce("url", "run_url"),
        is_ignored=pl.lit(value=False),
        is_latest=pl.col("run_attempt") == pl.col("run_attempt").max().over("run_id", "name"),
        failed_step=pl.lit(None),
        failed_step_number=pl.lit(None),
        failed_steps=pl.lit([], dtype=JOB_COLUMNS["failed_steps"]),
    )
    return whole.select(JOB_COLUMNS.keys()).cast(JOB_COLUMNS).sort(*_ATTEMPT, "job_id")


_ROW: Final = ("job_id", *_ATTEMPT, "created_at", *_TAKEN)
_Job = Mapping[str, Any]


def _jobs_by_attempt(jobs: pl.DataFrame) -> dict[tuple[int, int], list[_Job]]:
    ran = jobs.filter(pl.col("outcome") != "skipped")
    found: dict[tuple[int, int], list[_Job]] = defaultdict(list)
    for row in ran.select(*_ATTEMPT, *_TAKEN).iter_rows(named=True):
        found[row["run_id"], row["run_attempt"]].append(row)
    return found


def _candidates(jobs: Iterable[_Job], wanted: str | None, made_at: dt.datetime | None) -> list[_Job]:
    """The jobs that may have uploaded what was made then."""
    named = [job for job in jobs if wanted is None or _is_called(job, wanted)]
    running = [job for job in named if made_at is not None and _ran_at(job, made_at)]
    return running if running or wanted is None else named


def _is_called(job: _Job, wanted: str) -> bool:
    names = (job["name"], job["job"], job["family"])
    return wanted in names or any(matches_any(name, (wanted,)) for name in names)


def _ran_at(job: _Job, moment: dt.datetime) -> bool:
    began, ended = job["started_at"], job["completed_at"]
    return began is not None and began <= moment + CLOCKS_DIFFER and (ended is None or ended >= moment - CLOCKS_DIFFER)


def _row(
    artifact: Mapping[str, Any], attempt: int, rule: ArtifactRule, candidates: Sequence[_Job], rules: CiRules
) -> dict[str, Any]:
    agreed = {name: _agreed(job[name] for job in candidates) for name in _TAKEN}
    if rule.job is None or agreed["family"] is None:
        known = rule.job is not None and not _GLOB.search(rule.job)
        agreed |= _named(rule.job if known and rule.job else stable_name(artifact["name"]), rules)
    elif agreed["name"] is None:
        agreed |= _named(agreed["family"], rules)
    return {
        "job_id": job_id_of(artifact["artifact_id"]),
        "run_id": artifact["run_id"],
        "run_attempt": attempt,
        "created_at": artifact["created_at"],
        **agreed,
    }


def _agreed(values: Iterable[Any]) -> Any:
    """The value that all have, None where they differ."""
    different = set(values)
    return different.pop() if len(different) == 1 else None


def _named(name: str, rules: CiRules) -> dict[str, str | None]:
    job = renamed(name, rules.aliases)
    return {"name": name, "job": job, "family": family_of(job), "shard": shard_of(job)}


def with_artifact_jobs(history: History, rows: pl.DataFrame, wants: Callable[[str], bool] = lambda _: True) -> History:
    """``history`` with the ``rows`` of ``artifact_jobs`` among its jobs: those whose name ``wants`` says yes to."""
    chosen = rows.filter(pl.col("name").is_in([name for name in rows["name"].unique() if wants(name)]))
    every = None if history.every_job is None else pl.concat([history.every_job, rows])
    return msgspec.structs.replace(history, jobs=pl.concat([history.jobs, chosen]), every_job=every)
