"""How benchmark runs are called on pages: by their name, and where several have it by what tells them apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

from trackside.records.bench_runs import BenchRun
from trackside.site.paths import slug


def run_names(runs: Sequence[BenchRun]) -> dict[str, str]:
    """What each run is called, by its key: its name, with the directory above it where another run has that name too.

    Where that is not enough, with the first digits of its key. A whole path is never told: it is of somebody's machine.
    """
    times = Counter(run.name for run in runs)
    longer = {run.run_key: run.name if times[run.name] == 1 else _with_parent(run) for run in runs}
    again = Counter(longer.values())
    return {key: name if again[name] == 1 else f"{name} ({key[:6]})" for key, name in longer.items()}


def report_path(run: BenchRun) -> str:
    """The file of the run's full report, below the site."""
    return f"benchmarks/{slug(f'{run.name} {run.run_key}')}.html"


def _with_parent(run: BenchRun) -> str:
    path = PurePath(run.path)
    folder = path.parent.parent if path.name == "logs" else path.parent
    return f"{folder.name}/{run.name}" if folder.name else run.name
