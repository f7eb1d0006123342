"""The failed jobs of a store as occurrences: each with its signature, what its log told, and the agent of its run."""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec
import polars as pl

from trackside.agents.signatures import SIGNATURE_VERSION, signature_of
from trackside.evidence.selection import same_repository
from trackside.history.jobs import failed_steps, without_relisted
from trackside.history.names import family_of
from trackside.history.outcomes import FAILURES
from trackside.joblogs.fingerprints import masked
from trackside.records.job_logs import LogState
from trackside.records.knowledge import LogChoice, Occurrence
from trackside.store.schema import OCCURRENCES
from trackside.store.store import Store

_FIELDS: Final = tuple(one.name for one in msgspec.structs.fields(Occurrence))
_SCHEMA: Final = pl.Schema({name: OCCURRENCES.schema[name] for name in _FIELDS})
_TOLD: Final = ("cause", "rule", "fingerprint", "line")
_OF_LOG: Final = (*_TOLD, "template")
_CARRIED: Final = (*_OF_LOG, "choice", "agent", "asked_at", "log_bytes")
_JOB: Final = ("job_id", "run_id", "run_attempt", "name", "conclusion", "workflow_name", "html_url")
_TIMES: Final = ("created_at", "started_at", "completed_at")
_GONE: Final = (LogState.NEVER.value, LogState.EXPIRED.value)
_NO_WORKFLOW: Final = "?"


def update_occurrences(store: Store, repo: str, runs: pl.DataFrame, now: dt.datetime) -> int:
    """Brings the occurrences of ``repo`` up to what its jobs and logs tell; how many rows were new or changed.

    Each failed job is one. Those whose log was read take over what it told (``evidence.diagnoses.read_logs`` comes
    first); those of a known kind take over what was read of the last one of their signature before them, else of the
    first one after. Rows of another version of signatures are made anew from the jobs. ``runs`` gives the agents:
    ``run_id``, ``run_attempt`` and ``agent``, as in ``AgentHistory.runs``; of other runs they stay as they are.
    """
    stored = _stored(store, repo)
    known = stored.select(_FIELDS)
    jobs = _failed_jobs(store, repo, known["job_id"])
    current = _current(known, jobs)
    fresh = jobs.join(current, on="job_id", how="anti")
    rows = pl.concat([current, _made(store, repo, fresh, known)])
    rows = _with_known(_with_agents(_with_logs(rows, store, repo), runs))
    changed = rows.join(known, on=list(_FIELDS), how="anti", nulls_equal=True)
    if changed.is_empty():
        return 0
    records = msgspec.convert(changed.sort("run_id", "run_attempt", "job_id").to_dicts(), list[Occurrence])
    # Later than every row that is there: the clock of who wrote that may have been ahead.
    newest = stored["observed_at"].max()
    after = now if not isinstance(newest, dt.datetime) else max(now, newest + dt.timedelta(microseconds=1))
    store.add_occurrences(records, after)
    return len(records)


def _stored(store: Store, repo: str) -> pl.DataFrame:
    """The rows that are there, each job once."""
    rows = store.newest(OCCURRENCES.name).filter(same_repository(repo)).select(*_FIELDS, "observed_at")
    return rows.collect(engine="streaming").sort("observed_at", "repo").unique("job_id", keep="last")


def _failed_jobs(store: Store, repo: str, known: pl.Series) -> pl.DataFrame:
    """The jobs that failed, or of which there is an occurrence, where they ran; no steps."""
    over = pl.col("status").eq("completed") & pl.col("conclusion").is_not_null()
    bad = pl.col("conclusion").is_in(FAILURES) | pl.col("job_id").is_in(known.implode())
    rows = store.newest("jobs").filter(same_repository(repo), over, bad)
    found = rows.select("repo", *_JOB, *_TIMES, "runner_name").collect(engine="streaming")
    once = found.unique("job_id", keep="last").sort("run_id", "run_attempt", "job_id")
    return without_relisted(once).with_columns(failed_at=pl.coalesce("completed_at", "started_at", "created_at"))


def _current(known: pl.DataFrame, jobs: pl.DataFrame) -> pl.DataFrame:
    """The rows that stay: those of today's version, and those whose job is not in the store any more."""
    is_there = pl.col("job_id").is_in(jobs["job_id"].implode())
    is_current = pl.col("version") == SIGNATURE_VERSION
    alone = _signed(known.filter(~is_current & ~is_there).with_columns(name="job"))
    waits = (pl.col("choice") == LogChoice.DEFERRED.value) & ~is_there
    # Of a job that was pruned nobody can ask for a log.
    choice = pl.when(waits).then(pl.lit(LogChoice.NOT_ASKED.value)).otherwise("choice")
    return pl.concat([known.filter(is_current), alone.select(_FIELDS)]).with_columns(choice=choice)


