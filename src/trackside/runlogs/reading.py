"""One log read once, line by line, for all that is looked for in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from trackside.records.jobs import Job
from trackside.runlogs.agent_output import AgentOutputs
from trackside.runlogs.coverage import Covered
from trackside.runlogs.error_lines import StepAt
from trackside.runlogs.findings import (
    AgentOutput,
    Coverage,
    GitReference,
    Metric,
    Notice,
    ResourceUse,
    TestSummary,
    Trace,
    WarningGroup,
)
from trackside.runlogs.git_references import GitReferences
from trackside.runlogs.lines import LogLine, log_lines
from trackside.runlogs.metrics import CompiledPattern, Metrics
from trackside.runlogs.resources import Resources
from trackside.runlogs.test_summaries import Tests
from trackside.runlogs.traces import Traces
from trackside.runlogs.warning_groups import Warnings


class Taker(Protocol):
    """Takes each line of a log in its order."""

    def take(self, line: LogLine) -> None:
        """A line of the log."""


class JobReading(msgspec.Struct, frozen=True, kw_only=True):
    """What the lines of a log tell. ``steps`` say which step runs from which line on; ``left_out`` as in RunAnalysis.

    ``has_error`` says that a step marked an error in it.
    """

    lines: int
    has_error: bool
    steps: tuple[StepAt, ...]
    traces: tuple[Trace, ...]
    agents: tuple[AgentOutput, ...]
    metrics: tuple[Metric, ...]
    notices: tuple[Notice, ...]
    tests: tuple[TestSummary, ...]
    coverage: tuple[Coverage, ...]
    warnings: tuple[WarningGroup, ...]
    warnings_total: int
    resources: tuple[ResourceUse, ...]
    git: tuple[GitReference, ...]
    left_out: dict[str, int]


def read_job(
    content: bytes, job: Job | None, name: str, repo: str | None, patterns: Sequence[CompiledPattern]
) -> JobReading:
    """What the log of a job tells, beside why it failed. Nothing in it makes this fail."""
    traces, agents, metrics, tests = Traces(name), AgentOutputs(name), Metrics(name, patterns), Tests(name)
    covered, warned, used, git = Covered(name), Warnings(name), Resources(name), GitReferences(name, repo)
    takers: tuple[Taker, ...] = (traces, agents, metrics, tests, covered, warned, used, git)
    steps: list[StepAt] = []
    number, has_error = 0, False
    for line in log_lines(content, job):
        number = line.number
        has_error = has_error or line.text.startswith("##[error]")
        if not steps or steps[-1].step != line.step:
            steps.append(StepAt(number, line.step))
        for taker in takers:
            taker.take(line)
    for one in (traces, agents, tests):
        one.close()
    return JobReading(
        lines=number,
        has_error=has_error,
        steps=tuple(steps),
        traces=traces.found,
        agents=tuple(agents.found),
        metrics=tuple(metrics.found),
        notices=tuple(metrics.notices),
        tests=tuple(tests.found),
        coverage=tuple(covered.found),
        warnings=warned.found,
        warnings_total=warned.total,
        resources=used.found,
        git=git.found,
        left_out={
            "traces": traces.left_out,
            "agent sessions": agents.left_out,
            "metrics and notices": metrics.left_out,
            "test summaries": tests.left_out,
            "coverage figures": covered.left_out,
            "warnings": warned.left_out,
            "resource figures": used.left_out,
            "git references": git.left_out,
        },
    )
