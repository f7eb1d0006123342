"""The page of agents: how their runs end, how long they take, where they fail, and what to do about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

import msgspec
import polars as pl

from trackside.agents.frames import AgentHistory
from trackside.history.outcomes import Outcome
from trackside.history.runs import PULL_EVENTS
from trackside.records.alerts import AlertState
from trackside.report.agents_figures import MOST_RECENT, RECENT, recent_failures, summary_of, window_with_ends
from trackside.report.agents_run_rows import RunRows
from trackside.report.agents_words import OUTCOME_WORDS, ROLE_WORDS, UNATTRIBUTED
from trackside.report.alerts_report import shown_state
from trackside.report.ledger import counted
from trackside.site.agent_artifacts import artifact_table
from trackside.site.agent_figures import agent_table, job_table, workflow_table
from trackside.site.agent_files import DATA_FILE, changed_at, data_files
from trackside.site.agent_known_failures import MOST_TOLD, failure_groups, told_failures
from trackside.site.agent_kpis import kpis
from trackside.site.agent_run_details import entries_by_job, entries_by_signature, run_details
from trackside.site.agent_run_rows import recent_table, run_table
from trackside.site.agent_steps import failure_table, step_table
from trackside.site.agent_trends import trend_document, trend_table, trends_of
from trackside.site.agent_waterfalls import waterfall
from trackside.site.facts import AgentFacts, HealthFacts, SiteFacts
from trackside.site.pages import Page, Section, iso
from trackside.site.shares import share_words
from trackside.site.waterfalls import Waterfall
from trackside.site.words import words

MOST_JOBS: Final = 500
MOST_WATERFALLS: Final = 12
MOST_OPENED: Final = 300
"""Runs whose steps the page may have; those of older ones are in the data files."""
_SCRIPTS: Final = (
    "agents_numbers.js", "agents_rows.js", "agents_analysis.js", "agents_run.js", "agents_trends.js", "agents.js",
)  # fmt: skip
_SHOWN_ALERTS: Final = (AlertState.ON, AlertState.RECOVERED)


def agent_pages(facts: SiteFacts) -> Iterator[Page]:
    """The page, which says what to do where no run is known."""
    told = None if facts.agents is None else _values(facts, facts.agents)
    yield Page(
        path=Section.AGENTS.value,
        template="agents.html.j2",
        title="Agents",
        section=Section.AGENTS,
        values={"told": told, "alerts": _alerts(facts.health), "sync": _sync(facts.health), "counted": counted},
        styles=("agents.css",),
        scripts=() if told is None else _SCRIPTS,
    )


def agent_data(facts: SiteFacts) -> Iterator[tuple[str, bytes]]:
    """The data files of agents, as (name below ``data/``, content)."""
    if facts.agents is not None:
        yield from data_files(facts.agents, facts)


def _values(facts: SiteFacts, agents: AgentFacts) -> dict[str, Any]:
    history, told, home = agents.history, agents.statistics, facts.home
    runs = _newest_first(history.runs)
    last_updated = changed_at(history, facts.until)
    drawn = _drawn(runs, history.history.jobs)
    rows = RunRows(_with_steps_of(history, drawn, runs), agents.pulls, told.failed)
    summary = summary_of(runs, last_updated)
    recent = _newest_first(recent_failures(runs, last_updated))
    newest = run_table(rows.rows(runs), runs.height, home)
    trends = trends_of(history, told, last_updated)
    unconfirmed = _unconfirmed(runs, history.history.jobs)
    return {
        "kpis": tuple(kpis(summary, told, window_with_ends(agents.window, runs), last_updated,
                           _of_a_day(runs, last_updated))),
        "last_updated": last_updated,
        "unattributed": runs.filter(pl.col("agent").is_null()).height,
        "total": runs.height,
        "unread": max(0, history.history.unread - unconfirmed),
        "unconfirmed": unconfirmed,
        "jobless": told.jobless_failures,
        "workflows": workflow_table(told),
        "agents": agent_table(told),
        "runs": newest.table,
        "recent": recent_table(tuple(rows.rows(recent.head(MOST_RECENT))), recent.height, home),
        "steps": step_table(told),
        "step_failures": failure_table(history, told, home),
        "has_steps": bool(told.steps),
        "waterfalls": _waterfalls(drawn, rows, home),
        "trends": trend_document(trends),
        "days": trend_table(trends),
        "failures": failure_groups(agents.entries),
        "known": told_failures(agents.entries),
        "known_more": max(0, len(agents.entries) - MOST_TOLD),
        "jobs": job_table(told, MOST_JOBS),
        "artifacts": artifact_table(history, home) if not history.artifacts.is_empty() else None,
        "details": run_details(newest.runs[:MOST_OPENED]),
        "context": _context(facts, agents, last_updated),
        "analyzer": _analyzer(facts),
        "example": next((run.id for run in newest.runs if run.conclusion == "failure"), None),
    }  # fmt: skip


def _newest_first(runs: pl.DataFrame) -> pl.DataFrame:
    """By when attempts started, as the column says: one more attempt of an old run is new."""
    began = pl.coalesce("started_at", "created_at")
    return runs.sort(began, "run_id", "run_attempt", descending=True, nulls_last=True)


def _context(facts: SiteFacts, agents: AgentFacts, last_updated: dt.datetime) -> dict[str, Any]:
    """What the script needs to make rows of a data file as they are made here."""
    return {
        "repo": facts.repo,
        "home": facts.home,
        "file": DATA_FILE,
        "last_updated": iso(last_updated),
        "analyzer": facts.analyzer,
        "dispatch": _analyzer(facts),
        "pull_events": PULL_EVENTS,
        "roles": ROLE_WORDS,
        "outcomes": OUTCOME_WORDS,
        "unattributed": UNATTRIBUTED,
        "signatures": entries_by_signature(agents.entries[:MOST_TOLD]),
        "failed_jobs": {str(job): place for job, place in entries_by_job(agents.entries[:MOST_TOLD]).items()},
    }


def _analyzer(facts: SiteFacts) -> str:
    """The page of the workflow that analyses runs."""
    return f"{facts.home}/actions/workflows/{quote(facts.analyzer, safe='')}"


def _of_a_day(runs: pl.DataFrame, last_updated: dt.datetime) -> pl.DataFrame:
    created = pl.col("created_at")
    return runs.filter(created > last_updated - RECENT, created <= last_updated)


def _unconfirmed(runs: pl.DataFrame, jobs: pl.DataFrame) -> int:
    """How many attempts are over of which jobs are known, as deliveries told them, and no list has confirmed them."""
    told = runs.filter(~pl.col("is_read"), pl.col("outcome") != Outcome.UNFINISHED.value)
    return told.join(jobs, on=["run_id", "run_attempt"], how="semi").height


def _drawn(runs: pl.DataFrame, jobs: pl.DataFrame) -> pl.DataFrame:
    """The newest run of each workflow of which jobs ran, confirmed or not, those of the busiest workflows."""
    ran = jobs.filter(pl.col("duration_s") > 0)
    known = runs.join(ran, on=["run_id", "run_attempt"], how="semi", maintain_order="left")
    busiest = known.group_by("workflow").len().sort(["len", "workflow"], descending=[True, False]).head(MOST_WATERFALLS)
    newest = known.unique("workflow", keep="first", maintain_order=True)
    return busiest.join(newest, on="workflow", how="left", maintain_order="left").select(runs.columns)


def _with_steps_of(history: AgentHistory, drawn: pl.DataFrame, runs: pl.DataFrame) -> AgentHistory:
    """The history with the steps only of what is drawn, and of the newest runs."""
    ids = pl.concat([drawn["run_id"], runs["run_id"].head(MOST_OPENED)]).unique()
    return msgspec.structs.replace(history, steps=history.steps.filter(pl.col("run_id").is_in(ids.implode())))


def _waterfalls(drawn: pl.DataFrame, rows: RunRows, home: str) -> tuple[Waterfall, ...]:
    return tuple(one for run in rows.rows(drawn) if (one := waterfall(run, home)) is not None)


def _alerts(known: HealthFacts | None) -> tuple[tuple[str, str, str, dt.datetime | None], ...] | None:
    """The alerts that are on, near or just over, as (name, state, text, since); None where none were looked at."""
    if known is None or not known.alerts:
        return None
    told = [one for one in known.alerts if one.is_warning or one.state in _SHOWN_ALERTS]
    return tuple((words(one.kind.value), shown_state(one), one.text, one.since) for one in told)


def _sync(known: HealthFacts | None) -> dict[str, Any] | None:
    """How the newest sync went; None where there was none."""
    if known is None or known.health.newest is None:
        return None
    newest = known.health.newest
    return {
        "newest": newest,
        "complete": share_words(newest.completeness),
        "missing": known.health.missing,
        "notes": known.health.notes[:5],
    }
