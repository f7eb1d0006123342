"""Measure the speed figures on generated runs and print them beside their bars.

    python benchmarks/speed.py [--sizes 300MB,1GB,3GB] [--only parse,viz,help,forms] [--markdown]

Every command is measured as a whole process tree. Runs are interleaved, figures are medians, ratios are taken
within one run of this script. Generated runs stay in --work-dir for the next time.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Final

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.figures import Figure, as_table
from benchmarks.page_speed import help_figures, report_figures
from benchmarks.parse_speed import form_figures, parse_cost, parse_figures
from benchmarks.plan import Options, size_bytes
from benchmarks.run_cache import cached_run

_PARTS: Final = ("help", "parse", "viz", "forms")


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", default="300MB", help="sizes of the parsed runs, separated by commas")
    parser.add_argument("--runs", type=int, default=3, help="rounds of each figure (default: 3)")
    parser.add_argument("--only", default=",".join(_PARTS), help=f"of {','.join(_PARTS)} (default: all)")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    parser.add_argument("--work-dir", type=Path, default=Path(tempfile.gettempdir()) / "trackside-bench")
    return parser.parse_args(argv)


def _measure_all(given: argparse.Namespace) -> list[Figure]:
    parts = given.only.split(",")
    figures: list[Figure] = []
    if "help" in parts:
        figures += help_figures(given.runs)
    if "parse" in parts:
        for size in given.sizes.split(","):
            run_dir = cached_run(given.work_dir, Options(size_bytes=size_bytes(size)))
            figures += parse_figures(run_dir, size, given.runs)
    if "viz" in parts:
        run_dir = cached_run(given.work_dir, Options(size_bytes=size_bytes("325MB")))
        parse_cost(run_dir)
        figures += report_figures(run_dir, given.work_dir, given.runs)
    if "forms" in parts:
        figures += form_figures(given.work_dir, given.runs)
    return figures


def main(argv: list[str] | None = None) -> None:
    """Measure and print."""
    given = _arguments(argv)
    given.work_dir.mkdir(parents=True, exist_ok=True)
    figures = _measure_all(given)
    machine = f"{os.cpu_count()} cores, {platform.machine()}"
    print(f"Python {platform.python_version()}, {machine}; medians of {given.runs} rounds\n")
    print(as_table(figures, markdown=given.markdown))


if __name__ == "__main__":
    main()
