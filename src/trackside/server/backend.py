"""What the server asks of the store and of the settings; ``trackside serve`` gives it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from trackside.records.deliveries import Incoming, Outcome
from trackside.records.run_lists import RunAsked, RunInDetail, RunPage


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What the store tells in figures; ``runs`` counts the runs of the window by conclusion, "" while not over.

    ``synced_at`` is when the newest sync ended and ``sync_status`` how (ok, partial or failed), None where none did.
    ``alerts`` are the kinds of alerts that are on.
    """

    synced_at: dt.datetime | None = None
    sync_status: str | None = None
    runs: Mapping[str, int] = {}
    alerts: tuple[str, ...] = ()


class Backend(Protocol):
    """The store behind the server. Every call may take its time and is made in a thread; several at once."""

    def revision(self) -> str:
        """A text that differs where the store holds something else than before that pages show."""
        ...

    def runs(self, asked: RunAsked) -> RunPage:
        """A page of the list of runs."""
        ...

    def run(self, run_id: int) -> RunInDetail | None:
        """A run with its attempts and jobs, None where the store does not have it."""
        ...

    def figures(self) -> Figures:
        """What the store tells in figures now."""
        ...

    def document(self, name: str) -> bytes:
        """The JSON document of that name as the store is now: ``kb`` or ``alerts``."""
        ...

    def take(self, incoming: Sequence[Incoming]) -> tuple[Outcome, ...]:
        """Stores deliveries of webhooks, called by one thread at a time; on return they are in the store.

        Raises a TracksideError where nothing can be written; then none was taken.
        """
        ...


class Commands(msgspec.Struct, frozen=True, kw_only=True):
    """Commands that are run beside the server, each as a list of arguments, and the environment they get.

    ``build`` builds the site, ``sync`` brings the store up to date, ``compact`` folds it, and ``analyze`` prints the
    analysis of the run whose number is added to it.
    """

    build: tuple[str, ...]
    sync: tuple[str, ...]
    compact: tuple[str, ...]
    analyze: tuple[str, ...]
    environ: Mapping[str, str]


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """What is served and how.

    ``folder`` is where the site is built, ``names`` are those under which the server may be asked beside its own
    addresses. ``sync_every_s`` is None where nothing is synced. Without ``secret`` no webhook is taken, without
    ``token`` no run is analysed. ``poll_s`` is how often the store is looked at, ``gather_s`` how long deliveries are
    gathered for one commit, and ``pause_s`` what passes after a build that failed, twice as long each time.
    """

    repo: str
    version: str
    folder: Path
    commands: Commands
    names: tuple[str, ...] = ()
    sync_every_s: float | None = None
    secret: str | None = None
    token: str | None = None
    poll_s: float = 3.0
    gather_s: float = 0.2
    pause_s: float = 5.0
