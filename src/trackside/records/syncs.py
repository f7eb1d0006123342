"""The ledger of one sync: what it asked for, what it cost, what came, and what is missing with the reason."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

import msgspec

_ADDRESS: Final = re.compile(r"https?://\S+|(?<!\S)/repos/\S+")
_OWN: Final = re.compile(r"(?<=/)(?:\d+|[0-9a-f]{40})(?![^/?:,;)])|(?<=\?).*")
ELIDED: Final = "…"
"""What stands for the ids in an address, which differ from one missing thing to the next."""


class EndpointCalls(msgspec.Struct, frozen=True, kw_only=True):
    """Calls of one endpoint, each attempt of a call counted. ``billed`` are those that count against the limit."""

    endpoint: str
    calls: int = 0
    billed: int = 0
    failed: int = 0
    retried: int = 0
    bytes: int = 0


class FailedCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call that was given up. ``status`` is the HTTP status, None where no answer came."""

    endpoint: str
    url: str
    status: int | None
    reason: str


class RateLimit(msgspec.Struct, frozen=True, kw_only=True):
    """A rate limit as the answers told it; None where no answer did. ``resource`` is core, graphql, …"""

    resource: str
    limit: int | None = None
    remaining_start: int | None = None
    remaining_end: int | None = None
    reset_at: dt.datetime | None = None


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the window holds and the store does not. ``count`` is in ``what`` (jobs, attempts, runs …)."""

    what: str
    reason: str
    count: int
    samples: tuple[str, ...] = ()


def shared_reason(reason: str) -> str:
    """The reason without what tells its addresses apart: as it reads for the next thing, refused likewise."""
    return _ADDRESS.sub(lambda address: _OWN.sub(ELIDED, address[0]), reason)


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """Runs created from ``start`` to ``stop`` (both included) were listed completely."""

    start: dt.datetime
    stop: dt.datetime


class SyncRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One sync; the key is (``repo``, ``sync_id``). Durations are of a monotonic clock.

    ``status`` is ok, partial (something is missing) or failed. ``completeness`` is the share of the selected
    attempts whose runs and jobs are in the store, None where there are none or the list of runs has gaps. ``scope``
    names the list that ``listed`` is about; ``swept`` says that the whole window was looked through for re-runs.
    ``default_branch`` is None where the list of pull requests did not tell it.
    """

    repo: str
    sync_id: str
    started_at: dt.datetime
    ended_at: dt.datetime
    status: str
    api: str
    window_start: dt.datetime
    window_stop: dt.datetime
    scope: str
    listed: tuple[Interval, ...] = ()
    swept: bool = False
    calls: int = 0
    billed: int = 0
    waited_s: float = 0.0
    bytes: int = 0
    endpoints: tuple[EndpointCalls, ...] = ()
    failed_calls: tuple[FailedCall, ...] = ()
    limits: tuple[RateLimit, ...] = ()
    runs_listed: int = 0
    runs_new: int = 0
    runs_changed: int = 0
    runs_unchanged: int = 0
    attempts_selected: int = 0
    attempts_fetched: int = 0
    attempts_complete: int = 0
    jobs_listed: int = 0
    jobs_new: int = 0
    steps_new: int = 0
    pulls_new: int = 0
    logs_new: int = 0
    artifacts_new: int = 0
    missing: tuple[Missing, ...] = ()
    parse_errors: int = 0
    parse_error_samples: tuple[str, ...] = ()
    completeness: float | None = None
    phases_s: dict[str, float] = {}
    default_branch: str | None = None
    notes: tuple[str, ...] = ()
