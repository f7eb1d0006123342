"""Totals of a piece of rows by stream, kind and rank: enough for the worker table without the rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from trackside.bench.row_blocks import NULL_INT, Array, Columns, empty_column
from trackside.records.engine_run import Ranks

RANKS: Final = Ranks.__struct_fields__
_MAX_RANK: Final = 1 << 20


class GroupTotals(msgspec.Struct, frozen=True):
    """What one stream of a file logged of one kind under one rank tag. Times are logged time, µs, null where none.

    ``utc_rows`` counts rows whose stamp named its zone.
    """

    stream: int
    kind: int
    engine: int
    ranks: Ranks
    rows: int
    first_us: int | None
    last_us: int | None
    new_token: int
    cached_token: int
    utc_rows: int

    def key(self) -> tuple[int, int, int, Ranks]:
        """What tells the group from others of its file."""
        return self.stream, self.kind, self.engine, self.ranks


def group_totals(columns: Columns) -> list[GroupTotals]:
    """One entry a group of rows with equal stream, kind, engine and ranks, in the order of these."""
    size = len(columns["kind"])
    parts: list[Array] = [columns["stream"], columns["kind"], columns["engine"]]
    parts += [columns[name] if name in columns else empty_column(name, size) for name in RANKS]
    keys = _pack([np.asarray(part, dtype=np.int64) for part in parts])
    order = np.argsort(keys, kind="stable")
    bounds = np.flatnonzero(np.diff(keys[order])) + 1
    firsts = np.concatenate((np.zeros(1, dtype=np.int64), bounds))
    time = columns["logged_us"][order]
    early = np.minimum.reduceat(np.where(time == NULL_INT, np.iinfo(np.int64).max, time), firsts)
    late = np.maximum.reduceat(time, firsts)
    sums = {name: _sum(columns.get(name), order, firsts) for name in ("new_token", "cached_token")}
    utc = np.add.reduceat(columns["utc"][order].astype(np.int64), firsts)
    rows = np.diff(np.append(firsts, size))
    tags = np.stack([np.asarray(part)[order[firsts]].astype(np.int64) for part in parts])
    out = []
    for i in range(len(firsts)):
        ranks = Ranks(*(None if v == NULL_INT else int(v) for v in tags[3:, i]))
        none = late[i] == NULL_INT
        out.append(
            GroupTotals(
                int(tags[0, i]),
                int(tags[1, i]),
                int(tags[2, i]),
                ranks,
                int(rows[i]),
                None if none else int(early[i]),
                None if none else int(late[i]),
                int(sums["new_token"][i]),
                int(sums["cached_token"][i]),
                int(utc[i]),
            )
        )
    return out


def merge_totals(groups: Iterable[GroupTotals]) -> list[GroupTotals]:
    """Groups with equal keys as one."""
    merged: dict[tuple[int, int, int, Ranks], GroupTotals] = {}
    for group in groups:
        known = merged.get(group.key())
        merged[group.key()] = group if known is None else _add(known, group)
    return list(merged.values())


def _add(a: GroupTotals, b: GroupTotals) -> GroupTotals:
    firsts = [t for t in (a.first_us, b.first_us) if t is not None]
    lasts = [t for t in (a.last_us, b.last_us) if t is not None]
    return msgspec.structs.replace(
        a,
        rows=a.rows + b.rows,
        first_us=min(firsts) if firsts else None,
        last_us=max(lasts) if lasts else None,
        new_token=a.new_token + b.new_token,
        cached_token=a.cached_token + b.cached_token,
        utc_rows=a.utc_rows + b.utc_rows,
    )


def _pack(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """One integer a row that is equal where all parts are."""
    packed = np.zeros(len(parts[0]), dtype=np.int64)
    for part in parts:
        low, high = int(part.min()), int(part.max())
        if low == high:
            continue
        if low == NULL_INT or high - low > _MAX_RANK:
            part = np.unique(part, return_inverse=True)[1].astype(np.int64)
            low, high = 0, int(part.max())
        width = high - low + 1
        if int(packed.max()) > np.iinfo(np.int64).max // (2 * width):
            packed = np.unique(packed, return_inverse=True)[1].astype(np.int64)
        packed = packed * width + (part - low)
    return packed


def _sum(values: Array | None, order: NDArray[np.int64], firsts: NDArray[np.int64]) -> Array:
    if values is None:
        return np.zeros(len(firsts), dtype=np.int64)
    total: Array = np.add.reduceat(np.where(values == NULL_INT, 0, values)[order], firsts)
    return total
