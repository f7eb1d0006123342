"""``trackside ci failures``: which jobs and categories fail, how often, since when they last worked, and why."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from trackside.cli.ci_session import CiSession, Format, Source, open_session
from trackside.cli.github_options import POSITIVE, Access, Saying, Window
from trackside.cli.options import FLAG

if TYPE_CHECKING:
    from trackside.ci.failure_records import FailureReport


def failures(
    *,
    top: Annotated[int | None, POSITIVE] = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], show_default=False)] = None,
    strict_compat: Annotated[bool, FLAG] = False,
    source: Source | None = None,
    window: Window | None = None,
    access: Access | None = None,
    saying: Saying | None = None,
    format: Format = "table",  # noqa: A002 - the name of the option
) -> int:
    """Print the failure report.

    Args:
        top: How many jobs are listed: 50 if nothing is said, 20 in Markdown. JSON and CSV have them all.
        output: Write the whole report to this JSON file too.
        strict_compat: Count as the established monitor did: latest attempts, failed runs only, steps by their names.
        format: How the report is printed.
    """
    session = open_session(window, access, saying, source)
    return report_failures(session, top=top, output=output, strict_compat=strict_compat, form=format)


def report_failures(
    session: CiSession, *, top: int | None, output: Path | None, strict_compat: bool, form: Format
) -> int:
    """Prints the failure report of a session and writes it to ``output``; the exit code."""
    from trackside.ci.failure_report import failure_report

    report = failure_report(session.history, since=session.since, until=session.until, strict_compat=strict_compat)
    print_report(session, report, top=top, form=form)
    if output is not None:
        from trackside.report.ci_failures_document import failure_json
        from trackside.report.html_page import write_page

        written = write_page(failure_json(report, dt.datetime.now(dt.UTC)) + "\n", output)
        session.terminal.note(f"The report is in {written}.")
    return session.end()


def print_report(session: CiSession, report: FailureReport, *, top: int | None, form: Format) -> None:
    """Prints a failure report to stdout."""
    from trackside.report.ci_failures import NO_RUNS, TOP_JOBS, failure_lines
    from trackside.report.ci_failures_document import failure_csv, failure_json
    from trackside.report.ci_failures_summary import SUMMARY_JOBS, failure_markdown

    terminal, name = session.terminal, session.history.rules.name
    if not report.total_runs:
        terminal.note(f"No run of {report.repository} is in the window; --since 30d looks at a longer one.")
    if form == "json":
        terminal.whole(failure_json(report, dt.datetime.now(dt.UTC)))
    elif form == "csv":
        terminal.whole(failure_csv(report))
    elif form == "markdown":
        terminal.whole(failure_markdown(report, name=name, top=top or SUMMARY_JOBS))
    elif not report.total_runs:
        terminal.data(NO_RUNS)
    else:
        terminal.data("\n".join(failure_lines(report, name=name, top=top or TOP_JOBS)))
