"""Pages of a list, and the Link header that leads from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

MOST_PER_PAGE, USUAL_PER_PAGE = 100, 30


@dataclass
class Page:
    """Which part of ``total`` items is asked for; ``reachable`` is how many may be paged through at all."""

    number: int
    size: int
    total: int
    reachable: int

    @property
    def last(self) -> int:
        """The number of the last page, 1 where there is nothing."""
        return max(1, -(-self.reachable // self.size))

    @property
    def slice(self) -> slice:
        """The items of this page."""
        first = (self.number - 1) * self.size
        return slice(min(first, self.reachable), min(first + self.size, self.reachable))


def page_of(query: Sequence[tuple[str, str]], total: int, cap: int | None = None) -> Page:
    """The page a query asks for: 30 items unless it says otherwise, never more than 100."""
    told = dict(query)
    size = whole_number(told.get("per_page")) or USUAL_PER_PAGE
    number = whole_number(told.get("page")) or 1
    return Page(number, min(size, MOST_PER_PAGE), total, total if cap is None else min(total, cap))


def whole_number(text: str | None) -> int | None:
    """A positive number, else None."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def link_header(base: str, query: Sequence[tuple[str, str]], page: Page, *, more: bool = False) -> str | None:
    """``<…page=2>; rel="next", …`` in GitHub's order; None where everything fits on one page.

    ``base`` is the address by the repository's number; the order of the query stays. ``more``: say there is a
    next page although there is none.
    """
    targets = []
    if page.number > 1:
        targets.append(("prev", min(page.number - 1, page.last)))
    if page.number < page.last or more:
        targets += [("next", page.number + 1), ("last", max(page.last, page.number + more))]
    if page.number > 1:
        targets.append(("first", 1))
    return ", ".join(f'<{base}?{with_page(query, number)}>; rel="{rel}"' for rel, number in targets) or None


def with_page(query: Sequence[tuple[str, str]], number: int) -> str:
    """The query with another page number, in its place where it had one, else at the end."""
    pairs = [(key, str(number) if key == "page" else value) for key, value in query]
    if all(key != "page" for key, _ in query):
        pairs.append(("page", str(number)))
    return urlencode(pairs)
