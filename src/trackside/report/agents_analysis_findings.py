"""The sections of the report on one run that are tables of what its logs say beside errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from trackside.agents.run_records import RunAnalysis
from trackside.report.agents_analysis_words import amount, bullet, duration, safe, table, whole
from trackside.report.ledger import counted
from trackside.runlogs.findings import AgentOutput, Metric

_MOST_ROWS: Final = 50
_MOST_NOTICES: Final = 20


def finding_sections(analysis: RunAnalysis) -> dict[str, Iterator[str]]:
    """The lines of each of these sections, by its title; none where nothing was found."""
    return {
        "Tests and coverage": _tests(analysis),
        "Metrics": _metrics(analysis),
        "Warnings": _warnings(analysis),
        "Resources": _resources(analysis),
        "Git references": _git(analysis),
    }


def agent_totals(sessions: Sequence[AgentOutput]) -> Iterator[str]:
    """A table of the sessions of agents with their figures; a dash is what the agent did not print."""
    rows = (
        (
            safe(f"{one.agent} ({one.engine})" if one.engine else one.agent),
            safe(one.job),
            safe(one.model),
            safe(one.outcome),
            whole(one.turns),
            whole(one.tool_calls),
            whole(one.input_tokens),
            whole(one.cached_tokens),
            whole(one.output_tokens),
            whole(one.total_tokens),
            "-" if one.cost_usd is None else f"{one.cost_usd:,.4f}",
            "-" if one.duration_s is None else duration(one.duration_s),
        )
        for one in sessions
    )
    headings = (
        "Agent",
        "Job",
        "Model",
        "Ended",
        "Turns",
        "Tools",
        "Input",
        "Cached",
        "Output",
        "Tokens",
        "USD",
        "Took",
    )
    yield from table(headings, rows, right=range(4, 12))


def _tests(analysis: RunAnalysis) -> Iterator[str]:
    if analysis.tests:
        rows = (
            (
                safe(one.runner), safe(one.job), f"{one.line_number:,}", whole(one.total), whole(one.passed),
                whole(one.failed), whole(one.errors), whole(one.skipped),
                "-" if one.duration_s is None else duration(one.duration_s),
            )
            for one in analysis.tests[:_MOST_ROWS]
        )  # fmt: skip
        headings = ("Runner", "Job", "Line", "Tests", "Passed", "Failed", "Errors", "Skipped", "Took")
        yield from table(headings, rows, right=range(2, 9))
        yield from _more(len(analysis.tests), _MOST_ROWS)
    if analysis.coverage:
        if analysis.tests:
            yield ""
        figures = (
            (safe(one.tool), safe(one.of), f"{one.percent:.4g} %", safe(one.job), f"{one.line_number:,}")
            for one in analysis.coverage[:_MOST_ROWS]
        )
        yield from table(("Coverage by", "Of", "Covered", "Job", "Line"), figures, right=(2, 4))
        yield from _more(len(analysis.coverage), _MOST_ROWS)


def _metrics(analysis: RunAnalysis) -> Iterator[str]:
    if analysis.metrics:
        rows = (
            (safe(one.name), _value(one), safe(one.source), safe(one.job), safe(one.step), f"{one.line_number:,}")
            for one in analysis.metrics[:_MOST_ROWS]
        )
        yield from table(("Metric", "Value", "From", "Job", "Step", "Line"), rows, right=(1, 5))
        yield from _more(len(analysis.metrics), _MOST_ROWS)
    if analysis.notices:
        if analysis.metrics:
            yield ""
        for one in analysis.notices[:_MOST_NOTICES]:
            yield bullet(f"Notice, {one.job}, line {one.line_number:,}", safe(one.text))
        yield from _more(len(analysis.notices), _MOST_NOTICES)


def _value(one: Metric) -> str:
    if isinstance(one.value, bool):
        return "true" if one.value else "false"
    number = f"{one.value:,}" if isinstance(one.value, int) else one.value
    text = f"{number:,.6g}" if isinstance(number, float) else number
    return safe(f"{text} {one.unit}" if one.unit else text)


def _warnings(analysis: RunAnalysis) -> Iterator[str]:
    if not analysis.warnings:
        return
    kinds = counted(len(analysis.warnings), "kind")
    yield from (f"{counted(analysis.warnings_total, 'warning')}; {kinds}, the most frequent first:", "")
    rows = (
        (f"{one.count:,}", safe(one.tool), safe(one.job), f"{one.line_number:,}", safe(one.line))
        for one in analysis.warnings
    )
    yield from table(("Times", "By", "Job", "First line", "Warning"), rows, right=(0, 3))


def _resources(analysis: RunAnalysis) -> Iterator[str]:
    if not analysis.resources:
        return
    rows = (
        (
            safe(one.name),
            amount(one.value, one.unit),
            f"{one.count:,}",
            safe(one.job),
            safe(one.step),
            f"{one.line_number:,}",
        )
        for one in analysis.resources[:_MOST_ROWS]
    )
    yield from table(("Resource", "Most", "Times", "Job", "Step", "Line"), rows, right=(1, 2, 5))
    yield from _more(len(analysis.resources), _MOST_ROWS)


def _git(analysis: RunAnalysis) -> Iterator[str]:
    if not analysis.git:
        return
    yield from ("Named by git commands in the logs; what GitHub says of the run goes before it.", "")
    rows = (
        (
            safe("pull request" if one.kind == "pull" else one.kind),
            safe(one.name),
            f"{one.count:,}",
            safe(one.job),
            f"{one.line_number:,}",
        )
        for one in analysis.git[:_MOST_ROWS]
    )
    yield from table(("What", "Name", "Times", "Job", "First line"), rows, right=(2, 4))
    yield from _more(len(analysis.git), _MOST_ROWS)


def _more(count: int, most: int) -> Iterable[str]:
    return ("", f"{count - most:,} more: `--format json` has them.") if count > most else ()
