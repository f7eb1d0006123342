"""The values of two sides in one series, made comparable: the same pools, what machines add removed."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from trackside.perf.sides import Side, SideKind
from trackside.records.measurements import Better
from trackside.stats.noise import LEAST_VALUES, Floats

WINDOW: Final = 20
"""So many of the newest points stand for a branch."""
KNOWN_BY: Final = 3
"""With so many values on the default branch it is known what a machine adds."""
LEAST_MACHINES: Final = 5
"""So many machines, or more, tell how much machines differ: a value of another one can then be judged."""
_LEAST_NOISE: Final = 0.001
"""In shares of the level: values that never differed may differ so much the next time."""
_BULK: Final = 0.95
_UNTOLD: Final = "which machines ran is not told"
Machine = tuple[str | None, str | None]
_Pair = tuple[pl.DataFrame, pl.DataFrame]


class Sample(NamedTuple):
    """Two sides of one series that can be compared.

    ``residuals`` are what values of the default branch lie off their level, ``scale`` is the spread of most of them and
    ``least`` the smallest that is believed. ``first`` and ``second`` are values less what their machines add where
    ``machines_removed``, else the mean of each machine: values of one that nothing is known of are not independent.
    ``note`` says what could not be compared, or how the machines were treated; ``residuals`` are empty where nothing
    can be told.
    """

    rows: _Pair
    first: Floats
    second: Floats
    residuals: Floats
    scale: float
    least: float
    machines_removed: bool
    note: str | None

    @property
    def sign(self) -> int:
        """1 where more is worse, -1 where less is."""
        return 1 if self.rows[0]["better"][-1] == Better.LOWER.value else -1


def make_sample(rows: pl.DataFrame, sides: tuple[Side, Side]) -> Sample | None:
    """The sample of one series, whose points are ``rows`` with ``level`` and ``effect``; None where a side has none."""
    taken = _taken(rows, sides)
    if taken[0].is_empty() or taken[1].is_empty():
        return None
    told = _same_pools(*taken)
    if told is None:
        where = " and ".join(_names(side["pool"]) for side in taken)
        return _sample(taken, rows.clear(), None, f"measured in different pools: {where}")
    known = rows.filter("is_default_line", pl.col("level").is_not_null())
    return _by_machine(told, known)


def _taken(rows: pl.DataFrame, sides: tuple[Side, Side]) -> _Pair:
    """The points of each side; those of a branch are the newest of its present level, the other side's apart."""
    own = [side.points(rows) for side in sides]
    for place, side in enumerate(sides):
        other, there = sides[1 - place], own[1 - place]
        if side.runs_on and not other.runs_on:
            own[place] = own[place].join(there.select("job_id"), on="job_id", how="anti", maintain_order="left")
            if side.kind is SideKind.DEFAULT and there.height:
                own[place] = _as_of(own[place], there, other)
        if side.runs_on:
            own[place] = _newest_level(own[place]).tail(WINDOW)
    return own[0], own[1]


def _as_of(branch: pl.DataFrame, there: pl.DataFrame, other: Side) -> pl.DataFrame:
    """The default branch as it was when a pull request ran, or before a commit of its own; whole for other commits."""
    if other.kind is SideKind.PULL:
        newest: dt.datetime = there["created_at"].max()  # type: ignore[assignment]
        return branch.filter(pl.col("ordered_at") <= newest)
    if there["is_default_line"].any():
        first: dt.datetime = there["ordered_at"].min()  # type: ignore[assignment]
        return branch.filter(pl.col("ordered_at") < first)
    return branch


def _newest_level(rows: pl.DataFrame) -> pl.DataFrame:
    """The points since the last change."""
    if rows.is_empty() or rows["level"][-1] is None:
        return rows
    changed = (rows["level"] != rows["level"][-1]).fill_null(value=False).arg_true()
    return rows.slice(int(changed[-1]) + 1) if len(changed) else rows


