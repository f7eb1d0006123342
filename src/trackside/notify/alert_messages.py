"""Alerts on the collection itself as a short message, in which no name does anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from trackside.notify.messages import Message, compose, counted_title, harmless
from trackside.records.alerts import Alert, AlertState
from trackside.records.failures import Notice
from trackside.records.notices import OFF, ON, Told

KIND: Final = "alert"
"""The kind of notice that an alert is, and the report that tells of them."""
_MOST_OF_A_TEXT: Final = 300


class AlertNews(msgspec.Struct, frozen=True):
    """What is to be told: alerts that went on, alerts that are over, and what is then known to be told."""

    on: tuple[Alert, ...]
    over: tuple[Alert, ...]
    notices: tuple[Notice, ...]


def alert_news(told: Told, repo: str, alerts: Sequence[Alert]) -> AlertNews:
    """What changed since it was told last; one that is unknown stays as it was told."""
    known = {one.kind.value: one for one in alerts if one.state is not AlertState.UNKNOWN}
    changed = told.changed(
        [
            Notice(repo=repo, kind=KIND, subject=kind, state=ON if one.state is AlertState.ON else OFF)
            for kind, one in known.items()
        ]
    )
    return AlertNews(
        on=tuple(known[one.subject] for one in changed if one.state == ON),
        over=tuple(known[one.subject] for one in changed if one.state == OFF),
        notices=changed,
    )


def alert_message_of(repo: str, news: AlertNews) -> Message | None:
    """The message that tells ``news``; None where there is nothing to tell."""
    if not news.on and not news.over:
        return None
    counts = [f"{len(news.on):,} on"] * bool(news.on) + [f"{len(news.over):,} over"] * bool(news.over)
    lines = [f"On: {harmless(one.text, _MOST_OF_A_TEXT)}" for one in news.on]
    lines += [f"Over: {harmless(one.text, _MOST_OF_A_TEXT)}" for one in news.over]
    return compose(counted_title(f"{repo} alerts", counts), lines)
