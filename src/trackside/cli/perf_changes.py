"""``trackside perf changes``: what moved, since which commit, who can have done it, and what stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from cyclopts import Parameter

from trackside.cli.ci_session import Asked, CiSession, Format, say_if_empty
from trackside.cli.github_options import POSITIVE
from trackside.cli.notifying import News, Notifying, Telling, deliver, is_wanted, sender_of, told_before
from trackside.cli.options import FLAG
from trackside.cli.perf_findings import PerfFindings, find_all, keep_states
from trackside.cli.perf_session import PerfSession, open_perf_session
from trackside.cli.section_printing import print_sections
from trackside.errors import NoDataError, TracksideError
from trackside.report.ledger import counted

if TYPE_CHECKING:
    from trackside.notify.sender import Sender

KIND: Final = "notify-perf"
"""The report that a message on performance is."""
_TOP: Final = 20
_GLOBS = Parameter(negative="", show_default=False)


def changes(
    *,
    check: Annotated[bool, FLAG] = False,
    all_: Annotated[bool, Parameter(name="--all", negative="", show_default=False)] = False,
    test: Annotated[tuple[str, ...], _GLOBS] = (),
    metric: Annotated[tuple[str, ...], _GLOBS] = (),
    top: Annotated[int, POSITIVE] = _TOP,
    notifying: Notifying | None = None,
    asked: Asked | None = None,
    format: Format = "table",  # noqa: A002 - the name of the option
) -> int:
    """Changes of level in what performance jobs print, the commits that can have done it, and what stopped.

    The window is 30d if nothing is said. Only runs of the default branch are searched.

    Args:
        check: End with 3 for a confirmed regression that nobody acknowledged, and for series that stopped.
        all_: List what is intended or fixed, what was known before the window, and series with too few values too.
        test: Show tests that match this pattern only; can be given again. All are searched.
        metric: Show metrics that match this pattern only; can be given again. All are searched.
        top: So many rows of each table are shown.
        format: How to print. csv has every change, json every series too.
    """
    sender = sender_of(notifying)
    session = open_perf_session(asked)
    say_if_empty(session.ci)
    _say_if_unmeasured(session)
    every = find_all(session)
    keep_states(session, every.states)
    shown = _chosen(every, test, metric)
    _print(session, shown, format, top, shows_all=all_)
    told = _tell(session.ci, every, notifying, sender)
    code = session.ci.end(found=check and is_alarming(session, shown))
    return code if told else TracksideError.exit_code


def is_alarming(session: PerfSession, found: PerfFindings) -> bool:
    """Whether a check fails: something got worse, or stopped, or nothing at all is measured.

    Logs that are still to be downloaded are no silence.
    """
    from trackside.perf.silence import SilenceReason

    is_whole = session.is_whole
    silent = [one for one in found.silence.series if is_whole or one.reason is not SilenceReason.NO_LOG]
    return found.states.is_alarming or bool(silent) or (_is_unmeasured(session) and is_whole)


def _is_unmeasured(session: PerfSession) -> bool:
    return session.points.is_empty() and not session.history.runs.is_empty()


def _say_if_unmeasured(session: PerfSession) -> None:
    """Says that no number was found where there are runs: what is printed then is empty, and nothing is watched."""
    if _is_unmeasured(session):
        logs = counted(session.measured.height, "log")
        session.ci.terminal.warn(
            f"No performance number is in the window: {logs} of performance jobs read. perf_jobs of [sync] in "
            "trackside.toml says which jobs these are, [perf] how their numbers are read."
        )


def _print(session: PerfSession, found: PerfFindings, form: Format, top: int, *, shows_all: bool) -> None:
    from trackside.ci.results import span_of
    from trackside.report.perf_changes_csv import perf_changes_csv
    from trackside.report.perf_changes_report import perf_changes_json, perf_changes_sections

    states, silence = found.states, found.silence
    print_sections(
        session.ci,
        form,
        "Changes in performance",
        lambda: perf_changes_json(states, silence, span_of(session.ci.history)),
        lambda: perf_changes_csv(states),
        lambda: perf_changes_sections(states, silence, top, shows_all=shows_all),
    )


def _chosen(every: PerfFindings, tests: tuple[str, ...], metrics: tuple[str, ...]) -> PerfFindings:
    """What was found in the series of these tests and metrics. Raises NoDataError where there is none."""
    from trackside.history.names import matches_any

    if not tests and not metrics:
        return every
    found, silence = every.states.found, every.silence
    own = {
        one.series
        for one in found.series
        if (not tests or matches_any(one.test, tests)) and (not metrics or matches_any(one.metric, metrics))
    }
    if not own:
        words = " ".join([*(f"--test {one}" for one in tests), *(f"--metric {one}" for one in metrics)])
        msg = f"No series of {found.repo} in the window is of {words}; --format json lists every series."
        raise NoDataError(msg)
    kept = msgspec.structs.replace(
        found,
        changes=tuple(one for one in found.changes if one.series in own),
        confounded=tuple(one for one in found.confounded if one.series in own),
        series=tuple(one for one in found.series if one.series in own),
    )
    past = tuple(one for one in every.states.past if one.known.series in own)
    series = tuple(one for one in silence.series if one.series in own)
    jobs = tuple(one for one in silence.jobs if (one.workflow, one.job) in {(s.workflow, s.job) for s in series})
    return PerfFindings(
        states=msgspec.structs.replace(every.states, found=kept, past=past),
        silence=msgspec.structs.replace(silence, series=series, jobs=jobs),
    )


def _tell(session: CiSession, found: PerfFindings, notifying: Notifying | None, sender: Sender | None) -> bool:
    """Tells what changed since the last message; False where a message was not taken."""
    from trackside.notify.perf_messages import perf_message_of
    from trackside.perf.news import news_since

    if notifying is None or not is_wanted(notifying):
        return True
    news = news_since(told_before(session.store, session.history.repo, KIND), found.states, found.silence)
    kept = News(kind=KIND, message=perf_message_of(news), notices=news.notices, is_first=news.is_first)
    telling = Telling(session.terminal, session.store, session.history.repo)
    return deliver(telling, None if notifying.dry_run else sender, kept)
