"""Code or machine: whether every runner shows a change of level, only some do, or only other machines came."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from trackside.perf.change_records import Machines, RunnerAnswer, RunnerShift

Stratum = tuple[str | None, str | None]
"""Pool and runner of a value."""
Floats = npt.NDArray[np.float64]
SHARE: Final = 0.5
"""A runner shows a change where its own medians moved by this share of it or more, or by so little less that its few
values cannot tell."""
_ERRORS: Final = 2.0
"""So many standard errors a runner must miss the change by to be one that does not show it."""
_POOL, _RUNNER = 0, 1


def ask_runners(
    before: Floats, after: Floats, where: tuple[Sequence[Stratum], Sequence[Stratum]], step: float, noise: float
) -> RunnerAnswer:
    """What the runners say of a change by ``step``; ``where`` has the strata of the values before and after.

    Where every job has a runner of its own the pools are asked.
    """
    by = _RUNNER if _last(where, _RUNNER) else _POOL
    shifts = _shifts(before, after, where, by, step, noise)
    told = [one for one in shifts if one.moved is not None]
    moved = sum(one.moved is True for one in told)
    if not shifts or (not told and any(one.values_before and one.values_after for one in shifts)):
        machines = Machines.UNKNOWN
    elif not moved:
        machines = Machines.NEW
    elif moved < len(told):
        machines = Machines.SOME
    else:
        machines = Machines.ONE if moved == 1 else Machines.ALL
    return RunnerAnswer(machines=machines, by="runner" if by == _RUNNER else "pool", runners=tuple(shifts))


def _last(where: tuple[Sequence[Stratum], Sequence[Stratum]], by: int) -> bool:
    """Whether runners last: names are told, and most values are not of one that is seen once."""
    names = [one[by] for side in where for one in side if one[by] is not None]
    return bool(names) and len(set(names)) <= max(len(names) / 2, 2)


def _shifts(
    before: Floats,
    after: Floats,
    where: tuple[Sequence[Stratum], Sequence[Stratum]],
    by: int,
    step: float,
    noise: float,
) -> list[RunnerShift]:
    sides = [_by_name(values, strata, by) for values, strata in zip((before, after), where, strict=True)]
    names = sorted(set(sides[0]) | set(sides[1]))
    return [_shift(name, sides[0].get(name), sides[1].get(name), step, noise) for name in names]


def _by_name(values: Floats, strata: Sequence[Stratum], by: int) -> dict[str, Floats]:
    found: dict[str, list[float]] = {}
    for value, stratum in zip(values.tolist(), strata, strict=True):
        if (name := stratum[by]) is not None:
            found.setdefault(name, []).append(value)
    return {name: np.asarray(own) for name, own in found.items()}


def _shift(name: str, before: Floats | None, after: Floats | None, step: float, noise: float) -> RunnerShift:
    first = None if before is None else float(np.median(before))
    last = None if after is None else float(np.median(after))
    counts = (0 if before is None else before.size, 0 if after is None else after.size)
    moved = None
    if first is not None and last is not None:
        moved = _moved((last - first) / step, _ERRORS * noise * math.sqrt(sum(1 / n for n in counts)) / abs(step))
    return RunnerShift(
        name=name, values_before=counts[0], values_after=counts[1], before=first, after=last, moved=moved
    )


def _moved(share: float, error: float) -> bool | None:
    """Whether a runner moved by its share of the step; None where its values go with a change and with none."""
    if share >= SHARE:
        return True if share > error or error < 1 else None
    return None if share + error >= 1 else False
