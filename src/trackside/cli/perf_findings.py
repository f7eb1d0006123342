"""What the commands on performance find in their points: changes with the states in force, and what fell silent."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trackside.cli.ci_session import CiSession
from trackside.cli.perf_session import PerfSession
from trackside.errors import OutputError

if TYPE_CHECKING:
    from trackside.perf.change_records import Changes
    from trackside.perf.collection import Collection
    from trackside.perf.silence import Silence
    from trackside.perf.states import ChangeStates
    from trackside.report.perf_facts import PerfFacts


@dataclass(frozen=True)
class PerfFindings:
    """The changes of one window, and the series that stopped in it."""

    states: ChangeStates
    silence: Silence


def find_all(session: PerfSession) -> PerfFindings:
    """What moved and what stopped, with the ids and states that the store and the settings give. Writes nothing."""
    from trackside.perf.changes import find_changes

    return with_states(session, find_changes(session.history, session.points), dt.datetime.now(dt.UTC))


def with_states(session: PerfSession, found: Changes, now: dt.datetime) -> PerfFindings:
    """The same of changes that were found, and are seen at ``now``."""
    from trackside.evidence.known_changes import known_changes
    from trackside.perf.silence import find_silent
    from trackside.perf.states import reconcile

    history, rules = session.history, session.ci.settings.perf
    known = known_changes(session.ci.store, history.repo)
    return PerfFindings(
        states=reconcile(found, session.points, known, rules.changes, now),
        silence=find_silent(history, session.points, session.measured, rules),
    )


def keep_states(session: PerfSession, states: ChangeStates) -> None:
    """Keeps in the store what it does not know of changes yet; says so where it cannot be written."""
    try:
        session.ci.store.add_changes(states.writes, dt.datetime.now(dt.UTC))
    except OutputError as error:
        session.ci.terminal.warn(f"The states of changes could not be kept: {error}")


def collection_of(session: PerfSession) -> Collection:
    """What the points of a session were collected from."""
    from trackside.evidence.diagnoses import job_log_states
    from trackside.history.names import matches_any
    from trackside.perf.collection import collect

    history, globs = session.history, session.ci.settings.sync.perf_jobs
    logs = job_log_states(session.ci.store, history.repo, history.jobs)
    return collect(history, session.measured, logs, lambda name: matches_any(name, globs))


def head_of(ci: CiSession, collection: Collection, made_at: dt.datetime) -> PerfFacts:
    """What a report of performance that is made at ``made_at`` says of itself."""
    from trackside.report.perf_console import log_words
    from trackside.report.perf_facts import PerfFacts
    from trackside.report.safe_links import site_of

    return PerfFacts(
        repo=ci.history.repo,
        default_branch=ci.history.default_branch,
        since=ci.since,
        until=ci.until,
        made_at=made_at,
        runs=len(collection.runs),
        jobs=collection.jobs.height,
        logs=log_words(collection),
        unread=ci.history.unread,
        watched=(*ci.settings.sync.workflows, *ci.settings.sync.perf_jobs),
        site=site_of(next(iter(ci.history.runs["url"].drop_nulls().tail(1)), None)),
    )
