"""How right the readings are: runs whose truth is planted, and real logs that were counted by other means.

``python benchmarks/accuracy.py`` writes docs/accuracy.md. The seeds are used nowhere else: nothing was fitted
to them.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.accuracy_page import PAGE  # noqa: E402
from benchmarks.generate_run import generate_run  # noqa: E402
from benchmarks.plan import Options  # noqa: E402
from trackside.bench.summary import SUMMARY_COLUMNS, summarise_run  # noqa: E402
from trackside.engine.run import Run, open_run  # noqa: E402

CASES = [
    Options(topology="6P2D", seed=711),
    Options(topology="6P2D", seed=712, dialect="2026-07"),
    Options(topology="2P1D", seed=713, dialect="2025-06"),
    Options(topology="2P1D", seed=714, dialect="2025-11", prefix="dynamo-ansi"),
    Options(topology="1P1D", seed=715, dialect="2026-05", prefix="srun"),
    Options(topology="1P3D", seed=716, dialect="2026-05-swa", prefix="ms"),
    Options(topology="8A", seed=717),
    Options(topology="4A", seed=718, dialect="2026-07", prefix="ray"),
]


class Reading(NamedTuple):
    """One run: planted and read. Token errors are shares of the truth."""

    name: str
    lines: int
    lines_read: int
    input_error: float
    cached_error: float
    output_error: float


def main() -> None:
    """Measures and writes the page."""
    readings = [read_case(options) for options in CASES]
    real = read_real(Path(os.environ.get("TRACKSIDE_REAL_DATA", ROOT.parent / "shared" / "data")) / "engine-logs")
    PAGE.write_text(page(readings, real) + other_sections(), encoding="utf-8")
    print(PAGE)


def other_sections() -> str:
    """What other benchmarks wrote below the section of the real logs."""
    known = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
    _, heading, others = known.partition("## Real logs")[2].partition("\n## ")
    return heading + others


def read_case(options: Options) -> Reading:
    """Generates a run, reads it, and compares."""
    with tempfile.TemporaryDirectory() as folder:
        job = generate_run(Path(folder), options)
        truth = json.loads((job / "truth.json").read_text(encoding="utf-8"))
        run = open_run(job, cache=False)
        summary = summarise_run(run.rows(SUMMARY_COLUMNS), run.workers)
        planted = sum(file.get("prefill", 0) + file.get("decode", 0) for file in truth["files"].values())
        new_tokens = truth["input_tokens"] - truth["cached_tokens"]
        return Reading(
            f"{options.topology}, {options.dialect}, prefix {options.prefix}",
            planted,
            sum(file.batch_lines for file in run.ledger),
            _error(summary.input_tokens, new_tokens),
            _error(summary.cached_tokens, truth["cached_tokens"]),
            _error(summary.output_tokens, truth["output_tokens"]),
        )


def _error(found: int, truth: int) -> float:
    return (found - truth) / truth


class RealCounts(NamedTuple):
    """Batch lines, tokens and files of real logs, counted with grep and awk, and how many of each agree."""

    files: int
    files_equal: int
    lines: int
    lines_read: int
    tokens: int
    tokens_read: int


def read_real(folder: Path) -> RealCounts | None:
    """Compares the readings of real logs with counts made by other means; None where they are not there."""
    if not folder.is_dir():
        return None
    with tempfile.TemporaryDirectory() as copy:
        logs = Path(shutil.copytree(folder, Path(copy) / "run"))
        run = open_run(logs, cache=False)
    with (folder / "TRUTH.tsv").open(encoding="utf-8") as table:
        truth = {row["file"]: row for row in csv.DictReader(table, delimiter="\t")}
    ledger = {file.file: file for file in run.ledger if file.file in truth}
    lines = {
        name: sum(int(row[c]) for c in ("prefill_lines", "decode_lines", "vllm_engine_lines"))
        for name, row in truth.items()
    }
    equal = sum(ledger[name].batch_lines == count for name, count in lines.items())
    read = sum(file.batch_lines for file in ledger.values())
    tokens = sum(int(row["sum_new_token"]) + int(row["sum_cached_token"]) for row in truth.values())
    return RealCounts(len(lines), equal, sum(lines.values()), read, tokens, _tokens(run))


def _tokens(run: Run) -> int:
    totals = [total for worker in run.workers for total in worker.rank_totals if total.batch_type == "prefill"]
    return sum(total.new_token + total.cached_token for total in totals)


def page(readings: list[Reading], real: RealCounts | None) -> str:
    """The page as Markdown."""
    rows = "\n".join(f"| {r.name} | {r.lines:,} | {r.lines_read:,} | {errors_of(r)} |" for r in readings)
    return TEMPLATE.format(rows=rows, worst=max(abs(r.output_error) for r in readings), real=real_text(real))


def errors_of(reading: Reading) -> str:
    """The three token errors as cells."""
    return " | ".join(f"{error:+.3%}" for error in (reading.input_error, reading.cached_error, reading.output_error))


def real_text(real: RealCounts | None) -> str:
    """What the real logs gave."""
    if real is None:
        return "Real logs were not there when this page was made."
    return (
        f"{real.files} real logs (SGLang, sglang-jax, vLLM, dynamo; 2024 to 2026) were counted with grep and awk: "
        f"{real.lines:,} batch lines and {real.tokens:,} prompt tokens. Read: {real.lines_read:,} lines and "
        f"{real.tokens_read:,} tokens; the line count agrees in {real.files_equal} of {real.files} files. "
        "The parser was developed on these files, so this shows that it meets them, not how it does on others."
    )


TEMPLATE = """\
# Accuracy

Made by `python benchmarks/accuracy.py`; every figure on this page was measured by it.

## Generated runs

Runs of the simulator in `benchmarks/` whose requests and tokens are known. The seeds are used nowhere else. *Input*
and *cached* are sums of what prefill lines say, so they must be exact. *Output* is an estimate: decode lines tell a
rate over the time since the rank's previous line (stamps are whole seconds), and the tokens are integrated from these.

| run | batch lines | read | input tokens | cached tokens | output tokens |
|---|---|---|---|---|---|
{rows}

The largest error of output tokens is {worst:.3%}. The simulator follows the engine's own definition of the rate; a real
engine may differ from it in ways that are not known here.

## Real logs

{real}
"""


if __name__ == "__main__":
    main()
