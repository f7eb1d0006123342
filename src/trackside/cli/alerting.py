"""Alerts looked at once more and kept: by every report that syncs, and by ``trackside alerts``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from trackside.settings import Settings

if TYPE_CHECKING:
    from trackside.records.alerts import Alert
    from trackside.store.store import Store


def look_at_alerts(
    store: Store, repo: str, settings: Settings, now: dt.datetime, files: Mapping[str, int] | None
) -> tuple[Alert, ...]:
    """Every alert as it stands now, by kind; keeps nothing."""
    from trackside.agents.alerts import check_alerts
    from trackside.evidence.alert_facts import known_alerts, load_alert_facts

    return check_alerts(load_alert_facts(store, repo, files), settings.agents.alerts, known_alerts(store, repo), now)


def update_alerts(
    store: Store, repo: str, settings: Settings, now: dt.datetime, files: Mapping[str, int] | None
) -> tuple[Alert, ...]:
    """Every alert as it stands now, by kind, kept in the store for the next time.

    ``files`` are the sizes of the data files in bytes by name, None where nobody looked at them: then that alert stays
    as it was. Call it after the sync, when the files are written, and where the sync failed too. Raises OutputError
    where the store cannot be written.
    """
    alerts = look_at_alerts(store, repo, settings, now, files)
    keep_alerts(store, repo, alerts, now)
    return alerts


def keep_alerts(store: Store, repo: str, alerts: Iterable[Alert], now: dt.datetime) -> None:
    """Keeps those that say something else than the store does; when they were looked at alone is nothing new."""
    from trackside.evidence.alert_facts import known_alerts

    before = {one.kind: one for one in known_alerts(store, repo)}
    new = [one for one in alerts if one.kind not in before or _said(one) != _said(before[one.kind])]
    store.add_alerts(new, now)


def _said(alert: Alert) -> Alert:
    return msgspec.structs.replace(alert, checked_at=None)
