"""What logs in the store tell: each is read once, and what was found is kept beside it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec
import polars as pl

from trackside.ci.patterns import guess_cause
from trackside.evidence.selection import same_repository
from trackside.evidence.unread import JOB_COLUMNS, LogsRead, OnCount, read_in_parts
from trackside.github.log_text import unpack_log
from trackside.history.frames import FAILURE_COLUMNS, TEST_FILE_COLUMNS
from trackside.history.outcomes import FAILURES, STEP_FAILURES
from trackside.joblogs import diagnosis, suites
from trackside.records.ci_rules import CiRules
from trackside.records.failures import Failure, LogRead, Source, TestFile
from trackside.records.job_logs import LogState
from trackside.records.jobs import Job
from trackside.store.store import Store

PART: Final = 50
"""So many logs are held packed at a time, and kept in one commit."""
_BAD: Final = (*FAILURES, "cancelled")
_NOT_ASKED: Final = "not asked"


def rules_version(rules: CiRules) -> str:
    """The version of what logs are read with, the repository's own patterns included."""
    version = f"{diagnosis.VERSION}.{suites.VERSION}"
    if not rules.patterns:
        return version
    own = msgspec.json.encode(rules.patterns)
    return f"{version}+{hashlib.blake2b(own, digest_size=4).hexdigest()}"


def read_logs(store: Store, repo: str, rules: CiRules, now: dt.datetime, on_count: OnCount) -> LogsRead:
    """Reads every log in the store that was not read with these rules yet: why failed jobs failed, test files."""
    version = rules_version(rules)
    same = same_repository(repo)
    ready = store.newest("job_logs").filter(same, pl.col("state") == LogState.READY.value)
    jobs = store.newest("jobs").filter(same).select(JOB_COLUMNS)
    known = store.newest("logs_read").filter(same, pl.col("version") == version)
    wanted = ready.select("job_id").join(known.select("job_id"), on="job_id", how="anti").collect()
    ids = wanted["job_id"].unique().sort().to_list()

    def read(part: Sequence[int]) -> None:
        mine = pl.col("job_id").is_in(part)
        store.add_diagnoses(*_read_part(jobs.filter(mine), ready.filter(mine), rules, version), now)

    return read_in_parts(ids, PART, read, on_count)


def _read_part(
    jobs: pl.LazyFrame, logs: pl.LazyFrame, rules: CiRules, version: str
) -> tuple[list[Failure], list[TestFile], list[LogRead]]:
    rows = jobs.collect(engine="streaming")
    known = {row["job_id"]: msgspec.convert(row, Job) for row in rows.iter_rows(named=True)}
    columns = ("repo", "job_id", "run_id", "run_attempt", "truncated", "content")
    failures: list[Failure] = []
    files: list[TestFile] = []
    read: list[LogRead] = []
    for row in logs.select(columns).collect(engine="streaming").iter_rows(named=True):
        job = known.get(row["job_id"])
        content = unpack_log(row["content"])
        found: tuple[TestFile, ...] = ()
        if job is not None:
            found = tuple(msgspec.structs.replace(one, version=version) for one in suites.read_test_files(content, job))
            files += found
            if job.conclusion in _BAD:
                failures.append(_failure(job, content, rules, version, truncated=row["truncated"]))
        keys = {name: row[name] for name in ("repo", "job_id", "run_id", "run_attempt")}
        read.append(LogRead(version=version, test_files=len(found), **keys))
    return failures, files, read


def _failure(job: Job, content: bytes, rules: CiRules, version: str, *, truncated: bool) -> Failure:
    told = diagnosis.diagnose(content, job, rules.patterns)
    steps = [step for step in job.steps if step.conclusion in STEP_FAILURES]
    step = steps[0] if steps else None
    return Failure(
        repo=job.repo,
        job_id=job.job_id,
        run_id=job.run_id,
        run_attempt=job.run_attempt,
        version=version,
        step=None if step is None else step.name,
        step_number=None if step is None else step.number,
        log_lines=content.count(b"\n") + (not content.endswith(b"\n") and bool(content)),
        truncated=truncated,
        **{field: getattr(told, field) for field in told.__struct_fields__},
    )


def failures_frame(store: Store, repo: str, jobs: pl.DataFrame) -> pl.DataFrame:
    """Why each of ``jobs`` failed, with the columns ``frames.FAILURE_COLUMNS``.

    ``jobs`` are rows of the jobs frame that failed or were cancelled. What no log tells of is guessed from names, for
    failed ones; a cancelled one without a log is no row.
    """
    ids = jobs["job_id"]
    same = (same_repository(repo), pl.col("job_id").is_in(ids.implode()))
    found = store.newest("failures").filter(*same).collect(engine="streaming")
    found = found.rename({"line": "line_text"}).with_columns(pl.col("truncated").fill_null(value=False))
    told = found.select(FAILURE_COLUMNS.keys()).unique("job_id", keep="last")
    failed = jobs.filter(pl.col("outcome") == "failed")
    guessed = _guesses(failed.join(told, on="job_id", how="anti"))
    return pl.concat([told.cast(FAILURE_COLUMNS), guessed]).sort("job_id")


def log_states(store: Store, repo: str, jobs: pl.DataFrame) -> dict[str, int]:
    """How many of ``jobs`` that failed have a log in which state; ``not asked`` where it was never asked for."""
    failed = jobs.filter(pl.col("outcome") == "failed").select("job_id")
    told = failed.join(job_log_states(store, repo, failed), on="job_id", how="left")["state"].fill_null(_NOT_ASKED)
    return dict(sorted(told.value_counts().iter_rows()))


def job_log_states(store: Store, repo: str, jobs: pl.DataFrame) -> pl.DataFrame:
    """The ``state`` of the log of each of ``jobs`` (by ``job_id``) whose log was asked for."""
    logs = store.newest("job_logs").filter(same_repository(repo), pl.col("job_id").is_in(jobs["job_id"].implode()))
    return logs.select("job_id", "state").collect(engine="streaming").unique("job_id")


def _guesses(jobs: pl.DataFrame) -> pl.DataFrame:
    """Guessed causes, each combination of names once."""
    told = ("family", "failed_step", "conclusion")
    causes = [(*row, guess_cause(*row).value) for row in jobs.select(told).unique().iter_rows()]
    guesses = pl.DataFrame(causes, schema=dict.fromkeys((*told, "cause"), pl.String), orient="row")
    rows = jobs.select("job_id", *told).join(guesses, on=told, how="left", nulls_equal=True)
    empty = pl.DataFrame(schema=FAILURE_COLUMNS)
    known = rows.select("job_id", "cause", source=pl.lit(Source.STEPS.value), truncated=pl.lit(value=False))
    return pl.concat([empty, known], how="diagonal").with_columns(pl.col("context", "tests").fill_null([]))


def test_files_frame(store: Store, repo: str, jobs: pl.DataFrame) -> pl.DataFrame:
    """The test files of ``jobs``, with the columns ``frames.TEST_FILE_COLUMNS``."""
    mine = store.newest("test_files").filter(same_repository(repo), pl.col("job_id").is_in(jobs["job_id"].implode()))
    return mine.select(TEST_FILE_COLUMNS.keys()).collect(engine="streaming").sort("job_id", "suite", "file")
