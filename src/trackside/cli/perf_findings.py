"""What the commands on performance find in their points: changes with the states in force, and what fell silent."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trackside.cli.perf_session import PerfSession
from trackside.errors import OutputError

if TYPE_CHECKING:
    from trackside.perf.silence import Silence
    from trackside.perf.states import ChangeStates


@dataclass(frozen=True)
class PerfFindings:
    """The changes of one window, and the series that stopped in it."""

    states: ChangeStates
    silence: Silence


def find_all(session: PerfSession) -> PerfFindings:
    """What moved and what stopped, with the ids and states that the store and the settings give. Writes nothing."""
    from trackside.evidence.known_changes import known_changes
    from trackside.perf.changes import find_changes
    from trackside.perf.silence import find_silent
    from trackside.perf.states import reconcile

    history, rules = session.history, session.ci.settings.perf
    found = find_changes(history, session.points)
    known = known_changes(session.ci.store, history.repo)
    return PerfFindings(
        states=reconcile(found, session.points, known, rules.changes, dt.datetime.now(dt.UTC)),
        silence=find_silent(history, session.points, session.measured, rules),
    )


def keep_states(session: PerfSession, states: ChangeStates) -> None:
    """Keeps in the store what it does not know of changes yet; says so where it cannot be written."""
    try:
        session.ci.store.add_changes(states.writes, dt.datetime.now(dt.UTC))
    except OutputError as error:
        session.ci.terminal.warn(f"The states of changes could not be kept: {error}")
