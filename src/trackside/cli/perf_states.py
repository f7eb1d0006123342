"""``trackside perf ack``, ``intend`` and ``reopen``: what people say of a change, kept in the store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
from cyclopts import Parameter

from trackside.cli.github_options import Where
from trackside.cli.github_session import repository_of, settings_of, store_of
from trackside.cli.id_lookup import find_id
from trackside.cli.options import FLAG
from trackside.cli.said_text import require_page, said_text
from trackside.cli.terminal import open_terminal
from trackside.errors import UsageError
from trackside.records.perf_rules import ChangeState, KnownChange

_SOME = Parameter(show_default=False)


@Parameter(name="*")
@dataclass(frozen=True)
class Said:
    """What is said of a change, and where it is kept."""

    reason: Annotated[str | None, _SOME] = None
    """Why, in a sentence. Needed for ack and intend."""
    link: Annotated[str | None, _SOME] = None
    """Where more is said, such as an issue."""
    others: Annotated[bool, FLAG] = False
    """Say the same of every change that moved at the same commits, those that are found later too."""
    where: Where = field(default_factory=Where)


def ack(change_id: str, /, *, said: Said | None = None) -> int:
    """Say that a change is known and why it stands. It fails no check and is told to nobody any more.

    Args:
        change_id: The id that trackside perf changes shows.
    """
    return _decide(change_id, ChangeState.ACKNOWLEDGED, said or Said())


def intend(change_id: str, /, *, said: Said | None = None) -> int:
    """Say that a change is the price, or the fruit, of something that was wanted. It fails no check.

    Args:
        change_id: The id that trackside perf changes shows.
    """
    return _decide(change_id, ChangeState.INTENDED, said or Said())


def reopen(change_id: str, /, *, said: Said | None = None) -> int:
    """Take back what was said of a change: its state is what the runs say again.

    What was said of others with it is taken back too.

    Args:
        change_id: The id that trackside perf changes shows.
    """
    return _decide(change_id, None, said or Said())


def _decide(change_id: str, state: ChangeState | None, said: Said) -> int:
    """Keeps a decision, with None that there is none; asks GitHub for nothing."""
    from trackside.evidence.known_changes import known_changes, undecided_state

    reason, link = said_text(said.reason, "--reason"), said_text(said.link, "--link")
    if state is not None and reason is None:
        msg = f"Why is {change_id} {state.value}? Give --reason TEXT: whoever reads it later needs to know."
        raise UsageError(msg)
    require_page(link, "--link")
    access = said.where.access
    settings = settings_of(access)
    repo = repository_of(access, settings)
    store = store_of(access, create=False)
    known = known_changes(store, repo)
    one = _find(change_id, known, repo)
    now = dt.datetime.now(dt.UTC)
    if state is None:
        told = [
            _undecided(other, undecided_state(store, repo, other.change_id)) for other in _same_decision(one, known)
        ]
    else:
        told = [msgspec.structs.replace(one, state=state, reason=reason, link=link, decided_at=now, others=said.others)]
    store.add_changes(told, now)
    _say(told, {note.id.lower() for note in settings.perf.changes})
    return 0


def _say(told: Iterable[KnownChange], noted: Set[str]) -> None:
    terminal = open_terminal()
    for one in told:
        words = "is as the runs say again" if one.decided_at is None else f"is {one.state.value} now"
        more = " and what moved with it" if one.others else ""
        terminal.data(f"{one.change_id}{more} {words}: {one.series}")
        if one.change_id in noted:
            terminal.warn(f"The settings hold a note of {one.change_id}: that counts before what is said here.")


def _same_decision(one: KnownChange, known: Iterable[KnownChange]) -> list[KnownChange]:
    """The change, and those that the decision on it holds for too, or that it was taken over from."""
    if one.decided_at is None:
        return [one]
    return [other for other in known if other.decided_at == one.decided_at]


def _undecided(one: KnownChange, state: ChangeState) -> KnownChange:
    return msgspec.structs.replace(one, state=state, reason=None, link=None, decided_at=None, others=False)


def _find(change_id: str, known: Iterable[KnownChange], repo: str) -> KnownChange:
    """The change of that id. Raises NoDataError, naming the nearest ones, where there is none."""
    by_id = {one.change_id: one for one in known}
    names = {one.change_id: one.series for one in by_id.values()}
    hint = "trackside perf changes shows the ids." if by_id else "trackside perf changes finds changes first."
    return by_id[find_id(change_id, names, f"No change of {repo} has", hint)]
