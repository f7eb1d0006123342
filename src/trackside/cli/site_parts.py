"""The parts of the site as the analyses tell them of one session: CI, performance, agents, and the collection."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from trackside.cli.ci_session import CiSession
from trackside.cli.github_options import Window
from trackside.engine.second_process import begin
from trackside.errors import OutputError

if TYPE_CHECKING:
    import polars as pl

    from trackside.history.frames import History
    from trackside.records.alerts import Alert
    from trackside.records.sync_health import SyncHealth
    from trackside.site.facts import AgentFacts, CiFacts, HealthFacts, SpeedFacts
    from trackside.store.store import Store

_MANY_POINTS: Final = 10_000
"""So many values take longer to be searched than another process to begin."""


def ci_facts(session: CiSession) -> CiFacts | None:
    """The CI of the session's window, None where no run is in it; causes are those of its newest failures."""
    from trackside.ci.flakiness import find_flaky
    from trackside.ci.minutes import runner_minutes
    from trackside.ci.queueing import waiting_times
    from trackside.ci.rate_changes import find_rate_changes
    from trackside.ci.results import span_of
    from trackside.ci.runners import judge_runners
    from trackside.ci.streaks import find_streaks
    from trackside.cli.ci_causes import find_newest_causes
    from trackside.site.facts import CiFacts

    history = session.history
    if history.runs.is_empty():
        return None
    causes, flaky = find_newest_causes(session, "causes"), find_flaky(history)
    return CiFacts(
        history=history,
        span=span_of(history),
        streaks=find_streaks(history),
        flaky=flaky,
        verdicts=causes.verdicts,
        groups=causes.groups,
        looked_at=causes.looked_at,
        waiting=waiting_times(history, session.until),
        runners=judge_runners(history),
        rates=find_rate_changes(history),
        minutes=runner_minutes(history, flaky.job_ids),
        steps=_drawn_steps(session.store, history),
    )


def begin_speed(session: CiSession, window: Window, elsewhere: Executor | None) -> Callable[[], SpeedFacts | None]:
    """Gives what performance jobs of the window printed, None where it holds no such job and no value.

    Until that is asked for, its changes are searched ``elsewhere``, where there are many values.
    """
    from trackside.cli.perf_findings import collection_of, head_of, with_states
    from trackside.cli.perf_session import for_performance, measured
    from trackside.perf.changes import find_changes
    from trackside.site.facts import SpeedFacts

    own = replace(session, settings=for_performance(session.settings))
    chosen = window.workflow or own.settings.sync.workflows
    perf = measured(replace(own, history=_of_workflows(session.history, chosen)), window.job)
    collection = collection_of(perf)
    if perf.points.is_empty() and collection.jobs.is_empty():
        return lambda: None
    where = elsewhere if perf.points.height > _MANY_POINTS else None
    changes = begin(where, find_changes, _only_runs(perf.history), perf.points)

    def told() -> SpeedFacts:
        found = with_states(perf, changes(), session.until)
        return SpeedFacts(
            points=perf.points,
            states=found.states,
            silence=found.silence,
            collection=collection,
            head=head_of(perf.ci, collection, session.until),
        )

    return told


def agent_facts(session: CiSession, window: Window) -> AgentFacts | None:
    """What agents did in the window, None where no run is in it. Keeps in the store what is known of failures."""
    from trackside.agents.statistics import statistics_of
    from trackside.cli.agents_session import keep_occurrences
    from trackside.cli.agents_window import window_of_data
    from trackside.evidence.agent_history import with_agents
    from trackside.evidence.checkout import read_checkout
    from trackside.evidence.knowledge import load_knowledge
    from trackside.evidence.pull_requests import pulls_of
    from trackside.site.facts import AgentFacts

    settings, store = session.settings, session.store
    rules, is_chosen = settings.agents, bool(window.workflow or settings.sync.workflows)
    history = session.history if is_chosen else _without_workflows(session.history, rules.ignored_workflows)
    if history.runs.is_empty():
        return None
    agents = with_agents(store, history, rules, read_checkout(Path.cwd(), history.repo, rules.registry, os.environ))
    keep_occurrences(session, agents)
    sync = msgspec.structs.replace(settings.sync, max_runs_per_workflow=None)
    return AgentFacts(
        history=agents,
        statistics=statistics_of(agents),
        window=window_of_data(window, msgspec.structs.replace(settings, sync=sync)),
        entries=load_knowledge(store, history.repo).entries,
        pulls=pulls_of(store, agents),
    )


