"""Whether the collection itself is well: few calls left, failed or slow syncs, large files, stale data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from trackside.records.agent_rules import AlertRules
from trackside.records.alerts import Alert, AlertKind, AlertState
from trackside.records.syncs import RateLimit

LIMITS: Final = ("core", "graphql")
"""The limits that a sync lives on: calls of REST, and points of GraphQL."""
_LARGE_LIMIT: Final = 5_000
_FEW_OF_LARGE: Final = 1_000
_FEW_SHARE: Final = 0.2
FAILED: Final = "failed"
"""The status of a sync that brought nothing."""


class AlertFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What alerts are told from.

    ``limits`` and ``duration_s`` are those of the newest sync, ``statuses`` those of the last syncs, the newest first.
    ``synced_at`` is the end of the newest sync, ``data_at`` that of the newest which did not fail. ``files`` are the
    sizes of the data files in bytes by name, None where nobody looked at them.
    """

    repo: str
    limits: tuple[RateLimit, ...] = ()
    statuses: tuple[str, ...] = ()
    duration_s: float | None = None
    synced_at: dt.datetime | None = None
    data_at: dt.datetime | None = None
    files: Mapping[str, int] | None = None


class _Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What the facts say of one alert; ``is_on`` is None where they do not tell, ``since`` where only syncs know."""

    kind: AlertKind
    is_on: bool | None
    text: str
    value: float | None = None
    threshold: float | None = None
    unit: str = ""
    is_warning: bool = False
    since: dt.datetime | None = None


def check_alerts(facts: AlertFacts, rules: AlertRules, before: Sequence[Alert], now: dt.datetime) -> tuple[Alert, ...]:
    """Every alert as it stands, by kind; ``before`` are those of the check before this one.

    One that was on and is not any more is recovered until a further sync has ended. Where the facts do not tell, it is
    unknown and keeps when it went on; that of files which nobody looked at stays as it was.
    """
    known = {one.kind: one for one in before if one.repo.casefold() == facts.repo.casefold()}
    found = (
        _rate_limit(facts.limits, rules),
        _failures(facts.statuses, rules),
        _duration(facts.duration_s, rules),
        _file_size(facts.files or {}, rules),
        _staleness(facts, rules, now),
    )
    return tuple(
        known[one.kind]
        if one.kind is AlertKind.FILE_SIZE and facts.files is None and one.kind in known
        else _alert(one, known.get(one.kind), facts, now)
        for one in found
    )


def are_on(alerts: Sequence[Alert]) -> tuple[Alert, ...]:
    """Those that are on."""
    return tuple(one for one in alerts if one.state is AlertState.ON)


def few_calls(limit: int | None, rules: AlertRules) -> float | None:
    """Below how many calls left of a limit it is alarming; None where neither the rules nor the limit tell."""
    if rules.rate_limit_below is not None:
        return rules.rate_limit_below
    if limit is None:
        return None
    return _FEW_OF_LARGE if limit >= _LARGE_LIMIT else _FEW_SHARE * limit


def _alert(found: _Finding, before: Alert | None, facts: AlertFacts, now: dt.datetime) -> Alert:
    """The finding with its state, which follows from the one before."""
    was_on = before is not None and before.since is not None and before.state in (AlertState.ON, AlertState.UNKNOWN)
    since = before.since if before is not None and was_on else None
    recovered_at = None
    if found.is_on is None:
        state = AlertState.UNKNOWN
    elif found.is_on:
        state, since = AlertState.ON, since or found.since or now
    elif was_on:
        state, recovered_at = AlertState.RECOVERED, now
    elif before is not None and _is_still_news(before, facts.synced_at):
        state, since, recovered_at = AlertState.RECOVERED, before.since, before.recovered_at
    else:
        state = AlertState.OFF
    return Alert(
        repo=facts.repo,
        kind=found.kind,
        state=state,
        text=found.text,
        value=found.value,
        threshold=found.threshold,
        unit=found.unit,
        is_warning=found.is_warning and state is not AlertState.ON,
        since=since,
        recovered_at=recovered_at,
        checked_at=now,
        issue=None if before is None else before.issue,
    )


def _is_still_news(before: Alert, synced_at: dt.datetime | None) -> bool:
    """Whether it recovered, and no sync has ended since that was found."""
    if before.state is not AlertState.RECOVERED or before.recovered_at is None or synced_at is None:
        return False
    return synced_at <= before.recovered_at


def _rate_limit(limits: Sequence[RateLimit], rules: AlertRules) -> _Finding:
    """Each limit is held against its own threshold; the one that is nearest to it gives the numbers."""
    told = [
        (one.remaining_end, few, one)
        for one in limits
        if one.resource in LIMITS and one.remaining_end is not None and (few := few_calls(one.limit, rules)) is not None
    ]
    if not told:
        return _Finding(
            kind=AlertKind.RATE_LIMIT, is_on=None, unit="calls", text="No answer told how many calls are left."
        )
    left, few, _ = min(told, key=lambda one: (one[0] - one[1], one[0]))
    low = [one for one in told if one[0] < one[1]]
    shown = "; ".join(_left(*one) for one in sorted(low or told, key=lambda one: LIMITS.index(one[2].resource)))
    return _Finding(
        kind=AlertKind.RATE_LIMIT,
        is_on=bool(low),
        text=f"{'Few calls are left' if low else 'Calls left'} after the last sync: {shown}.",
        value=left,
        threshold=few,
        unit="calls",
    )


def _left(remaining: int, few: float, limit: RateLimit) -> str:
    """``999 of 5,000 (core; alarming below 1,000), renewed at 13:05 UTC``."""
    of = "" if limit.limit is None else f" of {limit.limit:,}"
    renewed = "" if limit.reset_at is None else f", renewed at {limit.reset_at.astimezone(dt.UTC):%H:%M} UTC"
    return f"{remaining:,}{of} ({limit.resource}; alarming below {few:,.0f}){renewed}"


def _failures(statuses: Sequence[str], rules: AlertRules) -> _Finding:
    """A sync of which something is missing did not fail: what came is there."""
    if not statuses:
        return _Finding(kind=AlertKind.SYNC_FAILURES, is_on=None, unit="syncs", text="There was no sync yet.")
    row = next((place for place, status in enumerate(statuses) if status != FAILED), len(statuses))
    times = "once" if row == 1 else f"{row:,} times in a row"
    return _Finding(
        kind=AlertKind.SYNC_FAILURES,
        is_on=row >= rules.failures_in_row,
        text=f"The sync failed {times} (alarming: {rules.failures_in_row:,})."
        if row
        else "The last sync did not fail.",
        value=row,
        threshold=rules.failures_in_row,
        unit="syncs",
    )


def _duration(duration_s: float | None, rules: AlertRules) -> _Finding:
    if duration_s is None:
        return _Finding(kind=AlertKind.SYNC_DURATION, is_on=None, unit="s", text="There was no sync yet.")
    return _Finding(
        kind=AlertKind.SYNC_DURATION,
        is_on=duration_s > rules.sync_longer_than_s,
        text=f"The last sync took {duration_s:,.1f} s (alarming above {rules.sync_longer_than_s:,g} s).",
        value=duration_s,
        threshold=rules.sync_longer_than_s,
        unit="s",
    )


def _file_size(files: Mapping[str, int], rules: AlertRules) -> _Finding:
    most = rules.file_larger_than_bytes
    if not files:
        return _Finding(
            kind=AlertKind.FILE_SIZE,
            is_on=None,
            threshold=most,
            unit="bytes",
            text="No data file was there to measure.",
        )
    size, name = max((size, name) for name, size in files.items())
    large = sum(one > most for one in files.values())
    more = f" {large:,} files are too large." if large > 1 else ""
    return _Finding(
        kind=AlertKind.FILE_SIZE,
        is_on=size > most,
        text=f"The largest data file, {name}, has {size:,} bytes (alarming above {most:,}).{more}",
        value=size,
        threshold=most,
        unit="bytes",
        is_warning=size >= rules.file_warning_share * most,
    )


def _staleness(facts: AlertFacts, rules: AlertRules, now: dt.datetime) -> _Finding:
    """Data is as old as the newest sync that did not fail, which tells when it went stale whoever looks when."""
    most_h = 2 * rules.interval_hours
    if facts.data_at is None:
        return _Finding(
            kind=AlertKind.STALE_DATA, is_on=None, threshold=most_h, unit="h", text="No sync has brought data yet."
        )
    ended = facts.data_at.astimezone(dt.UTC)
    age_h = max((now - facts.data_at).total_seconds() / 3600, 0.0)
    is_on = age_h > most_h
    return _Finding(
        kind=AlertKind.STALE_DATA,
        is_on=is_on,
        text=f"The last sync that brought data ended {age_h:,.1f} h ago, at {ended:%Y-%m-%d %H:%M} UTC "
        f"(alarming above {most_h:,g} h).",
        value=age_h,
        threshold=most_h,
        unit="h",
        since=facts.data_at + dt.timedelta(hours=most_h) if is_on else None,
    )
