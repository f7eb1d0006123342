"""Tables of what the collection keeps, and of the alerts on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from trackside.records.alerts import Alert, AlertState
from trackside.records.store_tables import StoredTable
from trackside.report.alerts_report import shown_state
from trackside.site.tables import Cell, Column, Kind, Table, number_cell, text_cell, time_cell
from trackside.site.words import words

_KB: Final = 1e3
_MB: Final = 1e6
_STATES: Final = {AlertState.OFF: "ok", AlertState.RECOVERED: "recovered", AlertState.ON: "on"}


def stored_table(tables: Sequence[StoredTable]) -> Table:
    """The tables of the store, the largest first."""
    rows = [
        (
            text_cell(one.table),
            number_cell(one.keys, note=f"{one.rows:,} with their history" if one.rows != one.keys else None),
            number_cell(one.files),
            number_cell(round(one.size_bytes / _MB, 3), f"{one.size_bytes / _MB:,.2f}"),
            time_cell(one.oldest),
            time_cell(one.newest),
        )
        for one in sorted(tables, key=lambda one: (-one.size_bytes, one.table))
        if one.rows
    ]
    return Table(
        key="tables",
        caption="Tables of the store",
        columns=(
            Column(key="table", label="Table"),
            Column(key="rows", label="Rows", kind=Kind.NUMBER),
            Column(key="files", label="Files", kind=Kind.NUMBER),
            Column(key="size", label="Size", kind=Kind.NUMBER, unit="MB"),
            Column(key="oldest", label="Oldest", kind=Kind.TIME, unit="UTC"),
            Column(key="newest", label="Newest", kind=Kind.TIME, unit="UTC"),
        ),
        rows=tuple(rows),
        empty="The store is empty: `trackside sync` fills it.",
        order="-size",
        search=False,
    )


def data_files_table(sizes: Mapping[str, int]) -> Table:
    """The site's own files of data, the largest first."""
    ordered = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
    return Table(
        key="files",
        caption="Files of data beside these pages",
        columns=(Column(key="file", label="File"), Column(key="size", label="Size", kind=Kind.NUMBER, unit="kB")),
        rows=tuple(
            (text_cell(path, path), number_cell(round(size / _KB, 1), f"{size / _KB:,.1f}")) for path, size in ordered
        ),
        empty="This site has no file of data.",
        order="-size",
        search=False,
    )


def alerts_table(alerts: Sequence[Alert]) -> Table:
    """Every alert, on or not; those that are on first."""
    found = sorted(alerts, key=lambda one: (one.state is not AlertState.ON, not one.is_warning, one.kind.value))
    rows = [
        (
            text_cell(words(one.kind.value)),
            Cell(value=_state(one), text=shown_state(one)),
            text_cell(one.text),
            time_cell(one.since),
            time_cell(one.recovered_at),
        )
        for one in found
    ]
    return Table(
        key="alerts",
        caption="Alerts on the collection",
        columns=(
            Column(key="alert", label="Alert"),
            Column(key="state", label="State", kind=Kind.STATE),
            Column(key="what", label="What"),
            Column(key="since", label="Since", kind=Kind.TIME, unit="UTC"),
            Column(key="recovered", label="Recovered", kind=Kind.TIME, unit="UTC"),
        ),
        rows=tuple(rows),
        empty="Alerts were never looked at: `trackside alerts` does, and every sync of agents.",
        search=False,
    )


def _state(alert: Alert) -> str:
    """The state as its mark and colour go; near is a warning."""
    return "warning" if alert.is_warning and alert.state is not AlertState.ON else _STATES.get(alert.state, "unknown")