def health_facts(session: CiSession, agents: AgentFacts | None, synced_at: dt.datetime | None) -> HealthFacts:
    """How the collection goes; alerts are looked at once more where something was synced since."""
    from trackside.agents.frames import AGENT_RUN_COLUMNS, STEP_COLUMNS, AgentHistory
    from trackside.evidence.sync_health import load_last_syncs, load_sync_health
    from trackside.history.frames import empty_frame
    from trackside.site.facts import HealthFacts

    nobody = AgentHistory(history=session.history, runs=empty_frame(AGENT_RUN_COLUMNS), steps=empty_frame(STEP_COLUMNS))
    health: SyncHealth = load_sync_health(session.store, nobody if agents is None else agents.history)
    return HealthFacts(
        health=health,
        syncs=load_last_syncs(session.store, session.history.repo),
        alerts=_alerts(session, synced_at),
        tables=tuple(session.store.info()),
    )


def _alerts(session: CiSession, synced_at: dt.datetime | None) -> tuple[Alert, ...]:
    """How the alerts stand: as of the newest sync, or as they were seen after it; a sync of this command keeps them."""
    from trackside.cli.alerting import look_at_alerts, update_alerts
    from trackside.evidence.alert_facts import known_alerts

    store, repo, settings = session.store, session.history.repo, session.settings
    known = known_alerts(store, repo)
    if synced_at is None or any(one.checked_at is not None and one.checked_at >= synced_at for one in known):
        return known
    if not session.offline:
        try:
            return update_alerts(store, repo, settings, synced_at, None)
        except OutputError as error:
            session.terminal.warn(f"How the alerts stand could not be kept: {error}")
    return look_at_alerts(store, repo, settings, synced_at, None)


def _drawn_steps(store: Store, history: History) -> pl.DataFrame:
    """The steps of the newest attempt of each job that ended, and of the newest that failed."""
    import polars as pl

    from trackside.evidence.agent_history import load_steps

    over = history.jobs.filter(pl.col("outcome").is_in(["passed", "failed"])).sort("started_at", "job_id")
    newest = over.unique(["workflow", "job"], keep="last", maintain_order=True)
    failed = over.filter(pl.col("outcome") == "failed").unique(["workflow", "job"], keep="last", maintain_order=True)
    return load_steps(store, pl.concat([newest, failed]).unique("job_id", maintain_order=True), history.repo)


def _only_runs(history: History) -> History:
    """The history without what changes of level are not told from: it is sent to another process."""
    nothing = {name: getattr(history, name).clear() for name in ("jobs", "failures", "test_files")}
    return msgspec.structs.replace(history, every_job=None, **nothing)


def _of_workflows(history: History, wanted: tuple[str, ...]) -> History:
    """The history of the workflows with these files or names, all of it where there are none."""
    return history if not wanted else _kept(history, wanted, keeps=True)


def _without_workflows(history: History, ignored: tuple[str, ...]) -> History:
    return _kept(history, ignored, keeps=False)


def _kept(history: History, names: tuple[str, ...], *, keeps: bool) -> History:
    from trackside.history.names import is_workflow
    from trackside.history.subsets import history_of_runs

    known = history.runs.select("workflow_file", "workflow").unique()
    rows = [row for row in known.iter_rows() if any(is_workflow(name, *row) for name in names) is keeps]
    if len(rows) == known.height:
        return history
    import polars as pl

    mine = pl.DataFrame(rows, schema=known.schema, orient="row")
    kept = history.runs.join(mine, on=["workflow_file", "workflow"], how="semi", nulls_equal=True)
    return history_of_runs(history, kept.select("run_id").unique())
