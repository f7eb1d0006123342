"""What the page of agents carries of many runs, in which order, and how much of them the sync brought."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import polars as pl
import pytest

from tests.agent_frames import an_agent_history, an_agent_run
from tests.agent_sites import a_full_site, a_health, agent_files, agents_site
from tests.history_frames import HOUR, START
from trackside.site import agent_run_rows
from trackside.site.agent_pages import agent_pages
from trackside.site.facts import SiteFacts
from trackside.site.tables import Table

MOST_PAGE, MOST_ROWS, MOST_DETAILS = 5_000_000, 2_500_000, 900_000


def told_of(facts: SiteFacts) -> dict[str, Any]:
    [page] = agent_pages(facts)
    told: dict[str, Any] = page.values["told"]
    return told


def ids(table: Table) -> list[object]:
    return [row[0].value for row in table.rows]


def with_a_fresh_rerun() -> SiteFacts:
    """Five failed runs of the last hours; the oldest, run 1, was attempted again after all others."""
    runs = [an_agent_run(number, "failure", created_at=START + number * HOUR) for number in range(1, 6)]
    for run in runs:
        run["started_at"] = run["created_at"]
    again = an_agent_run(1, "failure", run_attempt=2, created_at=START + HOUR, started_at=START + 6 * HOUR)
    return agents_site(an_agent_history([*runs, again]))


def test_rows_stand_by_when_attempts_started_as_the_column_says() -> None:
    told = told_of(with_a_fresh_rerun())

    assert ids(told["runs"]) == [1, 5, 4, 3, 2, 1]
    assert ids(told["recent"]) == [1, 5, 4, 3, 2, 1]
    for table in (told["runs"], told["recent"]):
        started = [str(row[[one.key for one in table.columns].index("started")].value) for row in table.rows]
        assert started == sorted(started, reverse=True)


def test_a_fresh_attempt_of_an_old_run_is_among_those_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_run_rows, "MOST_ROWS", 2)
    assert ids(told_of(with_a_fresh_rerun())["runs"]) == [1, 5]


def test_the_page_of_very_many_runs_has_at_most_five_megabytes() -> None:
    site = a_full_site(2_000)
    assert site.agents is not None
    branch = "a-branch-with-a-long-name/" + "x" * 60
    longer = site.agents.history.runs.with_columns(
        branch=pl.lit(branch), title=pl.lit("A long title " + "of words " * 20)
    )
    history = msgspec.structs.replace(site.agents.history, runs=longer)
    html = agent_files(msgspec.structs.replace(site, agents=msgspec.structs.replace(site.agents, history=history)))[
        "agentops.html"
    ].decode()
    found = re.findall(r'<script type="application/json" id="([\w-]+)">(.*?)</script>', html, re.DOTALL)
    sizes = {name: len(text.encode()) for name, text in found}

    assert sizes["runs-data"] <= MOST_ROWS
    assert sizes["agents-details"] <= MOST_DETAILS
    assert len(html.encode()) <= MOST_PAGE
    assert len(json.loads(dict(found)["runs-data"])["rows"]) <= agent_run_rows.MOST_ROWS


def test_attempts_that_are_not_all_there_are_never_all_of_them() -> None:
    health = a_health("partial")
    newest = msgspec.structs.replace(health.health.newest, completeness=0.99996)  # type: ignore[type-var]
    almost = msgspec.structs.replace(health, health=msgspec.structs.replace(health.health, newest=newest))

    html = agent_files(msgspec.structs.replace(a_full_site(), health=almost))["agentops.html"].decode()

    assert "99.9 % of the selected attempts" in html