def _same_pools(first: pl.DataFrame, second: pl.DataFrame) -> _Pair | None:
    """The points in pools that both measured in; all where a pool is not told; None where there is no such pool."""
    pools = [set(side["pool"]) for side in (first, second)]
    if None in pools[0] | pools[1]:
        return first, second
    both = sorted(pools[0] & pools[1])
    if not both:
        return None
    return first.filter(pl.col("pool").is_in(both)), second.filter(pl.col("pool").is_in(both))


def _by_machine(taken: _Pair, known: pl.DataFrame) -> Sample:
    """What machines add is removed where it is known of all; else they are noise, if enough of them tell how much."""
    seen: list[Machine] = known.select("pool", "runner_name").rows()
    effects: dict[Machine, float] = dict(zip(seen, known["effect"], strict=True))
    often = {machine for machine, count in Counter(seen).items() if count >= KNOWN_BY and machine[1] is not None}
    used: set[Machine] = {machine for side in taken for machine in side.select("pool", "runner_name").rows()}
    if used <= often or (len(used) == 1 and None not in {name for _, name in used}):
        return _sample(taken, known, effects, None)
    strange = sorted({str(name) for _, name in used - often if name is not None})
    told = f"{_few(strange)} measured less than {KNOWN_BY} times on the default branch" if strange else _UNTOLD
    pools = {pool for pool, _ in used}
    machines = {name for pool, name in seen if pool in pools}
    if None not in machines and len(machines) < LEAST_MACHINES:
        return _sample(taken, known.clear(), None, f"only other machines ran: {told}" if strange else told)
    return _sample(taken, known, None, f"{told}: differences of machines are in the interval")


def _sample(taken: _Pair, known: pl.DataFrame, effects: dict[Machine, float] | None, note: str | None) -> Sample:
    first, second = (_values(side, effects) for side in taken)
    level = abs(float(first.mean())) or abs(float(second.mean())) or 1.0
    residuals = _residuals(known, removed=effects is not None)
    if residuals.size < LEAST_VALUES and (known.height or not note):
        few = f"the noise is not known: fewer than {LEAST_VALUES} values of the default branch tell it"
        residuals, note = residuals[:0], few
    return Sample(
        rows=taken,
        first=first,
        second=second,
        residuals=residuals,
        scale=max(_spread(residuals), _LEAST_NOISE * level),
        least=_LEAST_NOISE * level,
        machines_removed=effects is not None,
        note=note,
    )


def _values(side: pl.DataFrame, effects: dict[Machine, float] | None) -> Floats:
    if effects is not None:
        added = [effects.get(machine, 0.0) for machine in side.select("pool", "runner_name").rows()]
        rest: Floats = side["value"].to_numpy() - np.asarray(added)
        return rest
    machine = pl.coalesce("runner_name", pl.format("job {}", "job_id"))
    means: Floats = side.group_by(machine, maintain_order=True).agg(pl.col("value").mean())["value"].to_numpy()
    return means


def _residuals(known: pl.DataFrame, *, removed: bool) -> Floats:
    """What the values lie off their level, a little more where levels were fitted to few."""
    fitted = known["level"] + known["effect"] if removed else known["level"]
    free = known.height - known["level"].n_unique() - (known["effect"].n_unique() - 1 if removed else 0)
    wider = (known.height / free) ** 0.5 if free > 0 else 1.0
    residuals: Floats = (known["value"] - fitted).to_numpy() * wider
    return residuals


def _spread(residuals: Floats) -> float:
    """The root mean square of the smallest most: spikes do not tell it, a second mode does."""
    kept = np.sort(np.abs(residuals))[: max(1, int(_BULK * residuals.size))]
    return float(np.sqrt((kept**2).mean())) if residuals.size else 0.0


def _names(values: pl.Series) -> str:
    return _few(sorted({str(value) for value in values}))


def _few(names: list[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")
