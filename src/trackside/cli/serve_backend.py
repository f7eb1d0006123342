"""The store and the settings as the server asks for them."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import polars as pl

from trackside.cli.alerting import look_at_alerts
from trackside.errors import TracksideError
from trackside.evidence.knowledge import load_knowledge
from trackside.evidence.run_lists import load_newest_attempts, load_run, page_of_runs
from trackside.evidence.selection import same_repository
from trackside.records.alerts import AlertState
from trackside.records.deliveries import Incoming, Outcome
from trackside.records.run_lists import RunAsked, RunInDetail, RunPage
from trackside.report.alerts_report import alerts_json
from trackside.report.kb_report import kb_json
from trackside.server.backend import Figures
from trackside.settings import Settings
from trackside.sync.deliveries import REMEMBERED, take_deliveries

if TYPE_CHECKING:
    from trackside.store.store import Store

SHOWN: Final = (
    "runs", "jobs", "fetched", "pulls", "commit_pulls", "job_logs", "artifacts", "changes", "knowledge", "bench_runs",
    "syncs",
)  # fmt: skip
"""What pages are made of and comes from outside; what a build itself writes down of it is not among them."""
FIGURES_FOR_S: Final = 10.0
_FORGET_EVERY: Final = dt.timedelta(days=1)
T = TypeVar("T")


class Kept:
    """A value that is made again where its mark is another one, by one thread at a time.

    The mark is looked at by that thread: whoever waited has what the one before it made, and does not make it again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mark: object = None
        self._value: object = None

    def get(self, mark_now: Callable[[], object], make: Callable[[], T]) -> T:
        """The value of the mark as it is now."""
        with self._lock:
            mark = mark_now()
            if mark != self._mark:
                self._value, self._mark = make(), mark
            return self._value  # type: ignore[return-value]


class StoreBackend:
    """The backend of the server over a store. ``window`` is how far back figures reach; ``watched`` are files and
    folders whose change makes another site, as a change of the store does. ``say`` is told of upkeep that failed.
    """

    def __init__(
        self,
        store: Store,
        repo: str,
        settings: Settings,
        window: dt.timedelta,
        watched: Iterable[Path] = (),
        say: Callable[[str], None] | None = None,
    ) -> None:
        self._store, self._repo, self._settings = store, repo, settings
        self._window, self._watched, self._say = window, tuple(watched), say
        self._runs, self._figures = Kept(), Kept()
        self._forgot_at = dt.datetime.min.replace(tzinfo=dt.UTC)

    def revision(self) -> str:
        """The versions of the tables that pages show, and when what is watched was changed."""
        touched = [_touched(path) for path in self._watched]
        return repr((self._store.versions(SHOWN), touched))

    def runs(self, asked: RunAsked) -> RunPage:
        """A page of the list of runs."""
        return page_of_runs(self._newest_attempts(), asked)

    def run(self, run_id: int) -> RunInDetail | None:
        """A run with its attempts and jobs."""
        return load_run(self._store, self._repo, run_id)

    def figures(self) -> Figures:
        """What the store tells in figures, at most ten seconds old."""
        return self._figures.get(self._figures_mark, self._new_figures)

    def document(self, name: str) -> bytes:
        """The knowledge base or the alerts."""
        if name == "alerts":
            now = dt.datetime.now(dt.UTC)
            return alerts_json(
                self._repo, look_at_alerts(self._store, self._repo, self._settings, now, None), now
            ).encode()
        entries = load_knowledge(self._store, self._repo).entries
        return kb_json(self._repo, entries, len(entries)).encode()

    def take(self, incoming: Sequence[Incoming]) -> tuple[Outcome, ...]:
        """Stores deliveries; once a day those that need not be remembered any more are forgotten."""
        now = dt.datetime.now(dt.UTC)
        outcomes = take_deliveries(incoming, self._store, self._repo, now)
        if now - self._forgot_at > _FORGET_EVERY:
            self._forgot_at = now
            self._forget(now - REMEMBERED)
        return outcomes

    def _forget(self, before: dt.datetime) -> None:
        """Forgets deliveries; where that fails they are only remembered longer, and what was taken stays taken."""
        try:
            self._store.forget_deliveries(before)
        except TracksideError as error:
            if self._say is not None:
                self._say(f"Old deliveries were not forgotten: {error}")

    def _newest_attempts(self) -> pl.DataFrame:
        return self._runs.get(
            lambda: self._store.versions(("runs",)), lambda: load_newest_attempts(self._store, self._repo)
        )

    def _figures_mark(self) -> object:
        return self._store.versions(("runs", "syncs", "alerts")), int(time.monotonic() / FIGURES_FOR_S)

    def _new_figures(self) -> Figures:
        now = dt.datetime.now(dt.UTC)
        syncs = self._store.newest("syncs").filter(same_repository(self._repo)).select("ended_at", "status").collect()
        last = syncs.sort("ended_at").tail(1).to_dicts()
        runs = self._newest_attempts().filter(pl.col("created_at") >= now - self._window)
        counted = runs.group_by(pl.col("conclusion").fill_null("")).len()
        alerts = look_at_alerts(self._store, self._repo, self._settings, now, None)
        return Figures(
            synced_at=last[0]["ended_at"] if last else None,
            sync_status=last[0]["status"] if last else None,
            runs=dict(counted.iter_rows()),
            alerts=tuple(one.kind.value for one in alerts if one.state is AlertState.ON),
        )


def _touched(path: Path) -> int | None:
    """When the file, or the folder or what is directly in it, was changed last, in ns; None where it is not there."""
    try:
        own = path.stat().st_mtime_ns
        return max((one.stat().st_mtime_ns for one in path.iterdir()), default=own) if path.is_dir() else own
    except OSError:
        return None
