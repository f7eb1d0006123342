"""The failure report as Markdown, for the summary of a workflow's step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from trackside.ci.failure_records import FailureReport, RunReference
from trackside.report.ci_failures import (
    NEVER,
    NO_RUNS,
    author,
    basis_lines,
    counting_line,
    jobless,
    left_out_lines,
    minute,
    named,
    percent,
    run_name,
    unmatched_line,
)
from trackside.report.safe_text import markdown_text
from trackside.report.step_summary import capped, markdown_link, markdown_table

SUMMARY_JOBS: Final = 20
"""So many jobs are listed where nothing else is asked for."""


def failure_markdown(
    report: FailureReport, *, name: str | None = None, top: int = SUMMARY_JOBS, extra: Sequence[str] = ()
) -> str:
    """A headline, then tables of outcomes, categories, jobs and patterns, then ``extra``; at most 1 MiB."""
    title = markdown_text(f"{name or report.repository} CI Analysis Report")
    if not report.total_runs:
        return capped([f"# {title}", "", f"{NO_RUNS}.", *extra])
    return capped(_lines(report, title, top, extra))


def _lines(report: FailureReport, title: str, top: int, extra: Sequence[str]) -> Iterator[str]:
    yield from (f"# {title}", "", _headline(report), "")
    yield from markdown_table(["Metric", "Count", "Percentage"], _metrics(report), right=(1, 2))
    yield ""
    yield from _sentences(
        f"Failed by workflow: {named(report.workflow_failures)}" if report.workflow_failures else None,
        f"Failed without a job: {jobless(report)}" if report.jobless_failures else None,
        *basis_lines(report),
    )
    if report.category_failures or report.uncategorised_jobs:
        yield from ("## Category Failure Statistics", "")
        yield from _count_table(("Category", "Failures"), report.category_failures)
        yield ""
        yield from _sentences(
            f"In no category: {named(report.uncategorised_jobs)}" if report.uncategorised_jobs else None
        )
    if report.job_failures:
        yield from (f"## Most Frequently Failed Jobs (Top {top:,})", "")
        headings = ["#", "Job", "Failures", "Of", "Last Success", "Recent Failures"]
        yield from markdown_table(headings, _jobs(report, top), right=(0, 2, 3))
        yield ""
        yield from _sentences(*left_out_lines(report, top))
        yield from ("## Failure Pattern Analysis", "")
        yield from _count_table(("Pattern", "Times"), report.failure_patterns)
        yield ""
        if not report.strict_compat:
            yield from _sentences(counting_line(report), unmatched_line(report) if report.unmatched_jobs else None)
    yield from extra


def _headline(report: FailureReport) -> str:
    decided = report.successful_runs + report.failed_runs
    rate = percent(report.successful_runs, decided)
    failed = f"**{report.failed_runs:,} of {report.total_runs:,} runs failed"
    return f"{failed}, {sum(report.job_failures.values()):,} job attempts failed.** {rate} of decided runs succeeded."


def _metrics(report: FailureReport) -> Iterator[tuple[str, str, str]]:
    counts = (
        ("Total runs", report.total_runs),
        ("Successful", report.successful_runs),
        ("Failed", report.failed_runs),
        ("Cancelled", report.cancelled_runs),
        ("Skipped", report.skipped_runs),
        ("Unfinished", report.unfinished_runs),
        ("Other", report.other_runs),
    )
    for place, (label, count) in enumerate(counts):
        if count or place < len(counts) - 2:
            yield label, f"{count:,}", percent(count, report.total_runs)


def _count_table(headings: tuple[str, str], counts: Mapping[str, int]) -> list[str]:
    rows = ((markdown_text(name), f"{count:,}") for name, count in counts.items())
    return markdown_table(headings, rows, right=(1,))


def _jobs(report: FailureReport, top: int) -> Iterator[tuple[str, ...]]:
    for rank, (job, count) in enumerate(islice(report.job_failures.items(), top), 1):
        last = report.job_last_success.get(job)
        yield (
            str(rank),
            markdown_text(job),
            f"{count:,}",
            f"{report.job_figures[job].decided_attempts:,}",
            markdown_text(NEVER) if last is None else _link(last),
            "<br>".join(map(_link, report.job_failure_links[job])),
        )


def _link(link: RunReference) -> str:
    told = f"{minute(link.created_at)} {author(link.pr_info)}"
    return f"{markdown_link(run_name(link), link.url)} {markdown_text(told)}"


def _sentences(*sentences: str | None) -> Iterator[str]:
    """Each as a paragraph."""
    for sentence in sentences:
        if sentence is not None:
            yield from (f"{markdown_text(sentence)}.", "")
