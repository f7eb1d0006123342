"""One sync for a command: what is asked for by options and settings, with progress, and the store folded after it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from trackside.agents.engines import ENGINE_FILES
from trackside.cli.github_options import Access, Window
from trackside.cli.github_session import github_of
from trackside.cli.terminal import Terminal
from trackside.cli.windows import parse_window
from trackside.errors import GO_ON, TracksideError
from trackside.records.syncs import SyncRecord
from trackside.settings import Settings

if TYPE_CHECKING:
    from trackside.store.store import Store
    from trackside.sync.request import SyncRequest

_SINCE: Final = "since of [sync] in trackside.toml:"


def window_of(window: Window, settings: Settings, now: dt.datetime) -> tuple[dt.datetime, dt.datetime | None]:
    """The two ends of the window that is asked for, the second None where it is open."""
    since, option = (window.since, "--since") if window.since else (settings.sync.since, _SINCE)
    start, stop = parse_window(since, window.until, now, option)
    return start.replace(microsecond=0), stop


def request_of(window: Window, settings: Settings, repo: str) -> SyncRequest:
    """The sync that the options of the window and the settings ask for."""
    from trackside.sync.request import SyncRequest

    own = settings.sync
    start, stop = window_of(window, settings, dt.datetime.now(dt.UTC))
    return SyncRequest(
        repo=repo,
        since=start,
        until=stop,
        workflows=window.workflow or own.workflows,
        branch=window.branch,
        event=window.event,
        job_globs=window.job,
        limit=window.limit,
        max_runs_per_workflow=_newest(window, settings),
        jobs=own.jobs,
        logs=own.logs,
        perf_jobs=own.perf_jobs,
        log_budget=settings.agents.logs,
        log_cap_bytes=own.log_cap_mib * 1024 * 1024,
        pulls=own.pulls,
        api=own.api,
        artifacts=(*settings.perf.artifacts, *(ENGINE_FILES if settings.agents.artifacts else ())),
        artifact_workflows=() if settings.agents.artifacts else settings.perf.workflows,
    )


def sync_store(
    store: Store, request: SyncRequest, access: Access, settings: Settings, terminal: Terminal
) -> SyncRecord:
    """Brings ``store`` up to date; Control-C keeps what was read, and says so."""
    from trackside.sync.new_logs import deferred_note
    from trackside.sync.run import sync

    with github_of(access, settings, request.repo, terminal) as github, terminal.phases() as on_phase:
        try:
            record = sync(github, store, request, on_phase=on_phase)
        except KeyboardInterrupt:
            terminal.warn(f"Interrupted: what was read is kept; {GO_ON}.")
            raise
        on_phase("folding the store")
        _tidy(store, terminal)
    if note := deferred_note(record):
        terminal.warn(note)
    return record


def _tidy(store: Store, terminal: Terminal) -> None:
    """Folds what many syncs have scattered; a store that cannot be folded now is none the worse for it."""
    try:
        store.tidy()
    except TracksideError as error:
        terminal.warn(f"The store was not folded: {error}")


def _newest(window: Window, settings: Settings) -> int | None:
    """The number set for each workflow; a window that was typed goes before it."""
    return None if window.since or window.until or window.limit else settings.sync.max_runs_per_workflow
