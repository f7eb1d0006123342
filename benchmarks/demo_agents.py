"""The agents' part of the demo: ten days of coding agents at work, reported, and one run that failed looked into."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from benchmarks.demo_ci import REPO, run_command, served


def report_agents(out: Path, tell: Callable[[str], None]) -> list[Path]:
    """Reports what agents did, and analyses the newest failed run of an agent; returns the files that were written."""
    room = out / "agents"
    shutil.rmtree(room, ignore_errors=True)
    room.mkdir(parents=True)
    data, analysis = room / "agentops-runs.json", room / "agent_run.md"
    with served(room, "agents") as url:
        environment = {
            **os.environ,
            "GITHUB_API_URL": url,
            "GITHUB_TOKEN": "any",
            "TRACKSIDE_STORE": str(room / "store"),
        }
        tell(f"\nA fake GitHub serves ten days of agents at work in {REPO} at {url}.")
        report = ["agents", "report", "--repo", REPO, "--logs", "new", "--top", "5", "--output", str(data)]
        run_command(report, environment, tell)
        failed = json.loads(data.read_text(encoding="utf-8"))["statistics"]["failed"]
        run = next(str(one["run_id"]) for one in failed if one["agent_role"] == "ran")
        run_command(["agents", "explain", run, "--repo", REPO, "--offline"], environment, tell)
        run_command(["agents", "analyze", run, "--repo", REPO, "--output", str(analysis)], environment, tell)
    run_command(["kb", "list", "--repo", REPO], environment, tell)
    return [data, analysis]
