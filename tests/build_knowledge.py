"""Failures and what people said of them, with as little said as a test needs."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.build_github import NOON, REPO
from trackside.records.knowledge import EntryState, KnowledgeEdit, LogChoice, Occurrence

DISK = "OSError: [Errno 28] No space left on device"


def hours(number: float) -> dt.datetime:
    """So many hours after noon of 2026-11-01 UTC."""
    return NOON + dt.timedelta(hours=number)


def an_id(letter: str) -> str:
    """An id of one hexadecimal digit, 16 times."""
    return letter * 16


def an_occurrence(job_id: int, error: str | None = "a", signature: str = "1", **fields: Any) -> Occurrence:
    """Failed job ``job_id`` of the run of that number: a full disk, its log read, ``job_id`` hours after noon.

    ``error`` and ``signature`` are digits; without an error no log tells it.
    """
    told: dict[str, Any] = {
        "repo": REPO,
        "job_id": job_id,
        "run_id": job_id,
        "run_attempt": 1,
        "version": "1",
        "signature": an_id(signature),
        "workflow": ".github/workflows/ci.yml",
        "job": "unit-test",
        "step": "Run tests",
        "conclusion": "failure",
        "failed_at": hours(job_id),
        "choice": LogChoice.READ,
        "cause": "disk_full",
        "rule": "disk-full",
        "fingerprint": error and an_id(error),
        "template": "OSError: [Errno <n>] No space left on device",
        "line": DISK,
        "url": f"https://github.com/{REPO}/actions/runs/{job_id}/job/{job_id}",
        "branch": "main",
    }
    unread = {"choice": LogChoice.DEFERRED, "cause": None, "rule": None, "template": None, "line": None}
    return Occurrence(**{**told, **({} if error else unread), **fields})


def an_edit(letter: str, at_hour: float = 0, **fields: Any) -> KnowledgeEdit:
    """What was said of the entry of that digit, so many hours after noon; ids in ``fields`` are digits too."""
    for name in ("merged_into",):
        if fields.get(name):
            fields[name] = an_id(fields[name])
    fields["splits"] = tuple(an_id(one) for one in fields.get("splits", ()))
    return KnowledgeEdit(repo=REPO, entry_id=an_id(letter), edited_at=hours(at_hour), **fields)


def muted(letter: str, at_hour: float = 0) -> KnowledgeEdit:
    """That somebody wants to hear no more of it."""
    return an_edit(letter, at_hour, state=EntryState.MUTED)
