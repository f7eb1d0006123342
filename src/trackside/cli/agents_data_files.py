"""The data files of a report: written, or kept where a sync that was not complete has nothing better."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from trackside.cli.agents_session import AgentsSession

if TYPE_CHECKING:
    from trackside.report.agents_data import DataContent
    from trackside.report.agents_document import DataWindow
    from trackside.report.agents_files import DataFiles


def write_or_keep(
    session: AgentsSession,
    path: Path,
    window: DataWindow,
    content: Callable[[], DataContent],
    *,
    is_short: bool,
    limit: int | None,
    now: dt.datetime,
) -> DataFiles:
    """Writes ``content`` to ``path``, unless there is no run in it, or less than the files there tell.

    ``is_short`` says that the store may not hold all, ``limit`` how many runs were asked for. Raises OutputError where
    nothing can be written, and where a file of others is there.
    """
    from trackside.report.agents_files import keep_data, write_data
    from trackside.report.agents_lost_attempts import Wanted, lost_words

    repo = session.history.repo
    if session.history.runs.is_empty():
        if session.is_short:
            return keep_data(path, repo, "the sync was not complete, and no run is known")
        if session.offline or path.exists():
            return keep_data(path, repo, "no run is in the window")
    if is_short:
        runs, since, until = session.agents.runs, session.since, session.until
        wanted = Wanted(runs=runs, window=window, since=since, until=until, limit=limit)
        if lost := lost_words(path, wanted):
            return keep_data(path, repo, f"the sync was not complete, and {lost}")
    return write_data(path, content(), now)
