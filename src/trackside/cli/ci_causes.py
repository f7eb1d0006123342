"""``trackside ci causes``: where failures come from, with the evidence, and which of them are the same error."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from trackside.cli.ci_session import Asked, CiSession, Format, open_session, say_if_empty
from trackside.cli.github_options import POSITIVE
from trackside.cli.options import FLAG
from trackside.cli.section_printing import print_sections
from trackside.errors import TracksideError

if TYPE_CHECKING:
    from trackside.ci.groups import FailureGroups
    from trackside.ci.recent_failures import LookedAt
    from trackside.ci.verdicts import Verdicts

_TOP: Final = 20


@dataclass(frozen=True)
class Causes:
    """Verdicts and groups of one window; ``looked_at`` None: of all of it."""

    verdicts: Verdicts
    groups: FailureGroups
    looked_at: LookedAt | None = None


def causes(
    *,
    check: Annotated[bool, FLAG] = False,
    top: Annotated[int, POSITIVE] = _TOP,
    asked: Asked | None = None,
    format: Annotated[Format, Parameter(show_default=True)] = "table",  # noqa: A002 - the option is called --format
) -> int:
    """Where failures come from, with the evidence for each verdict, and which failures are the same error.

    Args:
        check: End with 3 where an error is new since the last report.
        top: So many jobs and groups are shown.
        format: How to print. csv and json have every job on every line, and every group.
    """
    from trackside.report.ci_causes_blocks import causes_markdown
    from trackside.report.ci_causes_report import causes_csv, causes_json, causes_sections

    session = open_session(asked, runners=True)
    say_if_empty(session)
    found = find_causes(session, "causes")
    print_sections(
        session,
        format,
        "Why jobs fail",
        lambda: causes_json(session.history.repo, found.verdicts, found.groups),
        lambda: causes_csv(found.verdicts, found.groups),
        lambda: causes_sections(found.verdicts, found.groups, top),
        lambda heading: causes_markdown(heading, found.verdicts, found.groups, top),
    )
    note_report(session, "causes")
    return session.end(found=check and bool(found.groups.new))


def find_causes(session: CiSession, kind: str) -> Causes:
    """The verdicts and groups of a session; new is what was not known when the report ``kind`` was made last."""
    from trackside.ci.verdicts import judge_failures

    return Causes(verdicts=judge_failures(session.history), groups=groups_since(session, kind))


def find_newest_causes(session: CiSession, kind: str) -> Causes:
    """The same of the newest runs of a session, where it holds more failures than a report looks at one by one."""
    from trackside.ci.recent_failures import newest_failures

    history, looked_at = newest_failures(session.history)
    found = find_causes(replace(session, history=history), kind)
    return replace(found, looked_at=None if looked_at.whole else looked_at)


def groups_since(session: CiSession, kind: str) -> FailureGroups:
    """The groups of a session, with those marked that are new since the report ``kind`` was made last."""
    from trackside.ci.groups import group_failures
    from trackside.evidence.reports import fingerprints_before, last_report

    history = session.history
    last = last_report(session.store, history.repo, kind)
    known = None if last is None else fingerprints_before(session.store, history.repo, last, history.rules)
    return group_failures(history, last_report_at=last, seen_before=known or frozenset())


def note_report(session: CiSession, kind: str) -> None:
    """Keeps that the report ``kind`` was made now, for what is new next time; a look without GitHub is no report."""
    from trackside.records.failures import Reported

    if session.offline:
        return
    reported = Reported(repo=session.history.repo, kind=kind, reported_at=dt.datetime.now(dt.UTC))
    try:
        session.store.add_reported(reported, ())
    except TracksideError as error:
        session.terminal.warn(f"The next report cannot tell what is new since this one: {error}")
