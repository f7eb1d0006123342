"""The agents' part of the demo: ten days of coding agents at work, reported, and one run that failed looked into."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from benchmarks.demo_ci import REPO, run_command


def report_agents(room: Path, environment: dict[str, str], tell: Callable[[str], None]) -> list[Path]:
    """Reports what agents did, and analyses the newest run of one that failed, into ``room``; returns the files."""
    data, analysis = room / "agentops-runs.json", room / "agent_run.md"
    tell("\nWhat agents did: the logs of new kinds of failures are read too.")
    report = ["agents", "report", "--repo", REPO, "--logs", "new", "--top", "5", "--output", str(data)]
    run_command(report, environment, tell)
    failed = json.loads(data.read_text(encoding="utf-8"))["statistics"]["failed"]
    run = next(str(one["run_id"]) for one in failed if one["agent_role"] == "ran")
    run_command(["agents", "explain", run, "--repo", REPO, "--offline"], environment, tell)
    run_command(["agents", "analyze", run, "--repo", REPO, "--output", str(analysis)], environment, tell)
    run_command(["kb", "list", "--repo", REPO, "--top", "10"], environment, tell)
    return [data, analysis]
