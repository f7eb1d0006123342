"""Which runs a report on agent operations is about, and what is asked of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from trackside.cli.github_options import Window
from trackside.errors import UsageError
from trackside.settings import Settings

if TYPE_CHECKING:
    from trackside.report.agents_document import DataWindow


def refuse_two_windows(window: Window, newest: int | None) -> None:
    """Raises UsageError where both a window and a number of runs for each workflow were typed."""
    if newest is not None and (window.since or window.until or window.limit):
        msg = "--max-runs-per-workflow is in place of a window: leave --since, --until and --limit out, or it."
        raise UsageError(msg)


def adapted(settings: Settings, jobs: bool | None, newest: int | None) -> Settings:
    """The settings with what was typed; None is what was not."""
    own = settings.sync
    sync = msgspec.structs.replace(
        own,
        jobs=own.jobs if jobs is None else jobs,
        max_runs_per_workflow=own.max_runs_per_workflow if newest is None else newest,
    )
    return msgspec.structs.replace(settings, sync=sync)


def window_of_data(window: Window, settings: Settings) -> DataWindow:
    """Which runs the data file has, as it says so itself; without a moment, which would be another at every report."""
    from trackside.report.agents_document import DataWindow

    newest = settings.sync.max_runs_per_workflow
    if newest is not None and not (window.since or window.until or window.limit):
        rule = f"every run in the store; a sync lists the newest {newest:,} of each workflow"
    else:
        since = window.since or settings.sync.since
        rule = f"runs created since {since}{f' until {window.until}' if window.until else ''}"
        rule += f", the newest {window.limit:,} of them" if window.limit else ""
    workflows = window.workflow or settings.sync.workflows
    return DataWindow(
        rule=rule,
        workflows=workflows,
        ignored_workflows=() if workflows else settings.agents.ignored_workflows,
        branch=window.branch,
        event=window.event,
        jobs=window.job,
    )
