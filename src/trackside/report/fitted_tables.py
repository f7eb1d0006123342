"""A table of values that stays readable on a narrow screen: nothing is cut, names keep room, addresses stay whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from rich import box
from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from trackside.report.safe_text import safe_text
from trackside.report.tables import format_value, plain_table

NAME_WIDTH: Final = 28
"""What the first column keeps, at least, where it is that long."""
_SHORT: Final = 18
"""A cell of so many characters (a time, a figure, a state) stays on one line."""
_LONG_WORD: Final = 30
_BORDER: Final = 3
_LEAST: Final = 4
_MOST_KEYS: Final = 2


def fitted_parts(
    title: str, headings: Sequence[str], rows: Sequence[Sequence[object]], width: int | None
) -> Iterator[RenderableType]:
    """A ``plain_table`` where it fits into ``width`` characters or there is no screen (None).

    Else addresses stand in lines below it, long cells are folded, and columns without room go on in further tables,
    each of which begins with the columns that tell the rows apart.
    """
    table = _Wide(headings, rows)
    if width is None or table.natural_width <= width:
        yield plain_table(title, headings, rows)
    else:
        yield from table.parts(title, width)


class _Wide:
    """A table that is wider than the screen."""

    def __init__(self, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        self._headings = headings
        self._rows = rows
        self._texts = [[format_value(value) for value in row] for row in rows]

    @property
    def natural_width(self) -> int:
        return self._width([self._natural(place) for place in range(len(self._headings))])

    def parts(self, title: str, width: int) -> Iterator[RenderableType]:
        places = range(len(self._headings))
        links = [place for place in places if place and self._is_address(place)]
        name = title
        for group in self._groups([place for place in places if place not in links], width):
            yield self._table(name, group, width)
            name = f"{title}, continued"
        yield from self._link_lines(links)

    def _is_address(self, place: int) -> bool:
        told = [row[place] for row in self._rows if row[place] is not None]
        return bool(told) and all(isinstance(cell, str) and cell.startswith(("https://", "http://")) for cell in told)

    def _link_lines(self, links: Sequence[int]) -> Iterator[str]:
        for row in self._texts:
            told = [f"  {self._headings[place]}: {row[place]}" for place in links if row[place] != "-"]
            if told:
                yield from (row[0], *told)

    def _groups(self, places: Sequence[int], most: int) -> Iterator[list[int]]:
        """The columns of each table; all begin with the same."""
        keys = list(places[: self._keys(places)])
        taken = list(keys)
        for place in places[len(keys) :]:
            if len(taken) > len(keys) and self._width(self._floors([*taken, place], most)) > most:
                yield taken
                taken = list(keys)
            taken.append(place)
        yield taken

    def _keys(self, places: Sequence[int]) -> int:
        """How many of the first columns tell the rows apart; one where even two do not."""
        for count in range(1, _MOST_KEYS + 1):
            told = sorted(tuple(row[place] for place in places[:count]) for row in self._texts)
            if all(one != other for one, other in pairwise(told)):
                return count
        return 1

    def _table(self, title: str, places: Sequence[int], most: int) -> Table:
        table = Table(title=Text(safe_text(title)), box=box.ROUNDED, title_justify="left")
        for place, width in zip(places, self._widths(places, most), strict=True):
            numeric = any(isinstance(row[place], int | float) for row in self._rows)
            table.add_column(
                self._headings[place], justify="right" if numeric else "left", width=width, overflow="fold"
            )
        for row in self._texts:
            table.add_row(*(Text(row[place]) for place in places))
        return table

    def _widths(self, places: Sequence[int], most: int) -> list[int]:
        """The floors of the columns, and what is left over for those that could use it."""
        widths = self._floors(places, most)
        natural = [self._natural(place) for place in places]
        while self._width(widths) < most and widths != natural:
            short = [at for at, width in enumerate(widths) if width < natural[at]]
            if not short:
                break
            widths[min(short, key=lambda at: widths[at])] += 1
        return widths

    def _floors(self, places: Sequence[int], most: int) -> list[int]:
        """The least width of each column: on a screen too narrow even for these, they share it."""
        floors = [self._floor(place, first=not at) for at, place in enumerate(places)]
        while len(places) <= _MOST_KEYS + 1 and self._width(floors) > most and max(floors) > _LEAST:
            floors[floors.index(max(floors))] -= 1
        return floors

    def _floor(self, place: int, *, first: bool) -> int:
        natural = self._natural(place)
        if natural <= _SHORT:
            return natural
        words = [self._headings[place], *(row[place] for row in self._texts)]
        longest = max(cell_len(word) for text in words for word in text.split() or [""])
        return min(natural, max(_SHORT, NAME_WIDTH if first else min(longest, _LONG_WORD)))

    def _natural(self, place: int) -> int:
        return max(cell_len(self._headings[place]), *(cell_len(row[place]) for row in self._texts))

    @staticmethod
    def _width(widths: Sequence[int]) -> int:
        return sum(width + _BORDER for width in widths) + 1
