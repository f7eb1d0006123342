"""What a table of a store holds."""

from __future__ import annotations

import datetime as dt

import msgspec


class StoredTable(msgspec.Struct, frozen=True, kw_only=True):
    """One table. ``keys`` is how many rows are the newest of their key, ``rows`` how many there are in all.

    ``oldest`` and ``newest`` are of the column ``about``, None where no row tells it. ``version`` is that of the
    stored schema, None where the table was not made yet.
    """

    table: str
    keys: int
    rows: int
    files: int
    size_bytes: int
    about: str
    oldest: dt.datetime | None
    newest: dt.datetime | None
    version: int | None
