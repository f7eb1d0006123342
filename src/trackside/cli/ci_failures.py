"""``trackside ci failures``: which jobs and categories fail, how often, when they last worked, and why."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from trackside.cli.ci_causes import Causes, find_newest_causes, note_report
from trackside.cli.ci_notify import tell_changes
from trackside.cli.ci_session import Asked, CiSession, Format, open_session, say_if_empty
from trackside.cli.github_options import POSITIVE
from trackside.cli.notifying import Notifying, sender_of
from trackside.cli.options import FLAG
from trackside.errors import TracksideError

if TYPE_CHECKING:
    from trackside.ci.failure_records import FailureReport

_KIND: Final = "failures"


def failures(
    *,
    top: Annotated[int | None, POSITIVE] = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], show_default=False)] = None,
    strict_compat: Annotated[bool, FLAG] = False,
    notifying: Notifying | None = None,
    asked: Asked | None = None,
    format: Format = "table",  # noqa: A002 - the name of the option
) -> int:
    """Print the failure report.

    Args:
        top: How many jobs are listed: 50 if nothing is said, 20 in Markdown. JSON and CSV have them all.
        output: Write the whole report to this JSON file too.
        strict_compat: Count as the established monitor did: latest attempts, failed runs only, steps by their names.
        format: How the report is printed.
    """
    sender = sender_of(notifying)
    session = open_session(asked)
    shows_causes = not strict_compat and (format != "csv" or output is not None)
    causes = find_newest_causes(session, _KIND) if shows_causes else None
    report = report_of(session, strict_compat=strict_compat)
    made = FailurePrint(session, report, causes, top)
    made.show(format)
    made.write(output)
    if causes is not None:
        note_report(session, _KIND)
    told = tell_changes(session, notifying, sender)
    code = session.end()
    return code if told else TracksideError.exit_code


def report_of(session: CiSession, *, strict_compat: bool) -> FailureReport:
    """The failure report of a session."""
    from trackside.ci.failure_report import failure_report

    return failure_report(session.history, since=session.since, until=session.until, strict_compat=strict_compat)


@dataclass(frozen=True)
class FailurePrint:
    """A failure report on its way to the user; ``causes`` None leaves out verdicts and groups of equal errors."""

    session: CiSession
    report: FailureReport
    causes: Causes | None = None
    top: int | None = None

    def show(self, form: Format) -> None:
        """Prints it to stdout."""
        terminal = self.session.terminal
        say_if_empty(self.session)
        if form == "json":
            terminal.whole(self._json())
        elif form == "csv":
            from trackside.report.ci_failures_document import failure_csv

            terminal.whole(failure_csv(self.report))
        elif form == "markdown":
            terminal.whole(self._markdown())
        else:
            terminal.data(self._lines())

    def write(self, output: Path | None) -> None:
        """Writes the JSON to a file, where one is named."""
        if output is None:
            return
        from trackside.report.html_page import write_page

        written = write_page(f"{self._json()}\n", output)
        self.session.terminal.note(f"The report is in {written}.")

    def _json(self) -> str:
        from trackside.report.ci_failures_document import failure_json

        now, why = dt.datetime.now(dt.UTC), self.causes
        if why is None:
            return failure_json(self.report, now)
        return failure_json(self.report, now, verdicts=why.verdicts, groups=why.groups, looked_at=why.looked_at)

    def _markdown(self) -> str:
        from trackside.report.ci_causes_blocks import BLOCK_ROWS, block_markdown
        from trackside.report.ci_failures_summary import SUMMARY_JOBS, failure_markdown

        why, top = self.causes, self.top or BLOCK_ROWS
        extra = [] if why is None else block_markdown(why.verdicts, why.groups, top, why.looked_at)
        name = self.session.history.rules.name
        return failure_markdown(self.report, name=name, top=self.top or SUMMARY_JOBS, extra=extra)

    def _lines(self) -> str:
        from trackside.report.ci_causes_blocks import BLOCK_ROWS, block_lines
        from trackside.report.ci_failures import NO_RUNS, TOP_JOBS, failure_lines

        if not self.report.total_runs:
            return NO_RUNS
        why, top = self.causes, self.top or BLOCK_ROWS
        extra = [] if why is None else block_lines(why.verdicts, why.groups, top, why.looked_at)
        name = self.session.history.rules.name
        return "\n".join(failure_lines(self.report, name=name, top=self.top or TOP_JOBS, extra=extra))