def _made(store: Store, repo: str, jobs: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The rows of ``jobs`` as their runs and steps tell them, with what ``known`` says of their logs.

    Those without any time are left out.
    """
    jobs = jobs.filter(pl.col("failed_at").is_not_null())
    if jobs.is_empty():
        return pl.DataFrame(schema=_SCHEMA)
    same = same_repository(repo)
    mine = store.newest("jobs").filter(same, pl.col("job_id").is_in(jobs["job_id"].implode()))
    steps = failed_steps(mine.select("job_id", "steps").collect(engine="streaming"))
    runs = store.newest("runs").filter(same, pl.col("run_id").is_in(jobs["run_id"].unique().implode()))
    of_run = pl.coalesce("workflow_file", "workflow_name").alias("of_run")
    told = runs.select("run_id", "run_attempt", of_run, branch="head_branch").collect(engine="streaming")
    once = told.sort("run_attempt").unique("run_id", keep="last").drop("run_attempt")
    rows = jobs.join(steps.select("job_id", step="failed_step"), on="job_id", how="left").join(
        once, on="run_id", how="left"
    )
    rows = rows.with_columns(workflow=pl.coalesce("of_run", "workflow_name", pl.lit(_NO_WORKFLOW)), url="html_url")
    rows = _signed(rows).join(known.select("job_id", *_CARRIED), on="job_id", how="left")
    rows = rows.with_columns(
        pl.col("choice").fill_null(LogChoice.NOT_ASKED.value),
        pl.col("log_bytes").fill_null(0),
        job=pl.col("name").replace_strict({name: family_of(name) for name in rows["name"].unique()}),
    )
    return rows.select(_SCHEMA.keys()).cast(_SCHEMA)


def _signed(rows: pl.DataFrame) -> pl.DataFrame:
    """``rows`` with ``version`` and ``signature``; each combination of names is signed once."""
    names = ("workflow", "name", "step", "conclusion")
    signed = [(*row, signature_of(*row)) for row in rows.select(names).unique().iter_rows()]
    table = pl.DataFrame(signed, schema=dict.fromkeys((*names, "signature"), pl.String), orient="row")
    unsigned = rows.drop("version", "signature", strict=False)
    return unsigned.join(table, on=names, how="left", nulls_equal=True).with_columns(version=pl.lit(SIGNATURE_VERSION))


def _with_logs(rows: pl.DataFrame, store: Store, repo: str) -> pl.DataFrame:
    """``rows`` with what became of their logs, and what these told."""
    mine = (same_repository(repo), pl.col("job_id").is_in(rows["job_id"].implode()))
    logs = store.newest("job_logs").filter(*mine).select("job_id", "state", "size_bytes", came_at="observed_at")
    told = store.newest("failures").filter(*mine).select("job_id", *(pl.col(one).alias(f"new_{one}") for one in _TOLD))
    for frame in (logs, told.with_columns(is_told=True)):
        once = frame.collect(engine="streaming").unique("job_id", keep="last")
        rows = rows.join(once, on="job_id", how="left", maintain_order="left")
    choice = (
        pl.when(pl.col("state") == LogState.READY.value)
        .then(pl.lit(LogChoice.READ.value))
        .when(pl.col("state").is_in(_GONE))
        .then(pl.lit(LogChoice.GONE.value))
        .otherwise("choice")
    )
    rows = rows.with_columns(
        choice=choice,
        asked_at=pl.coalesce("asked_at", "came_at"),
        log_bytes=pl.when(pl.col("log_bytes") > 0).then("log_bytes").otherwise(pl.col("size_bytes").fill_null(0)),
    )
    return _with_templates(rows.with_columns(is_told=pl.col("is_told") & (pl.col("choice") == LogChoice.READ.value)))


def _with_templates(rows: pl.DataFrame) -> pl.DataFrame:
    """``rows`` with what their logs told; only lines that are new are masked."""
    same = pl.all_horizontal(pl.col(one).eq_missing(pl.col(f"new_{one}")) for one in ("fingerprint", "line"))
    is_new = pl.col("is_told").fill_null(value=False) & ~(same & pl.col("template").is_not_null())
    lines = rows.filter(is_new)["new_line"].drop_nulls().unique()
    templates = pl.DataFrame(
        {"new_line": lines, "new_template": [masked(line) for line in lines]},
        schema={"new_line": pl.String(), "new_template": pl.String()},
    )
    rows = rows.join(templates, on="new_line", how="left", maintain_order="left")
    rows = rows.with_columns(template=pl.when(is_new).then("new_template").otherwise("template"))
    return rows.with_columns(pl.when("is_told").then(f"new_{one}").otherwise(one).alias(one) for one in _TOLD)


def _with_agents(rows: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """``rows`` with the agents of ``runs``, where they are of those."""
    key = ["run_id", "run_attempt"]
    told = runs.select(*key, new_agent="agent", is_known=pl.lit(value=True)).unique(key, keep="last")
    joined = rows.join(told, on=key, how="left", maintain_order="left")
    return joined.with_columns(agent=pl.when("is_known").then("new_agent").otherwise("agent"))


def _with_known(rows: pl.DataFrame) -> pl.DataFrame:
    """``rows``, those of a known kind with what the log that stands for them told; of no kind that was read: open."""
    is_known = pl.col("choice") == LogChoice.KNOWN.value
    read = rows.filter(pl.col("choice") == LogChoice.READ.value).sort("failed_at", "job_id")
    read = read.select("signature", "failed_at", *_OF_LOG, by=pl.lit(value=True))
    known = rows.filter(is_known).drop(_OF_LOG).sort("failed_at", "job_id")
    before = known.join_asof(read, on="failed_at", by="signature", strategy="backward", check_sortedness=False)
    later = before.filter(pl.col("by").is_null()).drop(*_OF_LOG, "by")
    after = later.join_asof(read, on="failed_at", by="signature", strategy="forward", check_sortedness=False)
    open_ = pl.when("by").then("choice").otherwise(pl.lit(LogChoice.NOT_ASKED.value))
    found = pl.concat([before.filter(pl.col("by").is_not_null()), after]).with_columns(choice=open_)
    return pl.concat([rows.filter(~is_known).select(_FIELDS), found.select(_FIELDS)])
