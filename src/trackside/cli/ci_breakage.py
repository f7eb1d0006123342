"""``trackside ci streaks``, ``flaky`` and ``rates``: what is broken, what only seems so, and what fails more often."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final

from cyclopts import Parameter

from trackside.cli.ci_session import Asked, Format, open_session, say_if_empty
from trackside.cli.github_options import POSITIVE
from trackside.cli.options import FLAG
from trackside.cli.section_printing import print_sections
from trackside.cli.windows import parse_moment
from trackside.errors import NoDataError, UsageError

_TOP: Final = 20
Top = Annotated[int, POSITIVE]


def streaks(
    *,
    line: Annotated[str | None, Parameter(show_default=False)] = None,
    all_lines: Annotated[bool, FLAG] = False,
    check: Annotated[bool, FLAG] = False,
    top: Top = _TOP,
    asked: Asked | None = None,
    format: Format = "table",  # noqa: A002 - the name of the option
) -> int:
    """What is broken now, since which run and commit, and what was fixed in the window.

    Args:
        line: Look at this branch line, such as feature or OWNER:feature, in place of the default branch.
        all_lines: Look at every branch line.
        check: End with 3 where a job is broken now on the default branch.
        top: So many rows of each table are shown.
        format: How to print. csv and json have every streak.
    """
    from trackside.ci.streaks import ALL_LINES, find_streaks
    from trackside.report.ci_streaks_report import streaks_csv, streaks_json, streaks_sections

    if line is not None and all_lines:
        raise UsageError("--line and --all-lines: one of them.")
    session = open_session(asked)
    say_if_empty(session)
    if line is not None and session.history.runs.height and not (session.history.runs["line"] == line).any():
        repo = session.history.repo
        msg = f"No run of {repo} in the window is of the branch line {line}; --all-lines shows which are."
        raise NoDataError(msg)
    found = find_streaks(session.history, ALL_LINES if all_lines else line)
    on_default = found if line is None else find_streaks(session.history)
    print_sections(
        session,
        format,
        "Streaks",
        lambda: streaks_json(found),
        lambda: streaks_csv(found),
        lambda: streaks_sections(found, top),
    )
    return session.end(found=check and bool(on_default.broken_on_default))


def flaky(
    *,
    check: Annotated[bool, FLAG] = False,
    top: Top = _TOP,
    asked: Asked | None = None,
    format: Format = "table",  # noqa: A002 - the name of the option
) -> int:
    """Jobs and tests that fail and pass on the same commit, how often, whether it gets worse, and what it costs.

    Args:
        check: End with 3 where a job is flaky whose flakes have not stopped.
        top: So many rows of each table are shown.
        format: How to print. csv has every job and test, json the evidence too.
    """
    from trackside.ci.flakiness import find_flaky
    from trackside.report.ci_flaky_report import flaky_csv, flaky_json, flaky_sections

    session = open_session(asked, runners=True)
    say_if_empty(session)
    found = find_flaky(session.history)
    print_sections(
        session,
        format,
        "Flaky jobs and tests",
        lambda: flaky_json(found),
        lambda: flaky_csv(found),
        lambda: flaky_sections(found, top),
    )
    return session.end(found=check and bool(found.unrecovered))


def rates(
    *,
    recent: Annotated[str | None, Parameter(show_default=False)] = None,
    check: Annotated[bool, FLAG] = False,
    top: Top = _TOP,
    asked: Asked | None = None,
    format: Format = "table",  # noqa: A002 - the name of the option
) -> int:
    """Jobs whose failure rate changed: the last part of the window beside the rest of it, tested over all jobs.

    Args:
        recent: How long the last part is, such as 2d or 12h. A quarter of the window if nothing is said.
        check: End with 3 where a job fails more often than before.
        top: So many rows of each table are shown.
        format: How to print. csv and json have every job that was tested.
    """
    from trackside.ci.rate_changes import Change, find_rate_changes
    from trackside.report.ci_rates_report import rates_csv, rates_json, rates_sections

    last = None if recent is None else _length(recent)
    session = open_session(asked)
    say_if_empty(session)
    found = find_rate_changes(session.history, last)
    print_sections(
        session,
        format,
        "Failure rates",
        lambda: rates_json(found),
        lambda: rates_csv(found),
        lambda: rates_sections(found, top),
    )
    return session.end(found=check and bool(found.of(Change.RISE)))


def _length(text: str) -> dt.timedelta:
    """A length of time out of ``2d`` or ``12h``. Raises UsageError."""
    now = dt.datetime.now(dt.UTC)
    if not text.strip()[-1:].isalpha():
        msg = f"--recent {text}: a length such as 2d or 12h is understood."
        raise UsageError(msg)
    return now - parse_moment(text, now, "--recent")
