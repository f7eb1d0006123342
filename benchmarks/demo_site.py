"""The store of the demo's site: a week of CI and ten days of agents of one repository, from a fake GitHub, with logs.

By hand: ``python -m benchmarks.demo_site --store DIR`` makes such a store and prints its path.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.demo_ci import REPO, run_command, served


def sync_site(room: Path, store: Path, tell: Callable[[str], None]) -> None:
    """Fills ``store`` with all that pages show: runs, logs of failed and of performance jobs, what is known of agents.

    The agents' data file is left in ``room``.
    """
    room.mkdir(parents=True, exist_ok=True)
    with served(room, "site") as url:
        environment = {**os.environ, "GITHUB_API_URL": url, "GITHUB_TOKEN": "any", "TRACKSIDE_STORE": str(store)}
        tell(f"\nA fake GitHub serves a week of CI and ten days of agents of {REPO} at {url}.")
        for logs in ("failed", "perf"):
            sync = ["sync", "--repo", REPO, "--since", "30d", "--logs", logs, "--api", "rest"]
            run_command(sync, environment, tell)
        data = room / "agentops-runs.json"
        report = ["agents", "report", "--repo", REPO, "--logs", "new", "--top", "5", "--output", str(data)]
        run_command(report, environment, tell)


def main() -> None:
    """Make the store that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo_site", description=__doc__)
    parser.add_argument("--store", type=Path, required=True, help="where the store shall be")
    store: Path = parser.parse_args().store.resolve()
    sync_site(store.parent, store, lambda text: print(text, file=sys.stderr, flush=True))
    print(store)


if __name__ == "__main__":
    main()
