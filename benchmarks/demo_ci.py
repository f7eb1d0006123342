"""The CI part of the demo: a week of a made-up repository, from a fake GitHub on this machine into a store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.commands import trackside_command

ROOT: Final = Path(__file__).resolve().parent.parent
REPO: Final = "octo/engine"
PERFORMANCE_JOB: Final = "performance-test-1-gpu-part-1"
"""The job whose tables and charts are written; the site shows every job."""
_STARTS_WITHIN_S: Final = 60


@contextmanager
def served(room: Path, scenario: str) -> Iterator[str]:
    """The URL of a fake GitHub that serves a scenario while the block runs."""
    file = room / "url"
    file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.fake_github", "--scenario", scenario, "--write-url", str(file)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + _STARTS_WITHIN_S
        while not (file.exists() and file.read_text(encoding="utf-8").strip()):
            if server.poll() is not None or time.monotonic() > until:
                sys.exit("The fake GitHub did not start; see above")
            time.sleep(0.05)
        yield file.read_text(encoding="utf-8").strip()
    finally:
        server.terminate()
        server.wait()
        file.unlink(missing_ok=True)


def environment_of(url: str | None, store: Path) -> dict[str, str]:
    """What commands are told: the store and, unless None, where GitHub's API is."""
    told = {} if url is None else {"GITHUB_API_URL": url, "GITHUB_TOKEN": "any"}
    return {**os.environ, **told, "TRACKSIDE_STORE": str(store)}


def report_ci(room: Path, environment: dict[str, str], tell: Callable[[str], None]) -> list[Path]:
    """Syncs twice, reports what failed and what moved into ``room``; returns the files that were written."""
    run_command(["sync", "--repo", REPO, "--since", "30d", "--api", "rest"], environment, tell)
    tell("\nA second sync asks only for what may be new:")
    ledger = room / "sync.json"
    again = ["sync", "--repo", REPO, "--since", "30d", "--api", "rest", "--format", "json"]
    run_command(again, environment, tell, ledger)
    tell(f"{json.loads(ledger.read_text(encoding='utf-8'))['sync']['calls']} calls")
    tell("\nWhat broke, and why: the logs of failed jobs are read too.")
    analysis = room / "ci_analysis.json"
    report = ["ci", "failures", "--repo", REPO, "--logs", "failed"]
    run_command([*report, "--top", "5", "--output", str(analysis)], environment, tell)
    tell("\nWhat performance jobs printed: their logs are read too.")
    run_command(["sync", "--repo", REPO, "--since", "30d", "--logs", "perf", "--api", "rest"], environment, tell)
    tables, story = room / "performance_tables", room / "performance.txt"
    report = ["perf", "report", "--repo", REPO, "--offline", "--job", PERFORMANCE_JOB, "--output-dir", str(tables)]
    run_command(report, environment, tell, story)
    return [tables / "index.html", story, analysis, ledger, *_offline(room, environment, tell)]


def _offline(room: Path, environment: dict[str, str], tell: Callable[[str], None]) -> list[Path]:
    """What the store tells without a call."""
    offline = ["--repo", REPO, "--offline"]
    summary, causes = room / "ci_failures.md", room / "ci_causes.json"
    run_command(["ci", "failures", *offline, "--format", "markdown"], environment, tell, summary)
    for command in ("streaks", "flaky", "runners"):
        run_command(["ci", command, *offline], environment, tell)
    run_command(["ci", "causes", *offline, "--format", "json"], environment, tell, causes)
    run_command(["store", "info"], environment, tell)
    return [summary, causes]


def run_command(
    arguments: list[str], environment: dict[str, str], tell: Callable[[str], None], into: Path | None = None
) -> None:
    """Runs one trackside command, shown as typed; what it prints goes to stderr or ``into`` a file."""
    words = " ".join(word if "\n" not in word else f'"{" ".join(word.split())}"' for word in arguments)
    tell(f"\n$ trackside {words}{'' if into is None else f' > {into.name}'}")
    command = [*trackside_command(), *arguments]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if into is None:
        tell(done.stdout.rstrip("\n"))
    else:
        into.write_text(done.stdout, encoding="utf-8")
    if done.returncode:
        sys.exit(f"trackside {arguments[0]} ended with exit code {done.returncode}; see above")
