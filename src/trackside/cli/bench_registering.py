"""``srtlog parse --register``: the figures of runs are kept in the store, from where the site shows them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trackside.cli.options import Selection
from trackside.cli.runs import bench_settings
from trackside.cli.terminal import Terminal
from trackside.errors import UsageError
from trackside.report.ledger import counted
from trackside.settings import store_location

if TYPE_CHECKING:
    from trackside.engine.run import Run


def require_registrable(selection: Selection, store: str | None, *, register: bool) -> None:
    """Raises UsageError where a part of a run is to be registered, and where a store is named for nothing."""
    if register and (selection.from_ or selection.to):
        raise UsageError("A run is registered whole: leave out --from and --to, or --register.")
    if store is not None and not register:
        raise UsageError("--store says where a run is registered: add --register, or leave it out.")


def register_runs(runs: Sequence[Run], selection: Selection, store: str | None, terminal: Terminal) -> None:
    """Keeps the figures and curves of ``runs`` in the store, and says so on stderr."""
    from trackside.evidence.bench_runs import bench_run_of
    from trackside.store.store import open_store

    if not runs:
        return
    now = dt.datetime.now(dt.UTC)
    tz = selection.tz or bench_settings().tz
    opened = open_store(store_location(store, Path.cwd()))
    opened.add_bench_runs([bench_run_of(run, now, role=selection.role, tz=tz) for run in runs], now)
    terminal.note(f"Registered {counted(len(runs), 'run')} in {opened.location.name}.")
