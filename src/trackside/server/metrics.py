"""What the server counts of itself, in a registry of its own, and how that is told to Prometheus.

No label has a value that came from outside: routes and results are ours, conclusions and alerts those that are known.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter as Counted
from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from trackside.records.alerts import AlertKind
from trackside.server.backend import Figures

CONTENT_TYPE: Final = "text/plain; version=1.0.0; charset=utf-8"
CONCLUSIONS: Final = (
    "success", "failure", "cancelled", "skipped", "timed_out", "action_required", "neutral", "stale",
    "startup_failure",
)  # fmt: skip
UNFINISHED: Final = "unfinished"
OTHER: Final = "other"
STATUSES: Final = ("ok", "partial", "failed")
_UNKNOWN: Final = float("nan")
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The counters and gauges of one server."""

    def __init__(self, version: str) -> None:
        own = self._registry = CollectorRegistry(auto_describe=True)
        self.requests = Counter(
            "trackside_http_requests", "Requests by route and status.", ["route", "status"], registry=own
        )
        self.seconds = Histogram(
            "trackside_http_request_seconds", "How long answers took.", ["route"], registry=own, buckets=_SECONDS
        )
        self.deliveries = Counter(
            "trackside_webhook_deliveries", "Deliveries of webhooks by what became of them.", ["result"], registry=own
        )
        self.commits = Counter("trackside_webhook_commits", "Commits that deliveries were stored with.", registry=own)
        self.unread = Counter(
            "trackside_store_unread", "Times that the figures of the store could not be read.", registry=own
        )
        self.builds = Counter(
            "trackside_site_builds", "Builds of the site by how they ended.", ["result"], registry=own
        )
        self.build_s = _gauge("trackside_site_build_seconds", "How long the last build took.", own)
        self.syncs = Counter(
            "trackside_syncs", "Syncs that this server began, by how they ended.", ["result"], registry=own
        )
        self.analyses = Counter("trackside_analyses", "Analyses of runs by how they ended.", ["result"], registry=own)
        self._site_at = _gauge(
            "trackside_site_generated_timestamp_seconds", "When the site that is served was made.", own
        )
        self._site_failed = _gauge("trackside_site_build_failures", "Builds that failed in a row.", own)
        self._sync_age = _gauge("trackside_sync_age_seconds", "How long ago the newest sync of the store ended.", own)
        self._sync_status = Gauge(
            "trackside_last_sync_status", "1 for the status of the newest sync.", ["status"], registry=own
        )
        self._runs = Gauge("trackside_runs", "Runs of the window by conclusion.", ["conclusion"], registry=own)
        self._alerts = Gauge("trackside_alerts_on", "1 for each alert that is on.", ["kind"], registry=own)
        self._broken = _gauge("trackside_broken_jobs", "Jobs that are broken now on the default branch.", own)
        self._regressions = _gauge("trackside_regressions", "Series that are slower now and nobody answered for.", own)
        Gauge("trackside_info", "Which trackside this is.", ["version"], registry=own).labels(version).set(1)
        for counter, results in (
            (self.builds, ("ok", "failed")),
            (self.syncs, STATUSES),
            (self.analyses, ("ok", "failed", "busy")),
        ):
            for result in results:
                counter.labels(result)

    def tell_site(self, generated_at: dt.datetime | None, failed: int, figures: Mapping[str, int | None]) -> None:
        """Sets what is known of the site; ``figures`` are those of ``site_figures``."""
        self._site_at.set(_UNKNOWN if generated_at is None else generated_at.timestamp())
        self._site_failed.set(failed)
        for gauge, name in ((self._broken, "broken"), (self._regressions, "regressions")):
            value = figures.get(name)
            gauge.set(_UNKNOWN if value is None else value)

    def tell_store(self, figures: Figures, now: dt.datetime) -> None:
        """Sets what is known of the store."""
        ago = _UNKNOWN if figures.synced_at is None else (now - figures.synced_at).total_seconds()
        self._sync_age.set(ago)
        for status in STATUSES:
            self._sync_status.labels(status).set(figures.sync_status == status)
        runs = Counted[str]()
        for conclusion, count in figures.runs.items():
            name = conclusion or UNFINISHED
            runs[name if name in (*CONCLUSIONS, UNFINISHED) else OTHER] += count
        for name in (*CONCLUSIONS, UNFINISHED, OTHER):
            self._runs.labels(name).set(runs[name])
        for kind in AlertKind:
            self._alerts.labels(kind.value).set(kind.value in figures.alerts)

    def forget_store(self) -> None:
        """Makes everything unknown that the store tells."""
        self._sync_age.set(_UNKNOWN)
        for status in STATUSES:
            self._sync_status.labels(status).set(_UNKNOWN)
        for name in (*CONCLUSIONS, UNFINISHED, OTHER):
            self._runs.labels(name).set(_UNKNOWN)
        for kind in AlertKind:
            self._alerts.labels(kind.value).set(_UNKNOWN)

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self._registry)


def _gauge(name: str, text: str, registry: CollectorRegistry) -> Gauge:
    """A gauge without labels; nothing is known of it yet."""
    gauge = Gauge(name, text, registry=registry)
    gauge.set(_UNKNOWN)
    return gauge
