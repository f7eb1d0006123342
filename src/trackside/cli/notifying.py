"""``--notify`` and ``--dry-run``: who is told of changes, a message on its way, and what it leaves behind."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from trackside.cli.options import FLAG
from trackside.cli.terminal import Terminal
from trackside.errors import TracksideError

if TYPE_CHECKING:
    from trackside.notify.messages import Message
    from trackside.notify.sender import Sender
    from trackside.records.failures import Notice
    from trackside.records.notices import Told
    from trackside.store.store import Store


@Parameter(name="*")
@dataclass(frozen=True)
class Notifying:
    """Who is told of changes."""

    notify: Annotated[str | None, Parameter(show_default=False, env_var="TRACKSIDE_NOTIFY_URL")] = None
    """Send a short message on what changed since the last one to this Apprise URL."""
    dry_run: Annotated[bool, FLAG] = False
    """Print the message in place of sending it, on stderr; nothing counts as told."""


@dataclass(frozen=True)
class News:
    """What is to be told, None where nothing changed, and what is then known to be told.

    ``kind`` is the report that the message is; ``is_first`` says that none was ever sent.
    """

    kind: str
    message: Message | None
    notices: tuple[Notice, ...]
    is_first: bool


def sender_of(notifying: Notifying | None) -> Sender | None:
    """The one to send to, None where nothing is to be sent.

    Raises UsageError for a URL of no service and MissingExtraError without the extra: before anything else is done.
    """
    if notifying is None or notifying.notify is None:
        return None
    from trackside.notify.sender import open_sender

    return open_sender(notifying.notify)


def is_wanted(notifying: Notifying | None) -> bool:
    """Whether there is anybody to tell."""
    return notifying is not None and (notifying.notify is not None or notifying.dry_run)


@dataclass(frozen=True)
class Telling:
    """Who tells: where its words go, what remembers what was told, and of which repository."""

    terminal: Terminal
    store: Store
    repo: str


def told_before(store: Store, repo: str, kind: str) -> Told:
    """What the messages of a kind told until now."""
    from trackside.evidence.reports import last_report, past_notices
    from trackside.records.notices import Told

    ever = last_report(store, repo, kind) is not None
    return Told(ever=ever, notices=past_notices(store, repo))


def deliver(telling: Telling, sender: Sender | None, news: News) -> bool:
    """Sends the message, without a sender prints it; False where it was not taken or what was told was not kept.

    What was told is kept in the store. A message that could not be sent is not: the next run tells it again.
    """
    if sender is None:
        telling.terminal.warn("Nothing changed: no message." if news.message is None else news.message.text)
        return True
    if news.message is not None:
        try:
            sender.send(news.message)
        except TracksideError as error:
            telling.terminal.warn(str(error))
            return False
    return _keep(telling, news)


def _keep(telling: Telling, news: News) -> bool:
    """Keeps what was told; a run in which nothing changed leaves no trace."""
    from trackside.records.failures import Reported

    if not news.notices and not news.is_first:
        return True
    reported = Reported(repo=telling.repo, kind=news.kind, reported_at=dt.datetime.now(dt.UTC))
    try:
        telling.store.add_reported(reported, news.notices)
    except TracksideError as error:
        telling.terminal.warn(f"What was told could not be kept, the next run tells it again: {error}")
        return False
    return True
