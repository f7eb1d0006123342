"""Serves a scenario until it is interrupted: ``python -m tests.fake_github --scenario week``."""

from __future__ import annotations

import argparse
import datetime as dt
import signal
import sys
import threading
from pathlib import Path

from tests.fake_github.clock import Clock
from tests.fake_github.fake import FakeGitHub
from tests.fake_github.scenarios import SCENARIOS, agentops, recorded_runs


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """What was typed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fake_github", description=__doc__)
    parser.add_argument("--scenario", choices=[*SCENARIOS, "agentops"], default="small")
    parser.add_argument("--runs", type=Path, help="JSON lines of runs, for the scenario agentops")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--token", help="the only token that is accepted; any will do without it")
    parser.add_argument("--now", type=dt.datetime.fromisoformat, help="where its clock begins; else the real time")
    parser.add_argument("--write-url", type=Path, help="a file that holds the address as soon as it listens")
    told = parser.parse_args(arguments)
    if told.scenario == "agentops" and told.runs is None:
        parser.error("--scenario agentops needs --runs FILE")
    return told


def serve(told: argparse.Namespace, ending: threading.Event) -> None:
    """Fill a world, listen, say where, and wait for the end."""
    now = told.now or dt.datetime.now(dt.UTC)
    if told.now is None and told.runs is not None:
        now = max(run.updated_at for run in recorded_runs(told.runs))
    now = now if now.tzinfo else now.replace(tzinfo=dt.UTC)
    github = FakeGitHub(clock=Clock(now, ticking=True), port=told.port)
    if told.scenario == "agentops":
        repo = agentops(github.world, told.runs)
    else:
        repo = SCENARIOS[told.scenario](github.world, seed=told.seed)
    if told.token:
        github.settings.strict_tokens = True
        github.tokens.add(told.token)
    with github:
        if told.write_url:
            part = told.write_url.with_name(told.write_url.name + ".part")
            part.write_text(github.api_url + "\n", encoding="utf-8")
            part.replace(told.write_url)
        token = "the-token-you-gave" if told.token else "any"
        say = [
            f"{github.api_url} serves {repo.full_name}. Try:",
            f"GITHUB_API_URL={github.api_url} GITHUB_TOKEN={token} trackside sync --repo {repo.full_name}",
        ]
        sys.stdout.write("\n".join(say) + "\n")
        sys.stdout.flush()
        ending.wait()
    sys.stdout.write(f"{github.journal.count()} calls: {dict(github.journal.by_endpoint())}\n")
    sys.stdout.write(f"broken rules: {dict(github.journal.broken_rules()) or 'none'}\n")


def main() -> None:
    """Serve until Ctrl-C or SIGTERM."""
    ending = threading.Event()
    told = options()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda number, frame: ending.set())
    serve(told, ending)


if __name__ == "__main__":
    main()
