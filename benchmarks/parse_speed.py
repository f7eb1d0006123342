"""Figures of ``srtlog parse``: cold, memory, unchanged, appended, and the forms that miss the fast path."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from benchmarks.commands import srtlog_command
from benchmarks.figures import Figure, median
from benchmarks.plan import Options
from benchmarks.prefixes import PREFIXES
from benchmarks.process_tree import Cost, measure
from benchmarks.run_cache import cached_run, forget_results, worker_files

APPENDED_BYTES: Final = 1_000_000
MEMORY_BAR_MB: Final = 600.0
FORMS: Final = (
    *(Options(dialect=name) for name in ("2025-06", "2025-11", "2026-05", "2026-07", "2026-05-swa")),
    *(Options(prefix=name) for name in sorted(PREFIXES) if name != Options().prefix),
    *(Options(tags=name) for name in ("tp", "none")),
    Options(topology="8A"),
)


def grep_cost(files: list[Path]) -> float:
    """CPU seconds of one ``grep -cF batch`` over the files."""
    cost = measure(["env", "LC_ALL=C", "grep", "-cF", "batch", *map(str, files)], memory=False)
    return cost.cpu_s


def parse_cost(run_dir: Path, *, memory: bool = False) -> Cost:
    """One ``srtlog parse`` as a whole process; a failed one ends the benchmark."""
    cost = measure([*srtlog_command(), "parse", str(run_dir), "--format", "json"], memory=memory)
    if cost.exit_code:
        sys.exit(f"srtlog parse ended with {cost.exit_code}:\n{cost.output[-2000:]}")
    return cost


class Rounds(NamedTuple):
    """What each round cost; grep is CPU seconds."""

    grep: list[float]
    cold: list[Cost]
    unchanged: list[Cost]
    appended: list[Cost]


def parse_figures(run_dir: Path, size: str, runs: int) -> list[Figure]:
    """Cold, unchanged and appended parses of one run, each round beside grep on the same files."""
    rounds = _measure_rounds(run_dir, runs)
    expected, missing = _rows_missing(run_dir)
    base = median(rounds.grep)
    cold, unchanged, longer = (median(cost.cpu_s for cost in costs) for costs in rounds[1:])
    bar, goal = 14 * base + 1.5, 8 * base + 1.5
    note = (
        f"grep {base:.3f} CPU-s; {cold / base:.1f} x; {cold / _megabytes(run_dir) * 1000:.1f} CPU-s/GB; "
        f"wall {median(cost.wall_s for cost in rounds.cold):.1f} s"
    )
    peak_mb = max(cost.peak_bytes for cost in rounds.cold) / 1e6
    return [
        Figure(f"cold parse, {size}", cold, "CPU-s", bar, f"14 x grep + 1.5 s = {bar:.2f} s", note),
        Figure(f"goal of it, {size}", cold, "CPU-s", goal, f"8 x grep + 1.5 s = {goal:.2f} s"),
        Figure(f"memory of it, {size}", peak_mb, "MB", MEMORY_BAR_MB, "600 MB", "all processes together"),
        Figure(f"unchanged, {size}", unchanged, "CPU-s", 1.0, "1 CPU-s"),
        Figure(f"1 MB appended, {size}", longer, "CPU-s", 1.3, "1.3 CPU-s"),
        Figure(f"batch rows missing, {size}", missing, "rows", None, "0", f"{expected:,} generated"),
    ]


def _measure_rounds(run_dir: Path, runs: int) -> Rounds:
    """Measure in turn; at the end the run is parsed as it was generated."""
    files = worker_files(run_dir)
    rounds = Rounds([], [], [], [])
    for _ in range(runs):
        rounds.grep.extend(grep_cost(files) for _ in range(3))
        forget_results(run_dir)
        rounds.cold.append(parse_cost(run_dir, memory=True))
        rounds.unchanged.append(parse_cost(run_dir))
        with _appended(max(files, key=lambda path: path.stat().st_size)):
            rounds.appended.append(parse_cost(run_dir))
    forget_results(run_dir)
    parse_cost(run_dir)
    return rounds


def _rows_missing(run_dir: Path) -> tuple[int, int]:
    """Batch rows generated, and how far the written table is from that: a fast wrong answer is no figure."""
    files = json.loads((run_dir / "truth.json").read_text())["files"].values()
    expected = sum(file.get("prefill", 0) + file.get("decode", 0) for file in files)
    table = run_dir / "logs" / "cached_assets" / "node_metrics.parquet"
    rows = pl.scan_parquet(table).filter(pl.col("metric_type") == "batch").select(pl.len()).collect().item()
    return expected, abs(expected - rows)


@contextmanager
def _appended(path: Path) -> Iterator[None]:
    """While it lasts the file is 1 MB of whole lines longer."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - APPENDED_BYTES - 4096))
        tail = file.read().partition(b"\n")[2][:APPENDED_BYTES]
    with path.open("ab") as file:
        file.write(tail[: tail.rindex(b"\n") + 1])
    try:
        yield
    finally:
        os.truncate(path, size)


def form_figures(work_dir: Path, runs: int) -> list[Figure]:
    """Each dialect and prefix form at 20 MB beside the plain form of that size, start-up subtracted."""
    size = 20_000_000
    start = _cold_s(cached_run(work_dir, Options(topology="1P1D", minutes=1.0)), runs)
    plain_dir = cached_run(work_dir, Options(size_bytes=size))
    plain = (_cold_s(plain_dir, runs) - start) / _megabytes(plain_dir)
    forms = [(_name(form), cached_run(work_dir, form._replace(size_bytes=size))) for form in FORMS]
    forms.append(("exponents", _with_exponents(work_dir, plain_dir)))
    figures = [Figure("start-up, tiny run", start, "CPU-s"), Figure("form plain", plain * 1000, "CPU-ms/MB")]
    for name, run_dir in forms:
        each = (_cold_s(run_dir, runs) - start) / _megabytes(run_dir)
        missing = _rows_missing(run_dir)[1]
        note = f"{each / plain:.1f} x plain" + (f"; {missing} BATCH ROWS MISSING" if missing else "")
        figures.append(Figure(f"form {name}", each * 1000, "CPU-ms/MB", note=note))
    return figures


def _cold_s(run_dir: Path, runs: int) -> float:
    costs = []
    for _ in range(runs):
        forget_results(run_dir)
        costs.append(parse_cost(run_dir).cpu_s)
    return median(costs)


def _megabytes(run_dir: Path) -> float:
    return sum(path.stat().st_size for path in worker_files(run_dir)) / 1e6


def _name(form: Options) -> str:
    default = Options()
    return ", ".join(str(value) for value, plain in zip(form, default, strict=True) if value != plain)


def _with_exponents(work_dir: Path, plain_dir: Path) -> Path:
    """A copy of a run whose throughputs are written with exponents."""
    target = work_dir / f"{plain_dir.parent.name}-exponents" / plain_dir.name
    logs = target / "logs"
    if not (target / "truth.json").exists():
        logs.mkdir(parents=True, exist_ok=True)
        for path in worker_files(plain_dir):
            text = re.sub(
                rb"\(token/s\): ([\d.]+)",
                lambda found: b"(token/s): %.6e" % float(found[1]),
                path.read_bytes(),
            )
            (logs / path.name).write_bytes(text)
        (target / "truth.json").write_bytes((plain_dir / "truth.json").read_bytes())
    return target
