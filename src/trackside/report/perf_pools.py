"""How points look by where they were measured: a colour for each runner pool, a marker for each of few machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import polars as pl

from trackside.report.chart_style import MUTED, PALETTE, RED
from trackside.report.ledger import counted

UNKNOWN: Final = "pool not told"
MOST_POOLS: Final = 8
"""So many have a colour of their own."""
_COLOURS: Final = tuple(colour for colour in PALETTE if colour != RED)
"""Red is left to what failed."""
_MARKERS: Final = ("o", "s", "^", "D", "v", "P")


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """Points of one pool, or of one machine of it: which they are and how they look.

    ``pools`` are the labels of runners, None for those that are not told; ``runner`` is None for all of them.
    """

    label: str
    colour: str
    marker: str
    pools: tuple[str | None, ...]
    runner: str | None = None

    def points(self, points: pl.DataFrame) -> pl.DataFrame:
        """Those of ``points`` that look so."""
        known = [pool for pool in self.pools if pool is not None]
        mine = pl.col("pool").is_in(known)
        if None in self.pools:
            mine |= pl.col("pool").is_null()
        if self.runner is not None:
            mine &= pl.col("runner_name") == self.runner
        return points.filter(mine.fill_null(value=False))


def colours_of(order: Sequence[str]) -> list[str]:
    """The colour of each of the pools; those that come late share a quiet one."""
    return [_COLOURS[place] if place < MOST_POOLS else MUTED for place in range(len(order))]


def looks_of(points: pl.DataFrame, order: Sequence[str]) -> list[Look]:
    """The looks of ``points``, each point in one, in the order of the pools.

    ``order`` are the pools of all charts (``""`` where it is not told): each has the same colour in all of them. Those
    that come late in it stand together. Machines are told apart where every point names its own and there are few.
    """
    here: set[str | None] = set(points["pool"].unique())
    pools = [pool or None for pool in order if (pool or None) in here]
    colours = {pool or None: _COLOURS[place] for place, pool in enumerate(order[:MOST_POOLS])}
    machines = points.select("pool", "runner_name").unique().sort("runner_name", nulls_last=True)
    by_machine = 1 < machines.height <= len(_MARKERS) and not machines["runner_name"].null_count()
    looks = []
    for pool in (one for one in pools if one in colours):
        colour = colours[pool]
        label = UNKNOWN if pool is None else pool
        if by_machine:
            names = machines.filter(pl.col("pool").eq_missing(pl.lit(pool, pl.String)))["runner_name"]
            for marker, name in zip(_MARKERS, names, strict=False):
                told = name if len(pools) == 1 else f"{label}: {name}"
                looks.append(Look(label=told, colour=colour, marker=marker, pools=(pool,), runner=name))
        else:
            looks.append(Look(label=label, colour=colour, marker="o", pools=(pool,)))
    if rest := tuple(pool for pool in pools if pool not in colours):
        looks.append(Look(label=counted(len(rest), "more pool"), colour=MUTED, marker="o", pools=rest))
    return looks
