"""Why jobs fail: verdicts with their evidence and groups of equal errors, as tables, JSON document and CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from trackside.ci.findings import Verdict
from trackside.ci.groups import FailureGroup, FailureGroups
from trackside.ci.verdicts import JobSummary, JobVerdict, Verdicts
from trackside.report.ledger import counted
from trackside.report.sections import Cell, Section, section_csv

CAUSES_VERSION: Final = 1
_MOST_OF_A_LINE: Final = 160
_CSV: Final = (
    "level", "workflow", "job", "line", "is_default_line", "pull_number", "verdict", "grounds", "whose", "failures",
    "looked_at", "broken_runs", *(verdict.value for verdict in Verdict), "is_new", "runs", "jobs", "lines", "cause",
    "test", "fingerprint", "line_text", "line_number", "first_at", "first_run", "first_url", "last_at", "last_run",
    "last_url", "evidence", "missing",
)  # fmt: skip


class CausesDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``trackside ci causes --format json`` prints; times are ISO 8601 in UTC."""

    schema_version: int
    repository: str
    verdicts: Verdicts
    groups: FailureGroups


def causes_json(repo: str, verdicts: Verdicts, groups: FailureGroups) -> str:
    """A CausesDocument in ASCII, so that no character of it acts on a terminal."""
    document = CausesDocument(schema_version=CAUSES_VERSION, repository=repo, verdicts=verdicts, groups=groups)
    return json.dumps(msgspec.to_builtins(document, str_keys=True), indent=2)


def causes_csv(verdicts: Verdicts, groups: FailureGroups) -> str:
    """A row for each failing job of each line (level verdict), then one for each group (level group)."""
    return section_csv(_CSV, [*map(_verdict_row, verdicts.lines), *map(_group_row, groups.groups)])


def causes_sections(verdicts: Verdicts, groups: FailureGroups, top: int) -> Iterator[Section]:
    """The verdicts, what led to the first of them, and the groups; at most ``top`` rows each."""
    jobs = verdicts.jobs[:top]
    yield Section(
        title="Verdicts",
        headings=("Job", "Verdict", "Failures", *(verdict.value.title() for verdict in Verdict), "Lines", "Newest"),
        rows=tuple(_job(job) for job in jobs),
        notes=tuple(verdict_notes(verdicts, top)),
    )
    if jobs:
        notes = tuple(note for job in jobs for note in _evidence(job.lines[0]))
        yield Section(title="What led there, on the line that stands first", notes=notes)
    yield Section(
        title="Failure groups",
        headings=("", "Failures", "Runs", "Cause", "First Seen", "Last Seen", "Jobs", "Lines", "The Line That Matters"),
        rows=tuple(_group(group) for group in groups.groups[:top]),
        notes=tuple(group_notes(groups, top)),
    )
    if groups.groups:
        notes = tuple(f"{short(group, 60)}: {group.last.url or '-'}" for group in groups.groups[:top])
        yield Section(title="Where to look: the newest of each group", notes=notes)


def verdict_notes(verdicts: Verdicts, top: int | None = None) -> Iterator[str]:
    """What the verdicts are of, and what is missing; ``top`` is how many jobs are listed, None for all."""
    if not verdicts.failures:
        yield "No job failed in the window."
        return
    parts = ", ".join(f"{name} {number:,}" for name, number in verdicts.counts.items())
    yield f"Of {counted(verdicts.failures, 'failed attempt')}: {parts}."
    if verdicts.without_log:
        yield f"No log of {verdicts.without_log:,} of them was read: --logs failed reads those that GitHub still has."
    if top is not None and len(verdicts.jobs) > top:
        yield f"Not listed: {counted(len(verdicts.jobs) - top, 'job')}; --top or --format json shows them."
    if verdicts.gates:
        names = ", ".join(verdicts.gates)
        yield f"Not judged, as they only say whether others passed: {names}."


