"""One request and the answer to it, before the answer goes on the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from tests.fake_github.bodies import listed
from tests.fake_github.paging import Page, link_header
from tests.fake_github.tokens import Caller


@dataclass
class Request:
    """What came in. ``headers`` have lower-case names; ``endpoint`` is the name calls are counted under."""

    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]
    body: bytes
    caller: Caller
    endpoint: str = "unknown"
    query: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.query = parse_qsl(self.raw_query, keep_blank_values=True)

    def told(self, name: str) -> str | None:
        """A parameter of the query, the last one where it is given twice."""
        return dict(self.query).get(name)


@dataclass
class Listing:
    """A page of a list before it is written, so that a fault may change it."""

    key: str | None
    page: Page
    base: str
    total: int
    items: list[bytes]
    before: Callable[[int], list[bytes]]
    """The last so many items of the page before this one."""
    more: bool = False

    def body(self) -> bytes:
        """The JSON of the page."""
        return listed(self.key, self.total, self.items)

    def link(self, query: list[tuple[str, str]]) -> str | None:
        """Its Link header."""
        return link_header(self.base, query, self.page, more=self.more)


@dataclass
class Reply:
    """What goes out. ``free`` answers do not count against the limit."""

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    listing: Listing | None = None
    free: bool = False
    resource: str = "core"
    points: int = 1
    permission: str | None = None
    content_type: str = "application/json; charset=utf-8"
    rate_headers: bool = True
