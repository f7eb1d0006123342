"""Sends messages to whatever a URL of Apprise names: chats, mail, push services, web hooks."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from trackside.errors import MissingExtraError, OutputError, UsageError
from trackside.notify.messages import Message

if TYPE_CHECKING:
    import apprise

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30})://")
_SHORTEST_SECRET: Final = 3
_MOST_REASON: Final = 300


class Sender:
    """One place to send to. Its URL holds secrets and is never shown: see ``masked``."""

    def __init__(self, url: str, service: apprise.Apprise) -> None:
        self._url = url
        self._service = service

    def __repr__(self) -> str:
        return f"Sender({masked(self._url)})"

    def send(self, message: Message) -> None:
        """Sends. Raises OutputError, with what the service said, where it was not taken."""
        from apprise import NotifyFormat

        with _overheard() as said:
            sent = self._service.notify(title=message.title, body=message.body, body_format=NotifyFormat.TEXT)
        if not sent:
            reason = without_secrets("; ".join(said), self._url)
            because = f" ({reason})" if reason else ""
            msg = f"The message was not sent to {masked(self._url)}{because}; the next run tells it again."
            raise OutputError(msg)


@contextmanager
def _overheard() -> Iterator[list[str]]:
    """The warnings of the library while the block runs: it tells only there why something was not sent."""
    said: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("apprise")
    logger.addHandler(handler)
    try:
        yield said
    finally:
        logger.removeHandler(handler)


def open_sender(url: str) -> Sender:
    """A sender to ``url``. Raises UsageError for a URL that names no service, MissingExtraError without the extra."""
    try:
        from apprise import Apprise, AppriseAsset
    except ImportError as error:
        msg = "--notify needs the extra notify: install trackside with it, as in pip install 'trackside[notify]'."
        raise MissingExtraError(msg) from error
    asset = AppriseAsset(app_id="trackside", app_desc="trackside", app_url="", async_mode=False)
    service = Apprise(asset=asset)
    if not _SCHEME.match(url) or not service.add(url):
        msg = f"--notify {masked(url)}: no service is known by this URL; see docs/ci.md for how they are written."
        raise UsageError(msg)
    return Sender(url, service)


def masked(url: str) -> str:
    """``url`` without what may be secret in it, which can be any part but the scheme: ``slack://***``."""
    found = _SCHEME.match(url)
    return f"{found[1].lower()}://***" if found else "***"


def without_secrets(text: str, url: str) -> str:
    """``text`` in one line, with every part of ``url`` that occurs in it replaced by ``***``."""
    scheme = _SCHEME.match(url)
    rest = url[scheme.end() :] if scheme else url
    parts = {part for piece in (rest, unquote(rest)) for part in re.split(r"[/:@?&=,;\s]+", piece)}
    for part in sorted((part for part in parts if len(part) >= _SHORTEST_SECRET), key=len, reverse=True):
        text = text.replace(part, "***")
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= _MOST_REASON else line[: _MOST_REASON - 1] + "…"
