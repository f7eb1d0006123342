"""What ``trackside ci failures --notify`` tells: a short message on what changed on the default branch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trackside.cli.ci_causes import groups_since
from trackside.cli.ci_session import CiSession
from trackside.cli.notifying import News, Notifying, Telling, deliver, is_wanted, told_before

if TYPE_CHECKING:
    from trackside.ci.changes import Changes
    from trackside.notify.sender import Sender

KIND: Final = "notify"
"""The report that a message is."""


def tell_changes(session: CiSession, notifying: Notifying | None, sender: Sender | None) -> bool:
    """Tells what changed since the last message; False where a message was not taken."""
    from trackside.notify.messages import message_of

    if notifying is None or not is_wanted(notifying):
        return True
    changes = find_changes(session)
    news = News(kind=KIND, message=message_of(changes), notices=changes.notices, is_first=changes.is_first)
    telling = Telling(session.terminal, session.store, session.history.repo)
    return deliver(telling, None if notifying.dry_run else sender, news)


def find_changes(session: CiSession) -> Changes:
    """What changed on the default line, in flakes and in errors since the last message."""
    from trackside.ci.changes import changes_since, flakes_of, passing_jobs
    from trackside.ci.flakiness import find_flaky
    from trackside.ci.streaks import find_streaks

    history = session.history
    flakes = flakes_of(find_flaky(history))
    told = told_before(session.store, history.repo, KIND)
    return changes_since(told, find_streaks(history), flakes, groups_since(session, KIND), passing_jobs(history))
