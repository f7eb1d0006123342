"""Data health: whether the pages can be believed. What was read, what it cost, what is missing, how large it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from trackside.records.sync_health import SyncHealth
from trackside.report.ledger import counted
from trackside.report.sections import percent
from trackside.site.cards import UNKNOWN, Card
from trackside.site.facts import HealthFacts, SiteFacts
from trackside.site.health_chart import picture_words, sync_bars, syncs_picture
from trackside.site.health_files import alerts_table, data_files_table, stored_table
from trackside.site.health_gaps import gaps_table, parsers_table, stopped_table, waiting_table
from trackside.site.health_syncs import by_sync_table, calls_table, failed_calls_table, missing_table, syncs_table
from trackside.site.home_status import alarms
from trackside.site.pages import Page, Section
from trackside.site.shares import share_words

_MB: Final = 1e6


def health_pages(facts: SiteFacts) -> Iterator[Page]:
    """The page of data health."""
    health = facts.health or HealthFacts(health=SyncHealth())
    yield Page(
        path=Section.HEALTH.value,
        template="health.html.j2",
        title="Data health",
        section=Section.HEALTH,
        styles=("health.css",),
        values={"cards": list(health_cards(facts, health)), **_tables(facts, health), **_words(health)},
    )


def _tables(facts: SiteFacts, health: HealthFacts) -> dict[str, Any]:
    found, bars = health.health, sync_bars(health.syncs)
    return {
        "alerts": alerts_table(health.alerts),
        "syncs": syncs_table(found.last, health.syncs),
        "picture": syncs_picture(bars),
        "picture_words": picture_words(bars) if bars else "",
        "endpoints": calls_table(health.syncs, found.endpoints),
        "by_sync": by_sync_table(health.syncs),
        "failed_calls": failed_calls_table(found.failures, found.failures_by_class),
        "not_brought": missing_table(found.missing),
        "gaps": gaps_table(found.missing_data, None if facts.ci is None else facts.ci.history),
        "stopped": None if facts.speed is None else stopped_table(facts.speed.silence),
        "parsers": parsers_table(found.parsers),
        "waiting": waiting_table(found.waiting_logs, found.waiting_logs_total),
        "stored": stored_table(health.tables),
        "files": data_files_table(health.data_bytes),
    }


def _words(health: HealthFacts) -> dict[str, Any]:
    found = health.health
    return {
        "classes": _counts(found.failures_by_class),
        "reasons": _counts(found.missing_data.by_reason),
        "phases": ", ".join(f"{name} {seconds:.1f} s" for name, seconds in found.phases_s.items()),
        "notes": list(found.notes),
    }


def _counts(counts: Mapping[str, int]) -> str:
    """``4xx 3, 5xx 1``, the most first."""
    told = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in told)


def health_cards(facts: SiteFacts, health: HealthFacts) -> Iterator[Card]:
    """The headline figures, each with what it is of; they lead to the parts of the page."""
    yield from _of_newest(health.health)
    yield from _of_window(facts, health.health)
    size_mb = sum(one.size_bytes for one in health.tables) / _MB
    rows = sum(one.keys for one in health.tables)
    yield Card(label="Store", value=f"{size_mb:,.1f} MB", basis=counted(rows, "row"), url="#store-size")
    on = len(alarms(health))
    yield Card(
        label="Alerts on",
        value=f"{on:,}" if health.alerts else UNKNOWN,
        basis=f"of {len(health.alerts):,}" if health.alerts else "they were never looked at",
        url="#alerts",
        tone="bad" if on else "good" if health.alerts else "",
    )


def _of_newest(health: SyncHealth) -> Iterator[Card]:
    newest = health.newest
    if newest is None:
        yield Card(label="Newest sync complete", value=UNKNOWN, basis="Nothing was synced yet.", url="#syncs")
        return
    share, new = newest.completeness, counted(newest.runs_new, "new run")
    yield Card(
        label="Newest sync complete",
        value=share_words(share) or UNKNOWN,
        basis=f"of the run attempts that it asked for, {new}; {newest.ended_at:%Y-%m-%d %H:%M} UTC: {newest.status}",
        url="#syncs",
        tone="" if share is None else "good" if share >= 1 else "warn",
    )
    core = next((one for one in health.limits if one.resource == "core" and one.remaining_end is not None), None)
    left = "" if core is None or core.limit is None else f"; {core.remaining_end:,} of {core.limit:,} an hour left"
    yield Card(
        label="Calls", value=f"{newest.calls:,}", basis=f"{newest.billed:,} billed{left}", url="#calls-by-endpoint"
    )
    yield Card(
        label="Failed calls",
        value=f"{newest.failed_calls:,}",
        basis=f"of {newest.calls:,} of the newest sync; {sum(health.failures_by_class.values()):,} given up",
        url="#failed",
        tone="warn" if newest.failed_calls else "good",
    )


def _of_window(facts: SiteFacts, health: SyncHealth) -> Iterator[Card]:
    data = health.missing_data
    yield Card(
        label="Runs with gaps",
        value=f"{data.count:,}" if data.of else UNKNOWN,
        basis=f"of {counted(data.of, 'run attempt')} of the window" if data.of else "no run attempt is known",
        url="#gaps-of-runs",
        tone="warn" if data.count else "good" if data.of else "",
    )
    if facts.speed is not None and facts.speed.silence.watched:
        silence = facts.speed.silence
        yield Card(
            label="Stopped series",
            value=f"{len(silence.series):,}",
            basis=f"of {silence.watched:,} that are watched in {counted(silence.runs, 'run')}",
            url="#stopped-series",
            tone="warn" if silence.series else "good",
        )
    errors, items = sum(one.errors for one in health.parsers), sum(one.items for one in health.parsers)
    yield Card(
        label="Parse errors",
        value=f"{errors:,}" if items else UNKNOWN,
        basis=f"{percent(errors / items)} of {counted(items, 'item')}" if items else "nothing was read yet",
        url="#parse-errors",
        tone="" if not items else "warn" if errors else "good",
    )
    waiting = health.waiting_logs_total
    is_known = bool(waiting) or health.newest is not None
    yield Card(
        label="Logs that wait",
        value=f"{waiting:,}" if is_known else UNKNOWN,
        basis="of failed jobs, for a later sync" if is_known else "nothing was synced yet",
        url="#logs-that-wait",
        tone="warn" if waiting else "good" if is_known else "",
    )
