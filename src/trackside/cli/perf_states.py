"""``trackside perf ack``, ``intend`` and ``reopen``: what people say of a change, kept in the store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Set
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter

from trackside.cli.github_options import Access
from trackside.cli.github_session import repository_of, settings_of, store_of
from trackside.cli.options import FLAG
from trackside.cli.terminal import open_terminal
from trackside.errors import NoDataError, UsageError
from trackside.records.perf_rules import ChangeState, KnownChange

_LONGEST: Final = 2_000
"""So many characters a reason or a link may have."""
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
    repo: Annotated[str | None, _SOME] = None
    """The repository as OWNER/NAME."""
    preset: Annotated[str | None, _SOME] = None
    """Settings of a known repository: sglang or chained."""
    store: Annotated[str | None, _SOME] = None
    """Where the store is: a directory or an s3://, gs:// or abfss:// URL. .trackside if nothing is said."""
    debug: Annotated[bool, FLAG] = False
    """Show where an unexpected error came from."""


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

    reason, link = _text(said.reason, "--reason"), _text(said.link, "--link")
    if state is not None and reason is None:
        msg = f"Why is {change_id} {state.value}? Give --reason TEXT: whoever reads it later needs to know."
        raise UsageError(msg)
    if link is not None and not link.lower().startswith(("https://", "http://")):
        msg = f"--link {link[:100]} is no address of a page: it begins with https://."
        raise UsageError(msg)
    access = Access(repo=said.repo, preset=said.preset, store=said.store)
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
    wanted = change_id.strip().lower()
    if wanted in by_id:
        return by_id[wanted]
    near = get_close_matches(wanted, by_id, n=3, cutoff=0.5)
    if near:
        named = "; ".join(f"{one} ({by_id[one].series})" for one in near)
        hint = f"Is it {named}?"
    else:
        hint = "trackside perf changes shows the ids." if by_id else "trackside perf changes finds changes first."
    msg = f"No change of {repo} has the id {change_id}. {hint}"
    raise NoDataError(msg)


def _text(text: str | None, option: str) -> str | None:
    """The words of an option without the space about them, None where there are none. Raises UsageError."""
    short = " ".join((text or "").split())
    if len(short) > _LONGEST:
        msg = f"{option} has {len(short):,} characters; {_LONGEST:,} are enough."
        raise UsageError(msg)
    return short or None
