"""What a test may decide about the fake as a whole: the habits in which GitHub has varied or is not documented."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass


class Latest(enum.StrEnum):
    """What ``filter=latest`` of the jobs of a run has meant."""

    NEWEST = "newest"
    """The newest result of every job, those of older attempts too: the usual meaning."""
    LAST_ATTEMPT = "last attempt"
    """Only the jobs that ran in the last attempt: seen for a while from May 2025."""


@dataclass
class Settings:
    """Change any of it at any time."""

    latest: Latest = Latest.NEWEST
    heeds_filter: bool = True
    """False: ``filter=all`` gives what ``filter=latest`` does, as a server might that does not know it."""
    cap: int = 1000
    """How many results a filtered list of runs gives at most."""
    total_at_cap: int | None = None
    """The ``total_count`` of a capped list; None: the true number."""
    rate_limits: bool = True
    """False: there are no limits and no headers of them, as on a server of one's own."""
    over_limit_status: int = 403
    """What the primary limit answers: 403 or 429."""
    api_versions: tuple[str, ...] = ("2022-11-28", "2026-03-10")
    link_valid_for: dt.timedelta = dt.timedelta(minutes=1)
    """How long a redirect to the blob host can be used."""
    blob_auth_status: int = 400
    """What the blob host answers when it is sent credentials: 400 or 403."""
    token_valid_for: dt.timedelta = dt.timedelta(hours=1)
    """The life of an installation token."""
    strict_tokens: bool = False
    """Answer 401 to tokens that were not made here; else any token that was not revoked will do."""
    checks_by_default: str = "LATEST"
    """The check runs GraphQL gives without a ``filterBy``."""
    graphql_max_check_runs: int | None = None
    """A query that would answer more check runs than this ends in 502."""
    graphql_big_ids: bool = True
    """False: a ``databaseId`` that is longer than 32 bits is null, as the schema's Int would have it."""
    graphql_over_limit_status: int = 200
    """What GraphQL answers when its points are used up: 200 with an error in the body, or 403."""
    gzip: bool = False
    """Compress bodies for those who accept it."""
