"""How often the first error line of a log and the block that shows where the program failed are found.

``python benchmarks/agents_log_accuracy.py`` writes the section "Traces in logs" of docs/accuracy.md; ``--misses``
prints what was not found. ``trace_logs/develop.txt`` and ``frozen.txt`` hold what programs print: ``=== name | kind``
begins one (``-``: without a block), ``[[`` and ``]]`` stand around the block, ``>> `` marks the first error line.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.accuracy_page import write_section  # noqa: E402
from benchmarks.failure_accuracy import real_logs, share  # noqa: E402
from benchmarks.written_logs import MARK, Excerpt, written_log  # noqa: E402
from trackside.agents.run_analysis import analyse  # noqa: E402
from trackside.agents.run_records import JobText  # noqa: E402
from trackside.records.agent_rules import AgentRules  # noqa: E402
from trackside.records.ci_rules import CiRules  # noqa: E402
from trackside.records.failures import Cause  # noqa: E402
from trackside.records.jobs import Job  # noqa: E402
from trackside.records.runs import Source  # noqa: E402
from trackside.runlogs.findings import Trace  # noqa: E402

FOLDER = Path(__file__).parent / "trace_logs"
HALVES = ("develop", "frozen")


class Block(NamedTuple):
    """A block of a log: its first and last line, and what printed it."""

    kind: str
    first: int
    last: int


class TraceLog(NamedTuple):
    """A log, the number of its first error line, and its block where it has one."""

    name: str
    content: bytes
    line_number: int
    block: Block | None


class Outcome(NamedTuple):
    """What was told of one log: its first error line, its traces, the one that is marked as the main one."""

    log: TraceLog
    line_number: int | None
    line: str | None
    traces: tuple[Trace, ...]

    @property
    def is_exact(self) -> bool:
        """Whether the first error line is the marked one."""
        return self.line_number == self.log.line_number

    @property
    def is_near(self) -> bool:
        """Whether it is at most three lines away."""
        return self.line_number is not None and abs(self.line_number - self.log.line_number) <= 3

    @property
    def main(self) -> Trace | None:
        """The block that goes with the line that tells most."""
        return next((trace for trace in self.traces if trace.is_main), None)

    @property
    def is_block_found(self) -> bool:
        """Whether the main block is the marked one, from its first line to its last."""
        block, told = self.log.block, self.main
        return block is not None and told is not None and (told.line_number, told.last_line_number) == block[1:]

    @property
    def is_block_touched(self) -> bool:
        """Whether the main block is of that kind and shares most of its lines with the marked one."""
        block, told = self.log.block, self.main
        if block is None or told is None or told.kind != block.kind:
            return False
        shared = min(block.last, told.last_line_number) - max(block.first, told.line_number) + 1
        union = max(block.last, told.last_line_number) - min(block.first, told.line_number) + 1
        return shared / union >= 0.5


def trace_logs(half: str) -> list[TraceLog]:
    """The logs of ``develop`` or ``frozen``, each within the log of a whole job."""
    logs, parts = [], (FOLDER / f"{half}.txt").read_text(encoding="utf-8").split("=== ")
    for part in parts[1:]:
        # A line of go test is not the beginning of a log: that has its kind in the second place.
        head = part.split("\n", 1)[0]
        logs.append(part) if " | " in head and not head.startswith("RUN ") else logs.append(f"{logs.pop()}=== {part}")
    return [_trace_log(part) for part in logs]


def _trace_log(part: str) -> TraceLog:
    head, _, body = part.partition("\n")
    name, kind = head.split(" | ")
    lines: list[str] = []
    block, marked = [0, 0], 0
    for line in body.removesuffix("\n").split("\n"):
        if line in ("[[", "]]"):
            block[line == "]]"] = len(lines)
            continue
        marked = len(lines) if line.startswith(MARK) else marked
        lines.append(line.removeprefix(MARK))
    log = written_log(Excerpt(name, Cause.OTHER, None, 1, tuple(lines), marked))
    before = log.line_number - marked
    told = None if kind == "-" else Block(kind, before + block[0], before + block[1] - 1)
    return TraceLog(name, log.content, log.line_number, told)


def outcomes(half: str) -> list[Outcome]:
    """What is told of the logs of a half."""
    return [_outcome(log) for log in trace_logs(half)]


def real_outcomes() -> list[Outcome]:
    """What is told of real logs in which the line that tells most is marked; their blocks are not."""
    return [_outcome(TraceLog(log.name, log.content, log.line_number, None)) for log in real_logs()]


def _outcome(log: TraceLog) -> Outcome:
    failed = Job(repo="o/r", job_id=1, run_id=1, run_attempt=1, source=Source.REST, name="j", conclusion="failure")
    text = JobText(name=log.name, job=failed, content=log.content)
    (job,) = analyse(None, [text], AgentRules(), CiRules()).jobs
    first = job.first_error
    return Outcome(log, first.line_number if first else None, first.line if first else None, job.traces)


def figures(told: list[Outcome]) -> dict[str, tuple[int, int]]:
    """Counts and what they are of, by what they measure."""
    with_block = [one for one in told if one.log.block is not None]
    traces = [trace for one in told for trace in one.traces]
    mains = [one for one in told if one.main is not None]
    answered = [one for one in told if one.line_number is not None]
    return {
        "line recall": (sum(one.is_exact for one in told), len(told)),
        "line precision": (sum(one.is_exact for one in answered), len(answered)),
        "line near": (sum(one.is_near for one in told), len(told)),
        "block recall": (sum(one.is_block_found for one in with_block), len(with_block)),
        "block touched": (sum(one.is_block_touched for one in with_block), len(with_block)),
        "block precision": (sum(one.is_block_touched for one in mains), len(mains)),
        "all blocks": (sum(one.is_block_touched for one in told), len(traces)),
    }


def section() -> str:
    """The section as Markdown."""
    rows = []
    for half in HALVES:
        told = figures(outcomes(half))
        names = ("line recall", "line precision", "line near", "block recall", "block touched", "block precision")
        rows.append(f"| written, {half} half | {' | '.join(share(*told[name]) for name in names)} |")
    return TEMPLATE.format(rows="\n".join(rows), real=_real())


def _real() -> str:
    told = real_outcomes()
    if not told:
        return ""
    counts = figures(told)
    return REAL.format(exact=share(*counts["line recall"]), near=share(*counts["line near"]))


TEMPLATE = """\
## Traces in logs

