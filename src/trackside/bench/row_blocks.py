"""Rows as column arrays: collected out of order within a block of lines, kept in file order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trackside.bench.dialects import FLOAT_COLUMNS

Array = NDArray[Any]  # int64, int16 (SMALL_COLUMNS) or float64
Columns = dict[str, Array]

NULL_INT: Final = np.iinfo(np.int64).min
NULL_SMALL: Final = np.iinfo(np.int16).min
SMALL_COLUMNS: Final = frozenset(
    {"kind", "engine", "stream", "torn", "utc", "form", "dateless", "graph", "graph_device", "detail"}
)


class RowBlock:
    """The rows of one block of lines: pieces come in any order of lines and leave in the order of lines."""

    def __init__(self) -> None:
        self._lines: list[NDArray[np.int64]] = []
        self._arrays: list[Mapping[str, Array]] = []
        self._constants: list[Mapping[str, int]] = []

    def add(self, lines: NDArray[np.int64], arrays: Mapping[str, Array], constants: Mapping[str, int]) -> None:
        """Adds rows: ``lines`` orders them, ``arrays`` has one value a row, ``constants`` one for all."""
        self._lines.append(lines)
        self._arrays.append(arrays)
        self._constants.append(constants)

    def ordered(self) -> tuple[Columns, NDArray[np.int64]]:
        """All rows in the order of their lines, and these lines; what a row lacks is NULL_INT, NULL_SMALL or NaN."""
        if not self._lines:
            return {}, np.zeros(0, dtype=np.int64)
        lines = np.concatenate(self._lines)
        names = {name for arrays in (*self._arrays, *self._constants) for name in arrays}
        order = None if len(lines) < 2 or (lines[1:] > lines[:-1]).all() else np.argsort(lines, kind="stable")
        columns: Columns = {}
        for name in sorted(names):
            column = self._gather(name, len(lines))
            columns[name] = column if order is None else column[order]
        return columns, lines if order is None else lines[order]

    def _gather(self, name: str, size: int) -> Array:
        out = empty_column(name, size)
        at = 0
        for lines, arrays, constants in zip(self._lines, self._arrays, self._constants, strict=True):
            stop = at + len(lines)
            if name in arrays:
                out[at:stop] = arrays[name]
            elif name in constants:
                out[at:stop] = constants[name]
            at = stop
        return out


def empty_column(name: str, size: int) -> Array:
    """A column of nulls."""
    if name in FLOAT_COLUMNS:
        return np.full(size, np.nan)
    if name in SMALL_COLUMNS:
        return np.full(size, NULL_SMALL, dtype=np.int16)
    return np.full(size, NULL_INT, dtype=np.int64)


class RowStore:
    """Blocks of rows in file order, joined on demand."""

    def __init__(self) -> None:
        self.size = 0
        self._blocks: list[tuple[int, Columns]] = []

    def append(self, columns: Columns) -> None:
        """Adds one ordered block."""
        size = len(next(iter(columns.values())))
        self._blocks.append((size, columns))
        self.size += size

    def take(self) -> Columns:
        """All rows so far as one set of columns; the store is empty afterwards."""
        names = sorted({name for _, columns in self._blocks for name in columns})
        joined = {
            name: np.concatenate([c[name] if name in c else empty_column(name, size) for size, c in self._blocks])
            for name in names
        }
        self._blocks.clear()
        self.size = 0
        return joined
