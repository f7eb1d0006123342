"""``trackside sync``: GitHub's runs, attempts, jobs and steps into the store."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Annotated, Final, Literal

from cyclopts import Parameter

from trackside.cli.github_options import POSITIVE, Access, Saying, Window
from trackside.cli.github_session import github_of, repository_of, settings_of, store_of
from trackside.cli.options import FLAG
from trackside.cli.terminal import Terminal, open_terminal
from trackside.cli.windows import parse_window
from trackside.errors import GO_ON, PartialError, TracksideError
from trackside.report.sync_report import missing_line, sync_document, sync_lines
from trackside.settings import Settings

if TYPE_CHECKING:
    from trackside.store.store import Store

_SINCE: Final = "since of [sync] in trackside.toml:"
Newest = Annotated[int | None, POSITIVE]


def sync(
    *,
    window: Window | None = None,
    jobs: Annotated[bool | None, Parameter(show_default=False)] = None,
    logs: Annotated[Literal["none", "failed", "perf", "all"] | None, Parameter(show_default=False)] = None,
    pulls: Annotated[Literal["all", "list", "none"] | None, Parameter(show_default=False)] = None,
    api: Annotated[Literal["auto", "rest", "graphql"] | None, Parameter(show_default=False)] = None,
    max_runs_per_workflow: Newest = None,
    sweep: Annotated[bool, FLAG] = False,
    access: Access | None = None,
    saying: Saying | None = None,
    format: Literal["text", "json"] = "text",  # noqa: A002 - the name of the option
) -> int:
    """Bring the store up to date with GitHub and print what came, what it cost and what is missing.

    Args:
        jobs: Read jobs and steps; --no-jobs reads the list of runs alone.
        logs: Whose logs are downloaded, each once in its lifetime. none if nothing is said.
        pulls: Pull requests by one list, and by a call for each commit it leaves open (all). all if nothing is said.
        api: graphql reads jobs in batches, without runners; auto does so for more than 10 runs. auto if not said.
        max_runs_per_workflow: The newest so many runs of each workflow, whatever their age, in place of the window.
        sweep: List the whole window again, for re-runs of old runs; otherwise once a day.
        format: How the ledger is printed.
    """
    from trackside.sync.request import SyncRequest
    from trackside.sync.run import sync as run_sync

    window, access, saying = window or Window(), access or Access(), saying or Saying()
    terminal = open_terminal(quiet=saying.quiet)
    settings = settings_of(access)
    own = settings.sync
    repo = repository_of(access, settings)
    since, option = (window.since, "--since") if window.since else (own.since, _SINCE)
    start, stop = parse_window(since, window.until, dt.datetime.now(dt.UTC), option)
    request = SyncRequest(
        repo=repo,
        since=start.replace(microsecond=0),
        until=stop,
        workflows=window.workflow or own.workflows,
        branch=window.branch,
        event=window.event,
        job_globs=window.job,
        limit=window.limit,
        max_runs_per_workflow=max_runs_per_workflow or _newest(window, settings),
        jobs=own.jobs if jobs is None else jobs,
        logs=logs or own.logs,
        perf_jobs=own.perf_jobs,
        log_cap_bytes=own.log_cap_mib * 1024 * 1024,
        pulls=pulls or own.pulls,
        api=api or own.api,
        sweep=sweep,
    )
    store = store_of(access)
    with github_of(access, settings, repo, terminal) as github, terminal.phases() as on_phase:
        try:
            record = run_sync(github, store, request, on_phase=on_phase)
        except KeyboardInterrupt:
            terminal.warn(f"Interrupted: what was read is kept; {GO_ON}.")
            raise
        on_phase("folding the store")
        _tidy(store, terminal)
    if format == "json":
        terminal.data(json.dumps(sync_document(record), indent=2))
    else:
        terminal.data("\n".join(sync_lines(record)))
    if record.missing:
        terminal.warn(missing_line(record))
        return PartialError.exit_code
    return 0


def _tidy(store: Store, terminal: Terminal) -> None:
    """Folds what many syncs have scattered; a store that cannot be folded now is none the worse for it."""
    try:
        store.tidy()
    except TracksideError as error:
        terminal.warn(f"The store was not folded: {error}")


def _newest(window: Window, settings: Settings) -> int | None:
    """The number set for each workflow; a window that was typed goes before it."""
    return None if window.since or window.until or window.limit else settings.sync.max_runs_per_workflow
