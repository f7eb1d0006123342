"""The shapes of the answers that are made here; documents have those of their own."""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal

import msgspec

from trackside.records.jobs import Job
from trackside.records.run_lists import RunRow

VERSION: Final = 1


class RunsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Runs by their newest attempt, the newest first. ``total`` counts all that were asked for, ``runs`` is a part.

    ``agent`` is as of the site that is served: null for runs that came since, and where none is known.
    """

    schema_version: int = VERSION
    repository: str
    total: int
    limit: int
    offset: int
    runs: tuple[RunRow, ...]


class RunAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A run: its attempts, the newest first, and its jobs with steps.

    It has no attempts where only its jobs were told of.
    """

    schema_version: int = VERSION
    repository: str
    attempts: tuple[RunRow, ...]
    jobs: tuple[Job, ...]


class StatusAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How the server stands.

    ``generated_at`` is when the site that is served was made, null where there is none yet. ``build_error`` and
    ``sync_error`` say that the last one failed and when, null where it did not. ``synced_at`` and ``sync_status`` are
    of the newest sync of the store. ``takes_webhooks`` and ``analyses_runs`` say whether a secret and a token are set.
    """

    schema_version: int = VERSION
    repository: str
    version: str
    generated_at: dt.datetime | None
    is_building: bool
    build_error: str | None
    is_syncing: bool
    sync_error: str | None
    synced_at: dt.datetime | None
    sync_status: str | None
    takes_webhooks: bool
    analyses_runs: bool


class HealthAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the server is well; ``reasons`` are sentences that say what is not."""

    status: Literal["ok", "failing"]
    reasons: tuple[str, ...] = ()


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a delivery: stored, duplicate, ignored, or pong for a ping; ``why`` where it was ignored."""

    status: str
    runs: int = 0
    jobs: int = 0
    why: str | None = None


class Problem(msgspec.Struct, frozen=True):
    """The body of every answer that is no success: one sentence."""

    error: str
