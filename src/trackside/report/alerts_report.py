"""Alerts on the collection itself: a table, a JSON document, and the issue that tells of one."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Final

import msgspec

from trackside.records.alerts import Alert, AlertKind, AlertState
from trackside.report.sections import Section

ALERTS_VERSION: Final = 1
TITLE: Final = "Alerts on the collection"
_TITLES: Final = {
    AlertKind.RATE_LIMIT: "few calls of GitHub's limit are left",
    AlertKind.SYNC_FAILURES: "syncs fail",
    AlertKind.SYNC_DURATION: "a sync takes long",
    AlertKind.FILE_SIZE: "a data file is large",
    AlertKind.STALE_DATA: "the data is stale",
}
_HELP: Final = {
    AlertKind.RATE_LIMIT: "Sync less often, or fewer runs (`max_runs_per_workflow`), or use a token with more calls.",
    AlertKind.SYNC_FAILURES: "Look at the log of the last sync: it ends with a sentence that says why it failed.",
    AlertKind.SYNC_DURATION: "Sync more often, so that each has less to do, or a shorter window (`since`).",
    AlertKind.FILE_SIZE: "Keep fewer details (`detail` and `bands` under `[agents]`) or a shorter window.",
    AlertKind.STALE_DATA: "Look whether the workflow still runs: GitHub switches schedules off in quiet repositories.",
}


class AlertsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``trackside alerts --format json`` prints: every alert, on or not; ``checked_at`` is when."""

    schema_version: int
    repository: str
    checked_at: dt.datetime
    alerts: tuple[Alert, ...]


def alerts_json(repo: str, alerts: Sequence[Alert], now: dt.datetime) -> str:
    """An AlertsDocument in ASCII, so that no character of it acts on a terminal."""
    document = AlertsDocument(schema_version=ALERTS_VERSION, repository=repo, checked_at=now, alerts=tuple(alerts))
    return json.dumps(msgspec.to_builtins(document), indent=2)


def alerts_section(alerts: Sequence[Alert]) -> Section:
    """Every alert in a row, on or not."""
    return Section(
        title=TITLE,
        headings=("Alert", "State", "What", "Since", "Recovered"),
        rows=tuple((one.kind.value, shown_state(one), one.text, one.since, one.recovered_at) for one in alerts),
    )


def alerts_heading(repo: str, alerts: Sequence[Alert]) -> str:
    """``octo/engine: 1 of 5 alerts is on``."""
    on = sum(one.state is AlertState.ON for one in alerts)
    return f"{repo}: {on:,} of {len(alerts):,} alerts {'is' if on == 1 else 'are'} on"


def shown_state(alert: Alert) -> str:
    """The state in a word; ``near`` where it is about to go on."""
    return "near" if alert.is_warning and alert.state is not AlertState.ON else alert.state.value


def issue_title(alert: Alert) -> str:
    """The title of the issue that tells of an alert: the same as long as it is on."""
    return f"Agent operations: {_TITLES[alert.kind]}"


def issue_body(alert: Alert) -> str:
    """What that issue says, as Markdown."""
    since = f"Since {alert.since:%Y-%m-%d %H:%M} UTC. " if alert.since else ""
    return (
        f"{alert.text}\n\n{since}{_HELP[alert.kind]}\n\n"
        "This text is renewed with each sync, and the issue is closed when it is over. "
        "The limits are under `[agents.alerts]` in `trackside.toml`."
    )


def recovery_body(alert: Alert) -> str:
    """What is said when the issue is closed, as Markdown."""
    return f"It is over. {alert.text}"
