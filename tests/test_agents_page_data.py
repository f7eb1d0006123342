"""The data files beside the page of agents, and how much the page carries of them."""

from __future__ import annotations

import datetime as dt
import json

import msgspec
import pytest

from tests.agent_data import problems
from tests.agent_frames import an_agent_history, an_agent_run
from tests.agent_sites import (
    UNTIL,
    a_full_site,
    a_week,
    agent_files,
    agents_site,
)
from tests.history_frames import HOUR, START
from trackside.records.agent_rules import AgentRules
from trackside.site import agent_files as site_files_of_agents
from trackside.site.agent_files import bounded, changed_at


def test_the_data_files_follow_their_schemas_and_carry_nothing_of_the_clock() -> None:
    facts = a_full_site()
    files = agent_files(facts)
    main = json.loads(files["data/agentops-runs.json"])

    assert problems("agentops-runs", main) == []
    assert problems("agentops-days", json.loads(files["data/agentops-runs-days.json"])) == []
    assert problems("agentops-sync", json.loads(files["data/agentops-sync.json"])) == []
    assert main["last_updated"] == "2026-06-03T20:15:00.000000+00:00"
    assert len(main["runs"]) == 60
    later = msgspec.structs.replace(facts, synced_at=UNTIL + 5 * HOUR)
    assert agent_files(later)["data/agentops-runs.json"] == files["data/agentops-runs.json"]
    assert agent_files(a_full_site()) == files


def test_the_state_of_the_collection_names_every_data_file_with_its_size() -> None:
    files = agent_files(a_full_site())
    told = json.loads(files["data/agentops-sync.json"])

    assert [one["file"] for one in told["files"]] == ["agentops-runs.json", "agentops-runs-days.json"]
    assert all(one["bytes"] == len(files[f"data/{one['file']}"]) for one in told["files"])
    assert told["checked_at"] == "2026-06-04T09:00:00Z"
    assert told["good_at"] == "2026-06-04T09:00:00Z"
    assert "data/agentops-sync.json" not in agent_files(agents_site(a_week(6)))


def test_when_runs_changed_last_is_what_runs_say_else_the_end_of_the_window() -> None:
    late = an_agent_run(1, updated_at=START + 9 * HOUR)
    assert changed_at(an_agent_history([late]), UNTIL) == START + 9 * HOUR
    assert changed_at(an_agent_history([]), UNTIL) == UNTIL


def test_more_data_than_a_site_should_hold_leaves_out_jobs_of_old_runs_and_counts_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    history = a_week()
    assert bounded(history) is history
    monkeypatch.setattr(site_files_of_agents, "MOST_BYTES", 60_000)

    told = bounded(history)

    assert told.rules.detail == "bands"
    main = json.loads(agent_files(agents_site(history))["data/agentops-runs.json"])
    assert main["rows"]["selected"] == 60
    own = msgspec.structs.replace(history, rules=AgentRules(detail="bands"))
    assert bounded(own) is own


def test_segments_have_names_that_the_main_file_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    long = "x" * 280
    runs = [
        an_agent_run(number, title=long, triggering_actor=long, actor=long, commit=str(number),
                     created_at=START + dt.timedelta(minutes=number), workflow=long, branch=long,
                     workflow_file=".github/workflows/pr-test.yml")
        for number in range(1, 2_601)
    ]  # fmt: skip
    files = agent_files(agents_site(an_agent_history(runs)))
    main = json.loads(files["data/agentops-runs.json"])

    named = [one["file"] for one in main["segments"]]
    assert named == ["agentops-runs-2026-06.json"]
    assert {f"data/{one}" for one in named} <= files.keys()
    assert main["rows"]["in_this_file"] + main["rows"]["in_segments"] == 2_600
    assert len(files["agentops.html"]) < 5_000_000
