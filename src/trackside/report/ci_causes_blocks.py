"""Verdicts and groups of equal errors as blocks at the end of the failure report, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from trackside.ci.findings import Verdict
from trackside.ci.groups import FailureGroups
from trackside.ci.recent_failures import LookedAt
from trackside.ci.verdicts import JobVerdict, Verdicts
from trackside.report.ci_causes_report import group_notes, job_name, short, verdict_notes, whose_code
from trackside.report.ledger import counted
from trackside.report.safe_text import markdown_text, safe_text
from trackside.report.step_summary import capped, markdown_link, markdown_table

BLOCK_ROWS: Final = 20
"""So many verdicts and groups are listed in a block."""


def block_lines(
    verdicts: Verdicts, groups: FailureGroups, top: int = BLOCK_ROWS, looked_at: LookedAt | None = None
) -> list[str]:
    """The blocks Verdicts and Failure Groups for a terminal, an empty line before each; what they are of first."""
    first = [] if looked_at is None else ["", _looked_at(looked_at)]
    return [*first, *_verdict_lines(verdicts, top), *_group_lines(groups, top)]


def block_markdown(
    verdicts: Verdicts, groups: FailureGroups, top: int = BLOCK_ROWS, looked_at: LookedAt | None = None
) -> list[str]:
    """The same as Markdown sections."""
    first = [] if looked_at is None else [markdown_text(_looked_at(looked_at)), ""]
    return [*first, *_verdict_markdown(verdicts, top), *_group_markdown(groups, top)]


def _looked_at(one: LookedAt) -> str:
    since = "" if one.since is None else f" (since {one.since:%Y-%m-%d %H:%M} UTC)"
    return (
        f"The verdicts and groups below are of the newest {one.runs:,} of {one.of_runs:,} runs{since}, which hold "
        f"{one.failures:,} of {one.of_failures:,} failed attempts. trackside ci causes looks at all of them."
    )


def causes_markdown(heading: str, verdicts: Verdicts, groups: FailureGroups, top: int) -> str:
    """The verdicts, what led to them, and the groups as Markdown, no longer than GitHub shows."""
    evidence = list(_evidence_markdown(verdicts, top))
    lines = ["# Why jobs fail", "", markdown_text(heading), "", *_verdict_markdown(verdicts, top)]
    return capped([*lines, *evidence, *_group_markdown(groups, top)])


def _verdict_lines(verdicts: Verdicts, top: int) -> Iterator[str]:
    yield from ("", "Verdicts:")
    for rank, job in enumerate(islice(verdicts.jobs, top), 1):
        yield f"  {rank:2d}. {safe_text(job_name(job))}: {job.verdict.value}{_shares(job.counts)}"
        reason = next(iter(_reasons(job.lines[0])), None)
        if reason:
            yield f"      {safe_text(reason)}"
    yield from (f"  {safe_text(note)}" for note in verdict_notes(verdicts, top))


def _group_lines(groups: FailureGroups, top: int) -> Iterator[str]:
    yield from ("", "Failure Groups:")
    for rank, group in enumerate(islice(groups.groups, top), 1):
        new = "NEW " if group.is_new else ""
        yield f"  {rank:2d}. {new}{safe_text(short(group))}: {counted(group.failures, 'time')}"
        cause = ", ".join(group.causes) or "unknown"
        where = f"in {counted(len(group.jobs), 'job')} on {counted(len(group.lines), 'branch line')}"
        yield (
            f"      {cause}, {where}, {group.first.at:%Y-%m-%d %H:%M} to {group.last.at:%Y-%m-%d %H:%M} "
            f"UTC: {safe_text(group.last.url or '-')}"
        )
    yield from (f"  {safe_text(note)}" for note in group_notes(groups, top))


def _verdict_markdown(verdicts: Verdicts, top: int) -> Iterator[str]:
    yield from ("## Verdicts", "")
    if verdicts.jobs:
        headings = ["Job", "Verdict", "Failures", *(verdict.value.title() for verdict in Verdict), "Lines", "Why"]
        rows = []
        for job in islice(verdicts.jobs, top):
            first = job.lines[0]
            counts = [f"{job.counts.get(verdict.value, 0) or ''}" for verdict in Verdict]
            why = markdown_text(next(iter(_reasons(first)), ""))
            name = markdown_link(job_name(job), first.newest.url)
            rows.append([name, f"**{job.verdict.value}**", f"{job.failures:,}", *counts, f"{len(job.lines):,}", why])
        yield from markdown_table(headings, rows, right=(2, 3, 4, 5, 6, 7, 8))
        yield ""
    for note in verdict_notes(verdicts, top):
        yield from (markdown_text(note), "")


def _evidence_markdown(verdicts: Verdicts, top: int) -> Iterator[str]:
    if not verdicts.jobs:
        return
    yield from ("## What led there", "")
    for job in islice(verdicts.jobs, top):
        first = job.lines[0]
        where = f" on {markdown_text(first.line)}" if first.line else ""
        yield f"- {markdown_link(job_name(first), first.newest.url)}{where}: **{markdown_text(whose_code(first))}**"
        yield from (f"  - {markdown_text(sentence)}" for sentence in first.evidence)
        yield from (f"  - missing: {markdown_text(sentence)}" for sentence in first.missing)
    yield ""


def _group_markdown(groups: FailureGroups, top: int) -> Iterator[str]:
    yield from ("## Failure Groups", "")
    if groups.groups:
        headings = ["", "Error", "Line", "Failures", "Cause", "Jobs", "Lines", "First Seen", "Last Seen"]
        rows = [
            [
                "**new**" if group.is_new else "",
                markdown_link(short(group), group.last.url),
                "" if group.line_number is None else f"{group.line_number:,}",
                f"{group.failures:,}",
                markdown_text(", ".join(group.causes)),
                f"{len(group.jobs):,}",
                f"{len(group.lines):,}",
                f"{group.first.at:%Y-%m-%d %H:%M}",
                f"{group.last.at:%Y-%m-%d %H:%M}",
            ]
            for group in islice(groups.groups, top)
        ]
        yield from markdown_table(headings, rows, right=(2, 3, 5, 6))
        yield ""
    for note in group_notes(groups, top):
        yield from (markdown_text(note), "")


def _shares(counts: dict[str, int]) -> str:
    """``(code 4, flaky 1)`` where the attempts are not all of one verdict."""
    if len(counts) < 2:
        return f" ({sum(counts.values()):,})"
    return f" ({', '.join(f'{name} {number:,}' for name, number in counts.items())})"


def _reasons(one: JobVerdict) -> tuple[str, ...]:
    """The first sentence that says why, past the tally; for unknown what is missing."""
    if one.verdict is Verdict.UNKNOWN:
        return one.missing
    return one.evidence[1:] if one.looked_at > 1 else one.evidence
