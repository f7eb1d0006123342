"""The artifacts of runs, where they were listed."""

from __future__ import annotations

from typing import Final

from trackside.agents.frames import AgentHistory
from trackside.agents.shown_names import shown_name
from trackside.site.tables import Cell, Column, Kind, Table, number_cell, state_cell, text_cell, time_cell

_MOST: Final = 500
_KB: Final = 1_000
COLUMNS: Final = (
    Column(key="name", label="Artifact"),
    Column(key="run", label="Run"),
    Column(key="state", label="State", kind=Kind.STATE, choices=True, about="ready: its files were read"),
    Column(key="size", label="ZIP", kind=Kind.NUMBER, unit="kB"),
    Column(key="created", label="Created", kind=Kind.TIME, unit="UTC", choices=True),
)


def artifact_table(history: AgentHistory, home: str) -> Table:
    """The newest artifacts that a list named."""
    numbers = dict(history.runs.select("run_id", "run_number").iter_rows())
    newest = history.artifacts.sort(["created_at", "artifact_id"], descending=True, nulls_last=True)
    rows: list[tuple[Cell, ...]] = []
    for one in newest.head(_MOST).iter_rows(named=True):
        run, size = one["run_id"], one["size_bytes"]
        rows.append(
            (
                text_cell(shown_name(one["name"]), f"{home}/actions/runs/{run}/artifacts/{one['artifact_id']}"),
                text_cell(f"#{numbers.get(run) or run}", f"{home}/actions/runs/{run}"),
                state_cell(one["state"]),
                Cell() if size is None else number_cell(round(size / _KB, 1), f"{size / _KB:,.1f}"),
                time_cell(one["created_at"]),
            )
        )
    return Table(
        key="artifacts",
        caption=f"Artifacts of runs, the newest first ({newest.height:,})",
        columns=COLUMNS,
        rows=tuple(rows),
        empty="No artifact is known. They are listed where artifacts = true stands under [agents] in trackside.toml.",
        order="-created",
        left_out=max(0, newest.height - _MOST),
        left_out_why="they are older",
    )
