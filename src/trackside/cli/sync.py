"""``trackside sync``: GitHub's runs, attempts, jobs and steps into the store."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import msgspec
from cyclopts import Parameter

from trackside.cli.github_options import POSITIVE, Access, Saying, Window
from trackside.cli.github_session import repository_of, settings_of, store_of
from trackside.cli.options import FLAG
from trackside.cli.sync_session import request_of, sync_store
from trackside.cli.terminal import open_terminal
from trackside.errors import PartialError
from trackside.report.sync_report import missing_line, sync_document, sync_lines

Newest = Annotated[int | None, POSITIVE]


def sync(
    *,
    window: Window | None = None,
    jobs: Annotated[bool | None, Parameter(show_default=False)] = None,
    logs: Annotated[Literal["none", "new", "failed", "perf", "all"] | None, Parameter(show_default=False)] = None,
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
    window, access, saying = window or Window(), access or Access(), saying or Saying()
    terminal = open_terminal(quiet=saying.quiet)
    settings = settings_of(access)
    asked = request_of(window, settings, repository_of(access, settings))
    own = settings.sync
    request = msgspec.structs.replace(
        asked,
        max_runs_per_workflow=max_runs_per_workflow or asked.max_runs_per_workflow,
        jobs=own.jobs if jobs is None else jobs,
        logs=logs or own.logs,
        pulls=pulls or own.pulls,
        api=api or own.api,
        sweep=sweep,
    )
    record = sync_store(store_of(access), request, access, settings, terminal)
    if format == "json":
        terminal.data(json.dumps(sync_document(record), indent=2))
    else:
        terminal.data("\n".join(sync_lines(record)))
    if record.missing:
        terminal.warn(missing_line(record))
        return PartialError.exit_code
    return 0
