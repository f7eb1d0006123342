"""``trackside ci queue``, ``runners``, ``balance`` and ``minutes``: what runners do, and what it costs."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final

from cyclopts import Parameter

from trackside.cli.ci_session import Asked, CiSession, Format, open_session, say_if_empty
from trackside.cli.github_options import POSITIVE
from trackside.cli.options import FLAG
from trackside.cli.section_printing import print_sections
from trackside.cli.windows import parse_seconds

Top = Annotated[int, POSITIVE]
_TOP: Final = 20
_OVER: Final = "30m"


def queue(
    *,
    check: Annotated[bool, FLAG] = False,
    over: Annotated[str, Parameter(show_default=False)] = _OVER,
    top: Top = _TOP,
    asked: Asked | None = None,
    format: Format = "table",  # noqa: A002 - the name of the option
) -> int:
    """How long jobs wait for a runner, by pool and over time, and how many wait and run now.

    Args:
        check: End with 3 where one job in ten of a pool waited longer than --over, or one that waits now does.
        over: What is too long to wait, such as 90s, 30m or 2h. 30m if nothing is said.
        top: So many pools are shown. 20 if nothing is said.
        format: How to print. csv and json have every pool and stretch of time.
    """
    from trackside.ci.queueing import waiting_times
    from trackside.ci.results import span_of
    from trackside.report.ci_queue_report import queue_csv, queue_json, queue_sections

    limit_s = parse_seconds(over, "--over")
    session = open_session(asked, runners=True)
    say_if_empty(session)
    repo, until = session.history.repo, _looked_at(session)
    waiting = waiting_times(session.history, until)
    print_sections(
        session,
        format,
        "Waiting for a runner",
        lambda: queue_json(repo, span_of(session.history), waiting, until),
        lambda: queue_csv(waiting),
        lambda: queue_sections(waiting, top),
    )
    return session.end(found=check and bool(waiting.longer_than(limit_s)))


def runners(
    *,
    check: Annotated[bool, FLAG] = False,
    top: Top = _TOP,
    asked: Asked | None = None,
    format: Format = "table",  # noqa: A002 - the name of the option
) -> int:
    """Runners and pools on which failures concentrate, beyond chance and beyond the jobs that they happen to run.

    Args:
        check: End with 3 where a runner or a pool is named.
        top: So many runners and pools are shown. 20 if nothing is said.
        format: How to print. csv and json have all of them.
    """
    from trackside.ci.results import span_of
    from trackside.ci.runners import judge_runners
    from trackside.report.ci_runners_report import runners_csv, runners_json, runners_sections

    session = open_session(asked, runners=True)
    say_if_empty(session)
    report = judge_runners(session.history)
    print_sections(
        session,
        format,
        "Runners",
        lambda: runners_json(session.history.repo, span_of(session.history), report),
        lambda: runners_csv(report),
        lambda: runners_sections(report, top),
    )
    return session.end(found=check and bool(report.bad))


def balance(
    *,
    check: Annotated[bool, FLAG] = False,
    top: Top = _TOP,
    asked: Asked | None = None,
    format: Format = "table",  # noqa: A002 - the name of the option
) -> int:
    """How long shards and their test files take against the estimates, with a better partition proposed.

    Args:
        check: End with 3 where a better partition makes a longest shard at least a minute and a tenth shorter.
        top: So many jobs and test files are shown. 20 if nothing is said.
        format: How to print. csv has a row for each test file, json every shard, file and part.
    """
    from trackside.ci.balance import shard_balance
    from trackside.ci.results import span_of
    from trackside.report.ci_balance_report import balance_csv, balance_json, balance_sections

    session = open_session(asked)
    say_if_empty(session)
    shards = shard_balance(session.history)
    print_sections(
        session,
        format,
        "Balance of shards",
        lambda: balance_json(session.history.repo, span_of(session.history), shards),
        lambda: balance_csv(shards),
        lambda: balance_sections(shards, top),
    )
    return session.end(found=check and bool(shards.uneven))


def minutes(
    *,
    top: Top = _TOP,
    asked: Asked | None = None,
    format: Format = "table",  # noqa: A002 - the name of the option
) -> int:
    """Runner minutes by workflow, job and outcome, and those lost to failures, cancellations and flakes.

    Args:
        top: So many workflows and jobs are shown. 20 if nothing is said.
        format: How to print. csv has a row for each job, json workflows too.
    """
    from trackside.ci.flakiness import find_flaky
    from trackside.ci.minutes import runner_minutes
    from trackside.ci.results import span_of
    from trackside.report.ci_minutes_report import minutes_csv, minutes_json, minutes_sections

    session = open_session(asked)
    say_if_empty(session)
    spent = runner_minutes(session.history, find_flaky(session.history).job_ids)
    print_sections(
        session,
        format,
        "Runner minutes",
        lambda: minutes_json(session.history.repo, span_of(session.history), spent),
        lambda: minutes_csv(spent),
        lambda: minutes_sections(spent, top),
    )
    return session.end()


def _looked_at(session: CiSession) -> dt.datetime:
    """The end of the window, or of the newest sync where that was before it: what waits now waited until then."""
    from trackside.evidence.reports import last_sync

    newest = last_sync(session.store, session.history.repo)
    return session.until if newest is None else min(session.until, newest)
