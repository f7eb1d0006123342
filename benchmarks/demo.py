"""Generate a 6P/2D run and write its reports, sync a week of CI and of agents, and make the site of all of it.

Only paths go to stdout, that of the site last.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.commands import srtlog_command
from benchmarks.demo_agents import report_agents
from benchmarks.demo_ci import REPO, environment_of, report_ci, served
from benchmarks.demo_site import SMALLER, benchmark_runs, build_site
from benchmarks.generate_run import generate_run
from benchmarks.plan import Options, plan_run

OUTPUT: Final = Path(__file__).resolve().parent.parent / "demo-output"


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _run(arguments: Sequence[str]) -> None:
    """Run one srtlog command, shown as typed; what it prints goes to stderr."""
    _tell(f"\n$ srtlog {' '.join(arguments)}")
    ended = subprocess.run([*srtlog_command(), *arguments], stdout=sys.stderr, check=False)
    if ended.returncode:
        sys.exit(f"srtlog {arguments[0]} ended with exit code {ended.returncode}; see above")


def write_reports(run_dir: Path, out: Path) -> list[Path]:
    """Parse a generated run and write every report of it below ``out``; returns those to open."""
    report, breakdown = out / "report.html", out / "time_breakdown.html"
    _run(["parse", str(run_dir), "-v"])
    _run(["viz", str(run_dir), "-o", str(report)])
    _run(["time-breakdown", str(run_dir / "logs"), "-o", str(breakdown)])
    _run(["export", str(run_dir), "-o", str(out / "tables")])
    return [report, breakdown]


def report_repository(store: Path, out: Path) -> list[Path]:
    """Sync a repository from a fake GitHub into ``store``, and report on its CI and its agents; returns the files."""
    rooms = [_emptied(out / name) for name in ("ci", "agents")]
    with served(out, "site") as url:
        environment = environment_of(url, store)
        _tell(f"\nA fake GitHub serves a week of CI and ten days of agents of {REPO} at {url}.")
        return [*report_ci(rooms[0], environment, _tell), *report_agents(rooms[1], environment, _tell)]


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def main() -> None:
    """Make the demo and print the reports' paths."""
    began = time.monotonic()
    options = Options()
    for stale in (OUTPUT / plan_run(one).job_id for one in (options, SMALLER)):
        shutil.rmtree(stale, ignore_errors=True)
    _tell(f"Simulating a 6P/2D run below {OUTPUT} ...")
    run_dir = generate_run(OUTPUT, options)
    reports = write_reports(run_dir, OUTPUT)
    store, site = _emptied(OUTPUT / "store"), _emptied(OUTPUT / "site")
    reports += report_repository(store, OUTPUT)
    _tell("\nEverything on pages: the site of the repository, with the benchmark run and a smaller one beside it.")
    home = build_site(store, site, benchmark_runs(OUTPUT), _tell)
    _tell(f"\nDone in {time.monotonic() - began:.0f} s. Reports, one by one:")
    for report in reports:
        print(report.resolve(), flush=True)
    _tell("\nThe site of all of it; open it in a browser, no network is needed:")
    print(home.resolve())


if __name__ == "__main__":
    main()
