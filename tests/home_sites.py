"""Whole sites for the tests of Home and of data health: facts of every part, and the two pages as files."""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from tests.agent_frames import an_agent_history, an_agent_run
from tests.bench_sites import bench_run
from tests.build_github import ledger
from tests.ci_sites import HOME, UNTIL, a_hostile_morning, a_morning
from tests.history_frames import START
from tests.perf_pages import HOSTILE, a_busy_repository, a_hostile_repository
from tests.perf_sites import speed_of
from trackside.agents.statistics import statistics_of
from trackside.records.alerts import Alert, AlertKind, AlertState
from trackside.records.store_tables import StoredTable
from trackside.records.sync_health import (
    CallFailure,
    MissingData,
    ParserRate,
    RunGap,
    SyncHealth,
    SyncSummary,
    WaitingLog,
)
from trackside.records.syncs import EndpointCalls, Missing, RateLimit, SyncRecord
from trackside.report.agents_document import DataWindow
from trackside.site.facts import AgentFacts, BenchReport, CiFacts, HealthFacts, SiteFacts, SpeedFacts
from trackside.site.health_pages import health_pages
from trackside.site.home_pages import home_pages
from trackside.site.pages import SCRIPTS, STYLES, asset, render

NOTHING: Final = SiteFacts(repo="octo/engine", home=HOME, since=START, until=UNTIL, version="1.0")


def a_summary(number: int = 1, **told: Any) -> SyncSummary:
    """A sync that brought everything, ``number`` hours before the newest run was touched."""
    ended_at = UNTIL - dt.timedelta(hours=number)
    row: dict[str, Any] = {
        "sync_id": f"s{number}", "started_at": ended_at, "ended_at": ended_at, "status": "ok", "api": "rest",
        "duration_s": 12.3, "waited_s": 0.0, "calls": 120, "billed": 100, "failed_calls": 0, "runs_new": 4,
        "runs_changed": 1, "jobs_new": 40, "logs_new": 3, "parse_errors": 0, "completeness": 1.0,
    }  # fmt: skip
    return SyncSummary(**row | told)


def a_ledger(number: int = 1, **told: Any) -> SyncRecord:
    """The same sync in full."""
    endpoints = (
        EndpointCalls(endpoint="jobs", calls=90, billed=90),
        EndpointCalls(endpoint="job log", calls=30, failed=2),
    )
    limits = (RateLimit(resource="core", limit=1000, remaining_start=900, remaining_end=900 - 100 * number),)
    row: dict[str, Any] = {"calls": 120, "billed": 100, "endpoints": endpoints, "limits": limits}
    return ledger(f"s{number}", UNTIL - dt.timedelta(hours=number), **row | told)


def an_alert(kind: AlertKind = AlertKind.STALE_DATA, state: AlertState = AlertState.OFF, **told: Any) -> Alert:
    """An alert of the repository."""
    return Alert(repo="octo/engine", kind=kind, state=state, **{"text": "The data is 3 h old.", **told})


def sound_health() -> HealthFacts:
    """Three syncs, and nothing amiss."""
    last = tuple(a_summary(number) for number in (1, 2, 3))
    return HealthFacts(
        health=SyncHealth(
            newest=last[0],
            last=last,
            endpoints=a_ledger().endpoints,
            limits=a_ledger().limits,
            phases_s={"runs": 0.5, "jobs": 4.0},
            parsers=(ParserRate(parser="answers", items=500, errors=0, rate=0.0),),
            missing_data=MissingData(of=44),
        ),
        syncs=tuple(a_ledger(number) for number in (1, 2, 3)),
        alerts=(an_alert(), an_alert(AlertKind.RATE_LIMIT)),
        tables=(StoredTable(table="runs", keys=40, rows=44, files=2, size_bytes=81_920, about="created_at",
                            oldest=START, newest=UNTIL, version=1),),
        data_bytes={"data/ci-streaks.json": 20_480},
    )  # fmt: skip