def group_notes(groups: FailureGroups, top: int) -> Iterator[str]:
    """What is in no group, what new means, and what is not listed."""
    if groups.new:
        yield f"{counted(len(groups.new), 'group')} marked new: not seen before the last report."
    elif groups.groups and groups.last_report_at is None:
        yield "No report was made before: from the next one on, what is new is marked."
    yield from ungrouped_notes(groups)
    if len(groups.groups) > top:
        yield f"Not listed: {counted(len(groups.groups) - top, 'group')}; --top or --format json shows them."


def ungrouped_notes(groups: FailureGroups) -> Iterator[str]:
    """What is in no group."""
    alone = []
    if groups.without_log:
        alone.append(f"{groups.without_log:,} without a log that was read")
    if groups.unrecognised:
        alone.append(f"{groups.unrecognised:,} whose log shows no error that could be told")
    if alone:
        yield f"In no group: {' and '.join(alone)}, of {counted(groups.failures, 'failed attempt')}."


def job_name(job: JobSummary | JobVerdict) -> str:
    """``workflow / job``."""
    return f"{job.workflow} / {job.job}"


def short(group: FailureGroup, most: int = _MOST_OF_A_LINE) -> str:
    """The line that tells the error, cut."""
    text = group.line_text or group.test or group.fingerprint
    return text if len(text) <= most else text[: most - 1] + "…"


def whose_code(one: JobVerdict) -> str:
    """``code of the default branch``, ``code of alice/x``, or the verdict alone."""
    if one.verdict is not Verdict.CODE:
        return one.verdict.value
    return f"code of {one.whose}" if one.whose else "code of the default branch"


def _job(job: JobSummary) -> tuple[Cell, ...]:
    newest = max((one.newest for one in job.lines), key=lambda one: (one.at is not None, one.at, one.job_id))
    counts = (job.counts.get(verdict.value) for verdict in Verdict)
    return (job_name(job), job.verdict.value, job.failures, *counts, len(job.lines), newest.url)


def _evidence(one: JobVerdict) -> Iterator[str]:
    """The verdict on a line in sentences, its links at the end."""
    line = f" on {one.line}" if one.line else ""
    yield f"{job_name(one)}{line}: {whose_code(one)}"
    yield from (f"  - {sentence}" for sentence in one.evidence)
    yield from (f"  ? {sentence}" for sentence in one.missing)
    if one.newest.url:
        yield f"  {one.newest.url}"


def _group(group: FailureGroup) -> tuple[Cell, ...]:
    number = f"{group.line_number:,}: " if group.line_number is not None else ""
    first = group.jobs[0] if group.jobs else None
    jobs = f"{first} and {len(group.jobs) - 1:,} more" if len(group.jobs) > 1 else first
    return (
        "new" if group.is_new else None, group.failures, group.runs, ", ".join(group.causes), group.first.at,
        group.last.at, jobs, len(group.lines), f"{number}{short(group)}",
    )  # fmt: skip


def _verdict_row(one: JobVerdict) -> Sequence[Cell]:
    first, last = one.first, one.newest
    return (
        "verdict", one.workflow, one.job, one.line, str(one.is_default_line).lower(), one.pull_number,
        one.verdict.value, "; ".join(one.grounds), one.whose, one.failures, one.looked_at, one.broken_runs,
        *(one.counts.get(verdict.value, 0) for verdict in Verdict), None, None, None, None, last.cause, last.test,
        last.fingerprint, last.line_text, last.line_number, first.at, first.run_number, first.url, last.at,
        last.run_number, last.url, " ".join(one.evidence), "; ".join(one.missing),
    )  # fmt: skip


def _group_row(one: FailureGroup) -> Sequence[Cell]:
    first, last = one.first, one.last
    return (
        "group", None, None, None, str(one.on_default_line).lower(), None, None, None, None, one.failures, None, None,
        *(None for _ in Verdict), str(one.is_new).lower(), one.runs, "; ".join(one.jobs), "; ".join(one.lines),
        "; ".join(one.causes), one.test, one.fingerprint, one.line_text, one.line_number, first.at, first.run_number,
        first.url, last.at, last.run_number, last.url, None, None,
    )  # fmt: skip
