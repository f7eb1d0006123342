"""The established figures of the data file: all runs, runs by agent and by workflow, and what they are of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from trackside.agents.frames import AgentHistory
from trackside.agents.outcome_counts import counts, kind_of, outcomes_in, success_of
from trackside.agents.shown_names import shown_name
from trackside.records.attribution import Role
from trackside.report.agents_document import Completeness, DataWindow, Summary, WorkflowStats, Workload
from trackside.report.agents_packing import fitting_names

RECENT: Final = dt.timedelta(hours=24)
MOST_RECENT: Final = 20
_FOLDER: Final = ".github/workflows/"
_COMPLETED: Final = pl.col("status").eq_missing("completed")


def workflow_file(path: str | None) -> str | None:
    """The name of a workflow's file as the established file tells it; one that GitHub makes itself has its path."""
    return None if path is None else path.removeprefix(_FOLDER).partition("@")[0]


def summary_of(runs: pl.DataFrame, last_updated: dt.datetime) -> Summary:
    """The figures of all ``runs``, which have the columns ``agents.frames.AGENT_RUN_COLUMNS``."""
    row = _rows(runs, [])[0]
    outcomes = outcomes_in(row)
    completed = row["completed"]
    return Summary(
        total_runs=outcomes.total,
        completed=completed,
        in_progress=outcomes.in_progress,
        success=outcomes.success,
        failure=outcomes.failure,
        success_rate=round(100 * outcomes.success / completed, 2) if completed else None,
        avg_duration_seconds=row["mean_s"],
        recent_failures_24h=recent_failures(runs, last_updated).height,
        success_of_decided=success_of(outcomes),
        outcomes=outcomes,
        distinct_runs=runs["run_id"].n_unique(),
    )


def recent_failures(runs: pl.DataFrame, last_updated: dt.datetime) -> pl.DataFrame:
    """The rows of runs that failed and were created in the 24 hours before ``last_updated``, the newest first."""
    fresh = (pl.col("created_at") > last_updated - RECENT) & (pl.col("created_at") <= last_updated)
    failed = runs.filter(pl.col("conclusion").eq_missing("failure") & fresh)
    return failed.sort("created_at", "run_id", "run_attempt", descending=True)


def workflow_stats(runs: pl.DataFrame) -> dict[str, WorkflowStats]:
    """The figures by the file of the workflow, else its name; the busiest first."""
    files = {path: workflow_file(path) for path in runs["workflow_file"].unique()}
    named = runs.with_columns(
        name=pl.coalesce(
            pl.col("workflow_file").replace_strict(files, default=None, return_dtype=pl.String), "workflow"
        )
    )
    return {
        shown_name(row["name"]): WorkflowStats(
            total=row["total"],
            success=row["success"],
            failure=row["failure"],
            in_progress=row["in_progress"],
            avg_duration=row["mean_s"],
            outcomes=outcomes_in(row),
        )
        for row in _rows(named, ["name"])
    }


def agent_workload(runs: pl.DataFrame) -> dict[str, Workload]:
    """The figures of the runs in which each agent worked; the busiest first. Agents without any have a row too."""
    attributed = runs.filter(pl.col("agent").is_not_null())
    others = attributed.filter(pl.col("agent_role").ne_missing(Role.RAN.value))
    beside = _roles(others)
    worked = _rows(attributed.filter(pl.col("agent_role").eq_missing(Role.RAN.value)), ["agent"])
    told = {row["agent"]: _workload(row, beside.get(row["agent"], {})) for row in worked}
    told |= {agent: Workload(other_roles=roles) for agent, roles in beside.items() if agent not in told}
    return {shown_name(agent): workload for agent, workload in told.items()}


def other_roles(runs: pl.DataFrame) -> dict[str, int]:
    """How many attempts have an agent that had another part in them than to work, by that part."""
    total: dict[str, int] = {}
    for roles in _roles(runs.filter(pl.col("agent").is_not_null(), pl.col("agent_role").ne_missing("ran"))).values():
        for role, count in roles.items():
            total[role] = total.get(role, 0) + count
    return dict(sorted(total.items()))


def unattributed(runs: pl.DataFrame) -> Workload:
    """The figures of the runs of which nothing tells an agent."""
    return _workload(_rows(runs.filter(pl.col("agent").is_null()), [])[0], {})


def figures_by_name(runs: pl.DataFrame, most_bytes: int) -> tuple[dict[str, Any], dict[str, int]]:
    """The figures by agent and by workflow as fields of the document, and how many of each do not fit."""
    workload, agents = fitting_names(agent_workload(runs), most_bytes)
    stats, workflows = fitting_names(workflow_stats(runs), most_bytes)
    figures = {
        "agent_workload": workload,
        "unattributed": unattributed(runs),
        "other_roles": other_roles(runs),
        "workflow_stats": stats,
    }
    return figures, {"agents": agents, "workflows": workflows}


def window_with_ends(asked: DataWindow, runs: pl.DataFrame) -> DataWindow:
    """The window with the oldest and the newest of ``runs``, which are the newest first."""
    dated = runs.filter(pl.col("created_at").is_not_null()).select("created_at", "run_id")
    if dated.is_empty():
        return asked
    (last_at, newest), (first_at, oldest) = dated.row(0), dated.row(-1)
    ends = {"first_run_at": first_at, "last_run_at": last_at, "oldest_run_id": oldest, "newest_run_id": newest}
    return msgspec.structs.replace(asked, **ends)


def completeness_of(history: AgentHistory) -> Completeness:
    """How many attempts of the history are over, and of how many of them the jobs are not in the store."""
    finished = history.runs.filter(pl.col("outcome") != "unfinished").height
    unread = history.history.unread
    return Completeness(
        finished_attempts=finished,
        unread_attempts=unread,
        share=None if not finished else (finished - unread) / finished,
    )


def _workload(row: Mapping[str, Any], others: dict[str, int]) -> Workload:
    return Workload(
        total=row["total"],
        success=row["success"],
        failure=row["failure"],
        in_progress=row["in_progress"],
        outcomes=outcomes_in(row),
        other_roles=others,
    )


def _roles(attributed: pl.DataFrame) -> dict[str, dict[str, int]]:
    told = attributed.group_by("agent", pl.col("agent_role").fill_null("unknown").alias("role")).len()
    found: dict[str, dict[str, int]] = {}
    for agent, role, count in told.sort("agent", "role").iter_rows():
        found.setdefault(agent, {})[role] = count
    return found


def _rows(runs: pl.DataFrame, by: Sequence[str]) -> list[dict[str, Any]]:
    """Counts, ``completed`` and the mean duration ``mean_s``: by ``by`` with the most first, one row of all without."""
    finite = pl.col("duration_s").is_finite() & _COMPLETED
    figures = [
        *counts(),
        _COMPLETED.sum().alias("completed"),
        pl.col("duration_s").filter(finite).mean().round(2).alias("mean_s"),
    ]
    kinds = runs.with_columns(kind=kind_of())
    if not by:
        return kinds.select(figures).to_dicts()
    return kinds.group_by(by).agg(figures).sort(["total", *by], descending=[True, *(False for _ in by)]).to_dicts()
