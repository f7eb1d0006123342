"""Tables of syncs: what each cost and brought, its calls by endpoint, what was given up, what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from trackside.records.sync_health import CallFailure, SyncSummary
from trackside.records.syncs import EndpointCalls, Missing, RateLimit, SyncRecord
from trackside.report.ledger import counted
from trackside.site.shares import share_column, whole_cell
from trackside.site.tables import Cell, Column, Kind, Table, number_cell, state_cell, text_cell, time_cell
from trackside.site.words import cut

_KB: Final = 1e3
_MOST_ROWS: Final = 500
_MOST_OF_A_REASON: Final = 240
_ENDPOINT: Final = Column(key="endpoint", label="Endpoint", choices=True)
_REASON: Final = Column(key="reason", label="Reason")


def syncs_table(last: Sequence[SyncSummary], ledgers: Sequence[SyncRecord]) -> Table:
    """The last syncs, the newest first: what each cost, what it left of the limit, and what it brought."""
    limits = {one.sync_id: one.limits for one in ledgers}
    return Table(
        key="syncs",
        caption="The last syncs",
        columns=(
            Column(key="ended", label="Ended", kind=Kind.TIME, unit="UTC"),
            Column(key="status", label="Status", kind=Kind.STATE),
            share_column("complete", "Complete", "Selected attempts with runs and jobs"),
            Column(key="took", label="Took", kind=Kind.NUMBER, unit="s"),
            Column(key="calls", label="Calls", kind=Kind.NUMBER),
            Column(key="billed", label="Billed", kind=Kind.NUMBER, about="Calls that count against the limit"),
            Column(key="failed", label="Failed", kind=Kind.NUMBER),
            Column(key="left", label="Left of the limit", kind=Kind.NUMBER, about="When it ended, by resource"),
            Column(key="runs", label="New runs", kind=Kind.NUMBER),
            Column(key="jobs", label="New jobs", kind=Kind.NUMBER),
            Column(key="logs", label="New logs", kind=Kind.NUMBER),
            Column(key="errors", label="Parse errors", kind=Kind.NUMBER),
        ),
        rows=tuple(_sync(one, limits.get(one.sync_id, ())) for one in last),
        empty="Nothing was synced yet: `trackside sync` brings runs.",
        order="-ended",
        search=False,
    )


def _sync(one: SyncSummary, limits: Iterable[RateLimit]) -> tuple[Cell, ...]:
    waited = f"{one.waited_s:.0f} of it waiting" if one.waited_s >= 1 else None
    changed = f"{one.runs_changed:,} changed" if one.runs_changed else None
    return (
        time_cell(one.ended_at),
        state_cell(one.status, note=one.api),
        whole_cell(one.completeness, tone=_short_of(one.completeness)),
        number_cell(round(one.duration_s, 1), note=waited),
        number_cell(one.calls),
        number_cell(one.billed),
        number_cell(one.failed_calls, tone="warn" if one.failed_calls else None),
        _left(limits),
        number_cell(one.runs_new, note=changed),
        number_cell(one.jobs_new),
        number_cell(one.logs_new),
        number_cell(one.parse_errors, tone="warn" if one.parse_errors else None),
    )


def _short_of(share: float | None) -> str | None:
    return None if share is None or share >= 1 else "warn"


def _left(limits: Iterable[RateLimit]) -> Cell:
    """What is left of the limit that most calls count against, the others below it."""
    told = [one for one in limits if one.remaining_end is not None]
    if not told:
        return number_cell(None)
    core = next((one for one in told if one.resource == "core"), told[0])
    others = [f"{one.resource} {_of(one)}" for one in told if one is not core]
    return number_cell(core.remaining_end, _of(core), note=", ".join(others) or None)


def _of(limit: RateLimit) -> str:
    return f"{limit.remaining_end:,}" + (f" of {limit.limit:,}" if limit.limit is not None else "")


def calls_table(ledgers: Sequence[SyncRecord], newest: Sequence[EndpointCalls]) -> Table:
    """Calls by endpoint, of the newest sync and of the last ones together, the most calls first."""
    by_name = {one.endpoint: one for one in newest}
    told: dict[str, list[EndpointCalls]] = {name: [] for name in by_name}
    for one in (call for ledger in ledgers for call in ledger.endpoints):
        told.setdefault(one.endpoint, []).append(one)
    rows = [_endpoint(name, by_name.get(name), calls) for name, calls in told.items()]
    rows.sort(key=lambda row: (-float(row[2].value or 0), str(row[0].value)))
    return Table(
        key="endpoints",
        caption=f"Calls by endpoint, each attempt of a call counted, of the last {counted(len(ledgers), 'sync')}",
        columns=(
            Column(key="endpoint", label="Endpoint"),
            Column(key="newest", label="Newest sync", kind=Kind.NUMBER),
            Column(key="calls", label="All calls", kind=Kind.NUMBER),
            Column(key="billed", label="Billed", kind=Kind.NUMBER),
            Column(key="failed", label="Failed", kind=Kind.NUMBER),
            Column(key="retried", label="Tried again", kind=Kind.NUMBER),
            Column(key="size", label="Read", kind=Kind.NUMBER, unit="kB"),
        ),
        rows=tuple(rows),
        empty="No call was made yet: `trackside sync` makes them.",
        order="-calls",
        search=False,
    )


def _endpoint(name: str, newest: EndpointCalls | None, calls: Sequence[EndpointCalls]) -> tuple[Cell, ...]:
    counts = [sum(getattr(one, field) for one in calls) for field in ("calls", "billed", "failed", "retried", "bytes")]
    size_kb = counts[4] / _KB
    return (
        text_cell(name),
        number_cell(0 if newest is None else newest.calls),
        number_cell(counts[0]),
        number_cell(counts[1]),
        number_cell(counts[2], tone="warn" if counts[2] else None),
        number_cell(counts[3]),
        number_cell(round(size_kb, 1), f"{size_kb:,.0f}"),
    )


def by_sync_table(ledgers: Sequence[SyncRecord]) -> Table:
    """A row for each sync and endpoint, the newest sync first."""
    rows = [
        (
            time_cell(ledger.ended_at),
            text_cell(one.endpoint),
            number_cell(one.calls),
            number_cell(one.billed),
            number_cell(one.failed, tone="warn" if one.failed else None),
            number_cell(one.retried),
        )
        for ledger in ledgers
        for one in sorted(ledger.endpoints, key=lambda one: (-one.calls, one.endpoint))
    ]
    return Table(
        key="calls",
        caption="Calls of each sync by endpoint",
        columns=(
            Column(key="ended", label="Sync ended", kind=Kind.TIME, unit="UTC"),
            _ENDPOINT,
            Column(key="calls", label="Calls", kind=Kind.NUMBER),
            Column(key="billed", label="Billed", kind=Kind.NUMBER),
            Column(key="failed", label="Failed", kind=Kind.NUMBER),
            Column(key="retried", label="Tried again", kind=Kind.NUMBER),
        ),
        rows=tuple(rows[:_MOST_ROWS]),
        empty="No call was made yet: `trackside sync` makes them.",
        order="-ended",
        search=False,
        left_out=max(len(rows) - _MOST_ROWS, 0),
        left_out_why="those of the newest syncs are here",
    )


def failed_calls_table(failures: Sequence[CallFailure], by_class: Mapping[str, int]) -> Table:
    """The calls of the newest sync that were given up."""
    rows = [
        (
            text_cell(one.status_class),
            number_cell(one.status),
            text_cell(one.endpoint),
            text_cell(cut(one.reason, _MOST_OF_A_REASON), note=cut(one.url, _MOST_OF_A_REASON)),
            text_cell(one.workflow),
        )
        for one in failures
    ]
    return Table(
        key="failed-calls",
        caption="Calls of the newest sync that were given up",
        columns=(
            Column(key="class", label="Class", choices=True),
            Column(key="status", label="HTTP status", kind=Kind.NUMBER),
            _ENDPOINT,
            _REASON,
            Column(key="workflow", label="Workflow", choices=True),
        ),
        rows=tuple(rows),
        empty="No call of the newest sync was given up.",
        left_out=max(sum(by_class.values()) - len(rows), 0),
        left_out_why="the first ones are kept",
    )


def missing_table(missing: Sequence[Missing]) -> Table:
    """What the newest sync did not bring, and why."""
    rows = [
        (
            text_cell(one.what),
            number_cell(one.count),
            text_cell(cut(one.reason, _MOST_OF_A_REASON), note=cut(", ".join(one.samples[:3]), 160) or None),
        )
        for one in missing
    ]
    return Table(
        key="missing",
        caption="What is missing of the newest sync",
        columns=(Column(key="what", label="What"), Column(key="count", label="Count", kind=Kind.NUMBER), _REASON),
        rows=tuple(rows[:_MOST_ROWS]),
        empty="Nothing of its window is missing.",
        search=False,
        left_out=max(len(rows) - _MOST_ROWS, 0),
        left_out_why="the first ones are here",
    )
