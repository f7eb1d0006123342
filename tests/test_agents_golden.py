"""The data file of a small repository is the recorded one; that of real runs tells what the established file told."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.agent_data import a_content, every_run, problems, read_json
from tests.fake_github import FakeGitHub
from tests.fake_github.scenarios import small
from tests.syncing import REPO, sync_once
from trackside.cli.app import run as run_app
from trackside.cli.app import trackside_app
from trackside.evidence.agent_history import load_agent_history
from trackside.evidence.selection import Selection
from trackside.records.agent_rules import AgentRules
from trackside.records.ci_rules import CiRules
from trackside.store.store import open_store

DATA = Path(os.environ.get("TRACKSIDE_REAL_DATA", "../shared/data")).resolve()
REAL_RUNS = DATA / "agentops" / "runs_before_2025-11-19.jsonl"
REAL_REPO = "enufacas/Chained"
GOLDEN = Path(__file__).parent / "golden" / "agentops-runs.json"
TOLD = (
    "run_number", "workflow_file", "display_title", "status", "conclusion", "created_at", "updated_at",
    "duration_seconds", "html_url", "run_started_at", "triggering_actor", "event", "head_branch",
)  # fmt: skip


def made(folder: Path) -> dict[str, Any]:
    """The document of the small world of the fake, made at its own time."""
    with FakeGitHub() as github:
        small(github.world, name=REPO)
        store = open_store(folder)
        assert sync_once(github, store).missing == ()
        history = load_agent_history(store, Selection(repo=REPO), CiRules(), AgentRules())
        content = a_content(history, most_bytes=None).main(github.clock.now(), (), None)
    document: dict[str, Any] = json.loads(content)
    return document


def test_the_document_of_a_small_repository_is_the_recorded_one(tmp_path: Path) -> None:
    found = made(tmp_path / "store")
    assert problems("agentops-runs", found) == []
    assert found == json.loads(GOLDEN.read_text(encoding="utf-8")), "python -m tests.test_agents_golden records it"


@pytest.mark.skipif(not REAL_RUNS.is_file(), reason=f"no real runs at {REAL_RUNS} (set TRACKSIDE_REAL_DATA)")
def test_real_runs_keep_what_the_established_file_told_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_app(trackside_app(), ["ingest", str(REAL_RUNS), "--repo", REAL_REPO]) == 0
    window = ["--since", "2025-11-01", "--until", "2025-11-30"]
    report = ["agents", "report", "--repo", REAL_REPO, "--offline", *window, "-o", "agentops-runs.json"]
    assert run_app(trackside_app(), report) == 4  # the lines tell of no jobs
    path = tmp_path / "agentops-runs.json"
    found = {one["id"]: one for one in read_json(path)["runs"]}
    lines = [json.loads(line) for line in REAL_RUNS.read_text().splitlines()]
    assert len(every_run(path)) == len(lines) == 226
    for line in lines:
        one = found[line["id"]]
        assert {name: one[name] for name in TOLD} == {name: line[name] for name in TOLD}
        assert one["head_sha"] == line["head_sha"]
        assert one["issue_number"] is None
    assert {one["agent_name"] for one in found.values()} <= {None, "copilot"}
    summary = read_json(path)["summary"]
    assert (summary["total_runs"], summary["success"], summary["failure"]) == (226, 198, 22)
    assert summary["outcomes"]["cancelled"] == 6


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        GOLDEN.write_text(f"{json.dumps(made(Path(place) / 'store'), indent=1)}\n", encoding="utf-8")
