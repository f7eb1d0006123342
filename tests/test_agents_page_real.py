"""The page of agents of the real runs of a repository of agents.

The runs are not part of this repository: they are looked for in ``$TRACKSIDE_REAL_DATA``, else beside the checkout.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.agent_data import problems
from tests.agent_sites import agent_files, agents_site
from trackside.cli.app import run as run_app
from trackside.cli.app import trackside_app
from trackside.evidence.agent_history import load_agent_history
from trackside.evidence.selection import Selection
from trackside.records.agent_rules import AgentRules
from trackside.records.ci_rules import CiRules
from trackside.site.agent_pages import agent_pages
from trackside.store.store import open_store

RUNS = Path(os.environ.get("TRACKSIDE_REAL_DATA", "../shared/data")).resolve() / "agentops/runs_before_2025-11-19.jsonl"
REPO = "enufacas/Chained"
HOME = f"https://github.com/{REPO}"


@pytest.mark.skipif(not RUNS.is_file(), reason=f"no real runs at {RUNS} (set TRACKSIDE_REAL_DATA)")
def test_real_runs_are_all_told_and_none_is_an_agent_of_a_guess(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_app(trackside_app(), ["ingest", str(RUNS), "--repo", REPO, "--store", str(tmp_path / "store")]) == 0
    history = load_agent_history(open_store(tmp_path / "store"), Selection(repo=REPO), CiRules(), AgentRules())
    facts = agents_site(history, repo=REPO, home=HOME)

    [page] = agent_pages(facts)
    files = agent_files(facts)

    told = page.values["told"]
    kpis = {one.key: one for one in told["kpis"]}
    assert kpis["total"].value == "226"
    assert kpis["success"].value == "90.0 %"
    assert kpis["success"].basis.endswith("; 198 of 220 that succeeded, failed, timed out or could not start")
    rows = told["runs"].rows
    assert len(rows) == 226
    assert {row[4].value for row in rows} <= {"copilot", "(unattributed)"}
    assert {row[10].value for row in rows} == {None}  # what the established file told were pull requests
    assert all(str(row[0].url).startswith(f"{HOME}/actions/runs/") for row in rows)
    assert all(len(str(row[8].text)) == 8 for row in rows)
    assert sum(int(row[1].value or 0) for row in told["workflows"].rows) == 226
    assert problems("agentops-runs", json.loads(files["data/agentops-runs.json"])) == []
    assert len(files["agentops.html"]) < 1_000_000
