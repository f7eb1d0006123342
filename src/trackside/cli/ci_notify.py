"""``--notify`` and ``--dry-run``: a short message on what changed, and what it leaves behind."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from trackside.cli.ci_causes import groups_since
from trackside.cli.ci_session import CiSession
from trackside.cli.options import FLAG
from trackside.errors import TracksideError

if TYPE_CHECKING:
    from trackside.ci.changes import Changes
    from trackside.notify.sender import Sender

KIND: Final = "notify"
"""The report that a message is."""


@Parameter(name="*")
@dataclass(frozen=True)
class Notifying:
    """Who is told of changes."""

    notify: Annotated[str | None, Parameter(show_default=False, env_var="TRACKSIDE_NOTIFY_URL")] = None
    """Send a short message to this Apprise URL if something broke, is fixed or newly flaky, or an error is new."""
    dry_run: Annotated[bool, FLAG] = False
    """Print the message in place of sending it, on stderr; nothing counts as told."""


def sender_of(notifying: Notifying | None) -> Sender | None:
    """The one to send to, None where nothing is to be sent.

    Raises UsageError for a URL of no service and MissingExtraError without the extra: before anything else is done.
    """
    if notifying is None or notifying.notify is None:
        return None
    from trackside.notify.sender import open_sender

    return open_sender(notifying.notify)


def tell_changes(session: CiSession, notifying: Notifying | None, sender: Sender | None) -> bool:
    """Tells what changed since the last message; False where a message was not taken.

    What was told is kept in the store. A message that could not be sent is not: the next run tells it again.
    """
    from trackside.notify.messages import message_of

    if notifying is None or (sender is None and not notifying.dry_run):
        return True
    changes = find_changes(session)
    message = message_of(changes)
    if notifying.dry_run:
        session.terminal.warn("Nothing changed: no message." if message is None else message.text)
        return True
    assert sender is not None
    if message is not None:
        try:
            sender.send(message)
        except TracksideError as error:
            session.terminal.warn(str(error))
            return False
    return _keep(session, changes)


def find_changes(session: CiSession) -> Changes:
    """What changed on the default line, in flakes and in errors since the last message."""
    from trackside.ci.changes import Told, changes_since, flakes_of, passing_jobs
    from trackside.ci.flakiness import find_flaky
    from trackside.ci.streaks import find_streaks
    from trackside.evidence.reports import last_report, past_notices

    history = session.history
    told = Told(
        ever=last_report(session.store, history.repo, KIND) is not None,
        notices=past_notices(session.store, history.repo),
    )
    flakes = flakes_of(find_flaky(history))
    return changes_since(told, find_streaks(history), flakes, groups_since(session, KIND), passing_jobs(history))


def _keep(session: CiSession, changes: Changes) -> bool:
    """Keeps what was told; a run in which nothing changed leaves no trace."""
    from trackside.records.failures import Reported

    if not changes.notices and not changes.is_first:
        return True
    reported = Reported(repo=session.history.repo, kind=KIND, reported_at=dt.datetime.now(dt.UTC))
    try:
        session.store.add_reported(reported, changes.notices)
    except TracksideError as error:
        session.terminal.warn(f"What was told could not be kept, the next run tells it again: {error}")
        return False
    return True
