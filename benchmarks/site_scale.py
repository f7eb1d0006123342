"""Measure `trackside site build` at the size of a large repository: 30,000 runs with 300,000 jobs and 4.7 M steps.

    python benchmarks/site_scale.py [--runs 30000] [--markdown] [--work-dir DIR]

The store is generated (`site_facts.py`): 30 days, all in the window, with failures that logs told, agents, and 240
series of performance. Each figure is a process of its own, measured as a whole with those that it starts: the first
build, one of the same store, one after a run more, and what a build does before its pages are made.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.ci_facts import REPO
from benchmarks.figures import Figure, as_table
from benchmarks.process_tree import measure
from benchmarks.site_facts import fill
from trackside.cli.app import run as run_command
from trackside.cli.app import trackside_app
from trackside.store.store import open_store

LIMIT_S: Final = 60
_WRITTEN: Final = re.compile(r"[\d,]+ of [\d,]+ files were written, [\d,]+ removed; the site has [\d.,]+ MB")


def _fill(folder: Path, runs: int) -> None:
    fill(open_store(folder / "store"), runs)


def _add_run(folder: Path, runs: int) -> None:
    fill(open_store(folder / "store"), 1, first=runs)


def _load(folder: Path, _: int) -> None:
    """Everything but the pages."""
    from trackside.cli.github_options import Access
    from trackside.cli.site_session import SiteAsked, load_site
    from trackside.engine.second_process import second_process

    asked = SiteAsked(access=Access(repo=REPO, store=str(folder / "store")))
    with second_process() as elsewhere:
        load_site(asked, folder / "site", (), elsewhere)


def _build(folder: Path, _: int) -> None:
    words = ["site", "build", "--repo", REPO, "--store", str(folder / "store"), "-o", str(folder / "site")]
    if code := run_command(trackside_app(), words):
        raise SystemExit(code)


WORK: Final[dict[str, Callable[[Path, int], None]]] = {
    "generate": _fill,
    "load and analyse": _load,
    "first build": _build,
    "the same again": _build,
    "generate a run": _add_run,
    "after a run more": _build,
}


def _figures(given: argparse.Namespace) -> list[Figure]:
    folder = given.work_dir / "site-scale"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    figures: list[Figure] = []
    for name in WORK:
        cost = measure([sys.executable, __file__, "--do", name, "--runs", str(given.runs), "--work-dir", str(folder)])
        if cost.exit_code:
            raise SystemExit(f"{name} failed:\n{cost.output}")
        told = _WRITTEN.search(cost.output)
        limit = LIMIT_S if WORK[name] is _build else None
        note = f"{cost.cpu_s:.1f} CPU-s{f'; {told[0]}' if told else ''}"
        figures.append(Figure(name, cost.wall_s, "s", limit, f"{limit} s" if limit else "", note))
        figures.append(Figure(f"memory of it, {name}", cost.peak_bytes / 1e6, "MB"))
    shutil.rmtree(folder)
    return figures


def main(argv: list[str] | None = None) -> None:
    """Measures, or with ``--do`` does one thing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=30_000)
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    parser.add_argument("--work-dir", type=Path, default=Path(tempfile.gettempdir()) / "trackside-bench")
    parser.add_argument("--do", choices=WORK, help=argparse.SUPPRESS)
    given = parser.parse_args(argv)
    if given.do:
        WORK[given.do](given.work_dir, given.runs)
    else:
        print(as_table(_figures(given), markdown=given.markdown))


if __name__ == "__main__":
    main()
