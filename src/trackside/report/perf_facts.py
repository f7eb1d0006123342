"""What a report of performance says of itself: which runs it is of, how complete it is, when it was made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec


class PerfFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a report of performance; times UTC.

    ``since`` is None where the window reaches back as far as the store does. ``runs`` and ``jobs`` count those of the
    window that were looked at: runs, and attempts of performance jobs. ``logs`` counts the logs of these jobs by their
    state (``ready``, ``expired``, ``missing``, …). ``unread`` counts run attempts whose jobs are not known.
    ``watched`` names the workflows and jobs that performance is read from. ``site`` is where the repository is: only
    addresses there become links.
    """

    repo: str
    default_branch: str | None
    since: dt.datetime | None
    until: dt.datetime
    made_at: dt.datetime
    runs: int
    jobs: int
    logs: Mapping[str, int] = {}
    unread: int = 0
    watched: tuple[str, ...] = ()
    site: str = "https://github.com"
