"""Runs out of the store: a page of a list, and one with its attempts and jobs."""

from __future__ import annotations

import msgspec
import polars as pl

from trackside.evidence.history import once
from trackside.evidence.selection import same_repository
from trackside.history.names import is_workflow
from trackside.records.jobs import Job
from trackside.records.run_lists import RunAsked, RunInDetail, RunPage, RunRow
from trackside.store.schema import STAMP_NAMES
from trackside.store.store import Store

_ATTEMPT = ["run_id", "run_attempt"]
_COLUMNS = tuple(one.name for one in msgspec.structs.fields(RunRow) if one.name != "agent")


def load_newest_attempts(store: Store, repo: str) -> pl.DataFrame:
    """The newest attempt of each run of ``repo``, the newest run first: the fields of RunRow without ``agent``."""
    rows = store.newest("runs").filter(same_repository(repo)).select("repo", *_COLUMNS).collect(engine="streaming")
    newest = once(rows, _ATTEMPT).sort("run_attempt").unique("run_id", keep="last")
    order = ["created_at", "run_id"]
    return newest.select(_COLUMNS).sort(order, descending=True, nulls_last=True)


def page_of_runs(runs: pl.DataFrame, asked: RunAsked) -> RunPage:
    """The part of ``runs``, as ``load_newest_attempts`` tells them, that is asked for."""
    chosen = runs.filter(_wanted(asked))
    if asked.workflow is not None:
        names = chosen.select("workflow_file", "workflow_name").unique()
        mine = [row for row in names.iter_rows() if is_workflow(asked.workflow, *row)]
        kept = pl.DataFrame(mine, schema=names.schema, orient="row")
        chosen = chosen.join(kept, on=names.columns, how="semi", nulls_equal=True, maintain_order="left")
    if asked.among is not None:
        keys = pl.DataFrame(sorted(asked.among), schema=chosen.select(_ATTEMPT).schema, orient="row")
        chosen = chosen.join(keys, on=_ATTEMPT, how="semi", maintain_order="left")
    rows = chosen.slice(asked.offset, asked.limit).to_dicts()
    return RunPage(
        total=chosen.height,
        limit=asked.limit,
        offset=asked.offset,
        runs=tuple(msgspec.convert(_told(row), RunRow) for row in rows),
    )


def load_run(store: Store, repo: str, run_id: int) -> RunInDetail | None:
    """A run of ``repo`` with its attempts and jobs; None where the store has neither.

    A run that only its jobs told of has no attempts.
    """
    mine = same_repository(repo)
    runs = store.newest_of_runs("runs", [run_id]).filter(mine).select("repo", "observed_at", *_COLUMNS).collect()
    attempts = once(runs.sort("observed_at"), _ATTEMPT).sort("run_attempt", descending=True)
    jobs = store.newest_of_runs("jobs", [run_id]).filter(mine).sort("observed_at").collect()
    jobs = jobs.unique("job_id", keep="last").sort("run_attempt", "job_id").drop(STAMP_NAMES)
    if attempts.is_empty() and jobs.is_empty():
        return None
    return RunInDetail(
        attempts=tuple(msgspec.convert(_told(row), RunRow) for row in attempts.select(_COLUMNS).to_dicts()),
        jobs=tuple(msgspec.convert(_told(row), Job) for row in jobs.to_dicts()),
    )


def _wanted(asked: RunAsked) -> pl.Expr:
    equal = {"status": asked.status, "conclusion": asked.conclusion, "head_branch": asked.branch}
    wanted = [pl.col(name) == value for name, value in equal.items() if value is not None]
    if asked.since is not None:
        wanted.append(pl.col("created_at") >= asked.since)
    if asked.until is not None:
        wanted.append(pl.col("created_at") <= asked.until)
    return pl.all_horizontal(pl.lit(value=True), *wanted)


def _told(row: dict[str, object]) -> dict[str, object]:
    """The fields that were told; the others have the defaults of the record."""
    return {name: value for name, value in row.items() if value is not None}
