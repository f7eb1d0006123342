"""The failure report for a terminal: the established blocks line by line, what is new at the end of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from trackside.ci.failure_records import FailureReport, PullInfo, RunReference
from trackside.report.ledger import counted
from trackside.report.safe_text import safe_text

TOP_JOBS: Final = 50
"""So many jobs are listed where nothing else is asked for."""
NO_RUNS: Final = "No CI run data found"
NEVER: Final = "none in this window"
_RULE: Final = "=" * 60
_NAMED: Final = 10


def failure_lines(
    report: FailureReport, *, name: str | None = None, top: int = TOP_JOBS, extra: Sequence[str] = ()
) -> list[str]:
    """The report in lines, at most ``top`` jobs, then ``extra``; ``name`` is what the repository is called.

    With ``strict_compat`` the established lines stand alone.
    """
    title = f"{name or report.repository} CI Analysis Report"
    return [
        "",
        _RULE,
        safe_text(title),
        _RULE,
        "",
        *_overall(report),
        "",
        *_categories(report),
        "",
        *_jobs(report, top),
        "",
        *_patterns(report),
        *extra,
    ]


def _overall(report: FailureReport) -> Iterator[str]:
    yield "Overall Statistics:"
    yield f"  Total runs: {_number(report, report.total_runs)}"
    yield f"  Successful: {_number(report, report.successful_runs)}"
    yield f"  Failed: {_number(report, report.failed_runs)}"
    yield f"  Cancelled: {_number(report, report.cancelled_runs)}"
    yield f"  Skipped: {_number(report, report.skipped_runs)}"
    yield f"  Success rate: {percent(report.successful_runs, report.total_runs)}"
    if report.strict_compat:
        return
    decided = report.successful_runs + report.failed_runs
    rate = percent(report.successful_runs, decided)
    yield f"  Success rate of decided runs: {rate} ({report.successful_runs:,} of {decided:,})"
    for words, count in (("Unfinished", report.unfinished_runs), ("With another conclusion", report.other_runs)):
        if count:
            yield f"  {words}: {count:,}"
    if report.workflow_failures:
        yield f"  Failed by workflow: {named(report.workflow_failures)}"
    if report.jobless_failures:
        yield f"  Failed without a job: {jobless(report)}"
    yield from (f"  {line}" for line in basis_lines(report))


def _categories(report: FailureReport) -> Iterator[str]:
    yield "Category Failure Statistics:"
    for name, count in report.category_failures.items():
        yield f"  {safe_text(name)}: {_number(report, count)} failures"
    if not report.strict_compat and report.uncategorised_jobs:
        yield f"  In no category: {named(report.uncategorised_jobs)}"


def _jobs(report: FailureReport, top: int) -> Iterator[str]:
    yield f"Most Frequently Failed Jobs (Top {top}):"
    for rank, (job, count) in enumerate(islice(report.job_failures.items(), top), 1):
        yield f"  {rank:2d}. {safe_text(job)}: {_number(report, count)} times"
        last = report.job_last_success.get(job)
        yield f"      Last Success: {NEVER if last is None else _run(last)}"
        yield "      Recent Failures:"
        yield from (f"        - {_run(link)}" for link in report.job_failure_links[job])
    if not report.strict_compat:
        yield from (f"  {line}" for line in left_out_lines(report, top))


def _patterns(report: FailureReport) -> Iterator[str]:
    yield "Failure Pattern Analysis:"
    yield from (f"  {name}: {_number(report, count)} times" for name, count in report.failure_patterns.items())
    if not report.strict_compat and report.failure_patterns:
        yield f"  {counting_line(report)}"
        if report.unmatched_jobs:
            yield f"  {unmatched_line(report)}"


def _number(report: FailureReport, number: int) -> str:
    """A count of an established line: the monitor that came before did not set thousands apart."""
    return str(number) if report.strict_compat else f"{number:,}"


def basis_lines(report: FailureReport) -> Iterator[str]:
    """What the figures are of: the window and how many runs, attempts and jobs; what of them is not known."""
    window, known = report.window, report.completeness
    span = f"{minute(window.first_run_at)} to {minute(window.last_run_at)} UTC"
    attempts = counted(known.run_attempts, "attempt")
    yield (
        f"Window: runs of {safe_text(report.repository)} created {span}, "
        f"{attempts}, {counted(known.job_attempts, 'job attempt')}"
    )
    if known.unread_run_attempts:
        yield f"Not read: the jobs of {counted(known.unread_run_attempts, 'run attempt')}"


def left_out_lines(report: FailureReport, top: int) -> Iterator[str]:
    """What the list of the first ``top`` jobs does not show, and what it counts that others do not."""
    rest = list(report.job_failures.values())[top:]
    if rest:
        yield f"Not listed: {counted(len(rest), 'job')} that failed {sum(rest):,} times"
    in_cancelled = sum(report.job_failures_in_cancelled_runs.values())
    if in_cancelled:
        yield f"Failures in cancelled runs: {in_cancelled:,} of {report.completeness.failed_job_attempts:,}"
    if report.ignored_jobs:
        yield f"Left out, as the settings ignore them: {named(report.ignored_jobs)}"


def counting_line(report: FailureReport) -> str:
    """What the patterns count, and what told the causes."""
    known = report.completeness
    return (
        f"Counted: each failed job attempt once, {known.causes_from_logs:,} by a line of the log, "
        f"{known.causes_from_steps:,} by the names of job and step"
    )


def unmatched_line(report: FailureReport) -> str:
    """How many failures no rule knows, and of which jobs."""
    return f"Matched by no rule: {sum(report.unmatched_jobs.values()):,} ({named(report.unmatched_jobs)})"


def jobless(report: FailureReport) -> str:
    """``8 (action_required: 6, startup_failure: 2)``."""
    counts: dict[str, int] = {}
    for one in report.jobless_failures:
        counts[one.conclusion or "?"] = counts.get(one.conclusion or "?", 0) + 1
    return f"{len(report.jobless_failures):,} ({named(dict(sorted(counts.items())))})"


def named(counts: Mapping[str, int]) -> str:
    """``a: 3, b: 1``, the first ten of them."""
    shown = ", ".join(f"{safe_text(name)}: {count:,}" for name, count in islice(counts.items(), _NAMED))
    rest = list(counts.values())[_NAMED:]
    return f"{shown} and {len(rest):,} more: {sum(rest):,}" if rest else shown


def percent(part: int, whole: int) -> str:
    """A share with one decimal; 0.0% of nothing."""
    return f"{100 * part / whole if whole else 0:.1f}%"


def minute(moment: dt.datetime | None) -> str:
    """``2026-11-01 12:00``, in UTC."""
    return "?" if moment is None else f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M}"


def run_name(link: RunReference) -> str:
    """``Run #28958``."""
    return f"Run #{'?' if link.run_number is None else link.run_number}"


def author(info: PullInfo) -> str:
    """``(PR #7 by Mira)``, or ``by Mira`` where there is no pull request."""
    by = f"by {safe_text(info.author)}"
    return by if info.pr_number is None else f"(PR #{info.pr_number} {by})"


def _run(link: RunReference) -> str:
    return f"{run_name(link)} ({minute(link.created_at)}) {author(link.pr_info)}: {safe_text(link.url)}"