Made by `python benchmarks/agents_log_accuracy.py`. `trackside agents analyze` tells the first error line of a failed
job and the block that shows where the program failed. The logs are written as programs print them: Python, pytest,
Node.js, jest, vitest, Go, Java, Rust, .NET, shells, and some without such a block, each set between set-up, noise and
clean-up steps. The frozen half was written before anything was measured, and nothing was changed because of it; both
are by one author, so a stranger's logs will do worse.

*Recall* is the share of all logs in which exactly the marked line was told, *precision* the share of those in which any
was; *near* is at most three lines away. A block is *exact* from its first line to its last, and *found* where it is of
the right kind and shares at least half of its lines; its *precision* is the share of blocks that were told as the main
one, the logs without a block counted in.

| logs | first error: recall | precision | near | block exact | block found | block: precision |
|---|---|---|---|---|---|---|
{rows}
{real}"""
REAL = """\

In the real logs of other projects what is marked is the line that tells most, not the first error, and blocks are not
marked: the first error is that line in {exact}, and near it in {near}.
"""


def misses(told: list[Outcome]) -> str:
    """What was not found, for who works on it."""
    lines = []
    for one in told:
        if not one.is_exact:
            lines.append(f"{one.log.name}: line {one.log.line_number}, told {one.line_number}: {one.line}")
        if (one.log.block is not None and not one.is_block_found) or (one.log.block is None and one.main):
            traces = [(trace.kind, trace.line_number, trace.last_line_number, trace.is_main) for trace in one.traces]
            lines.append(f"{one.log.name}: block {one.log.block}, told {traces}")
    return "\n".join(lines)


def main() -> None:
    """Measures and writes the section into the page, or prints what was missed."""
    if "--misses" in sys.argv:
        print(misses(outcomes("develop")))
        return
    write_section(section())


if __name__ == "__main__":
    main()
