"""What is known of failures: each failed job with its signature, and what people said of the errors behind them."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Final

import msgspec

LONGEST_WORDS: Final = 2_000
"""So many characters of a title, a note, a fix or a link are kept."""


class LogChoice(enum.StrEnum):
    """What was decided of the log of a failed job."""

    READ = "read"
    """It was downloaded, and tells the error."""
    KNOWN = "known"
    """It was not asked for: the log of a failure of the same kind was read, and stands for it."""
    DEFERRED = "deferred"
    """It waits for the next sync: the budget was used up, or GitHub had no log yet."""
    GONE = "gone"
    """It was asked for, and GitHub has none."""
    NOT_ASKED = "not_asked"
    """Nobody asked for logs."""


class EntryState(enum.StrEnum):
    """How an error stands."""

    OPEN = "open"
    """It happened, and nobody said anything of it."""
    MUTED = "muted"
    """Somebody wants to hear no more of it."""
    RESOLVED = "resolved"
    """Somebody said that it is mended, and it has not been seen since."""
    REGRESSED = "regressed"
    """It was seen again after it was said to be mended."""


class Occurrence(msgspec.Struct, frozen=True, kw_only=True):
    """One failed attempt of a job; the key is (``repo``, ``job_id``). It outlives the job's own row.

    ``signature`` is that of the step level, 16 hex digits, equal for failures of the same workflow, job, failed step
    and conclusion; ``version`` is that of how it is made. ``fingerprint`` is that of the error, of the log that was
    read, or of the one that stands for it where ``choice`` is known; None where there is none. ``template`` is the
    line that matters without what differs from run to run. ``asked_at`` is when its log was asked for last, None where
    it never was; ``log_bytes`` is how long the log is, as far as it was kept.
    """

    repo: str
    job_id: int
    run_id: int
    run_attempt: int
    version: str
    signature: str
    workflow: str
    job: str
    step: str | None
    conclusion: str
    failed_at: dt.datetime
    choice: LogChoice
    cause: str | None = None
    rule: str | None = None
    fingerprint: str | None = None
    template: str | None = None
    line: str | None = None
    agent: str | None = None
    url: str | None = None
    branch: str | None = None
    asked_at: dt.datetime | None = None
    log_bytes: int = 0


class KnowledgeEdit(msgspec.Struct, frozen=True, kw_only=True):
    """What people said of an error; the key is (``repo``, ``entry_id``).

    ``entry_id`` is 16 hex digits: the fingerprint of the error, the signature where no log tells it, or a name made
    of both for a kind of failure that was split off. ``merged_into`` is the entry that it was joined to; ``splits``
    are signatures that are entries of their own. ``fix`` is what people say should be done. ``edited_at`` decides
    between an edit in the store and one in a file.
    """

    repo: str
    entry_id: str
    edited_at: dt.datetime
    state: EntryState = EntryState.OPEN
    resolved_at: dt.datetime | None = None
    title: str | None = None
    note: str | None = None
    fix: str | None = None
    link: str | None = None
    merged_into: str | None = None
    splits: tuple[str, ...] = ()
