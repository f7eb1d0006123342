"""A delivery of a webhook that was taken, kept so that it is taken once."""

from __future__ import annotations

import datetime as dt

import msgspec


class TakenDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery; the key is (``repo``, ``delivery_id``). Its facts were in the store before this row was.

    ``delivery_id`` is GitHub's, or ``body_sha256`` where the sender told none. ``repo`` is the repository that is
    served, whatever the body says.
    """

    repo: str
    delivery_id: str
    body_sha256: str
    event: str
    received_at: dt.datetime
    size_bytes: int
