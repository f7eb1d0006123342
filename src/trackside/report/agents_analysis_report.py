"""One run in depth as Markdown: fixed sections in a fixed order, nothing of when or where it was made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from trackside.agents.run_records import JobAnalysis, RunAnalysis
from trackside.fixes.suggestions import Suggestion
from trackside.report.agents_analysis_findings import agent_totals, finding_sections
from trackside.report.agents_analysis_words import (
    block_lines,
    bullet,
    duration,
    label,
    moment,
    numbered,
    safe,
    table,
)
from trackside.report.ledger import counted
from trackside.report.markdown_fit import code_block, fit
from trackside.report.step_summary import markdown_link
from trackside.runlogs.findings import AgentOutput

SECTIONS: Final = (
    "What failed", "Errors and traces", "Known failures", "Suggested fixes", "Agents", "Tests and coverage", "Metrics",
    "Warnings", "Resources", "Git references", "Logs",
)  # fmt: skip
"""The sections, each of which is always there."""
CUT_FIRST: Final = (
    "Resources", "Git references", "Warnings", "Metrics", "Logs", "Tests and coverage", "Agents", "Errors and traces",
    "Suggested fixes", "Known failures",
)  # fmt: skip
"""What is left out first where a comment would be too long."""
_MOST_JOBS: Final = 50
_MOST_TRACES: Final = 5
_MOST_ERRORS: Final = 10
_NOTHING: Final = "Nothing found."


def analysis_markdown(analysis: RunAnalysis) -> str:
    """The whole report."""
    bodies = {
        "What failed": _failed(analysis),
        "Errors and traces": _errors(analysis),
        "Known failures": _known(analysis),
        "Suggested fixes": _fixes(analysis),
        "Agents": _agents(analysis),
        **finding_sections(analysis),
        "Logs": _logs(analysis),
    }
    lines = [f"# {_title(analysis)}", "", *_facts(analysis)]
    for title in SECTIONS:
        lines += ["", f"## {title}", "", *(list(bodies[title]) or [_NOTHING])]
    return "\n".join(lines)


def fitted_analysis(analysis: RunAnalysis, most: int) -> str:
    """The report in at most ``most`` characters: the least important sections are left out first, and it says so."""
    return fit(analysis_markdown(analysis), most, CUT_FIRST)


def _title(analysis: RunAnalysis) -> str:
    run = analysis.run
    if run.run_id is None:
        return "Run analysis of logs alone"
    number = f" {run.run_number}" if run.run_number is not None else ""
    return f"Run analysis: {safe(run.workflow or run.workflow_file or 'workflow')}{number}"


def _facts(analysis: RunAnalysis) -> Iterator[str]:
    run = analysis.run
    if run.run_id is None:
        yield "Which run these logs are of is not known: `--run RUN_ID` names it. Nothing but what they say is here."
        return
    attempt = f", attempt {run.run_attempt}" if run.run_attempt and run.run_attempt > 1 else ""
    yield bullet("Run", f"{markdown_link(str(run.run_id), run.url)}{attempt} of {safe(run.repository)}")
    yield bullet("Title", safe(run.title))
    yield bullet("State", safe(" ".join(dict.fromkeys(one for one in (run.status, run.conclusion) if one)) or None))
    yield bullet("Event", safe(run.event))
    yield bullet("Branch", safe(run.branch))
    yield bullet("Commit", safe(run.sha))
    yield bullet("Triggered by", safe(run.actor))
    yield bullet("Started", f"{moment(run.started_at)}, took {duration(run.duration_s)}")
    if run.pull_numbers:
        yield bullet("Pull requests", ", ".join(str(number) for number in run.pull_numbers))
    who = analysis.attribution
    if who is None or who.agent is None:
        yield bullet("Agent", "unattributed")
    else:
        role = (who.role or "").replace("_", " ")
        yield bullet("Agent", f"{safe(who.agent)}, {safe(role)}: {safe(who.source)}, {who.confidence:.0%} sure")


def _failed(analysis: RunAnalysis) -> Iterator[str]:
    failed = analysis.failed
    if not failed:
        counts = f"{counted(len(analysis.jobs), 'job')} looked at, none of them failed."
        yield counts if analysis.jobs else "The run has no job."
        return
    rows = (
        (
            markdown_link(label(job.name), job.url),
            safe(job.conclusion),
            safe(job.failed_step),
            safe(job.diagnosis.cause.value if job.diagnosis else None),
            safe(job.diagnosis.line if job.diagnosis else None),
        )
        for job in failed[:_MOST_JOBS]
    )
    yield from table(("Job", "Ended", "Failed step", "Cause", "Line that tells most"), rows)
    yield from _more(len(failed) - _MOST_JOBS, "failed job")


def _errors(analysis: RunAnalysis) -> Iterator[str]:
    for place, job in enumerate(analysis.failed[:_MOST_JOBS]):
        if place:
            yield ""
        yield f"### {safe(job.name)}"
        yield from _diagnosis(job)
        yield from _error_table(job)
        yield from _traces(job)


def _diagnosis(job: JobAnalysis) -> Iterator[str]:
    told = job.diagnosis
    if told is None or told.line is None:
        words = "Its log was not read." if told is None else "Its log tells nothing of why."
        yield from ("", words)
        return
    yield ""
    yield bullet("Cause", f"{safe(told.cause.value)}, by the rule {safe(told.rule)}, line {told.line_number:,}")
    if job.first_error is not None and job.first_error.line_number != told.line_number:
        first = job.first_error
        yield bullet("First error", f"line {first.line_number:,}: {safe(first.line)}")
    if job.failed_steps[1:]:
        yield bullet("Failed steps", ", ".join(safe(step) for step in job.failed_steps))
    if told.tests:
        more = f" and {len(told.tests) - 10} more" if len(told.tests) > 10 else ""
        yield bullet("Failed tests", ", ".join(safe(test) for test in told.tests[:10]) + more)
    yield bullet("Fingerprint", f"{safe(job.fingerprint)} of {safe(job.template)}")
    yield bullet("Signature", safe(job.signature))
    yield from ("", *code_block(block_lines(told.context)))


def _error_table(job: JobAnalysis) -> Iterator[str]:
    if len(job.errors) < 2:
        return
    rows = (
        (f"{one.line_number:,}", str(one.count), safe(one.cause), safe(one.line)) for one in job.errors[:_MOST_ERRORS]
    )
    yield ""
    yield from table(("Line", "Times", "Cause", "Error line"), rows, right=(0, 1))
    yield from _more(len(job.errors) - _MOST_ERRORS, "kind of error line", "kinds of error lines")


def _traces(job: JobAnalysis) -> Iterator[str]:
    ranked = sorted(job.traces, key=lambda trace: (not trace.is_main, trace.line_number))
    for trace in ranked[:_MOST_TRACES]:
        step = f", step {safe(trace.step)}" if trace.step else ""
        where = f"lines {trace.line_number:,} to {trace.last_line_number:,}{step}"
        yield from ("", f"{trace.kind.capitalize()} trace, {where}: {safe(trace.message)}", "")
        yield from code_block(numbered(trace))
    yield from _more(len(job.traces) - _MOST_TRACES, "trace")


def _known(analysis: RunAnalysis) -> Iterator[str]:
    for job in analysis.failed[:_MOST_JOBS]:
        known = job.known
        if known is None:
            continue
        title = f" {safe(known.title)}," if known.title else ""
        seen = f"{counted(known.count, 'failure')} in {counted(known.runs, 'run')}"
        since = f"first {moment(known.first_seen_at)}, last {moment(known.last_seen_at)}"
        yield bullet(label(job.name), f"{known.entry_id},{title} {known.state.value}: {seen}, {since}")
        for name, text in (("Note", known.note), ("Fix", known.fix)):
            if text:
                yield f"  {bullet(name, safe(text))}"
        if known.link:
            yield f"  {bullet('Link', markdown_link(known.link, known.link))}"


def _fixes(analysis: RunAnalysis) -> Iterator[str]:
    """Each suggestion once, with the jobs that it is for."""
    jobs: dict[str, list[str]] = {}
    told: dict[str, Suggestion] = {}
    for job in analysis.failed:
        for one in job.suggestions:
            told.setdefault(one.rule_id, one)
            jobs.setdefault(one.rule_id, []).append(job.name)
    for rule_id, one in told.items():
        names = ", ".join(safe(name) for name in jobs[rule_id][:5])
        more = f" and {len(jobs[rule_id]) - 5} more" if len(jobs[rule_id]) > 5 else ""
        yield bullet(one.title, f"{safe(one.text)} (rule {safe(rule_id)}; for {names}{more})")
        for line in one.evidence:
            yield f"  {bullet('Seen', safe(line))}"


def _agents(analysis: RunAnalysis) -> Iterator[str]:
    who = analysis.attribution
    if who is not None and who.signals:
        rows = (
            (
                safe(one.agent),
                safe(one.role.value.replace("_", " ")),
                safe(one.kind.value),
                f"{one.confidence:.0%}",
                safe(one.evidence),
            )
            for one in who.signals[:20]
        )
        yield from table(("Agent", "Part", "Told by", "Sure", "Seen"), rows, right=(3,))
        yield ""
    if not analysis.agents:
        if who is not None and who.signals:
            yield "No words of an agent were found in the logs."
        return
    yield from agent_totals(analysis.agents)
    for one in analysis.agents:
        yield from _session(one)


def _session(one: AgentOutput) -> Iterator[str]:
    if not one.lines:
        return
    where = f"{safe(one.job)}, lines {one.line_number:,} to {one.last_line_number:,}"
    left = f", {one.left_out:,} lines in the middle left out" if one.left_out else ""
    yield from ("", f"Words of {safe(one.agent)} in {where}{left}:", "")
    yield from code_block(block_lines(one.lines))


def _logs(analysis: RunAnalysis) -> Iterator[str]:
    rows = (
        (
            safe(job.name),
            job.log.state.value.replace("_", " ") if job.log.state.value != "ready" else "read",
            f"{job.log.lines:,}" if job.log.lines else "-",
            f"{job.log.size_bytes / 1024:,.0f}" if job.log.size_bytes else "-",
            "its middle was too long and is missing" if job.log.is_truncated else safe(job.log.note),
        )
        for job in analysis.jobs[:_MOST_JOBS]
    )
    if analysis.jobs:
        yield from table(("Job", "Log", "Lines", "KiB", "Note"), rows, right=(2, 3))
        yield from _more(len(analysis.jobs) - _MOST_JOBS, "job")
    if analysis.left_out:
        told = ", ".join(f"{name} {count:,}" for name, count in analysis.left_out.items())
        yield from ("", f"Found and not kept: {told}.")


def _more(count: int, noun: str, plural: str | None = None) -> Iterable[str]:
    if count <= 0:
        return ()
    words: Sequence[str] = (
        "",
        f"{counted(count, noun) if plural is None or count == 1 else f'{count:,} {plural}'} more.",
    )
    return words