def sick_health(text: str = "GitHub said 502") -> HealthFacts:
    """A sync that failed in every way that is told, with ``text`` wherever a text from outside stands."""
    newest = a_summary(status="failed", completeness=0.9996, failed_calls=7, parse_errors=3)
    sound = sound_health()
    health = msgspec.structs.replace(
        sound.health,
        newest=newest,
        last=(newest, *sound.health.last[1:]),
        failures_by_class={"5xx": 4, "none": 3},
        failures=(CallFailure(endpoint=text, status_class="5xx", status=502, url=text, reason=text, workflow=text),),
        missing=(Missing(what="attempts", reason=text, count=2, samples=(text,)),),
        notes=(text,),
        parsers=(ParserRate(parser="logs", items=9, errors=3, rate=1 / 3, samples=(text,)),),
        missing_data=MissingData(
            count=5,
            of=44,
            by_reason={"jobs_not_read": 5},
            gaps=(RunGap(run_id=7, run_attempt=1, workflow=text, reason="jobs_not_read", url=text),),
        ),
        waiting_logs_total=70,
        waiting_logs=(WaitingLog(job_id=1, run_id=7, workflow=text, job=text, failed_at=UNTIL, url=text),),
    )
    alert = an_alert(AlertKind.SYNC_FAILURES, AlertState.ON, text=text, since=START)
    return msgspec.structs.replace(sound, health=health, alerts=(*sound.alerts, alert))


def some_agents(name: str = "copilot", failures: int = 2) -> AgentFacts:
    """Ten runs in which an agent worked, the last ``failures`` of which failed."""
    runs = [an_agent_run(number, "failure" if number > 10 - failures else "success", agent=name)
            for number in range(1, 11)]  # fmt: skip
    history = an_agent_history(runs)
    return AgentFacts(history=history, statistics=statistics_of(history), window=DataWindow(rule="30d"))


@cache
def some_speed() -> SpeedFacts:
    """Twelve series of three jobs: some became slower, one stopped."""
    return speed_of(a_busy_repository(jobs=3, runs=60, tests=1))


@cache
def hostile_speed() -> SpeedFacts:
    """Series with an attack in every text."""
    return speed_of(a_hostile_repository())


@cache
def _morning() -> CiFacts:
    return a_morning()


def a_site(**told: Any) -> SiteFacts:
    """A site of all parts: a job is broken, series moved, agents failed twice, the data is sound."""
    parts: dict[str, Any] = {
        "ci": _morning(),
        "speed": some_speed(),
        "agents": some_agents(),
        "benches": (BenchReport(run=bench_run(1), body="<p>report</p>"), BenchReport(run=bench_run(2))),
        "health": sound_health(),
        "synced_at": UNTIL,
    }
    return msgspec.structs.replace(NOTHING, **parts | told)


def a_hostile_site() -> SiteFacts:
    """A site with an attack wherever a text from outside stands."""
    bench = BenchReport(run=bench_run(1, name=HOSTILE, topology=HOSTILE, path=HOSTILE))
    return a_site(
        ci=a_hostile_morning(), speed=hostile_speed(), agents=some_agents(HOSTILE), benches=(bench,),
        health=sick_health(HOSTILE),
    )  # fmt: skip


def pages_of(facts: SiteFacts) -> dict[str, str]:
    """Home and data health as HTML, by path."""
    return {page.path: render(page, facts) for pages in (home_pages, health_pages) for page in pages(facts)}


def write_site(facts: SiteFacts, folder: Path) -> Path:
    """Writes the two pages with what they need; returns the folder."""
    pages = [*home_pages(facts), *health_pages(facts)]
    for name in {*STYLES, *SCRIPTS, *(name for page in pages for name in (*page.styles, *page.scripts))}:
        path = folder / "assets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(asset(name))
    for path_of, html in pages_of(facts).items():
        (folder / path_of).write_text(html, encoding="utf-8")
    return folder
