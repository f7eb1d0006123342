"""Whole sites for tests: facts of every part, and the same with an attack wherever a text from outside stands."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, Final

import msgspec

from tests.agent_sites import a_full_site
from tests.agent_sites import a_hostile_site as hostile_agents
from tests.bench_sites import bench_run, hostile_report, with_report
from tests.home_sites import a_hostile_site as hostile_home
from tests.home_sites import a_site
from trackside.site.build import site_files
from trackside.site.facts import BenchReport, SiteFacts
from trackside.site.files import Written, write_site

NOW: Final = dt.datetime(2026, 11, 23, 6, tzinfo=dt.UTC)


def site_facts(**parts: Any) -> SiteFacts:
    """A small world in which everything is there: CI, performance, agents with all details, two benchmark runs."""
    agents = a_full_site(20).agents
    benches = (with_report(bench_run(1)), BenchReport(run=bench_run(2), why_not="its logs are not here any more"))
    return a_site(**{"agents": agents, "benches": benches, "analyzer": "analyze.yml", **parts})


def hostile_facts() -> SiteFacts:
    """The same world with an attack in every text that comes from outside."""
    agents = hostile_agents()
    return msgspec.structs.replace(
        hostile_home(), agents=agents.agents, analyzer=agents.analyzer, benches=(hostile_report(),)
    )


def build_site(folder: Path, facts: SiteFacts, now: dt.datetime = NOW) -> Written:
    """Writes the site of ``facts`` as the command does."""
    return write_site(folder, site_files(facts), facts, now)
