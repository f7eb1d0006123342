"""The store and the site of the demo: a week of CI and ten days of agents of one repository, from a fake GitHub.

By hand: ``python -m benchmarks.demo_site --store DIR`` makes such a store and prints its path, ``--site DIR`` the site
of it as well.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.demo_ci import REPO, environment_of, run_command, served
from benchmarks.generate_run import generate_run
from benchmarks.plan import Options, plan_run

Tell = Callable[[str], None]
SMALLER: Final = Options(topology="4P2D", minutes=30, seed=1)


def sync_site(room: Path, store: Path, tell: Tell) -> None:
    """Fills ``store`` with all that pages show: runs, logs of failed and of performance jobs, failures of agents."""
    room.mkdir(parents=True, exist_ok=True)
    with served(room, "site") as url:
        environment = environment_of(url, store)
        tell(f"\nA fake GitHub serves a week of CI and ten days of agents of {REPO} at {url}.")
        for logs in ("failed", "perf", "new"):
            sync = ["sync", "--repo", REPO, "--since", "30d", "--logs", logs, "--api", "rest"]
            run_command(sync, environment, tell)


def benchmark_runs(room: Path) -> list[Path]:
    """The runs of the site below ``room``: that of the demo and a smaller one to lay over it, made if need be."""
    return [_benchmark_run(room, options) for options in (Options(), SMALLER)]


def _benchmark_run(room: Path, options: Options) -> Path:
    folder = room / plan_run(options).job_id
    return folder if folder.exists() else generate_run(room, options)


def build_site(store: Path, site: Path, benchmarks: Sequence[Path], tell: Tell) -> Path:
    """Writes the site of ``store`` with the benchmark runs in ``benchmarks``; its first page comes back."""
    folders = [word for folder in benchmarks for word in ("--benchmarks", str(folder))]
    run_command(["site", "build", "--repo", REPO, "-o", str(site), *folders], environment_of(None, store), tell)
    return site / "index.html"


def main() -> None:
    """Make what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo_site", description=__doc__)
    parser.add_argument("--store", type=Path, required=True, help="where the store shall be")
    parser.add_argument("--site", type=Path, help="where the site of it shall be")
    parser.add_argument("--benchmarks", type=Path, action="append", default=[], help="a folder of benchmark runs")
    told = parser.parse_args()
    store: Path = told.store.resolve()
    sync_site(store.parent, store, _tell)
    print(store if told.site is None else build_site(store, told.site.resolve(), told.benchmarks, _tell))


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
