"""``trackside agents analyze --due``: the runs that are to be analysed unasked, for a workflow to start."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from trackside.cli.github_options import Access
from trackside.cli.github_session import repository_of, settings_of, store_of
from trackside.cli.terminal import Terminal
from trackside.settings import Settings

if TYPE_CHECKING:
    from trackside.agents.auto_analysis import DueRun
    from trackside.store.store import Store

_REACH: Final = dt.timedelta(days=14)
"""How far back failures in a row are counted."""


def print_due(access: Access, terminal: Terminal, *, dry_run: bool) -> int:
    """Prints the ids of the runs that rules under ``[[agents.auto_analyze]]`` name, one a line; none is no line.

    Looks at what the store holds and asks GitHub for nothing, so it belongs after ``agents report`` in a workflow:

        for run in $(trackside agents analyze --due); do gh workflow run agentops-log-analyzer.yml -f run_id=$run; done

    What is printed counts as begun and is kept in the store, which must therefore be saved after it: no run is printed
    twice, nor more than ``auto_analyze_per_day`` within 24 hours. With ``dry_run`` nothing counts. Runs of the
    workflows that analyse, and of the one that this runs in, are never printed.
    """
    from trackside.evidence.begun_analyses import begin_analyses

    settings = settings_of(access)
    repo = repository_of(access, settings)
    now = dt.datetime.now(dt.UTC)
    if not settings.agents.auto_analyze:
        terminal.note("No rule under [[agents.auto_analyze]] names runs that are analysed unasked.")
        return 0
    store = store_of(access, create=False)
    due = find_due(store, repo, settings, now, os.environ)
    if not dry_run:
        begin_analyses(store, repo, [one.run_id for one in due], now)
    for one in due:
        terminal.note(f"{one.workflow} on {one.branch or 'an unknown branch'}: {one.failures:,} failed in a row.")
        terminal.data(str(one.run_id))
    return 0


def find_due(
    store: Store, repo: str, settings: Settings, now: dt.datetime, environ: Mapping[str, str]
) -> tuple[DueRun, ...]:
    """The runs that are due by what the store holds; keeps nothing."""
    from trackside.agents.auto_analysis import OWN_WORKFLOWS, due_runs
    from trackside.evidence.begun_analyses import begun_analyses
    from trackside.evidence.history import load_history
    from trackside.evidence.selection import Selection

    history = load_history(store, Selection(repo=repo, since=now - _REACH), settings.ci)
    own = (*OWN_WORKFLOWS, *_this_workflow(environ))
    return due_runs(settings.agents, history.runs, begun_analyses(store, repo), now, own)


def _this_workflow(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The workflow that the command runs in, as Actions tells it: its path and its name."""
    path = environ.get("GITHUB_WORKFLOW_REF", "").partition("@")[0].split("/", 2)
    return tuple(filter(None, (path[2] if len(path) == 3 else "", environ.get("GITHUB_WORKFLOW", ""))))
