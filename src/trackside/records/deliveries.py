"""Deliveries of webhooks: as they come, what becomes of them, and what is kept so that each is taken once."""

from __future__ import annotations

import datetime as dt
import enum

import msgspec


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery whose signature was right. ``delivery_id`` is ``body_sha256`` where the sender told none."""

    delivery_id: str
    body_sha256: str
    event: str
    received_at: dt.datetime
    body: bytes


class Taken(enum.StrEnum):
    """What became of a delivery."""

    STORED = "stored"
    """What it tells is in the store, or was there before."""
    DUPLICATE = "duplicate"
    """It was taken before; nothing was changed."""
    IGNORED = "ignored"
    """It is of another repository, or tells of no run and no job."""
    UNREADABLE = "unreadable"
    """It cannot be read."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a delivery, how many runs and jobs it told of, and why it was not taken; "" where it was."""

    taken: Taken
    runs: int = 0
    jobs: int = 0
    why: str = ""


class TakenDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery; the key is (``repo``, ``delivery_id``). Its facts were in the store before this row was.

    ``repo`` is the repository that is served.
    """

    repo: str
    delivery_id: str
    body_sha256: str
    event: str
    received_at: dt.datetime
    size_bytes: int
