"""Which rank of which worker wrote a line, and how ranks are put together into series."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

IntArray = npt.NDArray[np.int64]

NO_TAG = "no rank tag"
RANK_PARTS = ("dp", "pp", "attn_cp", "moe_dp", "tp", "ep")
WORKER_KEYS = ("node", "worker_type", "worker_id")
RANK_KEYS = (*WORKER_KEYS, *RANK_PARTS, "stream")


class GroupBy(enum.StrEnum):
    """One series per worker, per data-parallel rank of a role, or per role."""

    NODE = "node"
    DP = "dp"
    ALL = "all"


class RankTable(msgspec.Struct, frozen=True):
    """The ranks of some rows; ``rank_id`` of a row is the position in these arrays.

    ``worker_of[rank_id]`` is the position in ``workers``; ``slots[rank_id]`` is what the rank is grouped by
    (``DP3``; ``TP0`` where no line of the role has a DP; ``no rank tag``).
    """

    workers: tuple[str, ...]
    worker_of: IntArray
    slots: tuple[str, ...]


class Grouping(msgspec.Struct, frozen=True):
    """Series labels, the series of each rank (-1.

    Not part), and how many workers stand behind each series.
    """

    labels: tuple[str, ...]
    group_of_rank: IntArray
    workers_of_group: tuple[int, ...]


def natural_key(text: str) -> tuple[tuple[int, int | str], ...]:
    """A sort key under which w2 comes before w10."""
    parts = re.split(r"(\d+)", text)
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in parts)


def index_ranks(rows: pl.DataFrame) -> tuple[pl.DataFrame, RankTable]:
    """The rows with a column ``rank_id`` (Int64), and the table of their ranks."""
    distinct = rows.select(RANK_KEYS).unique()
    keys = sorted(distinct.iter_rows(), key=_rank_sort_key)
    ranks = pl.DataFrame(keys, schema=distinct.schema, orient="row").with_columns(
        rank_id=pl.int_range(pl.len(), dtype=pl.Int64)
    )
    indexed = rows.join(ranks, on=list(RANK_KEYS), how="left", nulls_equal=True, maintain_order="left")
    return indexed, _rank_table(keys)


def _rank_sort_key(key: tuple[object, ...]) -> tuple[object, ...]:
    names = tuple(natural_key(str(part)) for part in key[:3])
    parts = (-1 if part is None else part for part in key[3:-1])
    return (*names, *parts, natural_key(str(key[-1] or "")))


def _rank_table(keys: Sequence[tuple[object, ...]]) -> RankTable:
    names = [f"{node}_{kind}_{worker}" for node, kind, worker, *_ in keys]
    workers = tuple(dict.fromkeys(names))
    position = {name: index for index, name in enumerate(workers)}
    by_dp = {key[1] for key in keys if key[3] is not None}
    return RankTable(
        workers=workers,
        worker_of=np.array([position[name] for name in names], dtype=np.int64),
        slots=tuple(_slot(key, key[1] in by_dp) for key in keys),
    )


def _slot(key: Sequence[object], by_dp: bool) -> str:
    part, value = ("DP", key[3]) if by_dp else ("TP", key[7])
    return NO_TAG if value is None else f"{part}{value}"


def group_ranks(ranks: RankTable, present: IntArray, group_by: GroupBy, role: str) -> Grouping:
    """How the ranks ``present`` (of one role) become series, with labels as the user reads them."""
    if group_by is GroupBy.NODE:
        names = [ranks.workers[ranks.worker_of[rank]] for rank in present]
    elif group_by is GroupBy.DP:
        names = [ranks.slots[rank] for rank in present]
    else:
        names = [f"All {role}"] * len(present)
    groups = sorted(dict.fromkeys(names), key=natural_key)
    position = {name: index for index, name in enumerate(groups)}
    group_of_rank = np.full(len(ranks.slots), -1, dtype=np.int64)
    group_of_rank[present] = [position[name] for name in names]
    workers = tuple(len(set(ranks.worker_of[group_of_rank == index])) for index in range(len(groups)))
    labels = groups if group_by is GroupBy.NODE else [_counted(*pair) for pair in zip(groups, workers, strict=True)]
    return Grouping(tuple(labels), group_of_rank, workers)


def _counted(name: str, workers: int) -> str:
    return f"{name} ({workers} worker{'' if workers == 1 else 's'})"
