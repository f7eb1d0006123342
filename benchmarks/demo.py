"""Generate a 6P/2D run and write its reports; sync a week of CI, ten days of agents; only paths go to stdout."""

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
from benchmarks.demo_ci import sync_a_week
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


def main() -> None:
    """Make the demo and print the reports' paths."""
    began = time.monotonic()
    options = Options()
    stale = OUTPUT / plan_run(options).job_id
    if stale.exists():
        shutil.rmtree(stale)
    _tell(f"Simulating a 6P/2D run below {OUTPUT} ...")
    run_dir = generate_run(OUTPUT, options)
    reports = write_reports(run_dir, OUTPUT)
    reports += sync_a_week(OUTPUT, _tell)
    reports += report_agents(OUTPUT, _tell)
    _tell(f"\nDone in {time.monotonic() - began:.0f} s. Open these files, the pages in a browser:")
    for report in reports:
        print(report.resolve())


if __name__ == "__main__":
    main()
